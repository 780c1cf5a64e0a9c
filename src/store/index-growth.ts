// IndexGrowth: the index of a container grows and shrinks by one bucket.
//
//   split: bucket `split` ──▶ its entries with the next hash bit set go to bucket 2^level + split
//   join:  the last bucket ──▶ its entries go back to the bucket that it was split from
//
// Neither can fail half-way: what memory a step may need is taken before the first byte changes, and
// a step that cannot have it is left out (the index is then denser or sparser than it should be, and
// the next insert or remove tries again).

import { HiveError } from "../base/errors.ts";
import {
  BUCKET_BYTES,
  BUCKET_SLOTS,
  OVERFLOW_BYTES,
  OVERFLOW_SLOTS,
  ROOT_CAPACITY,
  ROOT_DIRECTORY,
  ROOT_INDEX_BYTES,
  ROOT_LEVEL,
  ROOT_OVERFLOWS,
  ROOT_SEQUENCE,
  ROOT_SPLIT,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import { roomFor } from "./room-for.ts";
import type { Segments } from "./segments.ts";
import { close, open } from "./sequence.ts";

/** The first slot of a bucket or an overflow node. */
export const SLOTS_AT = 2;
/** Buckets in each block from block 11 on, and the number of smaller blocks before. */
export const BLOCK_BUCKETS = 1024;
export const BLOCK_SHIFT = 10;
export const SMALL_BLOCKS = 11;

/** Up to here a loop clears faster than a call. */
const SHORT_CLEAR_BYTES = 64;

/** Refs of overflow nodes. An array of numbers would be given back and taken anew each time it is emptied. */
class Nodes {
  count = 0;
  refs: Int32Array = new Int32Array(16);

  push(ref: number): void {
    this.refs = roomFor(this.refs, this.count);
    this.refs[this.count++] = ref;
  }

  pop(): number {
    return this.refs[--this.count]!;
  }

  /** Takes out all but the first `count`. */
  freeTo(count: number, pages: Pages): void {
    while (this.count > count) pages.free(this.pop());
  }
}

/** The entries of one bucket and its overflow nodes, copied out. */
export class Chain {
  count = 0;
  /** (hash, ref) of each entry, in order. */
  slots: Int32Array = new Int32Array(128);
  readonly nodes: Nodes = new Nodes();

  read(segments: Int32Array[], bucketWords: Int32Array, bucketAt: number): void {
    let words = bucketWords;
    let at = bucketAt;
    let next = words[at + 1]!;
    let end = at + SLOTS_AT + BUCKET_SLOTS * 2;
    let filled = 0;
    this.nodes.count = 0;
    for (;;) {
      if (filled + 2 * BUCKET_SLOTS > this.slots.length) this.#grow();
      for (let slot = at + SLOTS_AT; slot < end && words[slot + 1] !== 0; slot += 2) {
        this.slots[filled++] = words[slot]!;
        this.slots[filled++] = words[slot + 1]!;
      }
      if (next === 0) break;
      this.nodes.push(next);
      words = segments[next >>> SEGMENT_SHIFT]!;
      at = (next & SEGMENT_MASK) << 1;
      next = words[at]!;
      end = at + SLOTS_AT + OVERFLOW_SLOTS * 2;
    }
    this.count = filled >> 1;
  }

  #grow(): void {
    const larger = new Int32Array(this.slots.length * 2);
    larger.set(this.slots);
    this.slots = larger;
  }
}

/** Where growth finds a bucket: HashIndex. */
export interface Buckets {
  readonly bucketWords: Int32Array;
  readonly bucketAt: number;
  moveTo(root: number, bucket: number): void;
}

export class IndexGrowth {
  readonly #index: Buckets;
  readonly #words: Int32Array[];
  readonly #pages: Pages;
  readonly #from = new Chain();
  readonly #to = new Chain();
  /** Overflow nodes at hand while chains are written anew. */
  readonly #nodes = new Nodes();
  /** How many of #nodes were allocated for the step under way. */
  #taken = 0;

  constructor(index: Buckets, segments: Segments, pages: Pages) {
    this.#index = index;
    this.#words = segments.words;
    this.#pages = pages;
  }

  split(root: number): void {
    const rootWords = this.#words[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    const level = rootWords[rootAt + ROOT_LEVEL]!;
    const split = rootWords[rootAt + ROOT_SPLIT]!;
    const target = (1 << level) + split;
    if (!this.#openBucket(root, target)) return;
    const index = this.#index;
    index.moveTo(root, split);
    const fromWords = index.bucketWords;
    const fromAt = index.bucketAt;
    const from = this.#from;
    from.read(this.#words, fromWords, fromAt);
    index.moveTo(root, target);
    const toWords = index.bucketWords;
    const toAt = index.bucketAt;
    const bit = 1 << level;
    this.#takeNodes(from);
    open(rootWords, rootAt + ROOT_SEQUENCE);
    open(fromWords, fromAt);
    open(toWords, toAt);
    this.#write(fromWords, fromAt, from, bit, 0);
    this.#write(toWords, toAt, from, bit, bit);
    close(fromWords, fromAt);
    close(toWords, toAt);
    const last = split + 1 === bit;
    rootWords[rootAt + ROOT_LEVEL] = last ? level + 1 : level;
    rootWords[rootAt + ROOT_SPLIT] = last ? 0 : split + 1;
    close(rootWords, rootAt + ROOT_SEQUENCE);
    this.#giveNodes(root);
  }

  join(root: number): void {
    const rootWords = this.#words[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    let level = rootWords[rootAt + ROOT_LEVEL]!;
    let split = rootWords[rootAt + ROOT_SPLIT]!;
    if (split === 0) split = 1 << --level;
    split--;
    const last = (1 << level) + split;
    const index = this.#index;
    const from = this.#from;
    const to = this.#to;
    index.moveTo(root, last);
    const fromWords = index.bucketWords;
    const fromAt = index.bucketAt;
    from.read(this.#words, fromWords, fromAt);
    index.moveTo(root, split);
    const toWords = index.bucketWords;
    const toAt = index.bucketAt;
    to.read(this.#words, toWords, toAt);
    for (let i = 0; i < from.count * 2; i++) to.slots = append(to.slots, to.count * 2 + i, from.slots[i]!);
    to.count += from.count;
    this.#takeNodes(from);
    this.#takeNodes(to);
    if (!this.#haveNodesFor(to.count)) return this.#dropTaken();
    open(rootWords, rootAt + ROOT_SEQUENCE);
    open(fromWords, fromAt);
    open(toWords, toAt);
    this.#write(toWords, toAt, to, 0, 0);
    clearBucket(fromWords, fromAt);
    close(fromWords, fromAt);
    close(toWords, toAt);
    rootWords[rootAt + ROOT_LEVEL] = level;
    rootWords[rootAt + ROOT_SPLIT] = split;
    close(rootWords, rootAt + ROOT_SEQUENCE);
    this.#giveNodes(root);
    this.#closeBucket(root, last);
  }

  /** Writes into an emptied chain those entries of `chain` whose hash has `bits` under `mask`. */
  #write(bucketWords: Int32Array, bucketAt: number, chain: Chain, mask: number, bits: number): void {
    let words = bucketWords;
    let slot = bucketAt + SLOTS_AT;
    let end = slot + BUCKET_SLOTS * 2;
    let link = bucketAt + 1;
    clearBucket(words, bucketAt);
    const { slots, count } = chain;
    for (let i = 0; i < count; i++) {
      const hash = slots[i * 2]!;
      if ((hash & mask) !== bits) continue;
      if (slot === end) {
        const node = this.#nodes.pop();
        clear(this.#words, node, OVERFLOW_BYTES);
        words[link] = node;
        words = this.#words[node >>> SEGMENT_SHIFT]!;
        link = (node & SEGMENT_MASK) << 1;
        slot = link + SLOTS_AT;
        end = slot + OVERFLOW_SLOTS * 2;
      }
      words[slot] = hash;
      words[slot + 1] = slots[i * 2 + 1]!;
      slot += 2;
    }
  }

  #takeNodes(chain: Chain): void {
    const { nodes } = chain;
    for (let i = 0; i < nodes.count; i++) this.#nodes.push(nodes.refs[i]!);
  }

  /** Takes what is missing for a chain of `count` entries. False when there is no memory for it. */
  #haveNodesFor(count: number): boolean {
    const needed = Math.ceil(Math.max(0, count - BUCKET_SLOTS) / OVERFLOW_SLOTS);
    while (this.#nodes.count < needed) {
      const node = tryAlloc(this.#pages, OVERFLOW_BYTES);
      if (node === 0) return false;
      this.#nodes.push(node);
      this.#taken++;
    }
    return true;
  }

  /** Forgets the chains' own nodes (they stay where they are) and frees those taken beside them. */
  #dropTaken(): void {
    this.#nodes.freeTo(this.#nodes.count - this.#taken, this.#pages);
    this.#taken = 0;
    this.#nodes.count = 0;
  }

  /** Frees the nodes that were not needed again, and counts. */
  #giveNodes(root: number): void {
    const change = this.#taken - this.#nodes.count;
    if (change !== 0) countOverflow(this.#words, root, change);
    this.#nodes.freeTo(0, this.#pages);
    this.#taken = 0;
  }

  // Buckets and the directory.

  /** Makes bucket number `bucket`, the next one, writable. False when there is no memory for it. */
  #openBucket(root: number, bucket: number): boolean {
    const first = bucket < BLOCK_BUCKETS ? (bucket & (bucket - 1)) === 0 : (bucket & (BLOCK_BUCKETS - 1)) === 0;
    if (!first) return true;
    const block = blockOf(bucket);
    const rootWords = this.#words[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    if (block >= rootWords[rootAt + ROOT_CAPACITY]! && !this.#growDirectory(root)) return false;
    const bytes = blockBytes(block);
    const ref = tryAlloc(this.#pages, bytes);
    if (ref === 0) return false;
    clear(this.#words, ref, bytes);
    const directory = rootWords[rootAt + ROOT_DIRECTORY]!;
    this.#words[directory >>> SEGMENT_SHIFT]![((directory & SEGMENT_MASK) << 1) + block] = ref;
    rootWords[rootAt + ROOT_INDEX_BYTES]! += bytes;
    return true;
  }

  /** Gives back the block of the last bucket when that was the only one in it. */
  #closeBucket(root: number, bucket: number): void {
    const first = bucket < BLOCK_BUCKETS ? (bucket & (bucket - 1)) === 0 : (bucket & (BLOCK_BUCKETS - 1)) === 0;
    if (!first) return;
    const block = blockOf(bucket);
    const rootWords = this.#words[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    const directory = rootWords[rootAt + ROOT_DIRECTORY]!;
    const words = this.#words[directory >>> SEGMENT_SHIFT]!;
    const at = ((directory & SEGMENT_MASK) << 1) + block;
    this.#pages.free(words[at]!);
    words[at] = 0;
    rootWords[rootAt + ROOT_INDEX_BYTES]! -= blockBytes(block);
  }

  #growDirectory(root: number): boolean {
    const rootWords = this.#words[root >>> SEGMENT_SHIFT]!;
    const rootAt = (root & SEGMENT_MASK) << 1;
    const capacity = rootWords[rootAt + ROOT_CAPACITY]!;
    const next = tryAlloc(this.#pages, capacity * 2 * 4);
    if (next === 0) return false;
    const directory = rootWords[rootAt + ROOT_DIRECTORY]!;
    const from = (directory & SEGMENT_MASK) << 1;
    clear(this.#words, next, capacity * 2 * 4);
    const words = this.#words[next >>> SEGMENT_SHIFT]!;
    words.set(this.#words[directory >>> SEGMENT_SHIFT]!.subarray(from, from + capacity), (next & SEGMENT_MASK) << 1);
    open(rootWords, rootAt + ROOT_SEQUENCE);
    rootWords[rootAt + ROOT_DIRECTORY] = next;
    rootWords[rootAt + ROOT_CAPACITY] = capacity * 2;
    close(rootWords, rootAt + ROOT_SEQUENCE);
    rootWords[rootAt + ROOT_INDEX_BYTES]! += capacity * 4;
    this.#pages.free(directory);
    return true;
  }
}

/** The block of bucket `bucket`, as layout.ts numbers them. */
export function blockOf(bucket: number): number {
  return bucket < BLOCK_BUCKETS ? 32 - Math.clz32(bucket) : (bucket >>> BLOCK_SHIFT) + SMALL_BLOCKS - 1;
}

export function blockBytes(block: number): number {
  return block < SMALL_BLOCKS ? Math.max(1, (1 << block) >> 1) * BUCKET_BYTES : BLOCK_BUCKETS * BUCKET_BYTES;
}

export function clear(segments: Int32Array[], ref: number, bytes: number): void {
  const words = segments[ref >>> SEGMENT_SHIFT]!;
  const at = (ref & SEGMENT_MASK) << 1;
  const end = at + (bytes >> 2);
  if (bytes > SHORT_CLEAR_BYTES) words.fill(0, at, end);
  else for (let word = at; word < end; word++) words[word] = 0;
}

/** All of a bucket but its sequence. */
function clearBucket(words: Int32Array, at: number): void {
  for (let word = at + 1; word < at + BUCKET_BYTES / 4; word++) words[word] = 0;
}

export function countOverflow(segments: Int32Array[], root: number, change: number): void {
  const words = segments[root >>> SEGMENT_SHIFT]!;
  const at = (root & SEGMENT_MASK) << 1;
  words[at + ROOT_OVERFLOWS]! += change;
  words[at + ROOT_INDEX_BYTES]! += change * OVERFLOW_BYTES;
}

function append(slots: Int32Array, at: number, value: number): Int32Array {
  let target = slots;
  if (at >= slots.length) {
    target = new Int32Array(slots.length * 2);
    target.set(slots);
  }
  target[at] = value;
  return target;
}

function tryAlloc(pages: Pages, bytes: number): number {
  try {
    return pages.alloc(bytes);
  } catch (error) {
    if (!(error instanceof HiveError && error.code === "OUT_OF_MEMORY")) throw error;
    return 0;
  }
}
