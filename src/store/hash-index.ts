// HashIndex: which entry of a container has this key. Linear hashing (W. Litwin, 1980) over the
// buckets drawn in layout.ts.
//
//   find(root, hash, …) ──▶ bucket ──▶ slot whose hash and key bytes are equal ──▶ ref of the entry
//
// It grows and shrinks by one bucket at a time, so there is no pause and no second table. Slots of a
// chain are filled without holes, so a search ends at the first empty one. The whole hash stands in
// the slot: splitting and joining never touch an entry.
//
// Measured hot path: find() and insert() read words directly instead of through accessors. It must
// know nothing of what an entry means: expiry, accounting and the funnel are its callers'.

import { nextCursor } from "./cursor.ts";
import type { KeyHash } from "./hash.ts";
import { IndexDraw } from "./index-draw.ts";
import {
  BLOCK_BUCKETS,
  BLOCK_SHIFT,
  Chain,
  clear,
  countOverflow,
  IndexGrowth,
  SLOTS_AT,
  SMALL_BLOCKS,
} from "./index-growth.ts";
import {
  BUCKET_BYTES,
  BUCKET_SLOTS,
  KEY_KIND_MASK,
  KEY_LENGTH_SHIFT,
  KEY_OFFSET,
  OVERFLOW_BYTES,
  OVERFLOW_SLOTS,
  ROOT_CAPACITY,
  ROOT_COUNT,
  ROOT_DIRECTORY,
  ROOT_INDEX_BYTES,
  ROOT_LEVEL,
  ROOT_OVERFLOWS,
  ROOT_SPLIT,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import type { Segments } from "./segments.ts";
import { close, open } from "./sequence.ts";

/** Entries per bucket above which a bucket is split, and below which two are joined. */
const LOAD_MAX = 7.5;
const LOAD_MIN = 4;

export class HashIndex {
  /** Where the bucket of the last find() or bucketOf() stands: its sequence word. */
  bucketWords: Int32Array;
  bucketAt = 0;
  readonly #words: Int32Array[];
  readonly #pages: Pages;
  readonly #keys: KeyHash;
  readonly #growth: IndexGrowth;
  readonly #draw: IndexDraw;
  readonly #chain = new Chain();

  constructor(segments: Segments, pages: Pages, keys: KeyHash) {
    this.#words = segments.words;
    this.#pages = pages;
    this.#keys = keys;
    this.#growth = new IndexGrowth(this, segments, pages);
    this.#draw = new IndexDraw(this, segments.words);
    this.bucketWords = segments.words[0]!;
  }

  /** Makes the words of a new root an empty index of one bucket. @throws {HiveError} OUT_OF_MEMORY */
  open(root: number): void {
    const directory = this.#pages.alloc(16 * 4);
    let bucket: number;
    try {
      bucket = this.#pages.alloc(BUCKET_BYTES);
    } catch (error) {
      this.#pages.free(directory);
      throw error;
    }
    clear(this.#words, bucket, BUCKET_BYTES);
    clear(this.#words, directory, 64);
    this.#words[directory >>> SEGMENT_SHIFT]![(directory & SEGMENT_MASK) << 1] = bucket;
    const words = this.#words[root >>> SEGMENT_SHIFT]!;
    const at = (root & SEGMENT_MASK) << 1;
    words[at + ROOT_COUNT] = 0;
    words[at + ROOT_LEVEL] = 0;
    words[at + ROOT_SPLIT] = 0;
    words[at + ROOT_DIRECTORY] = directory;
    words[at + ROOT_CAPACITY] = 16;
    words[at + ROOT_OVERFLOWS] = 0;
    words[at + ROOT_INDEX_BYTES] = 64 + BUCKET_BYTES;
  }

  count(root: number): number {
    return this.#words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + ROOT_COUNT]!;
  }

  directoryOf(root: number): number {
    return this.#words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + ROOT_DIRECTORY]!;
  }

  buckets(root: number): number {
    const words = this.#words[root >>> SEGMENT_SHIFT]!;
    const at = (root & SEGMENT_MASK) << 1;
    return (1 << words[at + ROOT_LEVEL]!) + words[at + ROOT_SPLIT]!;
  }

  /**
   * The entry whose key is the one that was hashed last (its bytes stand in the KeyHash); 0 when
   * there is none. Remembers the bucket for lock().
   */
  find(root: number, hash: number, length: number, typed: number): number {
    const rootWords = this.#words[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    const low = 1 << rootWords[rootAt + ROOT_LEVEL]!;
    let bucket = hash & (low * 2 - 1);
    if (bucket >= low + rootWords[rootAt + ROOT_SPLIT]!) bucket &= low - 1;
    const directory = rootWords[rootAt + ROOT_DIRECTORY]!;
    const block = bucket < BLOCK_BUCKETS ? 32 - Math.clz32(bucket) : (bucket >>> BLOCK_SHIFT) + SMALL_BLOCKS - 1;
    const blockRef = this.#words[directory >>> SEGMENT_SHIFT]![((directory & SEGMENT_MASK) << 1) + block]!;
    const index = bucket < BLOCK_BUCKETS ? bucket - ((1 << block) >> 1) : bucket & (BLOCK_BUCKETS - 1);
    let words = this.#words[blockRef >>> SEGMENT_SHIFT]!;
    let at = ((blockRef & SEGMENT_MASK) << 1) + index * 16;
    this.bucketWords = words;
    this.bucketAt = at;
    let next = words[at + 1]!;
    let end = at + SLOTS_AT + BUCKET_SLOTS * 2;
    for (;;) {
      for (let slot = at + SLOTS_AT; slot < end; slot += 2) {
        const ref = words[slot + 1]!;
        if (ref === 0) return 0;
        if (words[slot] === hash && this.#equals(ref, length, typed)) return ref;
      }
      if (next === 0) return 0;
      words = this.#words[next >>> SEGMENT_SHIFT]!;
      at = (next & SEGMENT_MASK) << 1;
      next = words[at]!;
      end = at + SLOTS_AT + OVERFLOW_SLOTS * 2;
    }
  }

  #equals(ref: number, length: number, typed: number): boolean {
    const words = this.#words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    const head = words[at]!;
    if (head >>> KEY_LENGTH_SHIFT !== length) return false;
    if (((head & KEY_KIND_MASK) === KEY_KIND_MASK ? 1 : 0) !== typed) return false;
    const key = at + (KEY_OFFSET[(head >>> 8) & 7]! >> 2);
    const wanted = this.#keys.words;
    const count = length >> 2;
    for (let i = 0; i < count; i++) if (words[key + i] !== wanted[i]) return false;
    const rest = length & 3;
    return rest === 0 || ((words[key + count]! ^ wanted[count]!) & ((1 << (rest * 8)) - 1)) === 0;
  }

  /** Makes the sequence of the bucket found last odd: its entries are about to be written. */
  lock(): void {
    open(this.bucketWords, this.bucketAt);
  }

  unlock(): void {
    close(this.bucketWords, this.bucketAt);
  }

  /** Moves to the bucket of `hash`, as find() does. Returns its number. */
  bucketOf(root: number, hash: number): number {
    const rootWords = this.#words[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    const low = 1 << rootWords[rootAt + ROOT_LEVEL]!;
    let bucket = hash & (low * 2 - 1);
    if (bucket >= low + rootWords[rootAt + ROOT_SPLIT]!) bucket &= low - 1;
    this.moveTo(root, bucket);
    return bucket;
  }

  /** Moves to bucket number `bucket`, which must be below buckets(root). */
  moveTo(root: number, bucket: number): void {
    const rootWords = this.#words[root >>> SEGMENT_SHIFT]!;
    const directory = rootWords[((root & SEGMENT_MASK) << 1) + ROOT_DIRECTORY]!;
    const block = bucket < BLOCK_BUCKETS ? 32 - Math.clz32(bucket) : (bucket >>> BLOCK_SHIFT) + SMALL_BLOCKS - 1;
    const blockRef = this.#words[directory >>> SEGMENT_SHIFT]![((directory & SEGMENT_MASK) << 1) + block]!;
    const index = bucket < BLOCK_BUCKETS ? bucket - ((1 << block) >> 1) : bucket & (BLOCK_BUCKETS - 1);
    this.bucketWords = this.#words[blockRef >>> SEGMENT_SHIFT]!;
    this.bucketAt = ((blockRef & SEGMENT_MASK) << 1) + index * 16;
  }

  /**
   * Adds `ref` under `hash`, which no entry of the index may have with the same key. Grows the index
   * by a bucket where it is due, and goes without when there is no memory for that.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  insert(root: number, hash: number, ref: number): void {
    this.bucketOf(root, hash);
    this.lock();
    try {
      this.#append(root, hash, ref);
    } finally {
      this.unlock();
    }
    const rootWords = this.#words[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    const count = ++rootWords[rootAt + ROOT_COUNT]!;
    const buckets = (1 << rootWords[rootAt + ROOT_LEVEL]!) + rootWords[rootAt + ROOT_SPLIT]!;
    if (count > buckets * LOAD_MAX) this.#growth.split(root);
  }

  /** Puts `next` where `ref` stood under `hash`. */
  replace(root: number, hash: number, ref: number, next: number): void {
    this.bucketOf(root, hash);
    this.lock();
    this.exchange(ref, next);
    this.unlock();
  }

  /** The same in the bucket moved to, which the caller has locked. */
  exchange(ref: number, next: number): void {
    const slot = this.#slotOf(ref);
    this.#slotWords[slot + 1] = next;
  }

  /** Takes `ref` out, and shrinks the index by a bucket where it is due. */
  remove(root: number, hash: number, ref: number): void {
    this.bucketOf(root, hash);
    this.lock();
    const slot = this.#slotOf(ref);
    const words = this.#slotWords;
    this.#takeLast(root);
    if (this.#lastRef !== ref) {
      words[slot] = this.#lastHash;
      words[slot + 1] = this.#lastRef;
    }
    this.unlock();
    const rootWords = this.#words[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    const count = --rootWords[rootAt + ROOT_COUNT]!;
    const buckets = (1 << rootWords[rootAt + ROOT_LEVEL]!) + rootWords[rootAt + ROOT_SPLIT]!;
    if (buckets > 1 && count < buckets * LOAD_MIN) this.#growth.join(root);
  }

  /** Reads the entries of the bucket moved to, for chainRef(). Returns how many. */
  readChain(): number {
    this.#chain.read(this.#words, this.bucketWords, this.bucketAt);
    return this.#chain.count;
  }

  chainRef(index: number): number {
    return this.#chain.slots[index * 2 + 1]!;
  }

  /** The refs of the bucket moved to, in an array of their own: for callers that may change things meanwhile. */
  takeChain(): number[] {
    const count = this.readChain();
    const refs: number[] = new Array(count);
    for (let i = 0; i < count; i++) refs[i] = this.#chain.slots[i * 2 + 1]!;
    return refs;
  }

  /**
   * Moves to the bucket at `cursor` and returns the cursor of the next one; 0 at the end.
   *
   * Cursors count in the reversed bits of the hash (P. Noordhuis, for Redis's SCAN): each bucket is one
   * interval of them at every size of the index, and growth or shrinking only splits or joins intervals.
   * So what is there from the first to the last call is seen at least once.
   */
  seek(root: number, cursor: number): number {
    const words = this.#words[root >>> SEGMENT_SHIFT]!;
    const at = (root & SEGMENT_MASK) << 1;
    const low = 1 << words[at + ROOT_LEVEL]!;
    let mask = low * 2 - 1;
    let bucket = cursor & mask;
    // Both halves of a split bucket have the longer mask, the others the shorter one.
    if ((bucket & (low - 1)) >= words[at + ROOT_SPLIT]!) {
      mask = low - 1;
      bucket = cursor & mask;
    }
    this.moveTo(root, bucket);
    return nextCursor(cursor, mask);
  }

  /** An entry that `accepts` takes, each with about the same chance; 0 when none was found. */
  random(root: number, random: () => number, accepts: (ref: number) => boolean): number {
    return this.count(root) === 0 ? 0 : this.#draw.draw(root, random, accepts);
  }

  /** Frees the overflow nodes of the chain read last; its bucket must not be used again. */
  freeChainNodes(): void {
    this.#chain.nodes.freeTo(0, this.#pages);
  }

  // Slots of the chain that starts at the bucket moved to.

  #slotWords: Int32Array = new Int32Array(0);

  /** The word of the slot that holds `ref`, in #slotWords. */
  #slotOf(ref: number): number {
    let words = this.bucketWords;
    let at = this.bucketAt;
    let next = words[at + 1]!;
    let end = at + SLOTS_AT + BUCKET_SLOTS * 2;
    for (;;) {
      for (let slot = at + SLOTS_AT; slot < end; slot += 2) {
        if (words[slot + 1] === ref) {
          this.#slotWords = words;
          return slot;
        }
      }
      if (next === 0) throw new Error(`entry ${ref} is not in its bucket`);
      words = this.#words[next >>> SEGMENT_SHIFT]!;
      at = (next & SEGMENT_MASK) << 1;
      next = words[at]!;
      end = at + SLOTS_AT + OVERFLOW_SLOTS * 2;
    }
  }

  #append(root: number, hash: number, ref: number): void {
    let words = this.bucketWords;
    let at = this.bucketAt;
    let link = at + 1;
    let end = at + SLOTS_AT + BUCKET_SLOTS * 2;
    for (;;) {
      for (let slot = at + SLOTS_AT; slot < end; slot += 2) {
        if (words[slot + 1] !== 0) continue;
        words[slot] = hash;
        words[slot + 1] = ref;
        return;
      }
      let next = words[link]!;
      if (next === 0) {
        next = this.#pages.alloc(OVERFLOW_BYTES);
        clear(this.#words, next, OVERFLOW_BYTES);
        words[link] = next;
        countOverflow(this.#words, root, 1);
      }
      words = this.#words[next >>> SEGMENT_SHIFT]!;
      at = (next & SEGMENT_MASK) << 1;
      link = at;
      end = at + SLOTS_AT + OVERFLOW_SLOTS * 2;
    }
  }

  #lastHash = 0;
  #lastRef = 0;

  /** Empties the last used slot of the chain, and frees the overflow node that it was alone in. */
  #takeLast(root: number): void {
    let words = this.bucketWords;
    let at = this.bucketAt;
    let linkWords = words;
    let link = -1;
    let next = words[at + 1]!;
    let slots = BUCKET_SLOTS;
    while (next !== 0) {
      linkWords = words;
      link = slots === BUCKET_SLOTS ? at + 1 : at;
      words = this.#words[next >>> SEGMENT_SHIFT]!;
      at = (next & SEGMENT_MASK) << 1;
      next = words[at]!;
      slots = OVERFLOW_SLOTS;
    }
    let slot = at + SLOTS_AT + (slots - 1) * 2;
    while (words[slot + 1] === 0) slot -= 2;
    this.#lastHash = words[slot]!;
    this.#lastRef = words[slot + 1]!;
    words[slot] = 0;
    words[slot + 1] = 0;
    if (link >= 0 && slot === at + SLOTS_AT) {
      this.#pages.free(linkWords[link]!);
      linkWords[link] = 0;
      countOverflow(this.#words, root, -1);
    }
  }
}
