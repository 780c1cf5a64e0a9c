// DEBUG: for tests of clients. What it does in Redis to a server's insides has no meaning here.

import { setTimeout as wait } from "node:timers/promises";
import { HiveError } from "../../base/errors.ts";
import { QUOTED_BYTES_MAX, quoteBytes } from "../../base/quoted.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";

/** Longer than any test waits; a number beyond it is taken for a mistake of the unit. */
const SLEEP_SECONDS_MAX = 3_600;

function debug(context: Context, args: Args, reply: Reply): void | Promise<void> {
  if (args.count === 3 && args.is(1, "SLEEP")) return sleep(context, args, reply);
  if (args.count === 3 && args.is(1, "OBJECT")) return object(context, args, reply);
  if (args.count === 3 && args.is(1, "SET-ACTIVE-EXPIRE")) {
    context.store.activeExpiry = Number.parseInt(args.latin1(2), 10) > 0;
    return reply.ok();
  }
  if (args.count === 2 && args.is(1, "HELP")) return help(reply);
  const shown = quoteBytes(args.buffer, args.start(1), args.end(1), QUOTED_BYTES_MAX);
  const message = `unknown subcommand or wrong number of arguments for '${shown}'. Try DEBUG HELP.`;
  throw new HiveError("UNKNOWN_COMMAND", message);
}

/** The calls of all connections wait, and this one's answer: what a server that is busy looks like. */
function sleep(context: Context, args: Args, reply: Reply): void | Promise<void> {
  const seconds = Number.parseFloat(args.latin1(2));
  if (seconds > SLEEP_SECONDS_MAX) throw new HiveError("OUT_OF_RANGE", `sleeps at most ${SLEEP_SECONDS_MAX} seconds`);
  if (!(seconds > 0)) return reply.ok();
  if (context.executing) throw new HiveError("IN_TRANSACTION", "DEBUG SLEEP does not wait inside a transaction");
  args.keep();
  const { services } = context;
  services.pauses.begin(services.nowMs + Math.ceil(seconds * 1000), "all");
  return asleep(context, seconds * 1000, reply);
}

async function asleep(context: Context, ms: number, reply: Reply): Promise<void> {
  await wait(ms, undefined, { signal: context.signal }).catch(() => {});
  reply.ok();
}

function object({ store }: Context, args: Args, reply: Reply): void {
  const ref = store.keys.find(args.buffer, args.start(2), args.length(2));
  if (ref === 0) throw new HiveError("NO_KEY", "no such key");
  const { entries } = store.memory;
  const idle = store.eviction.idleSeconds(ref);
  reply.status(
    `Value at:0x${ref.toString(16)} refcount:1 type:${entries.head(ref) & 15} serializedlength:${entries.size(ref)} lru:${entries.accessOf(ref)} lru_seconds_idle:${idle}`,
  );
}

function help(reply: Reply): void {
  const lines = [
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "OBJECT <key>",
    "    Show the entry of a key.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Whether keys that have run out are removed before anybody asks for them.",
    "SLEEP <seconds>",
    "    Let the calls of all connections wait.",
    "HELP",
    "    Print this help.",
  ];
  reply.array(lines.length);
  for (const line of lines) reply.status(line);
}

export const DEBUG_ROW: Row = {
  name: "DEBUG",
  family: "server",
  arity: -2,
  flags: ["admin", "mayWait"],
  permission: "admin",
  keys: { find: (args) => (args.count === 3 && args.is(1, "OBJECT") ? [2] : []), access: "read" },
  summary: "For tests: lets a hive be slow, and shows entries",
  syntax: "SLEEP seconds | OBJECT key | SET-ACTIVE-EXPIRE 0 | SET-ACTIVE-EXPIRE 1 | HELP",
  run: debug,
};
