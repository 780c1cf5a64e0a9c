// Keys, their deadlines: set, asked for and taken away.
//
// Order of the checks is Redis's: the words, the time, whether the key is there, then the conditions. A
// deadline that has passed deletes the key.

import { HiveError } from "../../base/errors.ts";
import { QUOTED_BYTES_MAX, quoteBytes } from "../../base/quoted.ts";
import { NO_DEADLINE } from "../../store/placement.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { deadlineArgument, UNIT_ABSOLUTE, UNIT_SECONDS } from "../deadline.ts";
import { EVENT_GENERIC, happened } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";

const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;

/** The conditions from argument 3 on, as bits. @throws {HiveError} INVALID_ARGUMENT */
function parseConditions(args: Args): number {
  let conditions = 0;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "NX")) conditions |= NX;
    else if (args.is(i, "XX")) conditions |= XX;
    else if (args.is(i, "GT")) conditions |= GT;
    else if (args.is(i, "LT")) conditions |= LT;
    else {
      const shown = quoteBytes(args.buffer, args.start(i), args.end(i), QUOTED_BYTES_MAX);
      throw new HiveError("INVALID_ARGUMENT", `Unsupported option ${shown}`);
    }
  }
  if ((conditions & NX) !== 0 && conditions !== NX) {
    throw new HiveError("INVALID_ARGUMENT", "NX and XX, GT or LT options at the same time are not compatible");
  }
  if ((conditions & (GT | LT)) === (GT | LT)) {
    throw new HiveError("INVALID_ARGUMENT", "GT and LT options at the same time are not compatible");
  }
  return conditions;
}

/** Whether the conditions let `next` follow `current`; no deadline counts as an infinite one. */
function allows(conditions: number, current: number, next: number): boolean {
  if ((conditions & NX) !== 0 && current < NO_DEADLINE) return false;
  if ((conditions & XX) !== 0 && current === NO_DEADLINE) return false;
  if ((conditions & GT) !== 0 && next <= current) return false;
  return (conditions & LT) === 0 || next < current;
}

function expire({ store }: Context, args: Args, reply: Reply, unit: number, name: string): void {
  const { keys, memory } = store;
  const conditions = parseConditions(args);
  const deadlineMs = deadlineArgument(args, 2, unit, memory.nowMs, true, name);
  const ref = keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0 || !allows(conditions, memory.entries.deadline(ref), deadlineMs)) return reply.integer(0);
  const left = keys.setDeadline(ref, deadlineMs);
  happened(store, args, 1, EVENT_GENERIC, left === 0 ? "del" : "expire");
  reply.integer(1);
}

/** TTL and its kin: -2 without the key, -1 without a deadline. */
function ask({ store: { keys, memory } }: Context, args: Args, reply: Reply, unit: number): void {
  const ref = keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) keys.misses++;
  else keys.hits++;
  if (ref === 0) return reply.integer(-2);
  const deadlineMs = memory.entries.deadline(ref);
  if (deadlineMs === NO_DEADLINE) return reply.integer(-1);
  const ms = (unit & UNIT_ABSOLUTE) !== 0 ? deadlineMs : deadlineMs - memory.nowMs;
  const shown = (unit & UNIT_SECONDS) !== 0 ? Math.floor((ms + 500) / 1000) : ms;
  if (Number.isSafeInteger(shown)) reply.integer(shown);
  else reply.bigint(BigInt(shown));
}

function persist({ store }: Context, args: Args, reply: Reply): void {
  const { keys, memory } = store;
  const ref = keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0 || !memory.entries.hasTtl(ref)) return reply.integer(0);
  keys.setDeadline(ref, NO_DEADLINE);
  happened(store, args, 1, EVENT_GENERIC, "persist");
  reply.integer(1);
}

function expireRow(name: string, unit: number, summary: string, time: string): Row {
  const lowerName = name.toLowerCase();
  return {
    name,
    family: "keys",
    arity: -3,
    flags: ["write", "fast"],
    permission: "write",
    keys: oneKey(),
    summary,
    syntax: `key ${time} [NX | XX | GT | LT]`,
    run: (context, args, reply) => expire(context, args, reply, unit, lowerName),
  };
}

function askRow(name: string, unit: number, summary: string): Row {
  return {
    name,
    family: "keys",
    arity: 2,
    flags: ["read", "fast"],
    permission: "read",
    keys: oneKey(),
    summary,
    syntax: "key",
    run: (context, args, reply) => ask(context, args, reply, unit),
  };
}

export const KEY_EXPIRY_ROWS: readonly Row[] = [
  expireRow("EXPIRE", UNIT_SECONDS, "Lets a key run out after a number of seconds", "seconds"),
  expireRow("PEXPIRE", 0, "Lets a key run out after a number of milliseconds", "milliseconds"),
  expireRow("EXPIREAT", UNIT_SECONDS | UNIT_ABSOLUTE, "Lets a key run out at a time in seconds", "unix-time-seconds"),
  expireRow("PEXPIREAT", UNIT_ABSOLUTE, "Lets a key run out at a time in milliseconds", "unix-time-milliseconds"),
  askRow("TTL", UNIT_SECONDS, "Returns in how many seconds a key runs out"),
  askRow("PTTL", 0, "Returns in how many milliseconds a key runs out"),
  askRow("EXPIRETIME", UNIT_SECONDS | UNIT_ABSOLUTE, "Returns when a key runs out, in seconds since 1970"),
  askRow("PEXPIRETIME", UNIT_ABSOLUTE, "Returns when a key runs out, in milliseconds since 1970"),
  {
    name: "PERSIST",
    family: "keys",
    arity: 2,
    flags: ["write", "fast"],
    permission: "write",
    keys: oneKey(),
    summary: "Takes the deadline of a key away",
    syntax: "key",
    run: persist,
  },
];
