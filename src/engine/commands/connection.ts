// Connection: PING, ECHO, HELLO, AUTH, SELECT, RESET, QUIT; and CLIENT, which has files of its own.
//
// HELLO and RESET change the protocol of their own reply: context.protocol is what the door reads for
// every value that it writes.

import { HiveError } from "../../base/errors.ts";
import { QUOTED_BYTES_MAX, quoteBytes } from "../../base/quoted.ts";
import type { Args } from "../args.ts";
import { type Context, GATE_AUTH, GATE_NO_TOUCH, GATE_SUBSCRIBED, REPLY_SKIP } from "../context.ts";
import { REDIS_VERSION, SERVER_NAME } from "../identity.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { replyBytes, syntaxError } from "../values.ts";
import { CLIENT_ROW } from "./client.ts";
import { clientName } from "./client-name.ts";

const DATABASE_MAX = 2 ** 31 - 1;

function ping(context: Context, args: Args, reply: Reply): void {
  if (args.count > 2) throw new HiveError("WRONG_ARITY", "wrong number of arguments for 'ping' command");
  if ((context.gate & GATE_SUBSCRIBED) !== 0 && context.protocol === 2) {
    reply.array(2);
    reply.text("pong");
    if (args.count === 1) reply.text("");
    else echo(context, args, reply);
  } else if (args.count === 1) reply.status("PONG");
  else echo(context, args, reply);
}

function echo(_context: Context, args: Args, reply: Reply): void {
  replyBytes(reply, args.buffer, args.start(1), args.end(1), args.kind(1));
}

function hello(context: Context, args: Args, reply: Reply): void | Promise<void> {
  const protocol = args.count > 1 ? protocolVersion(args) : context.protocol;
  let name: string | undefined;
  let user = 0;
  for (let i = 2; i < args.count; i++) {
    const more = args.count - 1 - i;
    if (more >= 2 && args.is(i, "AUTH")) {
      user = i + 1;
      if (!context.services.authenticator.required) void authenticate(context, args, user);
      i += 2;
    } else if (more >= 1 && args.is(i, "SETNAME")) {
      name = clientName(args, i + 1, context);
      i++;
    } else throw new HiveError("SYNTAX", `Syntax error in HELLO option '${optionText(args, i)}'`);
  }
  const later = user === 0 ? undefined : authenticate(context, args, user);
  if (later === undefined) return welcome(context, reply, { protocol, name });
  args.keep();
  return later.then(() => welcome(context, reply, { protocol, name }));
}

type Chosen = { protocol: 2 | 3; name: string | undefined };

function welcome(context: Context, reply: Reply, { protocol, name }: Chosen): void {
  if ((context.gate & GATE_AUTH) !== 0) {
    throw new HiveError(
      "NO_AUTH",
      "HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
    );
  }
  if (name !== undefined) context.name = name;
  context.protocol = protocol;
  reply.map(7);
  reply.text("server");
  reply.text(SERVER_NAME);
  reply.text("version");
  reply.text(REDIS_VERSION);
  reply.text("proto");
  reply.integer(protocol);
  reply.text("id");
  reply.integer(context.id);
  reply.text("mode");
  reply.text("standalone");
  reply.text("role");
  reply.text("master");
  reply.text("modules");
  reply.array(0);
}

function optionText(args: Args, index: number): string {
  return quoteBytes(args.buffer, args.start(index), args.end(index), QUOTED_BYTES_MAX);
}

function protocolVersion(args: Args): 2 | 3 {
  let version: bigint;
  try {
    version = args.int64(1);
  } catch {
    throw new HiveError("NOT_INTEGER", "Protocol version is not an integer or out of range");
  }
  if (version === 2n) return 2;
  if (version === 3n) return 3;
  throw new HiveError("NO_PROTOCOL", "unsupported protocol version");
}

/** The user in argument `index`, the token behind it. */
function authenticate(context: Context, args: Args, index: number): void | Promise<void> {
  return context.services.authenticator.authenticate(context, args.latin1(index), args.bytes(index + 1));
}

function auth(context: Context, args: Args, reply: Reply): void | Promise<void> {
  if (args.count > 3) throw syntaxError();
  const { authenticator } = context.services;
  const later =
    args.count === 2 ? authenticator.authenticate(context, undefined, args.bytes(1)) : authenticate(context, args, 1);
  if (later === undefined) return reply.ok();
  args.keep();
  return later.then(() => reply.ok());
}

function whoami(context: Context, _args: Args, reply: Reply): void {
  reply.text(context.user);
}

function select(_context: Context, args: Args, reply: Reply): void {
  const database = args.integer(1);
  if (Math.abs(database) > DATABASE_MAX && database !== -DATABASE_MAX - 1) {
    const range = `value is out of range, value must between ${-DATABASE_MAX - 1} and ${DATABASE_MAX}`;
    throw new HiveError("OUT_OF_RANGE", range);
  }
  if (database !== 0) throw new HiveError("OUT_OF_RANGE", "DB index is out of range");
  reply.ok();
}

function reset(context: Context, _args: Args, reply: Reply): void {
  context.endTransaction();
  context.endSubscriptions();
  context.abort(new HiveError("ABORTED", "the connection was reset"));
  context.services.tracking.end(context);
  context.gate &= ~GATE_NO_TOUCH;
  context.noEvict = false;
  context.name = "";
  if (context.peer.door === "resp") context.protocol = 2;
  context.replyMode &= REPLY_SKIP;
  // A native connection has its token from its handshake, for all who share it.
  if (context.ordered) context.services.authenticator.reset(context);
  reply.status("RESET");
}

function quit(context: Context, _args: Args, reply: Reply): void {
  reply.ok();
  context.peer.close("drain");
}

export const CONNECTION_ROWS: readonly Row[] = [
  {
    name: "PING",
    family: "connection",
    arity: -1,
    flags: ["fast", "connection"],
    permission: "none",
    summary: "Answers PONG, or the message",
    syntax: "[message]",
    run: ping,
  },
  {
    name: "ECHO",
    family: "connection",
    arity: 2,
    flags: ["fast", "connection"],
    permission: "none",
    summary: "Answers the message",
    syntax: "message",
    run: echo,
  },
  {
    name: "HELLO",
    family: "connection",
    arity: -1,
    flags: ["fast", "connection", "beforeAuth", "ordered", "mayWait"],
    permission: "none",
    summary: "Tells what the server is, and chooses the protocol",
    syntax: "[protover [AUTH username token] [SETNAME clientname]]",
    run: hello,
  },
  {
    name: "AUTH",
    family: "connection",
    arity: -2,
    flags: ["fast", "connection", "beforeAuth", "mayWait"],
    permission: "none",
    summary: "Authenticates the connection with a token",
    syntax: "[username] token",
    run: auth,
  },
  {
    name: "SELECT",
    family: "connection",
    arity: 2,
    flags: ["fast", "connection"],
    permission: "none",
    summary: "Chooses the database: there is one, 0",
    syntax: "index",
    run: select,
  },
  {
    name: "RESET",
    family: "connection",
    arity: 1,
    flags: ["fast", "connection", "immediate", "endsMulti", "beforeAuth"],
    permission: "none",
    summary: "Puts the connection back in the state that it began with",
    syntax: "",
    run: reset,
  },
  {
    name: "QUIT",
    family: "connection",
    arity: -1,
    flags: ["fast", "connection", "immediate", "endsMulti", "beforeAuth"],
    permission: "none",
    summary: "Closes the connection once the replies are out",
    syntax: "",
    run: quit,
  },
  CLIENT_ROW,
  {
    name: "ACL",
    family: "connection",
    arity: -2,
    flags: ["connection"],
    permission: "none",
    summary: "Who this connection is",
    syntax: "subcommand",
    subcommands: [
      {
        name: "ACL WHOAMI",
        family: "connection",
        arity: 2,
        flags: ["connection"],
        permission: "none",
        summary: "Returns the id of the connection's token, default where it has none",
        syntax: "",
        run: whoami,
      },
    ],
    run: () => {},
  },
];
