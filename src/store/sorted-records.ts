// Sorted records: a small sorted set as records in its key's own entry, in order, as layout.ts draws them.
//
// A score takes as few bytes as show it exactly: small integers one or two, prices and the like as
// hundredths, everything else eight. A record is named by its distance in bytes from the start of the
// value, as in packed.ts. The bytes may lie anywhere, so that a snapshot's are checked by the same code.

import { KIND_VALUE, PACKED_HEADER, SORTED_BYTES_MAX, SORTED_RECORDS_MAX } from "./layout.ts";
import { compareBytes } from "./sorted-way.ts";
import type { VisitName } from "./walk.ts";

const CODE_INT8 = 0;
const CODE_INT16 = 1;
const CODE_INT32 = 2;
const CODE_DOUBLE = 3;
const CODE_CENTS16 = 4;
const CODE_CENTS32 = 5;
const CODE_FLOAT = 6;
/** By code: the bytes of a score. */
const CODE_BYTES: readonly number[] = [1, 2, 4, 8, 2, 4, 4];
const CODE_SHIFT = 2;
const LONG = 32;
/** By head: the bytes of a record beside its name; 0 for heads that no record has. */
const BESIDE: Uint8Array = Uint8Array.from({ length: 256 }, (_, head) => {
  const score = CODE_BYTES[(head >> CODE_SHIFT) & 7];
  return score === undefined ? 0 : ((head & LONG) !== 0 ? 3 : 2) + score;
});

function codeOf(score: number): number {
  if ((score | 0) === score) {
    if (score >= -128 && score < 128) return CODE_INT8;
    return score >= -32768 && score < 32768 ? CODE_INT16 : CODE_INT32;
  }
  const cents = Math.round(score * 100);
  if ((cents | 0) === cents && cents / 100 === score)
    return cents >= -32768 && cents < 32768 ? CODE_CENTS16 : CODE_CENTS32;
  return Math.fround(score) === score ? CODE_FLOAT : CODE_DOUBLE;
}

/** Bytes of the record of a member with this score and name. */
export function recordBytes(score: number, nameLength: number): number {
  return (nameLength > 255 ? 3 : 2) + CODE_BYTES[codeOf(score)]! + nameLength;
}

/** Writes a record at byte `at` of `bytes`. Returns where it ends. */
export function writeRecord(
  bytes: Buffer,
  at: number,
  score: number,
  name: Uint8Array,
  start: number,
  length: number,
  kind: number,
): number {
  const code = codeOf(score);
  let next = at;
  bytes[next++] = kind | (code << CODE_SHIFT) | (length > 255 ? LONG : 0);
  bytes[next++] = length & 255;
  if (length > 255) bytes[next++] = length >> 8;
  const scoreBytes = CODE_BYTES[code]!;
  if (code === CODE_FLOAT) bytes.writeFloatLE(score, next);
  else if (code === CODE_DOUBLE) bytes.writeDoubleLE(score, next);
  else {
    const whole = code >= CODE_CENTS16 ? Math.round(score * 100) : score;
    for (let i = 0; i < scoreBytes; i++) bytes[next + i] = whole >> (8 * i);
  }
  next += scoreBytes;
  for (let i = 0; i < length; i++) bytes[next + i] = name[start + i]!;
  return next + length;
}

/** Where the record at byte `at` ends. */
export function endOfRecord(bytes: Uint8Array, at: number): number {
  const head = bytes[at]!;
  const length = (head & LONG) === 0 ? bytes[at + 1]! : bytes[at + 1]! | (bytes[at + 2]! << 8);
  return at + BESIDE[head]! + length;
}

/** Calls back with the names of `count` records from byte `at` on, and with their places from byte `value` on. */
export function eachRecord(bytes: Buffer, at: number, count: number, value: number, visit: VisitName): void {
  let place = at;
  for (let left = count; left > 0; left--) {
    const head = bytes[place]!;
    const length = (head & LONG) === 0 ? bytes[place + 1]! : bytes[place + 1]! | (bytes[place + 2]! << 8);
    const start = place + BESIDE[head]!;
    visit(bytes, start, start + length, head & 3, place - value);
    place = start + length;
  }
}

/** Where among records of which the first begins at `first` number `rank` begins. */
export function placeOfRank(bytes: Uint8Array, first: number, rank: number): number {
  let at = first;
  for (let left = rank; left > 0; left--) at = endOfRecord(bytes, at);
  return at;
}

/** How many records begin from `first` on before byte `at`. */
export function rankOfPlace(bytes: Uint8Array, first: number, at: number): number {
  let rank = 0;
  for (let next = first; next < at; next = endOfRecord(bytes, next)) rank++;
  return rank;
}

/** Where among the records from byte `first` to `end` the one with this name begins; -1 for none. */
export function findRecord(
  bytes: Uint8Array,
  first: number,
  end: number,
  name: Uint8Array,
  start: number,
  length: number,
  typed: number,
): number {
  const low = length & 255;
  const last = length === 0 ? 0 : name[start + length - 1]!;
  for (let at = first; at < end; ) {
    const head = bytes[at]!;
    const lowest = bytes[at + 1]!;
    const nameLength = (head & LONG) === 0 ? lowest : lowest | (bytes[at + 2]! << 8);
    const nameStart = at + BESIDE[head]!;
    const next = nameStart + nameLength;
    // Most names differ in their last byte.
    if (lowest === low && nameLength === length && (length === 0 || bytes[next - 1] === last)) {
      let i = 0;
      while (i < length && bytes[nameStart + i] === name[start + i]) i++;
      if (i === length && ((head & 3) === KIND_VALUE ? 1 : 0) === typed) return at;
    }
    at = next;
  }
  return -1;
}

function readScore(bytes: Buffer, at: number, code: number): number {
  switch (code) {
    case CODE_INT8:
      return (bytes[at]! << 24) >> 24;
    case CODE_INT16:
      return ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16;
    case CODE_INT32:
      return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    case CODE_CENTS16:
      return (((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16) / 100;
    case CODE_CENTS32:
      return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) / 100;
    case CODE_FLOAT:
      return bytes.readFloatLE(at);
    default:
      return bytes.readDoubleLE(at);
  }
}

/** The score of the record at byte `at`. */
export function scoreOfRecord(bytes: Buffer, at: number): number {
  const head = bytes[at]!;
  return readScore(bytes, at + ((head & LONG) === 0 ? 2 : 3), (head >> CODE_SHIFT) & 7);
}

/** Reads one record at a time: its parts, after read(at). */
export class SortedRecord {
  kind = 0;
  nameStart = 0;
  nameLength = 0;
  /** Where the record ends. */
  end = 0;
  #code = 0;
  #scoreAt = 0;
  bytes: Buffer = Buffer.alloc(0);

  /** Takes the record at byte `at` of `bytes`. */
  read(bytes: Buffer, at: number): this {
    const head = bytes[at]!;
    const isLong = (head & LONG) !== 0;
    this.bytes = bytes;
    this.kind = head & 3;
    this.#code = (head >> CODE_SHIFT) & 7;
    this.nameLength = isLong ? bytes[at + 1]! | (bytes[at + 2]! << 8) : bytes[at + 1]!;
    this.#scoreAt = at + (isLong ? 3 : 2);
    this.nameStart = this.#scoreAt + (CODE_BYTES[this.#code] ?? 0);
    this.end = this.nameStart + this.nameLength;
    return this;
  }

  get score(): number {
    return readScore(this.bytes, this.#scoreAt, this.#code);
  }

  /** Whether the head is one that writeRecord() writes for what it holds; the record must lie in its bytes. */
  get isCanonical(): boolean {
    const head = this.bytes[this.#scoreAt - (this.nameLength > 255 ? 3 : 2)];
    const { score } = this;
    const isLong = this.nameLength > 255;
    return (
      this.#code < CODE_BYTES.length &&
      score === score &&
      codeOf(score) === this.#code &&
      head === (this.kind | (this.#code << CODE_SHIFT) | (isLong ? LONG : 0))
    );
  }

  /** The order of this record's name and another one. */
  compareName(name: Uint8Array, start: number, length: number, typed: number): number {
    const order = compareBytes(this.bytes, this.nameStart, this.nameLength, name, start, length);
    return order !== 0 ? order : (this.kind === KIND_VALUE ? 1 : 0) - typed;
  }

  /** The order of this record and a member: by score, then by name. */
  compare(score: number, name: Uint8Array, start: number, length: number, typed: number): number {
    const own = this.score;
    if (own !== score) return own < score ? -1 : 1;
    return this.compareName(name, start, length, typed);
  }
}

export type Member = { score: number; name: Uint8Array; start: number; length: number; kind: number };

/** Where among the records from byte `first` to `end` a member belongs: before the one that begins there, which is not `old`. */
export function placeFor(bytes: Buffer, first: number, end: number, old: number, member: Member): number {
  const { score, name, start, length, kind } = member;
  let at = first;
  while (at < end) {
    const next = endOfRecord(bytes, at);
    const own = scoreOfRecord(bytes, at);
    if (at !== old && (own > score || (own === score && isBehind(bytes, at, next, name, start, length, kind)))) break;
    at = next;
  }
  return at;
}

function isBehind(
  bytes: Buffer,
  at: number,
  end: number,
  name: Uint8Array,
  start: number,
  length: number,
  kind: number,
): boolean {
  const own = at + BESIDE[bytes[at]!]!;
  const order = compareBytes(bytes, own, end - own, name, start, length);
  return order !== 0 ? order > 0 : (bytes[at]! & 3) === KIND_VALUE && kind !== KIND_VALUE;
}

/**
 * Makes room for a record of `size` bytes before byte `place` of records that end at `end`, in the place of the
 * `gone` bytes at `old`, which may be none. Returns where to write it.
 */
export function moveRecords(
  bytes: Buffer,
  end: number,
  place: number,
  old: number,
  { gone, size }: { gone: number; size: number },
): number {
  const behind = old + gone;
  const at = place <= old ? place : place - gone;
  const [from, to, target] = place <= old ? [place, old, place + size] : [behind, place, old];
  const tail = Math.max(behind, place);
  // What moves to the right goes last to first.
  if (size > gone) bytes.copyWithin(tail + size - gone, tail, end);
  if (from < to) bytes.copyWithin(target, from, to);
  if (size < gone) bytes.copyWithin(tail + size - gone, tail, end);
  return at;
}

/**
 * Whether bytes `start` to `end` are a packed sorted set: whole, in order, no name twice, as short as it can be.
 * @param visit Called with each record, to look at its name.
 */
export function isPackedSorted(
  bytes: Buffer,
  start: number,
  end: number,
  visit: (record: SortedRecord) => void,
): boolean {
  if (end - start <= PACKED_HEADER || end - start > SORTED_BYTES_MAX) return false;
  const count = bytes[start]! | (bytes[start + 1]! << 8);
  const names = new Set<string>();
  const before = new SortedRecord();
  const record = new SortedRecord();
  let last = -1;
  let at = start + PACKED_HEADER;
  for (; at < end; at = record.end) {
    // What lies behind the end is read, never believed.
    if (at + 3 > end || record.read(bytes, at).end > end || !record.isCanonical) return false;
    const typed = record.kind === KIND_VALUE ? 1 : 0;
    const { score, nameStart, nameLength } = record;
    if (last >= 0 && before.read(bytes, last).compare(score, bytes, nameStart, nameLength, typed) >= 0) return false;
    names.add(`${typed}${bytes.latin1Slice(nameStart, record.end)}`);
    visit(record);
    last = at;
  }
  return names.size === count && count <= SORTED_RECORDS_MAX;
}
