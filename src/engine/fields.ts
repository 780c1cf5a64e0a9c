// Fields: from a call's arguments to tables and sets, and to the fields and members in them.
//
//   key argument ──▶ containerToRead | containerToWrite ──▶ ref     name argument ──▶ findField ──▶ handle
//
// Names that came without a kind (RESP) are raw bytes. Only where a container holds typed names too, a
// decimal text that is not among the raw ones is tried as an integer, for reading and for writing: so
// HKEYS never shows what HGET cannot find, and HSET never adds a second field that looks the same.
//
// Hot path: nothing here allocates for a raw name.

import { parseInt64, parseSafeInteger } from "../base/decimal.ts";
import { HiveError, tooBig } from "../base/errors.ts";
import type { Slice } from "../store/collections.ts";
import { KIND_RAW, KIND_VALUE, TYPE_MASK } from "../store/layout.ts";
import { NO_DEADLINE } from "../store/placement.ts";
import type { Store } from "../store/store.ts";
import { encodeInteger, Scratch, walkScalar } from "../wire/value.ts";
import type { Args } from "./args.ts";
import type { Reply } from "./reply.ts";
import { replyBytes, wrongType } from "./values.ts";

/** As many bytes as the longest integer of 64 bits has. */
const INTEGER_BYTES_MAX = 20;
/** Bytes beside the arguments that a field may take: its header, slot and a part of the index. */
const FIELD_BYTES = 128;

const NO_BYTES = Buffer.alloc(0);
const slice: Slice = { bytes: NO_BYTES, start: 0, end: 0, kind: 0 };
const integerName = new Scratch(16);

/**
 * The table or set in the key that argument `index` names; 0 when there is no such key. Counts as access.
 * @param type TYPE_TABLE or TYPE_SET. @throws {HiveError} WRONG_TYPE
 */
export function containerToRead(store: Store, args: Args, index: number, type: number): number {
  const key = store.keys.read(args.buffer, args.start(index), args.length(index), args.kind(index));
  if (key !== 0 && (store.memory.entries.head(key) & TYPE_MASK) !== type) throw wrongType();
  return key;
}

/** The same for a command that may change it. */
export function containerToWrite(store: Store, args: Args, index: number, type: number): number {
  const key = store.lastContainer.find(args.buffer, args.start(index), args.length(index), args.kind(index));
  if (key !== 0 && (store.memory.entries.head(key) & TYPE_MASK) !== type) throw wrongType();
  return key;
}

/** A new empty table or set in the key that argument `index` names, which must not be there. Add to it at once. */
export function createContainer(store: Store, args: Args, index: number, type: number): number {
  return store.fields.create(type, args.buffer, args.start(index), args.length(index), args.kind(index));
}

/** The handle of the field or member that argument `index` names; 0 when there is none. */
export function findField(store: Store, key: number, args: Args, index: number): number {
  const handle = store.fields.find(key, args.buffer, args.start(index), args.length(index), args.kind(index));
  if (handle !== 0 || !mayBeInteger(args, index)) return handle;
  return findInteger(store, key, args, index);
}

/**
 * Sets the field that argument `name` names to the value in argument `value`, and says in
 * `store.fields.created` whether it is new. Returns the key's entry, which may have moved.
 * @throws {HiveError} KEY_TOO_BIG, VALUE_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
 */
export function setField(store: Store, key: number, args: Args, name: number, value: number): number {
  const { buffer, starts, lengths, kinds } = args;
  return writeField(store, key, args, name, buffer, starts[value]!, lengths[value]!, kinds[value]!, NO_DEADLINE);
}

/** The same with a value from elsewhere. @param deadlineMs NO_DEADLINE or KEEP_DEADLINE. */
export function writeField(
  store: Store,
  key: number,
  args: Args,
  name: number,
  value: Uint8Array,
  start: number,
  length: number,
  kind: number,
  deadlineMs: number,
): number {
  const { fields } = store;
  const { buffer, starts, lengths, kinds } = args;
  const at = starts[name]!;
  const bytes = lengths[name]!;
  if (kinds[name] === KIND_VALUE) walkScalar(buffer, at, at + bytes);
  if (
    mayBeInteger(args, name) &&
    findInteger(store, key, args, name) !== 0 &&
    fields.find(key, buffer, at, bytes) === 0
  )
    return fields.set(key, integerName.bytes, 0, integerName.end, KIND_VALUE, value, start, length, kind, deadlineMs);
  return fields.set(key, buffer, at, bytes, kinds[name]!, value, start, length, kind, deadlineMs);
}

/**
 * Adds the member that argument `index` names where it is not there, and says in `store.fields.created`
 * whether it was not. Returns the key's entry, which may have moved.
 * @throws {HiveError} KEY_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
 */
export function addMember(store: Store, key: number, args: Args, index: number): number {
  const { fields } = store;
  const { buffer, starts, lengths, kinds } = args;
  if (mayBeInteger(args, index) && findInteger(store, key, args, index) !== 0) {
    fields.created = false;
    return key;
  }
  const start = starts[index]!;
  const length = lengths[index]!;
  if (kinds[index] === KIND_VALUE) walkScalar(buffer, start, start + length);
  return fields.set(key, buffer, start, length, kinds[index]!, NO_BYTES, 0, 0, KIND_RAW, NO_DEADLINE, false);
}

/** Answers with the name of a field or member. */
export function replyName(store: Store, key: number, handle: number, reply: Reply): void {
  store.fields.name(key, handle, slice);
  replyBytes(reply, slice.bytes, slice.start, slice.end, slice.kind);
}

/** Answers with the value of a field. */
export function replyFieldValue(store: Store, key: number, handle: number, reply: Reply): void {
  store.fields.value(key, handle, slice);
  replyBytes(reply, slice.bytes, slice.start, slice.end, slice.kind);
}

/**
 * Checks the names in arguments `first`, `first` + `step` … and the values behind them (where `step`
 * is 2), so that of several none is written where one is refused.
 * @throws {HiveError} KEY_TOO_BIG, VALUE_TOO_BIG, BAD_VALUE: a name is a value that cannot be one.
 */
export function checkSizes(store: Store, args: Args, first: number, step: 1 | 2): void {
  const { keyBytesMax, valueBytesMax } = store.keys;
  for (let i = first; i < args.count; i += step) {
    const name = args.length(i);
    if (args.kinds[i] === KIND_VALUE) walkScalar(args.buffer, args.start(i), args.end(i));
    if (name > keyBytesMax) throw tooBig("KEY_TOO_BIG", "field", name, "keyBytesMax", keyBytesMax);
    const value = step === 2 ? args.length(i + 1) : 0;
    if (value > valueBytesMax) throw tooBig("VALUE_TOO_BIG", "value", value, "valueBytesMax", valueBytesMax);
  }
}

/**
 * Arms undo for a call that writes several fields, where memory may run out in the middle. Returns
 * whether it did: then the caller commits, or rolls back.
 */
export function beginSteps(store: Store, args: Args): boolean {
  if (store.undo.armed || store.memory.pages.hasRoom(args.totalBytes() + args.count * FIELD_BYTES)) return false;
  store.undo.begin();
  return true;
}

/** @throws {HiveError} WRONG_ARITY, as the engine words it. */
export function wrongArity(command: string): HiveError {
  return new HiveError("WRONG_ARITY", `wrong number of arguments for '${command}' command`);
}

/** Whether a name has no kind and looks like a decimal integer. */
export function mayBeInteger(args: Args, index: number): boolean {
  const length = args.lengths[index]!;
  if (args.kinds[index] !== KIND_RAW || length === 0 || length > INTEGER_BYTES_MAX) return false;
  const first = args.buffer[args.starts[index]!]!;
  return (first >= 48 && first <= 57) || first === 45;
}

/** The handle of the integer whose decimal text argument `index` is, and its encoding in `integerName`; 0 when there is none. */
function findInteger(store: Store, key: number, args: Args, index: number): number {
  if (!store.fields.mayHaveTyped(key)) return 0;
  const name = encodedInteger(args, index);
  return name === undefined ? 0 : store.fields.find(key, name.bytes, 0, name.end, KIND_VALUE);
}

/** The encoding of the integer whose decimal text argument `index` is: good until the next call. Undefined where it is none. */
export function encodedInteger(args: Args, index: number): Scratch | undefined {
  const small = parseSafeInteger(args.buffer, args.start(index), args.end(index));
  const integer = small === small ? small : parseInt64(args.buffer, args.start(index), args.end(index));
  if (integer === undefined) return undefined;
  integerName.reset();
  encodeInteger(integer, integerName);
  return integerName;
}
