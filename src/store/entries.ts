// Entries: a key with its value, a field with its value, a member, as layout.ts draws them.
//
// Reads and writes the parts of one entry by its ref. It knows nothing of the index, of expiry or of
// accounting; who changes an entry that the index holds does so between lock() and unlock() of its
// bucket and after the funnel was told.

import {
  FLAG_OWNED,
  FLAG_ROOT,
  FLAG_SCRUB,
  FLAG_TTL,
  HEADER_BYTES,
  KEY_KIND_MASK,
  KEY_KIND_SHIFT,
  KEY_LENGTH_SHIFT,
  KEY_OFFSET,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  TTL_BYTES,
  TTL_CONTAINER,
  TTL_HIGH,
  TTL_LOW,
  TYPE_MASK,
  UNIT_SHIFT,
  VALUE_KIND_MASK,
  VALUE_KIND_SHIFT,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import type { Segments } from "./segments.ts";

const TWO32 = 4294967296;
/** Deadlines are kept in 64 bits; one above 2^63 is 2^63. */
const HIGH_MAX = 0x7fffffff;
/** Below this many bytes a loop copies faster than a call. */
const SHORT_COPY = 24;

export class Entries {
  readonly words: Int32Array[];
  readonly bytes: Buffer[];
  readonly #pages: Pages;
  /** The version given last; one counter for the whole hive. */
  version = 0;
  /** The access clock as it is written into entries touched now (eviction.ts sets it). */
  access = 0;

  constructor(segments: Segments, pages: Pages) {
    this.words = segments.words;
    this.bytes = segments.bytes;
    this.#pages = pages;
  }

  // Word 0.

  head(ref: number): number {
    return this.words[ref >>> SEGMENT_SHIFT]![(ref & SEGMENT_MASK) << 1]!;
  }

  type(ref: number): number {
    return this.head(ref) & TYPE_MASK;
  }

  keyKind(ref: number): number {
    return (this.head(ref) & KEY_KIND_MASK) >> KEY_KIND_SHIFT;
  }

  valueKind(ref: number): number {
    return (this.head(ref) & VALUE_KIND_MASK) >> VALUE_KIND_SHIFT;
  }

  keyLength(ref: number): number {
    return this.head(ref) >>> KEY_LENGTH_SHIFT;
  }

  // Places, as byte numbers in bytesOf(ref).

  bytesOf(ref: number): Buffer {
    return this.bytes[ref >>> SEGMENT_SHIFT]!;
  }

  keyStart(ref: number): number {
    return ((ref & SEGMENT_MASK) << UNIT_SHIFT) + KEY_OFFSET[(this.head(ref) >>> 8) & 7]!;
  }

  valueStart(ref: number): number {
    const head = this.head(ref);
    return ((ref & SEGMENT_MASK) << UNIT_SHIFT) + KEY_OFFSET[(head >>> 8) & 7]! + (head >>> KEY_LENGTH_SHIFT);
  }

  valueLength(ref: number): number {
    return this.words[ref >>> SEGMENT_SHIFT]![((ref & SEGMENT_MASK) << 1) + 1]!;
  }

  /** Bytes of the whole entry, rounded up to 8: what accounting counts. */
  size(ref: number): number {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    const head = words[at]!;
    return entryBytes(KEY_OFFSET[(head >>> 8) & 7]!, head >>> KEY_LENGTH_SHIFT, words[at + 1]!);
  }

  /** Bytes that a value may grow to in the block that the entry has. */
  valueRoom(ref: number): number {
    const head = this.head(ref);
    return this.#pages.sizeOf(ref) - KEY_OFFSET[(head >>> 8) & 7]! - (head >>> KEY_LENGTH_SHIFT);
  }

  /** The value of a sorted set's entry. */
  score(ref: number): number {
    return this.bytesOf(ref).readDoubleLE(this.valueStart(ref));
  }

  setScore(ref: number, score: number): void {
    this.bytesOf(ref).writeDoubleLE(score, this.valueStart(ref));
  }

  // Versions and the access clock.

  versionOf(ref: number): number {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    return (words[at + 3]! >>> 16) * TWO32 + (words[at + 2]! >>> 0);
  }

  /** Gives the entry a version that it had before, in another life of the hive. */
  setVersion(ref: number, version: number): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    words[at + 2] = version | 0;
    words[at + 3] = (((version / TWO32) | 0) << 16) | (words[at + 3]! & 0xffff);
  }

  /** Gives the entry the next version, and notes an access. */
  stamp(ref: number): void {
    const version = ++this.version;
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    const access = this.frequency ? this.frequency(words[at + 3]! & 0xffff) : this.access;
    words[at + 2] = version | 0;
    words[at + 3] = (((version / TWO32) | 0) << 16) | access;
  }

  /** Notes an access: the clock, or under an LFU policy the counter. */
  touch(ref: number): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = ((ref & SEGMENT_MASK) << 1) + 3;
    const before = words[at]! & 0xffff;
    const after = this.frequency ? this.frequency(before) : this.access;
    if (before !== after) words[at] = (words[at]! & ~0xffff) | after;
  }

  /** Under an LFU policy: the access word after one more access. */
  frequency: ((before: number) => number) | undefined = undefined;

  accessOf(ref: number): number {
    return this.words[ref >>> SEGMENT_SHIFT]![((ref & SEGMENT_MASK) << 1) + 3]! & 0xffff;
  }

  setAccess(ref: number, access: number): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = ((ref & SEGMENT_MASK) << 1) + 3;
    words[at] = (words[at]! & ~0xffff) | access;
  }

  // The parts behind the header.

  hasTtl(ref: number): boolean {
    return (this.head(ref) & FLAG_TTL) !== 0;
  }

  /** The deadline in epoch milliseconds; Infinity without a TTL. */
  deadline(ref: number): number {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    if ((words[at]! & FLAG_TTL) === 0) return Number.POSITIVE_INFINITY;
    return words[at + TTL_HIGH]! * TWO32 + (words[at + TTL_LOW]! >>> 0);
  }

  setDeadline(ref: number, deadlineMs: number): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    const high = Math.floor(deadlineMs / TWO32);
    words[at + TTL_LOW] = high > HIGH_MAX ? -1 : deadlineMs | 0;
    words[at + TTL_HIGH] = high > HIGH_MAX ? HIGH_MAX : Math.max(high, -HIGH_MAX);
  }

  /** The id of the container that an entry with a TTL is in. */
  containerOf(ref: number): number {
    return this.words[ref >>> SEGMENT_SHIFT]![((ref & SEGMENT_MASK) << 1) + TTL_CONTAINER]!;
  }

  ownerOf(ref: number): number {
    const head = this.head(ref);
    if ((head & FLAG_OWNED) === 0) return 0;
    return this.words[ref >>> SEGMENT_SHIFT]![((ref & SEGMENT_MASK) << 1) + ownedAt(head)]!;
  }

  /** Who else a key counts for; 0 for nobody. */
  payerOf(ref: number): number {
    return this.ownedWord(ref) >>> 1;
  }

  /** Whether a key came by a session. */
  isOfSession(ref: number): boolean {
    return (this.ownedWord(ref) & 1) !== 0;
  }

  /** What stands behind the owner: payer and session in one. */
  ownedWord(ref: number): number {
    const head = this.head(ref);
    if ((head & FLAG_OWNED) === 0) return 0;
    return this.words[ref >>> SEGMENT_SHIFT]![((ref & SEGMENT_MASK) << 1) + ownedAt(head) + 1]!;
  }

  setOwner(ref: number, owner: number, ownedWord: number): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = ((ref & SEGMENT_MASK) << 1) + ownedAt(this.head(ref));
    words[at] = owner;
    words[at + 1] = ownedWord;
  }

  setScrub(ref: number): void {
    this.words[ref >>> SEGMENT_SHIFT]![(ref & SEGMENT_MASK) << 1]! |= FLAG_SCRUB;
  }

  /** The root of an unpacked container's key; 0 when the entry has none. */
  rootOf(ref: number): number {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    const head = words[at]!;
    return (head & FLAG_ROOT) === 0 ? 0 : words[at + rootAt(head)]!;
  }

  setRoot(ref: number, root: number, id: number): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    const place = at + rootAt(words[at]!);
    words[place] = root;
    words[place + 1] = id;
  }

  // Making and freeing.

  /**
   * A new entry with its header and its key. `head` has type, kinds and flags; the value's bytes, the
   * TTL's words, owner and root are the caller's to fill in.
   * @param spareBytes Room in its block that it does not take yet.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  create(
    head: number,
    key: Uint8Array,
    start: number,
    length: number,
    valueBytes: number,
    spareBytes: number = 0,
  ): number {
    const offset = KEY_OFFSET[(head >>> 8) & 7]!;
    const ref = this.#pages.alloc(entryBytes(offset, length, valueBytes) + spareBytes);
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    words[at] = (head & ((1 << KEY_LENGTH_SHIFT) - 1)) | (length << KEY_LENGTH_SHIFT);
    words[at + 1] = valueBytes;
    const version = ++this.version;
    words[at + 2] = version | 0;
    words[at + 3] = (((version / TWO32) | 0) << 16) | this.access;
    if (offset > HEADER_BYTES) words.fill(0, at + 4, at + (offset >> 2));
    copyBytes(key, start, this.bytes[ref >>> SEGMENT_SHIFT]!, ((ref & SEGMENT_MASK) << UNIT_SHIFT) + offset, length);
    return ref;
  }

  /** Overwrites the value, which must fit the block, and sets its length and kind. */
  writeValue(ref: number, kind: number, bytes: Uint8Array, start: number, length: number): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    const head = words[at]!;
    words[at] = (head & ~VALUE_KIND_MASK) | (kind << VALUE_KIND_SHIFT);
    const target = ((ref & SEGMENT_MASK) << UNIT_SHIFT) + KEY_OFFSET[(head >>> 8) & 7]! + (head >>> KEY_LENGTH_SHIFT);
    const own = this.bytes[ref >>> SEGMENT_SHIFT]!;
    if ((head & FLAG_SCRUB) !== 0 && words[at + 1]! > length) own.fill(0, target + length, target + words[at + 1]!);
    words[at + 1] = length;
    copyBytes(bytes, start, own, target, length);
  }

  /**
   * Writes into the value, whose block must have room for `size` bytes, from its byte `at` on, and sets its
   * length and kind. Zeros go from `gap`, which is at most `at`, to there; what was behind `size` is scrubbed
   * where the entry says so.
   */
  patchValue(
    ref: number,
    kind: number,
    gap: number,
    at: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    size: number,
  ): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const word = (ref & SEGMENT_MASK) << 1;
    const head = words[word]!;
    words[word] = (head & ~VALUE_KIND_MASK) | (kind << VALUE_KIND_SHIFT);
    const target = ((ref & SEGMENT_MASK) << UNIT_SHIFT) + KEY_OFFSET[(head >>> 8) & 7]! + (head >>> KEY_LENGTH_SHIFT);
    const own = this.bytes[ref >>> SEGMENT_SHIFT]!;
    if ((head & FLAG_SCRUB) !== 0 && words[word + 1]! > size) own.fill(0, target + size, target + words[word + 1]!);
    words[word + 1] = size;
    if (gap < at) own.fill(0, target + gap, target + at);
    copyBytes(bytes, start, own, target + at, length);
  }

  /** Sets the length of the value, whose block must have room for it. */
  setValueLength(ref: number, length: number): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    const before = words[at + 1]!;
    if (length < before && (words[at]! & FLAG_SCRUB) !== 0) {
      const start = this.valueStart(ref);
      this.bytes[ref >>> SEGMENT_SHIFT]!.fill(0, start + length, start + before);
    }
    words[at + 1] = length;
  }

  /** Words 2 and 3: version and access clock. */
  stampOf(ref: number): readonly [number, number] {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    return [words[at + 2]!, words[at + 3]!];
  }

  restoreStamp(ref: number, stamp: readonly [number, number]): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    words[at + 2] = stamp[0];
    words[at + 3] = stamp[1];
  }

  /** Gives a new entry the version, access clock and owner that another had, of which `image` is a copy. */
  restoreParts(ref: number, image: Buffer): void {
    const words = this.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    words[at + 2] = image.readInt32LE(8);
    words[at + 3] = image.readInt32LE(12);
    const head = image.readInt32LE(0);
    if ((head & FLAG_OWNED) === 0) return;
    const owned = ownedAt(head) * 4;
    this.setOwner(ref, image.readInt32LE(owned), image.readInt32LE(owned + 4));
  }

  /** Gives the block back, its bytes overwritten where the entry says so. */
  free(ref: number): void {
    if ((this.head(ref) & FLAG_SCRUB) !== 0) this.scrub(ref);
    this.#pages.free(ref);
  }

  /** Writes zeros over the whole entry: by words, which takes a third of the time of a Buffer's fill(). */
  scrub(ref: number): void {
    const start = (ref & SEGMENT_MASK) << 1;
    this.words[ref >>> SEGMENT_SHIFT]!.fill(0, start, start + (this.size(ref) >>> 2));
  }

  /** A copy in a new block, byte for byte. The caller puts it where the old one stood and frees that. */
  duplicate(ref: number): number {
    const size = this.size(ref);
    const copy = this.#pages.alloc(size);
    const start = (ref & SEGMENT_MASK) << UNIT_SHIFT;
    this.bytes[ref >>> SEGMENT_SHIFT]!.copy(
      this.bytes[copy >>> SEGMENT_SHIFT]!,
      (copy & SEGMENT_MASK) << UNIT_SHIFT,
      start,
      start + size,
    );
    return copy;
  }
}

/** Bytes of an entry whose key begins at `offset`. */
export function entryBytes(offset: number, keyBytes: number, valueBytes: number): number {
  return (offset + keyBytes + valueBytes + 7) & ~7;
}

function ownedAt(head: number): number {
  return (HEADER_BYTES + ((head & FLAG_TTL) !== 0 ? TTL_BYTES : 0)) >> 2;
}

function rootAt(head: number): number {
  return ownedAt(head) + ((head & FLAG_OWNED) !== 0 ? 2 : 0);
}

export function copyBytes(from: Uint8Array, start: number, to: Buffer, at: number, length: number): void {
  if (length <= SHORT_COPY) {
    for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
  } else if (from instanceof Buffer) {
    from.copy(to, at, start, start + length);
  } else {
    to.set(from.subarray(start, start + length), at);
  }
}
