// Server: COMMAND, INFO, CONFIG, SLOWLOG, LATENCY, DEBUG (a file each), and here TIME and SHUTDOWN.

import { HiveError } from "../../base/errors.ts";
import type { Args } from "../args.ts";
import { type Context, REPLY_OFF } from "../context.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { syntaxError } from "../values.ts";
import { COMMAND_ROW } from "./command-info.ts";
import { CONFIG_ROW } from "./config.ts";
import { DEBUG_ROW } from "./debug.ts";
import { info } from "./info.ts";
import { LATENCY_ROW, SLOWLOG_ROW } from "./slowlog.ts";

function time({ services }: Context, _args: Args, reply: Reply): void {
  const nowMs = services.clockMs();
  const seconds = Math.floor(nowMs / 1000);
  reply.array(2);
  reply.text(`${seconds}`);
  reply.text(`${Math.floor((nowMs - seconds * 1000) * 1000)}`);
}

/** Without SAVE and NOSAVE the hive's settings say whether a snapshot is stored. */
function shutdown(context: Context, args: Args, reply: Reply): void {
  const words = new Set<string>();
  for (let i = 1; i < args.count; i++) {
    const word = SHUTDOWN_WORDS.find((known) => args.is(i, known));
    if (word === undefined) throw syntaxError();
    words.add(word);
  }
  const isAbort = words.has("ABORT");
  if ((isAbort && words.size > 1) || (words.has("SAVE") && words.has("NOSAVE"))) throw syntaxError();
  if (isAbort) throw new HiveError("INVALID_ARGUMENT", "No shutdown in progress.");
  const { persistence } = context.services;
  if (words.has("SAVE")) persistence.requirePlace();
  context.services.shutdown(words.has("SAVE") ? true : words.has("NOSAVE") ? false : undefined);
  // As in Redis the end of the connection is the answer.
  context.replyMode |= REPLY_OFF;
  reply.ok();
}

const SHUTDOWN_WORDS = ["NOSAVE", "SAVE", "NOW", "FORCE", "ABORT"];

export const SERVER_ROWS: readonly Row[] = [
  COMMAND_ROW,
  CONFIG_ROW,
  {
    name: "INFO",
    family: "server",
    arity: -1,
    flags: [],
    permission: "read",
    scope: "own",
    summary: "Returns figures of the hive, by section",
    syntax: "[section [section ...]]",
    run: info,
  },
  {
    name: "TIME",
    family: "server",
    arity: 1,
    flags: ["fast"],
    permission: "none",
    summary: "Returns the hive's clock: seconds since 1970, and microseconds",
    syntax: "",
    run: time,
  },
  SLOWLOG_ROW,
  LATENCY_ROW,
  {
    name: "SHUTDOWN",
    family: "server",
    arity: -1,
    flags: ["admin", "noMulti"],
    permission: "admin",
    summary: "Stops the hive once what runs is answered",
    syntax: "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
    run: shutdown,
  },
  DEBUG_ROW,
];
