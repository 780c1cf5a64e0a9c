// Lookahead: brings what the next calls need from memory into the cache, all at once.
//
//   hashes ──▶ first word of each bucket ──▶ of each overflow node, where one is needed ──▶ first words of each
//   entry ──▶ then the calls run
//
// In a large keyspace a GET waits two or three times for memory, each time for longer than all the rest
// of it takes. A processor fetches a dozen places at the same time when the loads do not depend on each
// other and little stands between them: so the loop that waits, #touch(), does nothing else, and what was
// fetched is looked through in loops of their own. With both in one loop, and a quarter of the keys left out
// because they stand in overflow nodes, a GET among 10 M keys took a third longer. Where the keys are in the
// cache anyway it would cost 70 ns, so small keyspaces do without (LocalEngine.looksAhead).
//
// Hot path: reads words as HashIndex.find() does. It changes nothing, and a wrong guess only costs time.

import { BLOCK_BUCKETS, BLOCK_SHIFT, SLOTS_AT, SMALL_BLOCKS } from "./index-growth.ts";
import {
  BUCKET_BYTES,
  BUCKET_SLOTS,
  KEYSPACE_ROOT,
  OVERFLOW_SLOTS,
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
  /** Where to look for each hash: its bucket, then a node of its chain. */
  readonly #nodes = new Int32Array(LOOKAHEAD_MAX);
  readonly #entries = new Int32Array(LOOKAHEAD_MAX);

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
    this.#findBuckets(root, calls);
    const entries = this.#findEntries(calls);
    const heads = this.#touch(this.#entries, entries, 0);
    this.seen = (this.seen + heads + this.#touch(this.#entries, entries, NEXT_LINE)) | 0;
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

  #findBuckets(root: number, count: number): void {
    const segments = this.#memory.segments.words;
    const rootWords = segments[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    const low = 1 << rootWords[rootAt + ROOT_LEVEL]!;
    const buckets = low + rootWords[rootAt + ROOT_SPLIT]!;
    const directory = rootWords[rootAt + ROOT_DIRECTORY]!;
    const directoryWords = segments[directory >>> SEGMENT_SHIFT]!;
    const directoryAt = (directory & SEGMENT_MASK) << 1;
    for (let i = 0; i < count; i++) {
      let bucket = this.#hashes[i]! & (low * 2 - 1);
      if (bucket >= buckets) bucket &= low - 1;
      const block = bucket < BLOCK_BUCKETS ? 32 - Math.clz32(bucket) : (bucket >>> BLOCK_SHIFT) + SMALL_BLOCKS - 1;
      const index = bucket < BLOCK_BUCKETS ? bucket - ((1 << block) >> 1) : bucket & (BLOCK_BUCKETS - 1);
      this.#nodes[i] = directoryWords[directoryAt + block]! + index * (BUCKET_BYTES >> UNIT_SHIFT);
    }
  }

  /** Looks for all hashes in their buckets, then for those left in the next nodes of their chains. Returns how many it found. */
  #findEntries(count: number): number {
    const segments = this.#memory.segments.words;
    let found = 0;
    let slots = BUCKET_SLOTS;
    let link = 1;
    for (let left = count; left > 0; ) {
      this.seen = this.#touch(this.#nodes, left, 0);
      let missing = 0;
      for (let i = 0; i < left; i++) {
        const hash = this.#hashes[i]!;
        const node = this.#nodes[i]!;
        const words = segments[node >>> SEGMENT_SHIFT]!;
        const at = (node & SEGMENT_MASK) << 1;
        const from = at + SLOTS_AT;
        let slot = from;
        while (slot < from + slots * 2 && words[slot] !== hash) slot += 2;
        if (slot < from + slots * 2) {
          this.#entries[found++] = words[slot + 1]!;
        } else if (words[at + link] !== 0) {
          this.#hashes[missing] = hash;
          this.#nodes[missing++] = words[at + link]!;
        }
      }
      left = missing;
      slots = OVERFLOW_SLOTS;
      link = 0;
    }
    return found;
  }

  /** Reads a word of each place. It does nothing else, so that as many loads as possible are under way at once. */
  #touch(refs: Int32Array, count: number, word: number): number {
    const segments = this.#memory.segments.words;
    let seen = 0;
    for (let i = 0; i < count; i++) {
      const ref = refs[i]!;
      seen = (seen + (segments[ref >>> SEGMENT_SHIFT]![((ref & SEGMENT_MASK) << 1) + word] ?? 0)) | 0;
    }
    return seen;
  }
}
