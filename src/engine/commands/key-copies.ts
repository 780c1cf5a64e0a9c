// Keys, copied: to another name, and out of a hive and into one.
//
//   COPY, RESTORE ──▶ a string: one change
//                └──▶ a table, set or list: built under a name that nobody can have ──▶ renamed: one change
//
// So a copy of any size is seen whole or not at all, and when memory runs out half-way the key that it
// was to replace is still there.

import { HiveError } from "../../base/errors.ts";
import type { Slice } from "../../store/collections.ts";
import { KIND_VALUE, TYPE_LIST, TYPE_STRING, TYPE_STRUCTURE } from "../../store/layout.ts";
import { PACKED_EMPTY } from "../../store/packed.ts";
import { partKey } from "../../store/parts.ts";
import { NO_DEADLINE } from "../../store/placement.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import { addContent, eachContent, wasAdded } from "../contents.ts";
import type { Context } from "../context.ts";
import { badFormat, type Dumped, decodeDump, encodeDump } from "../dump.ts";
import { EVENT_GENERIC, EVENT_NEW, happened } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { syntaxError } from "../values.ts";

const INT32_MAX = 2147483647;
const INT64_END: number = 2 ** 63;
/** No value begins with this byte, so no key has this name. */
const UNFINISHED = Buffer.from([0xc1]);
const NO_BYTES = Buffer.alloc(0);
const slice: Slice = { bytes: NO_BYTES, start: 0, end: 0, kind: 0 };

/**
 * Puts a new table or set, which `fill` fills, under the name in argument `index`, in the place of what
 * is there, or changes nothing.
 * @param fill Adds at least one field to the key given, and returns its entry as it is then.
 */
function place(
  store: Store,
  args: Args,
  index: number,
  { type, deadlineMs, fill }: { type: number; deadlineMs: number; fill: (key: number) => number },
): number {
  const { keys } = store;
  try {
    let key = fill(keys.create(type, UNFINISHED, 0, 1, KIND_VALUE, PACKED_EMPTY));
    if (deadlineMs < NO_DEADLINE) key = keys.setDeadline(key, deadlineMs);
    return keys.rename(key, args.buffer, args.start(index), args.length(index), args.kind(index));
  } catch (error) {
    const key = keys.find(UNFINISHED, 0, 1, KIND_VALUE);
    if (key !== 0) keys.remove(key);
    throw error;
  }
}

function copy({ store }: Context, args: Args, reply: Reply): void {
  const { keys, memory } = store;
  const { entries } = memory;
  const replaces = parseCopyOptions(args);
  if (args.bytes(1).equals(args.bytes(2))) {
    throw new HiveError("INVALID_ARGUMENT", "source and destination objects are the same");
  }
  // The other one first: what has run out goes when it is looked for.
  const isTaken = keys.find(args.buffer, args.start(2), args.length(2), args.kind(2)) !== 0;
  let ref = keys.read(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0 || (isTaken && !replaces)) return reply.integer(0);
  ref = memory.settled(ref);
  const deadlineMs = entries.deadline(ref);
  const type = entries.type(ref);
  if (type === TYPE_STRING) putString(store, args, 2, deadlineMs, stringIn(store, ref));
  else if (type === TYPE_STRUCTURE) {
    place(store, args, 2, { type, deadlineMs, fill: (key) => copyStructure(store, ref, key) });
  } else if (type === TYPE_LIST)
    place(store, args, 2, { type, deadlineMs, fill: (key) => copyElements(store, ref, key) });
  else if (!hasLiveField(store, ref)) {
    // All have run out and wait to be removed: the key is as if it were gone.
    keys.remove(ref, "expire");
    return reply.integer(0);
  } else place(store, args, 2, { type, deadlineMs, fill: (key) => copyContents(store, ref, key) });
  if (isTaken) happened(store, args, 2, EVENT_NEW, "new");
  happened(store, args, 2, EVENT_GENERIC, "copy_to");
  reply.integer(1);
}

/** Returns whether REPLACE was said. */
function parseCopyOptions(args: Args): boolean {
  let replaces = false;
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "REPLACE")) replaces = true;
    else if (i + 1 < args.count && args.is(i, "DB")) {
      const database = args.integer(++i);
      if (database > INT32_MAX || database < -INT32_MAX - 1) {
        const message = `value is out of range, value must between ${-INT32_MAX - 1} and ${INT32_MAX}`;
        throw new HiveError("OUT_OF_RANGE", message);
      }
      if (database !== 0) throw new HiveError("OUT_OF_RANGE", "DB index is out of range");
    } else throw syntaxError();
  }
  return replaces;
}

function stringIn(store: Store, ref: number): Slice {
  const { entries } = store.memory;
  slice.bytes = entries.bytesOf(ref);
  slice.start = entries.valueStart(ref);
  slice.end = slice.start + entries.valueLength(ref);
  slice.kind = entries.valueKind(ref);
  return slice;
}

/** The state of a structure becomes that of a new key. */
function rewrite({ keys }: Store, key: number, state: Buffer): number {
  return keys.write(key, 0, state, 0, state.length, state.length, KIND_VALUE, false);
}

function copyStructure(store: Store, from: number, to: number): number {
  const { bytes, start, end } = stringIn(store, from);
  const { parts } = store.keys;
  const source = parts.of(from);
  const key = rewrite(store, to, Buffer.from(bytes.subarray(start, end)));
  for (const name of source.names) {
    const part = parts.find(source, name);
    if (part === 0) continue;
    const type = store.memory.entries.type(part);
    const copyInto = type === TYPE_LIST ? copyElements : copyContents;
    copyInto(store, part, createPart(store, name, type));
  }
  return key;
}

/** An empty part of the key that is not finished: it gets the key's name with it. */
function createPart({ keys }: Store, name: string, type: number): number {
  const key = partKey(UNFINISHED, name);
  return keys.create(type, key, 0, key.length, KIND_VALUE, PACKED_EMPTY);
}

function putString(store: Store, args: Args, index: number, deadlineMs: number, value: Slice): number {
  return store.keys.put(
    args.buffer,
    args.start(index),
    args.length(index),
    args.kind(index),
    value.bytes,
    value.start,
    value.end - value.start,
    value.kind,
    deadlineMs,
  );
}

function hasLiveField({ fields }: Store, key: number): boolean {
  return fields.isPacked(key) || fields.random(key, () => 0) !== 0;
}

function copyContents(store: Store, from: number, to: number): number {
  let key = to;
  eachContent(store, from, (content) => {
    key = addContent(store, key, content);
  });
  return key;
}

function copyElements({ lists }: Store, from: number, to: number): number {
  let key = to;
  lists.walk(from, 0, false, slice, ({ bytes, start, end, kind }) => {
    key = lists.push(key, false, bytes, start, end - start, kind);
    return true;
  });
  return key;
}

function dump({ store, services }: Context, args: Args, reply: Reply): void {
  const ref = store.keys.read(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) return reply.nil();
  const payload = encodeDump(store, store.memory.settled(ref), services.limits);
  reply.bulk(payload, 0, payload.length);
}

type RestoreOptions = { replaces: boolean; isAbsolute: boolean; idleSeconds: number; frequency: number };

function parseRestoreOptions(args: Args): RestoreOptions {
  const options = { replaces: false, isAbsolute: false, idleSeconds: -1, frequency: -1 };
  for (let i = 4; i < args.count; i++) {
    const hasNext = i + 1 < args.count;
    if (args.is(i, "REPLACE")) options.replaces = true;
    else if (args.is(i, "ABSTTL")) options.isAbsolute = true;
    else if (hasNext && options.frequency === -1 && args.is(i, "IDLETIME")) {
      options.idleSeconds = args.integer(++i);
      if (options.idleSeconds < 0) throw new HiveError("OUT_OF_RANGE", "Invalid IDLETIME value, must be >= 0");
    } else if (hasNext && options.idleSeconds === -1 && args.is(i, "FREQ")) {
      options.frequency = args.integer(++i);
      if (options.frequency < 0 || options.frequency > 255)
        throw new HiveError("OUT_OF_RANGE", "Invalid FREQ value, must be >= 0 and <= 255");
    } else throw syntaxError();
  }
  return options;
}

function restore({ store, services }: Context, args: Args, reply: Reply): void {
  const { keys, eviction } = store;
  const options = parseRestoreOptions(args);
  const old = keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (old !== 0 && !options.replaces) throw new HiveError("BUSY_KEY", "Target key name already exists.");
  const ttl = args.integer(2);
  if (ttl < 0) throw new HiveError("OUT_OF_RANGE", "Invalid TTL value, must be >= 0");
  const deadlineMs = restoredDeadline(ttl, options.isAbsolute, store.nowMs);
  const payload = args.bytes(3);
  const dumped = decodeDump(payload, store, services.limits);
  const ref = deadlineMs > store.nowMs ? build(store, args, dumped, deadlineMs) : 0;
  if (ref === 0) {
    // Nothing of it would be left: then the key is as if it had run out.
    const left = keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
    if (left !== 0) {
      keys.remove(left);
      happened(store, args, 1, EVENT_GENERIC, "del");
    }
  } else if (options.idleSeconds >= 0) eviction.setIdleSeconds(ref, options.idleSeconds);
  else if (options.frequency >= 0) eviction.setFrequency(ref, options.frequency);
  if (ref !== 0) {
    if (old !== 0) happened(store, args, 1, EVENT_NEW, "new");
    happened(store, args, 1, EVENT_GENERIC, "restore");
  }
  reply.ok();
}

/** In epoch milliseconds. One beyond 64 bits has passed, since that is what Redis makes of it. */
function restoredDeadline(ttlMs: number, isAbsolute: boolean, nowMs: number): number {
  if (ttlMs === 0) return NO_DEADLINE;
  if (isAbsolute) return ttlMs;
  return ttlMs + nowMs >= INT64_END ? 0 : ttlMs + nowMs;
}

/** Puts what was dumped into the key of argument 1. Returns its entry; 0 when all its fields have run out. */
function build(store: Store, args: Args, dumped: Dumped, deadlineMs: number): number {
  const payload = args.bytes(3);
  if (dumped.string) {
    const { start, length, kind } = dumped.string;
    if (dumped.type === TYPE_STRUCTURE) {
      const state = Buffer.from(payload.subarray(start, start + length));
      const fill = (empty: number): number => {
        const key = rewrite(store, empty, state);
        for (const { name, dumped: part } of dumped.parts)
          fillFrom(store, payload, part, createPart(store, name, part.type));
        return key;
      };
      return place(store, args, 1, { type: TYPE_STRUCTURE, deadlineMs, fill });
    }
    return putString(store, args, 1, deadlineMs, { bytes: payload, start, end: start + length, kind });
  }
  let isAlive = dumped.type === TYPE_LIST;
  for (const field of isAlive ? [] : dumped.fields()) if (field.deadlineMs > store.nowMs) isAlive = true;
  if (!isAlive) return 0;
  const fill = (key: number): number => fillFrom(store, payload, dumped, key);
  return place(store, args, 1, { type: dumped.type, deadlineMs, fill });
}

/** Puts what was dumped of a container into an empty one. Returns its entry as it is then. */
function fillFrom(store: Store, payload: Buffer, { type, fields }: Dumped, empty: number): number {
  const { lists } = store;
  let key = empty;
  for (const { nameStart, nameLength, nameKind, start, length, kind, deadlineMs } of fields()) {
    if (type === TYPE_LIST) {
      key = lists.push(key, false, payload, start, length, kind);
      continue;
    }
    if (deadlineMs <= store.nowMs) continue;
    key = addContent(store, key, {
      name: { bytes: payload, start: nameStart, end: nameStart + nameLength, kind: nameKind },
      value: { bytes: payload, start, end: start + length, kind },
      deadlineMs,
    });
    if (!wasAdded(store, key)) throw badFormat();
  }
  return key;
}

export const KEY_COPY_ROWS: readonly Row[] = [
  {
    name: "COPY",
    family: "keys",
    arity: -3,
    flags: ["write", "grows"],
    permission: "write",
    keys: { first: 1, last: 2, step: 1, access: ["read", "write"] },
    summary: "Copies a key, its deadlines too, to another name",
    syntax: "source destination [DB 0] [REPLACE]",
    run: copy,
  },
  {
    name: "DUMP",
    family: "keys",
    arity: 2,
    flags: ["read"],
    permission: "read",
    keys: oneKey(),
    summary: "Returns what a key holds as bytes for RESTORE",
    syntax: "key",
    run: dump,
  },
  {
    name: "RESTORE",
    family: "keys",
    arity: -4,
    flags: ["write", "grows"],
    permission: "write",
    keys: oneKey(),
    summary: "Makes a key from the bytes of DUMP",
    syntax: "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
    run: restore,
  },
];
