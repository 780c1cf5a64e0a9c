// Lookahead: brings what the next calls need from memory into the cache, all at once.
//
//   hashes ──▶ first word of each bucket ──▶ first words of each entry ──▶ then the calls run
//
// In a large keyspace a GET waits two or three times for memory, each time for longer than all the rest
// of it takes. A processor fetches a dozen places at the same time when the loads do not depend on each
// other, which is what these three loops give it: at 1 M keys the store's part of a GET in a pipeline
// of 64 fell from 646 to 418 ns, at 10 M from 909 to 633. Where the keys are in the cache anyway it
// would cost 70 ns, so small keyspaces do without (LocalEngine.looksAhead).
//
// Hot path: reads words as HashIndex.find() does. It changes nothing, and a wrong guess only costs time.

import { BLOCK_BUCKETS, BLOCK_SHIFT, SLOTS_AT, SMALL_BLOCKS } from "./index-growth.ts";
import {
  BUCKET_BYTES,
  BUCKET_SLOTS,
  KEYSPACE_ROOT,
  ROOT_DIRECTORY,
  ROOT_LEVEL,
  ROOT_SPLIT,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  UNIT_SHIFT,
} from "./layout.ts";
import type { Memory } from "./memory.ts";

/** Calls that are looked ahead for at most. */
export const LOOKAHEAD_MAX = 64;
/** Longer keys are left out: to hash them costs more than is won. */
const KEY_BYTES_MAX = 128;
/** With more data than this most look-ups miss the processor's cache. */
const PAYS_BYTES_MIN: number = 20 * 1024 * 1024;
/** Words from the start of an entry to the next line of the cache. */
const NEXT_LINE = 16;

export class Lookahead {
  /** What was read, so that the reads are not optimized away. */
  seen = 0;
  readonly #memory: Memory;
  readonly #hashes = new Int32Array(LOOKAHEAD_MAX);
  /** Refs of the buckets. */
  readonly #buckets = new Int32Array(LOOKAHEAD_MAX);

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Whether the data are so large that it is worth it. */
  get pays(): boolean {
    return this.#memory.totals.entryBytes > PAYS_BYTES_MIN;
  }

  /**
   * Fetches what `calls` calls, at most LOOKAHEAD_MAX, will look up. Call i's key lies at `starts[2 * i]`
   * of `bytes`; what follows it, a field perhaps, at `starts[2 * i + 1]`.
   */
  fetch(bytes: Uint8Array, starts: Int32Array, lengths: Int32Array, calls: number): void {
    const root = this.#commonRoot(bytes, starts, lengths, calls);
    const offset = root === KEYSPACE_ROOT ? 0 : 1;
    const keys = this.#memory.keys;
    for (let i = 0; i < calls; i++) {
      const length = lengths[i * 2 + offset]!;
      this.#hashes[i] = length > KEY_BYTES_MAX ? 0 : keys.hash(bytes, starts[i * 2 + offset]!, length, 0);
    }
    this.seen = this.#fetchBuckets(root, calls) ^ this.#fetchEntries(calls);
  }

  /** The root of the large table or set that all calls name, else the keyspace. */
  #commonRoot(bytes: Uint8Array, starts: Int32Array, lengths: Int32Array, calls: number): number {
    const start = starts[0]!;
    const length = lengths[0]!;
    if (length > KEY_BYTES_MAX) return KEYSPACE_ROOT;
    for (let i = 1; i < calls; i++) {
      if (lengths[i * 2] !== length) return KEYSPACE_ROOT;
      const other = starts[i * 2]!;
      for (let j = length - 1; j >= 0; j--) if (bytes[start + j] !== bytes[other + j]) return KEYSPACE_ROOT;
    }
    const { keys, index, entries } = this.#memory;
    const key = index.find(KEYSPACE_ROOT, keys.hash(bytes, start, length, 0), length, 0);
    return key === 0 ? KEYSPACE_ROOT : entries.rootOf(key) || KEYSPACE_ROOT;
  }

  #fetchBuckets(root: number, count: number): number {
    const segments = this.#memory.segments.words;
    const rootWords = segments[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    const low = 1 << rootWords[rootAt + ROOT_LEVEL]!;
    const buckets = low + rootWords[rootAt + ROOT_SPLIT]!;
    const directory = rootWords[rootAt + ROOT_DIRECTORY]!;
    const directoryWords = segments[directory >>> SEGMENT_SHIFT]!;
    const directoryAt = (directory & SEGMENT_MASK) << 1;
    let seen = 0;
    for (let i = 0; i < count; i++) {
      const hash = this.#hashes[i]!;
      let bucket = hash & (low * 2 - 1);
      if (bucket >= buckets) bucket &= low - 1;
      const block = bucket < BLOCK_BUCKETS ? 32 - Math.clz32(bucket) : (bucket >>> BLOCK_SHIFT) + SMALL_BLOCKS - 1;
      const index = bucket < BLOCK_BUCKETS ? bucket - ((1 << block) >> 1) : bucket & (BLOCK_BUCKETS - 1);
      const ref = (directoryWords[directoryAt + block]! + index * (BUCKET_BYTES >> UNIT_SHIFT)) | 0;
      this.#buckets[i] = ref;
      seen ^= segments[ref >>> SEGMENT_SHIFT]![(ref & SEGMENT_MASK) << 1]!;
    }
    return seen;
  }

  #fetchEntries(count: number): number {
    const segments = this.#memory.segments.words;
    let seen = 0;
    for (let i = 0; i < count; i++) {
      const hash = this.#hashes[i]!;
      const bucket = this.#buckets[i]!;
      const words = segments[bucket >>> SEGMENT_SHIFT]!;
      const from = ((bucket & SEGMENT_MASK) << 1) + SLOTS_AT;
      for (let slot = from; slot < from + BUCKET_SLOTS * 2; slot += 2) {
        if (words[slot] !== hash) continue;
        const ref = words[slot + 1]!;
        const entry = segments[ref >>> SEGMENT_SHIFT]!;
        const at = (ref & SEGMENT_MASK) << 1;
        seen ^= entry[at]! ^ (entry[at + NEXT_LINE] ?? 0);
        break;
      }
    }
    return seen;
  }
}
