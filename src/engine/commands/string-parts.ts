// Strings, in parts: bytes read out of them, written into them and added to their end.
//
// These work on raw bytes only: an encoded value has no bytes that a client of another door knows.

import { HiveError } from "../../base/errors.ts";
import { KIND_RAW, KIND_VALUE, TYPE_MASK, TYPE_STRING } from "../../store/layout.ts";
import { NO_DEADLINE } from "../../store/placement.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { EVENT_STRING, happened } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { wrongType } from "../values.ts";
import { putArguments } from "./string-set.ts";

const NO_BYTES = Buffer.alloc(0);

/** @throws {HiveError} WRONG_TYPE: the key holds no string, or one that is not raw. */
function checkRaw(store: Store, ref: number): void {
  const { entries } = store.memory;
  if ((entries.head(ref) & TYPE_MASK) !== TYPE_STRING || entries.valueKind(ref) === KIND_VALUE) throw wrongType();
}

/** @throws {HiveError} VALUE_TOO_BIG in Redis's words */
function checkSize(store: Store, size: number): void {
  if (size <= store.keys.valueBytesMax) return;
  throw new HiveError("VALUE_TOO_BIG", "string exceeds maximum allowed size (proto-max-bulk-len)");
}

/** What is appended is bytes: an encoded value would be read as what it is not. */
function requireRaw(args: Args, index: number): void {
  if (args.kind(index) !== KIND_VALUE) return;
  throw new HiveError("BAD_VALUE", "a part of a string is text or bytes, not a value");
}

function append({ store }: Context, args: Args, reply: Reply): void {
  requireRaw(args, 2);
  const { keys, memory } = store;
  const length = args.length(2);
  const ref = keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) {
    putArguments(store, args, 1, 2, NO_DEADLINE);
    happened(store, args, 1, EVENT_STRING, "append");
    return reply.integer(length);
  }
  checkRaw(store, ref);
  const before = memory.entries.valueLength(ref);
  const kind = memory.entries.valueKind(ref);
  checkSize(store, before + length);
  const size = before + length;
  // What is said to be text or bytes stays that only where both parts are.
  keys.write(ref, before, args.buffer, args.start(2), length, size, kind === args.kind(2) ? kind : KIND_RAW);
  happened(store, args, 1, EVENT_STRING, "append");
  reply.integer(size);
}

function setrange({ store }: Context, args: Args, reply: Reply): void {
  requireRaw(args, 3);
  const { keys, memory } = store;
  const offset = args.integer(2);
  if (offset < 0) throw new HiveError("OUT_OF_RANGE", "offset is out of range");
  const buffer = args.buffer;
  const length = args.length(3);
  let ref = keys.find(buffer, args.start(1), args.length(1), args.kind(1));
  if (ref !== 0) checkRaw(store, ref);
  const before = ref === 0 ? 0 : memory.entries.valueLength(ref);
  if (length === 0) return reply.integer(before);
  const size = Math.max(before, offset + length);
  checkSize(store, offset + length);
  if (ref === 0) {
    // One change: the new key gets its zeros and then its bytes before anybody sees it.
    const bytes = offset === 0 ? buffer : Buffer.alloc(size);
    const start = offset === 0 ? args.start(3) : 0;
    if (offset > 0) buffer.copy(bytes, offset, args.start(3), args.end(3));
    ref = keys.put(buffer, args.start(1), args.length(1), args.kind(1), bytes, start, size, KIND_RAW, NO_DEADLINE);
  } else keys.write(ref, offset, buffer, args.start(3), length, size, KIND_RAW);
  happened(store, args, 1, EVENT_STRING, "setrange");
  reply.integer(size);
}

function getrange({ store }: Context, args: Args, reply: Reply): void {
  let from = args.integer(2);
  let to = args.integer(3);
  const { entries } = store.memory;
  const ref = store.keys.read(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) return reply.bulk(NO_BYTES, 0, 0);
  checkRaw(store, ref);
  const length = entries.valueLength(ref);
  const isBackwards = from < 0 && to < 0 && from > to;
  if (from < 0) from = Math.max(0, from + length);
  if (to < 0) to = Math.max(0, to + length);
  to = Math.min(to, length - 1);
  if (isBackwards || from > to) return reply.bulk(NO_BYTES, 0, 0);
  const start = entries.valueStart(ref);
  reply.bulk(entries.bytesOf(ref), start + from, start + to + 1);
}

const GETRANGE: Row = {
  name: "GETRANGE",
  family: "strings",
  arity: 4,
  flags: ["read"],
  permission: "read",
  keys: oneKey(),
  summary: "Returns the bytes of a string from one offset to another, both included",
  syntax: "key start end",
  run: getrange,
};

export const STRING_PART_ROWS: readonly Row[] = [
  {
    name: "APPEND",
    family: "strings",
    arity: 3,
    flags: ["write", "grows", "fast"],
    permission: "write",
    keys: oneKey(),
    summary: "Adds bytes to the end of a string, which begins empty",
    syntax: "key value",
    run: append,
  },
  {
    name: "SETRANGE",
    family: "strings",
    arity: 4,
    flags: ["write", "grows"],
    permission: "write",
    keys: oneKey(),
    summary: "Overwrites a part of a string from an offset on, filling up with zero bytes",
    syntax: "key offset value",
    run: setrange,
  },
  GETRANGE,
  { ...GETRANGE, name: "SUBSTR", summary: "An older name of GETRANGE" },
];
