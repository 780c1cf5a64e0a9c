// EntrySearch: one entry of a container in the memory of another process, found and copied out.
//
//   find(root, name) ──▶ root ──▶ bucket ──▶ chain ──▶ entry ──▶ copyValue()        findRecord(): in a packed container
//
// What it says counts only when the sequences that it noted have not moved (SharedReader). Until then each
// number may be anything: a place is checked before it is read, and each walk is bounded.

import { KeyHash } from "./hash.ts";
import {
  BUCKET_BYTES,
  BUCKET_SLOTS,
  FLAG_OWNED,
  FLAG_TTL,
  HEADER_BYTES,
  KEY_KIND_MASK,
  KEY_LENGTH_SHIFT,
  KEY_OFFSET,
  KIND_VALUE,
  OVERFLOW_BYTES,
  OVERFLOW_SLOTS,
  PACKED_BYTES_MAX,
  PACKED_HEADER,
  RECORD_HEADER,
  ROOT_BYTES,
  ROOT_DIRECTORY,
  ROOT_LEVEL,
  ROOT_SEQUENCE,
  ROOT_SPLIT,
  TTL_BYTES,
  TTL_HIGH,
  TTL_LOW,
  VALUE_KIND_MASK,
  VALUE_KIND_SHIFT,
} from "./layout.ts";
import { ABSENT, FOUND, LARGE, type Outcome, SHARED_VALUE_BYTES_MAX, TORN } from "./shared-reader-outcomes.ts";
import type { ReaderSegments } from "./shared-reader-segments.ts";

/** Nodes of one chain: more than any index has at its load. */
const NODES_MAX = 256;
/** 2^27 buckets are more than 32 GiB have room for. */
const LEVEL_MAX = 27;
const TWO32 = 4294967296;
/** Below this many words a loop copies faster than a call. */
const SHORT_WORDS = 64;

/** A name to look for: its bytes, its hash, and the words that the hash was made of. */
export class Name {
  readonly keys: KeyHash;
  bytes: Buffer = Buffer.allocUnsafeSlow(256);
  length = 0;
  typed = 0;
  hash = 0;

  constructor(key0: number, key1: number) {
    this.keys = new KeyHash(key0, key1);
  }

  /** Room for `length` bytes, to be written and then taken(). */
  room(length: number): Buffer {
    if (length > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(length * 2);
    return this.bytes;
  }

  /** @param typed 1 for the encoding of a value, 0 for raw bytes. */
  taken(length: number, typed: number): void {
    this.length = length;
    this.typed = typed;
    this.hash = this.keys.hash(this.bytes, 0, length, typed);
  }
}

/** Sequences that an attempt has seen, and what they were. */
export class Guards {
  readonly words: Int32Array[] = [];
  readonly at: Int32Array = new Int32Array(4);
  readonly sequence: Int32Array = new Int32Array(4);
  count = 0;

  /** Notes a sequence. False when it is odd. */
  add(words: Int32Array, at: number): boolean {
    const sequence = Atomics.load(words, at);
    const index = this.count++;
    this.words[index] = words;
    this.at[index] = at;
    this.sequence[index] = sequence;
    return (sequence & 1) === 0;
  }

  /** Whether none has moved, as far as can be seen. */
  stand(): boolean {
    for (let i = 0; i < this.count; i++) {
      const words = this.words[i]!;
      // The view is empty where its segment was given up, or mapped anew since it has grown.
      if (words.length === 0 || Atomics.load(words, this.at[i]!) !== this.sequence[i]) return false;
    }
    return true;
  }
}

export class EntrySearch {
  readonly segments: ReaderSegments;
  /** The entry found last: its ref, where it stands in segments.words, and its first word. */
  entryRef = 0;
  entryAt = 0;
  entryHead = 0;
  /** What was copied last: its kind, and where it lies in `scratch`. */
  kind = 0;
  start = 0;
  end = 0;
  scratch: Buffer;
  #scratchWords: Int32Array = new Int32Array(1024);

  constructor(segments: ReaderSegments) {
    this.segments = segments;
    this.scratch = Buffer.from(this.#scratchWords.buffer);
  }

  /** Finds an entry in a container: FOUND, ABSENT or TORN. */
  find(root: number, name: Name, guards: Guards): Outcome {
    const segments = this.segments;
    const { hash } = name;
    const rootAt = segments.at(root, ROOT_BYTES / 4);
    if (rootAt < 0) return TORN;
    const rootWords = segments.words;
    if (!guards.add(rootWords, rootAt + ROOT_SEQUENCE)) return TORN;
    const level = rootWords[rootAt + ROOT_LEVEL]!;
    if (level < 0 || level > LEVEL_MAX) return TORN;
    const low = 1 << level;
    let bucket = hash & (low * 2 - 1);
    if (bucket >= low + rootWords[rootAt + ROOT_SPLIT]!) bucket &= low - 1;
    const directory = rootWords[rootAt + ROOT_DIRECTORY]!;
    const block = bucket < 1024 ? 32 - Math.clz32(bucket) : (bucket >>> 10) + 10;
    const index = bucket < 1024 ? bucket - ((1 << block) >> 1) : bucket & 1023;
    const directoryAt = segments.at(directory, block + 1);
    if (directoryAt < 0) return TORN;
    const blockAt = segments.at(segments.words[directoryAt + block]!, ((index + 1) * BUCKET_BYTES) / 4);
    if (blockAt < 0) return TORN;
    let words = segments.words;
    let at = blockAt + (index * BUCKET_BYTES) / 4;
    if (!guards.add(words, at)) return TORN;
    let next = words[at + 1]!;
    let end = at + 2 + BUCKET_SLOTS * 2;
    for (let nodes = 0; nodes < NODES_MAX; nodes++) {
      for (let slot = at + 2; slot < end; slot += 2) {
        const ref = words[slot + 1]!;
        if (ref === 0) return ABSENT;
        if (words[slot] !== hash) continue;
        const outcome = this.#matches(ref, name);
        if (outcome !== ABSENT) return outcome;
        // Its own segment was mapped anew for that: this view of it is empty now.
        if (words.length === 0) return TORN;
      }
      if (next === 0) return ABSENT;
      at = segments.at(next, OVERFLOW_BYTES / 4);
      if (at < 0) return TORN;
      words = segments.words;
      next = words[at]!;
      end = at + 2 + OVERFLOW_SLOTS * 2;
    }
    return TORN;
  }

  /** Whether the entry at `ref` has this name: then it is the one found last. */
  #matches(ref: number, name: Name): Outcome {
    const segments = this.segments;
    let at = segments.at(ref, HEADER_BYTES / 4);
    if (at < 0) return TORN;
    const head = segments.words[at]!;
    const { length } = name;
    if (head >>> KEY_LENGTH_SHIFT !== length) return ABSENT;
    if (((head & KEY_KIND_MASK) === KEY_KIND_MASK ? 1 : 0) !== name.typed) return ABSENT;
    const offset = KEY_OFFSET[(head >>> 8) & 7]! >> 2;
    at = segments.at(ref, offset + ((length + 3) >> 2));
    if (at < 0) return TORN;
    const { words } = segments;
    const wanted = name.keys.words;
    const key = at + offset;
    const count = length >> 2;
    for (let i = 0; i < count; i++) if (words[key + i] !== wanted[i]) return ABSENT;
    const rest = length & 3;
    if (rest !== 0 && ((words[key + count]! ^ wanted[count]!) & ((1 << (rest * 8)) - 1)) !== 0) return ABSENT;
    this.entryRef = ref;
    this.entryAt = at;
    this.entryHead = head;
    return FOUND;
  }

  /** Of the entry found last: when it runs out. Its header is known to be there, up to its name. */
  deadline(): number {
    if ((this.entryHead & FLAG_TTL) === 0) return Number.POSITIVE_INFINITY;
    const { words } = this.segments;
    const at = this.entryAt;
    return words[at + TTL_HIGH]! * TWO32 + (words[at + TTL_LOW]! >>> 0);
  }

  /** Of an unpacked container's key: its root. */
  rootOfEntry(): number {
    const head = this.entryHead;
    const before = HEADER_BYTES + ((head & FLAG_TTL) === 0 ? 0 : TTL_BYTES) + ((head & FLAG_OWNED) === 0 ? 0 : 8);
    return this.segments.words[this.entryAt + before / 4]!;
  }

  /** Copies the value of the entry found last. */
  copyValue(): Outcome {
    const head = this.entryHead;
    const length = this.segments.words[this.entryAt + 1]!;
    if (length < 0) return TORN;
    if (length > SHARED_VALUE_BYTES_MAX) return LARGE;
    const offset = KEY_OFFSET[(head >>> 8) & 7]! + (head >>> KEY_LENGTH_SHIFT);
    this.kind = (head & VALUE_KIND_MASK) >> VALUE_KIND_SHIFT;
    return this.#copy(this.entryRef, offset, length) ? FOUND : TORN;
  }

  /** Copies bytes of the entry at `ref` to `scratch`, where they lie from `start` to `end`. */
  #copy(ref: number, offset: number, length: number): boolean {
    const segments = this.segments;
    const from = offset >> 2;
    const count = ((offset + length + 3) >> 2) - from;
    const at = segments.at(ref, from + count);
    if (at < 0) return false;
    if (count > this.#scratchWords.length) this.#growScratch(count);
    const { words } = segments;
    const target = this.#scratchWords;
    const first = at + from;
    if (count <= SHORT_WORDS) for (let i = 0; i < count; i++) target[i] = words[first + i]!;
    else segments.bytes.copy(this.scratch, 0, first * 4, (first + count) * 4);
    this.start = offset & 3;
    this.end = this.start + length;
    return true;
  }

  #growScratch(words: number): void {
    this.#scratchWords = new Int32Array(words * 2);
    this.scratch = Buffer.from(this.#scratchWords.buffer);
  }

  /** Finds a record of the packed container at `ref`: FOUND, ABSENT or TORN. */
  findRecord(ref: number, name: Name, copies: boolean): Outcome {
    const segments = this.segments;
    const entry = segments.at(ref, HEADER_BYTES / 4);
    if (entry < 0) return TORN;
    const head = segments.words[entry]!;
    const length = segments.words[entry + 1]!;
    const offset = KEY_OFFSET[(head >>> 8) & 7]! + (head >>> KEY_LENGTH_SHIFT);
    if (length < PACKED_HEADER || length > PACKED_BYTES_MAX) return TORN;
    const place = segments.at(ref, (offset + length + 3) >> 2);
    if (place < 0) return TORN;
    const { bytes } = segments;
    const start = place * 4;
    const end = start + offset + length;
    let at = start + offset + PACKED_HEADER;
    while (at + RECORD_HEADER <= end) {
      const kinds = bytes[at]!;
      const nameBytes = bytes[at + 1]! | (bytes[at + 2]! << 8);
      const valueBytes = bytes[at + 3]! | (bytes[at + 4]! << 8);
      const after = at + RECORD_HEADER + nameBytes + valueBytes;
      if (after > end) return TORN;
      if (nameBytes === name.length && ((kinds & 3) === KIND_VALUE ? 1 : 0) === name.typed) {
        let i = 0;
        while (i < nameBytes && bytes[at + RECORD_HEADER + i] === name.bytes[i]) i++;
        if (i === nameBytes) {
          this.kind = (kinds >> 2) & 3;
          if (!copies) return FOUND;
          return this.#copy(ref, after - valueBytes - start, valueBytes) ? FOUND : TORN;
        }
      }
      at = after;
    }
    return ABSENT;
  }
}
