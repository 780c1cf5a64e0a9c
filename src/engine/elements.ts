// Elements: from a call's arguments to lists, and from lists to replies.
//
// An element that came without a kind (RESP) is raw bytes. Where elements are compared, raw bytes equal raw
// bytes whatever their kind, and a decimal text without a kind also equals the integer, as it does for names
// of fields and members (fields.ts): what LRANGE shows, LREM finds.

import { parseInt64, parseSafeInteger } from "../base/decimal.ts";
import { HiveError, tooBig } from "../base/errors.ts";
import type { Slice } from "../store/collections.ts";
import { KIND_RAW, KIND_VALUE, TYPE_LIST } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { encodeInteger, Scratch } from "../wire/value.ts";
import type { Args } from "./args.ts";
import { beginSteps, containerToRead, containerToWrite } from "./fields.ts";
import { EVENT_LIST, happened, tookOut } from "./happened.ts";
import type { Reply } from "./reply.ts";
import { replyBytes, syntaxError } from "./values.ts";

const INTEGER_BYTES_MAX = 20;
/** Two short texts are compared faster by a loop than by a call. */
const SHORT = 24;

const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

/** The list in the key that argument `index` names, to read; 0 when there is none. @throws {HiveError} WRONG_TYPE */
export function listToRead(store: Store, args: Args, index: number): number {
  return containerToRead(store, args, index, TYPE_LIST);
}

/** The same for a command that may change it. */
export function listToWrite(store: Store, args: Args, index: number): number {
  return containerToWrite(store, args, index, TYPE_LIST);
}

/** LEFT: true, RIGHT: false. @throws {HiveError} SYNTAX */
export function sideArgument(args: Args, index: number): boolean {
  if (args.is(index, "LEFT")) return true;
  if (args.is(index, "RIGHT")) return false;
  throw syntaxError();
}

/** A count of more than 0 in argument `index`. @throws {HiveError} OUT_OF_RANGE with `message` */
export function positiveArgument(args: Args, index: number, message: string): number {
  const count = args.tryInt64(index) ?? 0n;
  if (count < 1n) throw new HiveError("OUT_OF_RANGE", message);
  return Number(count);
}

/**
 * Pushes the elements that argument `first` and those behind it name, all or none, to a list that is made where `key`
 * is 0. Returns its entry. @throws {HiveError} KEY_TOO_BIG, VALUE_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
 */
export function pushElements(store: Store, key: number, args: Args, first: number, atFront: boolean): number {
  const { lists, keys, undo } = store;
  const { buffer, starts, lengths, kinds } = args;
  const { valueBytesMax } = keys;
  for (let i = first; i < args.count; i++) {
    if (lengths[i]! > valueBytesMax)
      throw tooBig("VALUE_TOO_BIG", "value", lengths[i]!, "valueBytesMax", valueBytesMax);
  }
  if (key !== 0 && args.count === first + 1) {
    const pushed = lists.push(key, atFront, buffer, starts[first]!, lengths[first]!, kinds[first]!);
    happened(store, args, 1, EVENT_LIST, atFront ? "lpush" : "rpush");
    return pushed;
  }
  const armed = args.count > first + 1 && beginSteps(store, args);
  let target = key;
  try {
    if (key === 0) target = lists.create(buffer, starts[1]!, lengths[1]!, kinds[1]!);
    for (let i = first; i < args.count; i++) {
      target = lists.push(target, atFront, buffer, starts[i]!, lengths[i]!, kinds[i]!);
    }
  } catch (error) {
    if (armed) undo.rollback();
    else if (key === 0 && target !== 0) keys.remove(target);
    throw error;
  }
  if (armed) undo.commit();
  happened(store, args, 1, EVENT_LIST, atFront ? "lpush" : "rpush");
  return target;
}

/** Tells of what was taken from an end of the list that argument `index` names; `key` is 0 where it went with it. */
export function poppedFrom(store: Store, args: Args, index: number, atFront: boolean, key: number): void {
  tookOut(store, args, index, EVENT_LIST, atFront ? "lpop" : "rpop", key);
}

/** Answers with the element `index`, which there is. */
export function replyElement(store: Store, key: number, index: number, reply: Reply): void {
  store.lists.read(key, index, slice);
  replyBytes(reply, slice.bytes, slice.start, slice.end, slice.kind);
}

/** Answers with an array of `many` elements from element `index` on, forwards or backwards. */
export function replyElements(
  store: Store,
  key: number,
  range: { index: number; many: number; back: boolean },
  reply: Reply,
): void {
  let left = range.many;
  reply.array(left);
  if (left === 0) return;
  store.lists.walk(key, range.index, range.back, slice, ({ bytes, start, end, kind }) => {
    if (kind === KIND_VALUE) reply.value(bytes, start, end);
    else reply.bulk(bytes, start, end, kind);
    return --left > 0;
  });
}

/** One pop of several: whether from the front, and how many at most. */
export type Popped = { atFront: boolean; many: number };

/** Answers with an array of elements of the list `key`, which argument `index` names, as they are taken away, and takes them. */
export function popElements(
  store: Store,
  args: Args,
  index: number,
  key: number,
  { atFront, many }: Popped,
  reply: Reply,
): void {
  const count = store.lists.count(key);
  const taken = Math.min(many, count);
  replyElements(store, key, { index: atFront ? 0 : count - 1, many: taken, back: !atFront }, reply);
  if (taken === 0) return;
  poppedFrom(store, args, index, atFront, store.lists.remove(key, atFront ? 0 : count - taken, taken));
}

/** Whether an element is what argument `index` says. */
export function matcher(args: Args, index: number): (element: Slice) => boolean {
  const { buffer } = args;
  const [start, length, kind] = [args.start(index), args.length(index), args.kind(index)];
  const isValue = kind === KIND_VALUE;
  const integer = kind === KIND_RAW && length <= INTEGER_BYTES_MAX ? integerOf(args, index) : undefined;
  return (element) => {
    if ((element.kind === KIND_VALUE) === isValue) return equals(element, buffer, start, length);
    return !isValue && integer !== undefined && equals(element, integer, 0, integer.length);
  };
}

/** The encoding of the integer whose decimal text an argument is. */
function integerOf(args: Args, index: number): Buffer | undefined {
  const small = parseSafeInteger(args.buffer, args.start(index), args.end(index));
  const integer = small === small ? small : parseInt64(args.buffer, args.start(index), args.end(index));
  if (integer === undefined) return undefined;
  const scratch = new Scratch(16);
  encodeInteger(integer, scratch);
  return Buffer.from(scratch.bytes.subarray(0, scratch.end));
}

function equals(element: Slice, bytes: Buffer, start: number, length: number): boolean {
  if (element.end - element.start !== length) return false;
  if (length > SHORT) return bytes.compare(element.bytes, element.start, element.end, start, start + length) === 0;
  for (let i = 0; i < length; i++) if (element.bytes[element.start + i] !== bytes[start + i]) return false;
  return true;
}
