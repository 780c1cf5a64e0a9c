// Strings, as numbers: integers of 64 bits, exact, and Redis's floats.
//
//   find ──▶ read the digits ──▶ add ──▶ write the digits where they stood
//
// Hot path: one look-up, and no allocation while the numbers have at most 15 digits.

import { HiveError } from "../../base/errors.ts";
import { KIND_RAW, TYPE_MASK, TYPE_STRING } from "../../store/layout.ts";
import { NO_DEADLINE } from "../../store/placement.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { EVENT_STRING, happened } from "../happened.ts";
import { addLongDoubles, formatLongDouble } from "../long-double.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import {
  addIntegers,
  integerArgument,
  kindOfAmount,
  readFloat,
  readInteger,
  replyInteger,
  type Written,
  writeFloat,
  writeInteger,
  wrongType,
} from "../values.ts";

const INT64_MIN = -9223372036854775808n;

/** @param kindOfNew Of a key that is made new: that of the amount. */
function increase(context: Context, args: Args, reply: Reply, by: number | bigint, kindOfNew: number = KIND_RAW): void {
  const { keys, memory } = context.store;
  const { entries } = memory;
  const ref = keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) {
    putNew(keys, args, writeInteger(by, kindOfNew, by));
    happened(context.store, args, 1, EVENT_STRING, "incrby");
    return replyInteger(reply, by);
  }
  if ((entries.head(ref) & TYPE_MASK) !== TYPE_STRING) throw wrongType();
  const start = entries.valueStart(ref);
  const kind = entries.valueKind(ref);
  const before = readInteger(entries.bytesOf(ref), start, start + entries.valueLength(ref), kind);
  if (before === undefined) throw new HiveError("NOT_INTEGER", "value is not an integer or out of range");
  const sum = addIntegers(before, by);
  const next = writeInteger(sum, kind, before);
  keys.write(ref, 0, next.bytes, next.start, next.length, next.length, next.kind);
  happened(context.store, args, 1, EVENT_STRING, "incrby");
  replyInteger(reply, sum);
}

function putNew(keys: Context["store"]["keys"], args: Args, { bytes, start, length, kind }: Written): void {
  keys.put(args.buffer, args.start(1), args.length(1), args.kind(1), bytes, start, length, kind, NO_DEADLINE);
}

function incr(context: Context, args: Args, reply: Reply): void {
  increase(context, args, reply, 1);
}

function decr(context: Context, args: Args, reply: Reply): void {
  increase(context, args, reply, -1);
}

function incrby(context: Context, args: Args, reply: Reply): void {
  increase(context, args, reply, integerArgument(args, 2), kindOfAmount(args, 2));
}

function decrby(context: Context, args: Args, reply: Reply): void {
  const by = integerArgument(args, 2);
  if (by === INT64_MIN) throw new HiveError("OVERFLOW", "decrement would overflow");
  increase(context, args, reply, typeof by === "bigint" ? -by : 0 - by, kindOfAmount(args, 2));
}

function incrbyfloat({ store }: Context, args: Args, reply: Reply): void {
  const { keys, memory } = store;
  const { entries } = memory;
  const ref = keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref !== 0 && (entries.head(ref) & TYPE_MASK) !== TYPE_STRING) throw wrongType();
  const bytes = ref === 0 ? args.buffer : entries.bytesOf(ref);
  const start = ref === 0 ? args.start(2) : entries.valueStart(ref);
  const kind = ref === 0 ? kindOfAmount(args, 2) : entries.valueKind(ref);
  const before = ref === 0 ? undefined : readFloat(bytes, start, start + entries.valueLength(ref), kind);
  const by = readFloat(args.buffer, args.start(2), args.end(2), args.kind(2));
  const text = formatLongDouble(addLongDoubles(before ?? ZERO, by));
  const next = writeFloat(text, kind, { bytes, start });
  if (ref === 0) putNew(keys, args, next);
  else keys.write(ref, 0, next.bytes, next.start, next.length, next.length, next.kind);
  happened(store, args, 1, EVENT_STRING, "incrbyfloat");
  reply.text(text);
}

const ZERO = { negative: false, mantissa: 0n, exponent: 0 } as const;

function numberRow(name: string, words: { arity: number; summary: string; syntax: string; run: Row["run"] }): Row {
  return {
    name,
    family: "strings",
    flags: ["write", "grows", "fast"],
    permission: "write",
    // The answer is the new value, so the old one.
    keys: oneKey(1, "both"),
    ...words,
  };
}

export const STRING_NUMBER_ROWS: readonly Row[] = [
  numberRow("INCR", {
    arity: 2,
    summary: "Adds 1 to the integer in a key, which begins as 0",
    syntax: "key",
    run: incr,
  }),
  numberRow("DECR", {
    arity: 2,
    summary: "Takes 1 from the integer in a key, which begins as 0",
    syntax: "key",
    run: decr,
  }),
  numberRow("INCRBY", {
    arity: 3,
    summary: "Adds to the integer in a key, which begins as 0",
    syntax: "key increment",
    run: incrby,
  }),
  numberRow("DECRBY", {
    arity: 3,
    summary: "Takes from the integer in a key, which begins as 0",
    syntax: "key decrement",
    run: decrby,
  }),
  numberRow("INCRBYFLOAT", {
    arity: 3,
    summary: "Adds to the decimal number in a key, which begins as 0",
    syntax: "key increment",
    run: incrbyfloat,
  }),
];
