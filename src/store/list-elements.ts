// List elements: how an element of a list stands in memory, one code and its data.
//
//   code u8 = | what (6 bits) | kind (2 bits) |
//
//   what 0..54    that many bytes of data
//        55..60   raw decimal text, kept as a signed integer of 1, 2, 3, 4, 7 or 8 bytes
//        61..63   longer data, between two copies of its length in 1, 2 or 4 bytes
//
// Elements lie in a run: their data one behind the other, their codes apart and backwards, so that a walk over
// a run reads bytes that stand side by side, from either end, and a small element costs one byte beside itself
// (a listpack of Redis takes two). The length on both sides of long data is what a walk from the end needs.

import { parseInt64, parseSafeInteger } from "../base/decimal.ts";
import type { Slice } from "./collections.ts";
import { copyBytes } from "./entries.ts";
import { KIND_TEXT } from "./layout.ts";

const DIRECT_MAX = 54;
const INTEGER_FIRST = 55;
const INTEGER_BYTES: readonly number[] = [1, 2, 3, 4, 7, 8];
const LONG_FIRST = 61;
const LENGTH_BYTES: readonly number[] = [1, 2, 4];
const TWO32 = 4294967296;
const DIGITS_MAX = 20;
/** Integers of at least this many digits may need eight bytes: parseSafeInteger() reads none of them. */
const WIDE_DIGITS_MIN = 16;

/** By code: bytes of data; of long data minus the bytes of its length. */
const SIZES: Int8Array = Int8Array.from({ length: 256 }, (_, code) => {
  const what = code >> 2;
  if (what <= DIRECT_MAX) return what;
  return what < LONG_FIRST ? INTEGER_BYTES[what - INTEGER_FIRST]! : -LENGTH_BYTES[what - LONG_FIRST]!;
});

const digits = Buffer.alloc(DIGITS_MAX);

/** Elements somewhere in memory. Places are byte numbers in `bytes`. */
export type Run = {
  bytes: Buffer;
  count: number;
  /** Where its room begins, and ends. */
  start: number;
  end: number;
  dataStart: number;
  dataEnd: number;
  /** Where the codes begin: the last element's. */
  codesStart: number;
};

export function newRun(): Run {
  return { bytes: digits, count: 0, start: 0, end: 0, dataStart: 0, dataEnd: 0, codesStart: 0 };
}

/** Bytes that its elements take. */
export function usedBytes(run: Run): number {
  return run.dataEnd - run.dataStart + run.count;
}

export function codeAt(run: Run, index: number): number {
  return run.bytes[run.codesStart + run.count - 1 - index]!;
}

/** Bytes of the data that begin at `at`. */
export function sizeAt(bytes: Buffer, at: number, code: number): number {
  const size = SIZES[code]!;
  return size >= 0 ? size : readLength(bytes, at, -size) - 2 * size;
}

/** Bytes of the data that end at `end`. */
export function sizeBefore(bytes: Buffer, end: number, code: number): number {
  const size = SIZES[code]!;
  return size >= 0 ? size : readLength(bytes, end + size, -size) - 2 * size;
}

/** Whether an element whose data begin at `at` ends by `end`, and is one that there may be: for bytes that nobody vouches for. */
export function isWhole(bytes: Buffer, at: number, code: number, end: number): boolean {
  const what = code >> 2;
  if (what < LONG_FIRST) return at + SIZES[code]! <= end && (what <= DIRECT_MAX || (code & 3) <= KIND_TEXT);
  const lengthBytes = LENGTH_BYTES[what - LONG_FIRST]!;
  if (at + lengthBytes > end) return false;
  const after = at + sizeAt(bytes, at, code);
  return after <= end && sizeBefore(bytes, after, code) === after - at;
}

/** Where the data of element `index` begin, counted from the nearer end; of `count` where they end. */
export function placeOf(run: Run, index: number): number {
  const { bytes, count } = run;
  if (index < count >> 1) {
    let at = run.dataStart;
    for (let code = run.codesStart + count - 1, left = index; left > 0; left--) at += sizeAt(bytes, at, bytes[code--]!);
    return at;
  }
  let at = run.dataEnd;
  for (let code = run.codesStart, left = count - index; left > 0; left--) at -= sizeBefore(bytes, at, bytes[code++]!);
  return at;
}

/** The element whose data begin at `at`. Digits of an integer are good until the next one is read. */
export function readElement(bytes: Buffer, at: number, code: number, slice: Slice): Slice {
  const what = code >> 2;
  slice.kind = code & 3;
  if (what <= DIRECT_MAX) {
    slice.bytes = bytes;
    slice.start = at;
    slice.end = at + what;
  } else if (what < LONG_FIRST) {
    slice.bytes = digits;
    slice.start = writeDigits(bytes, at, INTEGER_BYTES[what - INTEGER_FIRST]!);
    slice.end = DIGITS_MAX;
  } else {
    const lengthBytes = LENGTH_BYTES[what - LONG_FIRST]!;
    slice.bytes = bytes;
    slice.start = at + lengthBytes;
    slice.end = slice.start + readLength(bytes, at, lengthBytes);
  }
  return slice;
}

function readLength(bytes: Buffer, at: number, lengthBytes: number): number {
  if (lengthBytes === 1) return bytes[at]!;
  const low = bytes[at]! | (bytes[at + 1]! << 8);
  return lengthBytes === 2 ? low : (low | (bytes[at + 2]! << 16)) + bytes[at + 3]! * 16777216;
}

/** Writes an integer as decimal text to the end of `digits`. Returns where it begins. */
function writeDigits(bytes: Buffer, at: number, size: number): number {
  let value: number;
  if (size === 8) {
    const text = bytes.readBigInt64LE(at).toString();
    digits.latin1Write(text, DIGITS_MAX - text.length);
    return DIGITS_MAX - text.length;
  }
  if (size === 1) value = (bytes[at]! << 24) >> 24;
  else if (size === 2) value = ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16;
  else if (size === 3) value = ((bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)) << 8) >> 8;
  else {
    value = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    if (size === 7) {
      const high = ((bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16)) << 8) >> 8;
      value = high * TWO32 + (value >>> 0);
    }
  }
  let place = DIGITS_MAX;
  for (let rest = Math.abs(value); ; ) {
    const next = Math.floor(rest / 10);
    digits[--place] = 48 + rest - next * 10;
    rest = next;
    if (rest === 0) break;
  }
  if (value < 0) digits[--place] = 45;
  return place;
}

function integerBytes(value: number): number {
  if (value >= -128 && value < 128) return 1;
  if (value >= -32768 && value < 32768) return 2;
  if (value >= -8388608 && value < 8388608) return 3;
  return value >= -2147483648 && value < 2147483648 ? 4 : 7;
}

/** An element that is about to be written: from prepare() to the last write(). */
export class NewElement {
  code = 0;
  /** Bytes of its data. */
  size = 0;
  #bytes: Uint8Array = digits;
  #start = 0;
  #length = 0;
  #integer: number | bigint = 0;

  /** @param kind KIND_RAW, … of layout.ts. The bytes must stay as they are until it is written. */
  prepare(bytes: Uint8Array, start: number, length: number, kind: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#length = length;
    if (kind <= KIND_TEXT && length >= 2 && length <= DIGITS_MAX && this.#prepareInteger(kind)) return;
    if (length <= DIRECT_MAX) {
      this.code = (length << 2) | kind;
      this.size = length;
      return;
    }
    const width = length < 256 ? 0 : length < 65536 ? 1 : 2;
    this.code = ((LONG_FIRST + width) << 2) | kind;
    this.size = length + 2 * LENGTH_BYTES[width]!;
  }

  /** Decimal text as Redis writes it is kept as an integer where that is shorter. */
  #prepareInteger(kind: number): boolean {
    const end = this.#start + this.#length;
    const first = this.#bytes[this.#start]!;
    if (first > 57 || (first < 48 && first !== 45)) return false;
    let integer: number | bigint = parseSafeInteger(this.#bytes, this.#start, end);
    let size = 8;
    if (integer === integer) size = integerBytes(integer);
    else {
      const wide = this.#length < WIDE_DIGITS_MIN ? undefined : parseInt64(this.#bytes, this.#start, end);
      if (wide === undefined) return false;
      integer = wide;
    }
    if (size >= this.#length) return false;
    this.#integer = integer;
    this.size = size;
    this.code = ((INTEGER_FIRST + INTEGER_BYTES.indexOf(size)) << 2) | kind;
    return true;
  }

  /** Writes the data. */
  write(target: Buffer, at: number): void {
    const what = this.code >> 2;
    if (what <= DIRECT_MAX) return copyBytes(this.#bytes, this.#start, target, at, this.#length);
    if (what < LONG_FIRST) return this.#writeInteger(target, at);
    const lengthBytes = LENGTH_BYTES[what - LONG_FIRST]!;
    for (let i = 0; i < lengthBytes; i++) {
      const byte = (this.#length >>> (8 * i)) & 255;
      target[at + i] = byte;
      target[at + lengthBytes + this.#length + i] = byte;
    }
    copyBytes(this.#bytes, this.#start, target, at + lengthBytes, this.#length);
  }

  #writeInteger(target: Buffer, at: number): void {
    const integer = this.#integer;
    if (typeof integer === "bigint") {
      target.writeBigInt64LE(integer, at);
      return;
    }
    const high = this.size === 7 ? Math.floor(integer / TWO32) : 0;
    for (let i = 0; i < Math.min(4, this.size); i++) target[at + i] = (integer >>> (8 * i)) & 255;
    for (let i = 4; i < this.size; i++) target[at + i] = (high >>> (8 * (i - 4))) & 255;
  }
}

// Changes of a run in its room. None of them takes memory.

/** Moves the codes to byte `codesStart`, and the data to `dataStart`: both stay in the room and apart. */
function moveTo(run: Run, dataStart: number, codesStart: number): void {
  const { bytes, count } = run;
  const dataEnd = dataStart + run.dataEnd - run.dataStart;
  // What moves to the right goes last to first, so that neither part is written over before it has moved.
  if (codesStart > run.codesStart) bytes.copyWithin(codesStart, run.codesStart, run.codesStart + count);
  if (dataStart !== run.dataStart) bytes.copyWithin(dataStart, run.dataStart, run.dataEnd);
  if (codesStart < run.codesStart) bytes.copyWithin(codesStart, run.codesStart, run.codesStart + count);
  run.dataStart = dataStart;
  run.dataEnd = dataEnd;
  run.codesStart = codesStart;
}

/** All that is free lies between data and codes: for what comes behind, or in the middle. */
export function openMiddle(run: Run): void {
  moveTo(run, run.start, run.end - run.count);
}

/** All that is free lies around data and codes, in the proportion in which elements need it: for what comes in front. */
export function openFront(run: Run, size: number): void {
  const free = run.end - run.start - usedBytes(run);
  const mean = Math.max(1, Math.max(size, Math.floor((run.dataEnd - run.dataStart) / Math.max(1, run.count))));
  const codes = Math.min(free - size, Math.max(1, Math.floor(free / (mean + 1))));
  openMiddle(run);
  const codesStart = run.end - run.count - codes;
  const dataStart = codesStart - (run.dataEnd - run.dataStart);
  // The codes go first: the data move to the right, up to where the codes are then.
  run.bytes.copyWithin(codesStart, run.codesStart, run.codesStart + run.count);
  run.bytes.copyWithin(dataStart, run.dataStart, run.dataEnd);
  run.dataStart = dataStart;
  run.dataEnd = codesStart;
  run.codesStart = codesStart;
}

/** Puts an element before element `index`: its size and one byte must be free between data and codes. */
export function insertAt(run: Run, index: number, element: NewElement): void {
  const { bytes, count, dataEnd, codesStart } = run;
  const at = index === count ? dataEnd : placeOf(run, index);
  if (at < dataEnd) bytes.copyWithin(at + element.size, at, dataEnd);
  element.write(bytes, at);
  const behind = count - index;
  if (behind > 0) bytes.copyWithin(codesStart - 1, codesStart, codesStart + behind);
  bytes[codesStart - 1 + behind] = element.code;
  run.dataEnd = dataEnd + element.size;
  run.codesStart = codesStart - 1;
  run.count = count + 1;
}

/** Puts an element in front, where its size is free before the data and a byte behind the codes. */
export function insertInFront(run: Run, element: NewElement): void {
  run.dataStart -= element.size;
  element.write(run.bytes, run.dataStart);
  run.bytes[run.codesStart + run.count] = element.code;
  run.count++;
}

/** Takes the elements `from` to `to` - 1 out. */
export function cutOut(run: Run, from: number, to: number): void {
  const { bytes, count, dataEnd, codesStart } = run;
  const start = placeOf(run, from);
  if (from === 0) {
    run.dataStart = placeOf(run, to);
    run.count = count - to;
    return;
  }
  let end = start;
  for (let i = from; i < to; i++) end += sizeAt(bytes, end, codeAt(run, i));
  bytes.copyWithin(start, end, dataEnd);
  bytes.copyWithin(codesStart + to - from, codesStart, codesStart + count - to);
  run.dataEnd = dataEnd - (end - start);
  run.codesStart = codesStart + to - from;
  run.count = count - (to - from);
}

export function cutFirst(run: Run): void {
  run.dataStart += sizeAt(run.bytes, run.dataStart, codeAt(run, 0));
  run.count--;
}

export function cutLast(run: Run): void {
  run.dataEnd -= sizeBefore(run.bytes, run.dataEnd, run.bytes[run.codesStart++]!);
  run.count--;
}

/** Takes the elements with these indexes, in rising order, out. */
export function cutEach(run: Run, indexes: readonly number[]): void {
  for (let i = indexes.length - 1; i >= 0; ) {
    const to = indexes[i]! + 1;
    let from = to - 1;
    for (i--; i >= 0 && indexes[i] === from - 1; i--) from--;
    cutOut(run, from, to);
  }
}

/**
 * The indexes of up to `limit` elements that `matches` takes, from the front or the back, in rising order.
 */
export function findEach(
  run: Run,
  back: boolean,
  limit: number,
  slice: Slice,
  matches: (slice: Slice) => boolean,
): number[] {
  const found: number[] = [];
  const { bytes, count } = run;
  const codes = run.codesStart + count - 1;
  if (back) {
    let at = run.dataEnd;
    for (let index = count - 1; index >= 0 && found.length < limit; index--) {
      const code = bytes[codes - index]!;
      at -= sizeBefore(bytes, at, code);
      if (matches(readElement(bytes, at, code, slice))) found.push(index);
    }
    return found.reverse();
  }
  let at = run.dataStart;
  for (let index = 0; index < count && found.length < limit; index++) {
    const code = bytes[codes - index]!;
    if (matches(readElement(bytes, at, code, slice))) found.push(index);
    at += sizeAt(bytes, at, code);
  }
  return found;
}

/** Gives element `index` another content; what it is larger by must be free between data and codes. */
export function replaceAt(run: Run, index: number, element: NewElement): void {
  const { bytes } = run;
  const at = placeOf(run, index);
  const old = sizeAt(bytes, at, codeAt(run, index));
  if (old !== element.size) bytes.copyWithin(at + element.size, at + old, run.dataEnd);
  element.write(bytes, at);
  bytes[run.codesStart + run.count - 1 - index] = element.code;
  run.dataEnd += element.size - old;
}

/** Zeros over what no element takes. */
export function scrubGaps(run: Run): void {
  run.bytes.fill(0, run.start, run.dataStart);
  run.bytes.fill(0, run.dataEnd, run.codesStart);
  run.bytes.fill(0, run.codesStart + run.count, run.end);
}

/** Copies the elements `from` and behind of a run into an empty one with enough room. */
export function copyTail(run: Run, from: number, target: Run): void {
  const at = placeOf(run, from);
  const count = run.count - from;
  target.count = count;
  target.dataStart = target.start;
  target.dataEnd = target.start + run.dataEnd - at;
  target.codesStart = target.end - count;
  run.bytes.copy(target.bytes, target.dataStart, at, run.dataEnd);
  run.bytes.copy(target.bytes, target.codesStart, run.codesStart, run.codesStart + count);
}
