// Transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH.
//
//   MULTI ──▶ the engine queues what follows ──▶ EXEC ──▶ watched keys unchanged? ──▶ every call, one after the other
//
// Queueing is policy and stands in the engine; these rows open, run and end a transaction. A call that
// fails inside EXEC leaves its error in its place, and the others run: that is what Redis does.

import { HiveError, tooBig } from "../../base/errors.ts";
import type { Args } from "../args.ts";
import { type Context, GATE_MULTI, REPLY_SILENT, REPLY_WITHHELD } from "../context.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { Transaction } from "../transaction.ts";

function multi(context: Context, _args: Args, reply: Reply): void {
  if ((context.gate & GATE_MULTI) !== 0) throw new HiveError("IN_TRANSACTION", "MULTI calls can not be nested");
  context.transaction ??= new Transaction();
  context.gate |= GATE_MULTI;
  reply.ok();
}

function exec(context: Context, _args: Args, reply: Reply): void {
  const { transaction, services } = context;
  if (transaction === undefined || (context.gate & GATE_MULTI) === 0) {
    throw new HiveError("NO_TRANSACTION", "EXEC without MULTI");
  }
  if (!transaction.touched) services.watches.expire(transaction);
  const { queue, failed, touched } = transaction;
  context.endTransaction();
  if (failed) throw new HiveError("EXEC_ABORT", "Transaction discarded because of previous errors.");
  if (touched) return reply.nullArray();
  runAll(context, queue, reply);
}

function runAll(context: Context, queue: readonly Args[], reply: Reply): void {
  const { services } = context;
  if ((context.replyMode & REPLY_WITHHELD) === 0) reply.array(queue.length);
  context.executing = true;
  services.enterBusy();
  try {
    for (const args of queue) {
      const mark = reply.mark();
      services.runQueued(context, args, reply);
      // CLIENT REPLY in a transaction counts at once, reply by reply, as in Redis.
      if ((context.replyMode & REPLY_WITHHELD) === 0) continue;
      reply.rewind(mark);
      context.replyMode &= ~REPLY_SILENT;
    }
  } finally {
    services.leaveBusy();
    context.executing = false;
  }
  context.withheldInside = context.replyMode !== 0;
}

function discard(context: Context, _args: Args, reply: Reply): void {
  if ((context.gate & GATE_MULTI) === 0) throw new HiveError("NO_TRANSACTION", "DISCARD without MULTI");
  context.endTransaction();
  reply.ok();
}

function watch(context: Context, args: Args, reply: Reply): void {
  if ((context.gate & GATE_MULTI) !== 0) throw new HiveError("IN_TRANSACTION", "WATCH inside MULTI is not allowed");
  const { services } = context;
  const { watchedKeysMax, watchedBytesMax, keyBytesMax } = services.limits;
  context.transaction ??= new Transaction();
  const { watched } = context.transaction;
  const names = new Set<string>();
  let bytes = context.transaction.watchedBytes;
  for (let i = 1; i < args.count; i++) {
    const length = args.length(i);
    if (length > keyBytesMax) throw tooBig("KEY_TOO_BIG", "key", length, "keyBytesMax", keyBytesMax);
    const name = args.latin1(i);
    if (watched.has(name) || names.has(name)) continue;
    names.add(name);
    bytes += length;
    if (watched.size + names.size > watchedKeysMax || bytes > watchedBytesMax) {
      const message = `more than watchedKeysMax (${watchedKeysMax}) keys or watchedBytesMax (${watchedBytesMax}) bytes of names would be watched`;
      throw new HiveError("TRANSACTION_TOO_BIG", message);
    }
  }
  for (const name of names) services.watches.watch(context.transaction, name);
  reply.ok();
}

function unwatch(context: Context, _args: Args, reply: Reply): void {
  if (context.transaction !== undefined) context.services.watches.unwatch(context.transaction);
  reply.ok();
}

export const TRANSACTION_ROWS: readonly Row[] = [
  {
    name: "MULTI",
    family: "transactions",
    arity: 1,
    flags: ["fast", "immediate", "ordered"],
    permission: "none",
    summary: "Begins a transaction: the calls that follow are queued",
    syntax: "",
    run: multi,
  },
  {
    name: "EXEC",
    family: "transactions",
    arity: 1,
    flags: ["immediate", "endsMulti", "ordered"],
    permission: "none",
    summary: "Runs the queued calls; answers nil when a watched key has changed",
    syntax: "",
    run: exec,
  },
  {
    name: "DISCARD",
    family: "transactions",
    arity: 1,
    flags: ["fast", "immediate", "endsMulti", "ordered"],
    permission: "none",
    summary: "Forgets the queued calls and the watched keys",
    syntax: "",
    run: discard,
  },
  {
    name: "WATCH",
    family: "transactions",
    arity: -2,
    flags: ["fast", "immediate", "ordered"],
    permission: "read",
    keys: { first: 1, last: -1, step: 1 },
    summary: "Makes the next EXEC depend on keys not changing until then",
    syntax: "key [key ...]",
    run: watch,
  },
  {
    name: "UNWATCH",
    family: "transactions",
    arity: 1,
    flags: ["fast", "ordered"],
    permission: "none",
    summary: "Forgets all watched keys",
    syntax: "",
    run: unwatch,
  },
];
