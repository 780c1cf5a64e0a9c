// The walk: whether bytes from outside are exactly one canonical value.
//
//   bytes ──▶ walk ──▶ stored as they are, or BAD_VALUE
//
// Every value that arrives is walked once; what is stored is then read by everybody without another
// look. The walk makes nothing: no strings, no objects, no copies. It refuses
//
//   - what is cut short, followed by something, or nests deeper than the hive allows
//   - counts and sizes that the bytes that are left cannot hold, before anything is done with them
//   - tags and extensions that are unknown, and payloads that are not what their type says
//   - text that is not UTF-8, names of properties that are not text
//   - references to objects that are not there yet
//   - every form that is not the shortest: whoever compares bytes compares values
//
// The measured hot path has more positional parameters than the house allows: an options object for
// each value would be most of its cost.
//
// Two things it lets pass that have a second form: a name twice in one map (the last one counts) and
// the bits of a NaN inside a value. A key or member has one form only: see walkScalar().

import type { HiveError } from "../base/errors.ts";
import { isUtf8 } from "./utf8.ts";
import { VIEW_KINDS } from "./value-extensions.ts";
import {
  BIGINT_BYTES_MAX,
  badValue,
  DATE_MS_MAX,
  DEPTH_DEFAULT,
  EXT_BIGINT,
  EXT_CODE,
  EXT_DATE,
  EXT_ERROR,
  EXT_INSTANCE,
  EXT_MAP,
  EXT_REFERENCE,
  EXT_REGEXP,
  EXT_SET,
  EXT_UNDEFINED,
  EXT_VIEW,
  INVALID_DATE_SECONDS,
} from "./value-format.ts";
import { uint32At } from "./value-reading.ts";

/** Objects met in the value being walked. The walk never calls out, so one counter is enough. */
let objects = 0;
/** Where the value began, for messages. */
let origin = 0;

/**
 * Checks that bytes `start` to `end` are one whole value in canonical form.
 *
 * @param depthMax The hive's valueDepthMax: arrays and maps inside each other. 0 allows scalars only.
 * @throws {HiveError} BAD_VALUE, with the offset in the value as `detail.at`.
 */
export function walk(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  depthMax: number = DEPTH_DEFAULT,
): void {
  if (start < 0 || end > bytes.length) throw badValue(`bytes ${start} to ${end} of ${bytes.length}`);
  objects = 0;
  origin = start;
  const at = walkValues(bytes, start, end, depthMax, 1);
  if (at !== end) throw wrong(at, "something follows the value");
}

/**
 * The same for a key of a table or member of a set: a boolean, an integer in its shortest form, a
 * float64 that no integer says (NaN in one form), a bigint beyond 64 bits, or a Date of whole
 * milliseconds. Equal ones are equal bytes.
 *
 * @throws {HiveError} BAD_VALUE
 */
export function walkScalar(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
  const tag = bytes[start] ?? 0;
  const isCollection = (tag >= 0x80 && tag < 0xa0) || (tag >= 0xdc && tag <= 0xdf);
  // Else it would be told that it nests too deep.
  if (!isCollection) walk(bytes, start, end, 0);
  if (tag < 0x80 || tag >= 0xe0 || tag === 0xc2 || tag === 0xc3) return;
  if ((tag >= 0xcc && tag <= 0xcf) || (tag >= 0xd0 && tag <= 0xd3)) return;
  if (tag === 0xcb && isLoneFloat64(bytes, start + 1)) return;
  if (tag >= 0xc7 && tag <= 0xd8) {
    const head = tag >= 0xd4 ? 2 : tag === 0xc7 ? 3 : 4;
    const type = (bytes[start + head - 1]! << 24) >> 24;
    if (type === EXT_BIGINT && end - start - head > 8) return;
    if (type === EXT_DATE && isWholeDate(bytes, start + head, end)) return;
  }
  throw wrong(start, "a key or member is a boolean, a number in its shortest form, a bigint or a Date");
}

/** Whether a float64 says a number that no integer does; of the NaNs, the usual one. */
function isLoneFloat64(bytes: Uint8Array, at: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
  const value = view.getFloat64(0);
  if (value !== value) return view.getBigUint64(0) === 0x7ff8000000000000n;
  return !Number.isSafeInteger(value);
}

/** Whether a timestamp is a valid Date and has no finer parts. */
function isWholeDate(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at === 4) return true;
  const word = uint32At(bytes, at);
  if (end - at === 8) return Math.floor(word / 4) % 1_000_000 === 0;
  return word % 1_000_000 === 0 && int64At(bytes, at + 4) !== INVALID_DATE_SECONDS;
}

/**
 * Walks `count` values and returns the offset after them.
 *
 * One loop and not a call per value: what most values are made of is done here (107 bytes, three
 * levels: 100 ns instead of 130, of which 40 look for bytes that are not ASCII).
 *
 * @param depth How many more levels may follow.
 * @param named Each value follows its name, as in a map.
 */
function walkValues(
  bytes: Uint8Array,
  at: number,
  end: number,
  depth: number,
  count: number,
  named: boolean = false,
): number {
  for (; count > 0; count--) {
    if (named) {
      const tag = at < end ? bytes[at]! : 0;
      if (tag >= 0xa0 && tag < 0xc0) at = walkText(bytes, at + 1, end, tag & 0x1f);
      else at = walkName(bytes, at, end);
    }
    if (at >= end) throw cutShort(at);
    const tag = bytes[at++]!;
    if (tag < 0x80 || tag >= 0xe0) continue;
    if (tag < 0x90) at = walkProperties(bytes, at, end, depth, tag & 0x0f);
    else if (tag < 0xa0) at = walkElements(bytes, at, end, depth, tag & 0x0f);
    else if (tag < 0xc0) at = walkText(bytes, at, end, tag & 0x1f);
    else if (tag === 0xcb && end - at >= 8) at += 8;
    else if (tag === 0xcd && end - at >= 2 && bytes[at] !== 0) at += 2;
    else if (tag !== 0xc0 && tag !== 0xc2 && tag !== 0xc3) at = walkSized(bytes, at, end, depth, tag);
  }
  return at;
}

function walkSized(bytes: Uint8Array, at: number, end: number, depth: number, tag: number): number {
  if (tag >= 0xd4 && tag <= 0xd8) return walkExtension(bytes, at, end, depth, 1 << (tag - 0xd4));
  const width = WIDTHS[tag - 0xc0]!;
  if (width === 0) throw wrong(at - 1, tag === 0xca ? "float32 is not used, only float64" : "unknown tag c1");
  if (width > end - at) throw cutShort(at);
  const next = at + width;
  if (width === 8) return walkInt64(bytes, at, tag === 0xd3);
  const size = width === 1 ? bytes[at]! : width === 2 ? (bytes[at]! << 8) | bytes[at + 1]! : uint32At(bytes, at);
  if (tag >= 0xd0 && tag <= 0xd2) {
    // Negative, and beyond the next shorter form: -32, int8, int16.
    const value = tag === 0xd0 ? (size << 24) >> 24 : tag === 0xd1 ? (size << 16) >> 16 : size | 0;
    if (value >= (tag === 0xd0 ? -0x20 : tag === 0xd1 ? -0x80 : -0x8000)) throw notShortest(at);
    return next;
  }
  if (size < SMALLEST[tag - 0xc0]!) throw notShortest(at);
  if (tag >= 0xcc && tag <= 0xce) return next;
  if (tag >= 0xd9 && tag <= 0xdb) return walkText(bytes, next, end, size);
  if (tag <= 0xc6) {
    objects++;
    return skip(next, end, size);
  }
  if (tag <= 0xc9) {
    if (tag === 0xc7 && (size === 1 || size === 2 || size === 4 || size === 8 || size === 16)) throw notShortest(at);
    return walkExtension(bytes, next, end, depth, size);
  }
  if (tag <= 0xdd) return walkElements(bytes, next, end, depth, size);
  return walkProperties(bytes, next, end, depth, size);
}

// For the tags c0 to df: bytes of the number that follows (0: no such tag), and the smallest number
// for which the form is the shortest.
// biome-ignore format: one row per eight tags
const WIDTHS: readonly number[] = [
  0, 0, 0, 0,  1, 2, 4, 1,
  2, 4, 0, 8,  1, 2, 4, 8,
  1, 2, 4, 8,  0, 0, 0, 0,
  0, 1, 2, 4,  2, 4, 2, 4,
];
// biome-ignore format: one row per eight tags
const SMALLEST: readonly number[] = [
  0,     0,       0,    0,       0,    0x100,   0x10000, 0,
  0x100, 0x10000, 0,    0,       0x80, 0x100,   0x10000, 0,
  0,     0,       0,    0,       0,    0,       0,       0,
  0,     0x20,    0x100, 0x10000, 0x10, 0x10000, 0x10,   0x10000,
];

function walkInt64(bytes: Uint8Array, at: number, signed: boolean): number {
  const high = uint32At(bytes, at);
  const low = uint32At(bytes, at + 4);
  // Signed: below -2^31 (what is positive is unsigned). Unsigned: from 2^32 on.
  const shortest = signed ? high >= 0x80000000 && (high !== 0xffffffff || low < 0x80000000) : high !== 0;
  if (!shortest) throw notShortest(at);
  return at + 8;
}

function walkText(bytes: Uint8Array, at: number, end: number, size: number): number {
  const next = skip(at, end, size);
  if (size < 32) {
    let ascii = at;
    while (ascii < next && bytes[ascii]! < 0x80) ascii++;
    if (ascii === next) return next;
  }
  if (!isUtf8(bytes, at, next)) throw wrong(at, "text that is not UTF-8");
  return next;
}

function walkElements(bytes: Uint8Array, at: number, end: number, depth: number, count: number): number {
  if (depth === 0) throw wrong(at, "nested too deep");
  if (count > end - at) throw cutShort(at);
  objects++;
  return walkValues(bytes, at, end, depth - 1, count);
}

function walkProperties(bytes: Uint8Array, at: number, end: number, depth: number, count: number): number {
  if (depth === 0) throw wrong(at, "nested too deep");
  if (count * 2 > end - at) throw cutShort(at);
  objects++;
  return walkValues(bytes, at, end, depth - 1, count, true);
}

function walkName(bytes: Uint8Array, at: number, end: number): number {
  const tag = at < end ? bytes[at]! : 0;
  if (tag >= 0xa0 && tag < 0xc0) return walkText(bytes, at + 1, end, tag & 0x1f);
  if (tag >= 0xd9 && tag <= 0xdb) return walkSized(bytes, at + 1, end, 0, tag);
  throw wrong(at, "text must stand here, as a name");
}

// Extensions.

function walkExtension(bytes: Uint8Array, at: number, end: number, depth: number, size: number): number {
  if (at >= end) throw cutShort(at);
  const type = (bytes[at++]! << 24) >> 24;
  const next = skip(at, end, size);
  if (type === EXT_REFERENCE) {
    if (!isReference(bytes, at, size)) throw wrong(at, "a reference to an object that is not there yet");
  } else if (type === EXT_UNDEFINED) {
    if (size !== 1 || bytes[at] !== 0) throw wrong(at, "undefined has one byte 00");
  } else if (type === EXT_BIGINT) {
    if (!isBigint(bytes, at, size)) throw wrong(at, "not a bigint in its shortest form");
  } else {
    objects++;
    walkObjectExtension(bytes, at, next, depth, type);
  }
  return next;
}

/** The extensions that are objects; `end` is that of the payload. */
function walkObjectExtension(bytes: Uint8Array, at: number, end: number, depth: number, type: number): void {
  if (type === EXT_DATE) {
    if (!isTimestamp(bytes, at, end - at)) throw wrong(at, "not a timestamp in its shortest form");
  } else if (type === EXT_VIEW) {
    const kind = at < end ? VIEW_KINDS[bytes[at]!] : undefined;
    if (kind === undefined || (end - at - 1) % kind.elementBytes !== 0) throw wrong(at, "no such view");
  } else if (type === EXT_MAP || type === EXT_SET || (type >= EXT_REGEXP && type <= EXT_CODE)) {
    walkNested(bytes, at, end, depth, type);
  } else {
    throw wrong(at, `unknown extension ${type}`);
  }
}

/** A payload that is one array, which is not an object of its own. */
function walkNested(bytes: Uint8Array, at: number, end: number, depth: number, type: number): void {
  if (depth === 0 && type !== EXT_REGEXP) throw wrong(at, "nested too deep");
  const tag = at < end ? bytes[at]! : 0;
  const width = tag === 0xdc ? 2 : tag === 0xdd ? 4 : 0;
  if (width === 0 && (tag < 0x90 || tag > 0x9f)) throw wrong(at, `extension ${type} has no array in it`);
  if (width > end - at - 1) throw cutShort(at);
  const count =
    width === 0 ? tag & 0x0f : width === 2 ? (bytes[at + 1]! << 8) | bytes[at + 2]! : uint32At(bytes, at + 1);
  if (width !== 0 && count < SMALLEST[tag - 0xc0]!) throw notShortest(at);
  at += 1 + width;
  if (count > end - at) throw cutShort(at);
  if (type === EXT_REGEXP) at = walkRegExp(bytes, at, end, count);
  else if (type === EXT_ERROR) at = walkError(bytes, at, end, depth - 1, count);
  else if (type === EXT_INSTANCE) at = walkInstance(bytes, at, end, depth - 1, count);
  else if (type === EXT_CODE) at = walkCode(bytes, at, end, depth - 1, count);
  else if (type === EXT_MAP && count % 2 !== 0) throw wrong(at, "a Map with a key and no value");
  else at = walkValues(bytes, at, end, depth - 1, count);
  if (at !== end) throw wrong(at, `extension ${type} has another size than its content`);
}

const FLAGS = "dgimsuvy";

/** Whether the source compiles is not asked: runtimes differ in that. */
function walkRegExp(bytes: Uint8Array, at: number, end: number, count: number): number {
  if (count !== 2) throw wrong(at, "a RegExp has source and flags");
  at = walkName(bytes, at, end);
  const next = walkName(bytes, at, end);
  let last = -1;
  for (at++; at < next; at++) {
    const flag = FLAGS.indexOf(String.fromCharCode(bytes[at]!));
    if (flag <= last) throw wrong(at, `flags of a RegExp are of ${FLAGS}, in that order`);
    last = flag;
  }
  return next;
}

function walkError(bytes: Uint8Array, at: number, end: number, depth: number, count: number): number {
  if (count < 2 || count > 4) throw wrong(at, "an Error has 2 to 4 fields");
  at = walkName(bytes, at, end);
  at = walkName(bytes, at, end);
  if (count > 2) {
    if (!isCode(bytes, at, end)) throw wrong(at, "the code of an Error is text or a number");
    at = walkValues(bytes, at, end, 0, 1);
  }
  if (count > 3) at = walkValues(bytes, at, end, depth, 1);
  return at;
}

function walkInstance(bytes: Uint8Array, at: number, end: number, depth: number, count: number): number {
  if (count !== 2) throw wrong(at, "an instance has a name and a value");
  return walkValues(bytes, walkName(bytes, at, end), end, depth, 1);
}

function walkCode(bytes: Uint8Array, at: number, end: number, depth: number, count: number): number {
  if (count !== 4) throw wrong(at, "code has name, kind, source and bindings");
  for (let text = 0; text < 3; text++) at = walkName(bytes, at, end);
  const tag = at < end ? bytes[at]! : 0;
  if ((tag < 0x80 || tag > 0x8f) && tag !== 0xde && tag !== 0xdf) throw wrong(at, "the bindings of code are no map");
  return walkValues(bytes, at, end, depth, 1);
}

/** Whether text or a number begins at `at`; or undefined, which stands before a cause where there is no code. */
function isCode(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 1) return false;
  const tag = bytes[at]!;
  const isText = (tag >= 0xa0 && tag < 0xc0) || (tag >= 0xd9 && tag <= 0xdb);
  const isNumber = tag < 0x80 || tag >= 0xe0 || (tag >= 0xcb && tag <= 0xd3);
  return isText || isNumber || (tag === 0xd4 && end - at > 1 && bytes[at + 1] === EXT_UNDEFINED);
}

/** Whether the payload is the number of an object met before, in its shortest form. */
function isReference(bytes: Uint8Array, at: number, size: number): boolean {
  if (size !== 1 && size !== 2 && size !== 4) return false;
  const number = size === 1 ? bytes[at]! : size === 2 ? (bytes[at]! << 8) | bytes[at + 1]! : uint32At(bytes, at);
  return number < objects && number >= (size === 1 ? 0 : size === 2 ? 0x100 : 0x10000);
}

/** Whether the payload is a bigint in its shortest form that no integer of MessagePack says. */
function isBigint(bytes: Uint8Array, at: number, size: number): boolean {
  if (size < 1 || size > BIGINT_BYTES_MAX || size === 8) return false;
  const first = bytes[at]!;
  const second = size > 1 ? bytes[at + 1]! : 0;
  // A first byte that only repeats the sign of the second is one too many.
  if (size > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) return false;
  if (size < 7) return true;
  if (size === 9) return first !== 0; // else an uint64
  if (size > 9) return true;
  // 7 bytes: a small one is within ±(2^53 - 1), the others are int64.
  if (first === 0xe0) {
    for (let i = 1; i < 7; i++) if (bytes[at + i] !== 0) return true;
    return false;
  }
  return first < 0x20 || first > 0xe0;
}

/** Whether the payload is a timestamp in its shortest form that a Date reaches, or the invalid one. */
function isTimestamp(bytes: Uint8Array, at: number, size: number): boolean {
  if (size === 4) return true;
  if (size !== 8 && size !== 12) return false;
  const word = uint32At(bytes, at);
  if (size === 8) {
    const nanoseconds = Math.floor(word / 4);
    return nanoseconds < 1_000_000_000 && (nanoseconds !== 0 || word % 4 !== 0);
  }
  const seconds = int64At(bytes, at + 4);
  if (seconds === INVALID_DATE_SECONDS) return word === 0;
  if (word >= 1_000_000_000 || (seconds >= 0n && seconds < 0x4_0000_0000n)) return false;
  return Math.abs(Number(seconds) * 1000 + Math.floor(word / 1_000_000)) <= DATE_MS_MAX;
}

// Bytes.

/** The offset after `size` bytes, which must be there. */
function skip(at: number, end: number, size: number): number {
  if (size > end - at) throw cutShort(at);
  return at + size;
}

function int64At(bytes: Uint8Array, at: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigInt64(0);
}

// Failures.

function wrong(at: number, what: string): HiveError {
  return badValue(what, at - origin);
}

function cutShort(at: number): HiveError {
  return wrong(at, "the value is cut short");
}

function notShortest(at: number): HiveError {
  return wrong(at - 1, "a number, size or count is not in its shortest form");
}
