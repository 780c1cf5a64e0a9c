// Compare and set: a change that happens only where nobody else's did meanwhile. Not in Redis.
//
//   HCAS key field expected value   ──▶ 1 it held `expected` and has `value` now, 0 it holds something else, or nothing
//   HCAD key field expected         ──▶ 1 it held `expected` and is gone
//   CAS, CAD                        the same for the string of a key
//
// What is compared is what is stored: the bytes, and whether they are raw or an encoded value. Whether raw
// bytes were said to be text does not count. Comparing by value rather than by version needs no memory of
// what a caller read, and a table that is packed has one version for all its fields.

import type { Slice } from "../../store/collections.ts";
import { KIND_VALUE, TYPE_MASK, TYPE_STRING, TYPE_TABLE } from "../../store/layout.ts";
import { KEEP_DEADLINE, NO_DEADLINE } from "../../store/placement.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { deadlineArgument } from "../deadline.ts";
import { containerToWrite, findField, writeField } from "../fields.ts";
import { EVENT_GENERIC, EVENT_STRING, EVENT_TABLE, happened, tookOut } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { syntaxError, wrongType } from "../values.ts";
import { putArguments, setWithDeadline } from "./string-set.ts";
import { fieldDeadline } from "./table-expiry.ts";

const MILLISECONDS = { ms: 1, absolute: false } as const;
const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

/** Whether argument `index` is what is stored in bytes `start` to `end`. */
function isSame(args: Args, index: number, bytes: Buffer, start: number, end: number, kind: number): boolean {
  if ((kind === KIND_VALUE) !== (args.kind(index) === KIND_VALUE)) return false;
  if (args.length(index) !== end - start) return false;
  return args.buffer.compare(bytes, start, end, args.start(index), args.end(index)) === 0;
}

/** Whether argument `index` says KEEPTTL, where it is not PX and a time, which is the last. @throws {HiveError} SYNTAX */
function keepsDeadline(args: Args, index: number): boolean {
  if (args.count === index + 1 && args.is(index, "KEEPTTL")) return true;
  if (args.count === index + 2 && args.is(index, "PX")) return false;
  throw syntaxError();
}

/** The handle of the field in argument 2 where it holds argument 3; else 0. */
function expectedField({ store }: Context, key: number, args: Args): number {
  const field = key === 0 ? 0 : findField(store, key, args, 2);
  if (field === 0) return 0;
  const { bytes, start, end, kind } = store.fields.value(key, field, slice);
  return isSame(args, 3, bytes, start, end, kind) ? field : 0;
}

function hcas(context: Context, args: Args, reply: Reply): void {
  const { store, nowMs } = context;
  const key = containerToWrite(store, args, 1, TYPE_TABLE);
  let deadlineMs = NO_DEADLINE;
  if (args.count > 5) {
    const keeps = keepsDeadline(args, 5);
    deadlineMs = keeps ? KEEP_DEADLINE : fieldDeadline(args, { command: "hcas", unit: MILLISECONDS, nowMs, index: 6 });
  }
  const field = expectedField(context, key, args);
  if (field === 0) return reply.integer(0);
  if (deadlineMs <= nowMs) tookOut(store, args, 1, EVENT_TABLE, "hdel", store.fields.delete(key, field));
  else {
    writeField(store, key, args, 2, args.buffer, args.start(4), args.length(4), args.kind(4), deadlineMs);
    happened(store, args, 1, EVENT_TABLE, "hset");
    if (deadlineMs < NO_DEADLINE) happened(store, args, 1, EVENT_TABLE, "hexpire");
  }
  reply.integer(1);
}

function hcad(context: Context, args: Args, reply: Reply): void {
  const key = containerToWrite(context.store, args, 1, TYPE_TABLE);
  const field = expectedField(context, key, args);
  if (field !== 0) {
    const left = context.store.fields.delete(key, field);
    tookOut(context.store, args, 1, EVENT_TABLE, "hdel", left);
  }
  reply.integer(field === 0 ? 0 : 1);
}

/** The entry of the key in argument 1 where it holds argument 2; else 0. @throws {HiveError} WRONG_TYPE */
function expectedString({ store }: Context, args: Args): number {
  const { entries } = store.memory;
  const ref = store.keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) return 0;
  if ((entries.head(ref) & TYPE_MASK) !== TYPE_STRING) throw wrongType();
  const start = entries.valueStart(ref);
  const end = start + entries.valueLength(ref);
  return isSame(args, 2, entries.bytesOf(ref), start, end, entries.valueKind(ref)) ? ref : 0;
}

function cas(context: Context, args: Args, reply: Reply): void {
  const { store, nowMs } = context;
  let deadlineMs = NO_DEADLINE;
  if (args.count > 4) {
    deadlineMs = keepsDeadline(args, 4) ? KEEP_DEADLINE : deadlineArgument(args, 5, 0, nowMs, false, "cas");
  }
  if (expectedString(context, args) === 0) return reply.integer(0);
  putArguments(store, args, 1, 3, deadlineMs);
  if (deadlineMs < NO_DEADLINE) setWithDeadline(store, args, deadlineMs);
  else happened(store, args, 1, EVENT_STRING, "set");
  reply.integer(1);
}

function cad(context: Context, args: Args, reply: Reply): void {
  const ref = expectedString(context, args);
  if (ref !== 0) {
    context.store.keys.remove(ref);
    happened(context.store, args, 1, EVENT_GENERIC, "del");
  }
  reply.integer(ref === 0 ? 0 : 1);
}

export const COMPARE_FIELD_ROWS: readonly Row[] = [
  {
    name: "HCAS",
    family: "tables",
    arity: -5,
    flags: ["write", "grows", "fast"],
    permission: "write",
    keys: oneKey(1, "both"),
    summary: "Sets a field of a table where it has the expected value",
    syntax: "key field expected value [PX milliseconds | KEEPTTL]",
    run: hcas,
  },
  {
    name: "HCAD",
    family: "tables",
    arity: 4,
    flags: ["write", "fast"],
    permission: "write",
    keys: oneKey(1, "both"),
    summary: "Deletes a field of a table where it has the expected value",
    syntax: "key field expected",
    run: hcad,
  },
];

export const COMPARE_STRING_ROWS: readonly Row[] = [
  {
    name: "CAS",
    family: "strings",
    arity: -4,
    flags: ["write", "grows", "fast"],
    permission: "write",
    keys: oneKey(1, "both"),
    summary: "Sets the string value of a key where it has the expected value",
    syntax: "key expected value [PX milliseconds | KEEPTTL]",
    run: cas,
  },
  {
    name: "CAD",
    family: "strings",
    arity: 3,
    flags: ["write", "fast"],
    permission: "write",
    keys: oneKey(1, "both"),
    summary: "Deletes a key where its string has the expected value",
    syntax: "key expected",
    run: cad,
  },
];
