// CLIENT: what a connection says of itself, and what an operator asks of connections.

import { HiveError } from "../../base/errors.ts";
import { QUOTED_BYTES_MAX, quoteBytes } from "../../base/quoted.ts";
import type { Args } from "../args.ts";
import { type Context, GATE_NO_TOUCH, REPLY_OFF, REPLY_SILENT, REPLY_SKIP, REPLY_SKIP_NEXT } from "../context.ts";
import type { Reply } from "../reply.ts";
import type { Flag, Permission, Row } from "../row.ts";
import { syntaxError } from "../values.ts";
import { clientKill } from "./client-kill.ts";
import { clientInfo, clientList } from "./client-list.ts";
import { clientName, libraryInfo } from "./client-name.ts";
import { caching, getRedir, tracking, trackingInfo } from "./client-tracking.ts";

function id(context: Context, _args: Args, reply: Reply): void {
  reply.integer(context.id);
}

function getName(context: Context, _args: Args, reply: Reply): void {
  if (context.name === "") reply.nil();
  else reply.text(context.name);
}

function setName(context: Context, args: Args, reply: Reply): void {
  context.name = clientName(args, 2, context);
  reply.ok();
}

function setInfo(context: Context, args: Args, reply: Reply): void {
  if (args.is(2, "LIB-NAME")) context.libraryName = libraryInfo(args, 3, context);
  else if (args.is(2, "LIB-VER")) context.libraryVersion = libraryInfo(args, 3, context);
  else {
    const shown = quoteBytes(args.buffer, args.start(2), args.end(2), QUOTED_BYTES_MAX);
    throw new HiveError("SYNTAX", `Unrecognized option '${shown}'`);
  }
  reply.ok();
}

/** The door withholds replies by context.replyMode, this one's too. */
function replyMode(context: Context, args: Args, reply: Reply): void {
  if (args.is(2, "ON")) context.replyMode &= ~(REPLY_OFF | REPLY_SKIP);
  else if (args.is(2, "OFF")) context.replyMode |= REPLY_OFF;
  else if (!args.is(2, "SKIP")) throw syntaxError();
  else if ((context.replyMode & REPLY_OFF) === 0) context.replyMode |= REPLY_SKIP_NEXT | REPLY_SILENT;
  reply.ok();
}

function onOrOff(args: Args): boolean {
  if (args.is(2, "ON")) return true;
  if (args.is(2, "OFF")) return false;
  throw syntaxError();
}

function noEvict(context: Context, args: Args, reply: Reply): void {
  context.noEvict = onOrOff(args);
  reply.ok();
}

function noTouch(context: Context, args: Args, reply: Reply): void {
  if (onOrOff(args)) context.gate |= GATE_NO_TOUCH;
  else context.gate &= ~GATE_NO_TOUCH;
  reply.ok();
}

function pause(context: Context, args: Args, reply: Reply): void {
  if (args.count > 4) {
    const message = "unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.";
    throw new HiveError("WRONG_ARITY", message);
  }
  const isAll = args.count === 3 || args.is(3, "ALL");
  if (!isAll && !args.is(3, "WRITE")) throw new HiveError("SYNTAX", "CLIENT PAUSE mode must be WRITE or ALL");
  const { services } = context;
  services.pauses.begin(services.nowMs + timeout(args), isAll ? "all" : "write");
  reply.ok();
}

function timeout(args: Args): number {
  let timeoutMs: number;
  try {
    timeoutMs = args.integer(2);
  } catch {
    throw new HiveError("NOT_INTEGER", "timeout is not an integer or out of range");
  }
  if (timeoutMs < 0) throw new HiveError("OUT_OF_RANGE", "timeout is negative");
  return timeoutMs;
}

function unpause(context: Context, _args: Args, reply: Reply): void {
  context.services.pauses.end();
  reply.ok();
}

/** Ends the wait for a key. */
function unblock(context: Context, args: Args, reply: Reply): void {
  if (args.count > 4) throw syntaxError();
  const isError = args.is(3, "ERROR");
  if (args.count === 4 && !isError && !args.is(3, "TIMEOUT")) {
    throw new HiveError("INVALID_ARGUMENT", "CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  const error = isError ? new HiveError("UNBLOCKED", "client unblocked via CLIENT UNBLOCK") : undefined;
  reply.integer(context.services.blocked.unblock(args.integer(2), error) ? 1 : 0);
}

type Inner = Pick<Row, "arity" | "summary" | "syntax" | "run"> & { admin?: true; ordered?: true };

/** A subcommand's row: those for operators need the permission. */
function inner(name: string, { admin, ordered, ...row }: Inner): Row {
  const flags: readonly Flag[] = [
    admin ? "admin" : [],
    "connection" as const,
    ordered ? "ordered" : [],
  ].flat() as Flag[];
  const permission: Permission = admin ? "admin" : "none";
  return { name: `CLIENT ${name}`, family: "connection", flags, permission, ...row };
}

const SUBCOMMANDS: readonly Row[] = [
  inner("ID", { arity: 2, summary: "Returns the connection's number, never used twice", syntax: "", run: id }),
  inner("GETNAME", { arity: 2, summary: "Returns the connection's name", syntax: "", run: getName }),
  inner("SETNAME", { arity: 3, summary: "Names the connection", syntax: "connection-name", run: setName }),
  inner("SETINFO", {
    arity: 4,
    summary: "Names the connection's client library",
    syntax: "LIB-NAME libname | LIB-VER libver",
    run: setInfo,
  }),
  inner("INFO", { arity: 2, summary: "Describes this connection", syntax: "", run: clientInfo }),
  inner("LIST", {
    admin: true,
    arity: -2,
    summary: "Describes the open connections, a line for each",
    syntax: "[TYPE normal | TYPE master | TYPE replica | TYPE pubsub] [ID client-id [client-id ...]]",
    run: clientList,
  }),
  inner("KILL", {
    admin: true,
    arity: -3,
    summary: "Closes connections",
    syntax:
      "ip:port | [ID client-id] [TYPE type] [USER username] [ADDR ip:port] [LADDR ip:port] [SKIPME yes | no] [MAXAGE seconds]",
    run: clientKill,
  }),
  inner("REPLY", {
    ordered: true,
    arity: 3,
    summary: "Chooses whether this connection gets replies",
    syntax: "ON | OFF | SKIP",
    run: replyMode,
  }),
  inner("PAUSE", {
    admin: true,
    arity: -3,
    summary: "Lets the calls of all connections wait, or those that write",
    syntax: "timeout [WRITE | ALL]",
    run: pause,
  }),
  inner("UNPAUSE", { admin: true, arity: 2, summary: "Ends a pause", syntax: "", run: unpause }),
  inner("UNBLOCK", {
    admin: true,
    arity: -3,
    summary: "Ends the calls of a connection that wait for a key",
    syntax: "client-id [TIMEOUT | ERROR]",
    run: unblock,
  }),
  inner("NO-EVICT", {
    admin: true,
    arity: 3,
    summary: "Is accepted and shown in CLIENT LIST: connections are never evicted",
    syntax: "ON | OFF",
    run: noEvict,
  }),
  inner("NO-TOUCH", {
    arity: 3,
    summary: "Chooses whether this connection's reads count as access",
    syntax: "ON | OFF",
    run: noTouch,
  }),
  inner("TRACKING", {
    ordered: true,
    arity: -3,
    summary: "Tells this connection, or another one, when keys change that it has read",
    syntax: "ON | OFF [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
    run: tracking,
  }),
  inner("CACHING", {
    ordered: true,
    arity: 3,
    summary: "Says whether the keys of the next call are tracked",
    syntax: "YES | NO",
    run: caching,
  }),
  inner("GETREDIR", {
    arity: 2,
    summary: "Returns the connection that is told instead: 0 for none, -1 without tracking",
    syntax: "",
    run: getRedir,
  }),
  inner("TRACKINGINFO", {
    arity: 2,
    summary: "Describes how this connection tracks keys",
    syntax: "",
    run: trackingInfo,
  }),
];

export const CLIENT_ROW: Row = {
  name: "CLIENT",
  family: "connection",
  arity: -2,
  flags: ["connection"],
  permission: "none",
  summary: "Connections: this one and the others",
  syntax: "subcommand [argument ...]",
  subcommands: SUBCOMMANDS,
  run: () => {},
};
