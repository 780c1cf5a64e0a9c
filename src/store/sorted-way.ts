// Sorted way: from the root of a sorted set's tree to a leaf.
//
//   aim at an entry, a score or a name ──▶ descend() ──▶ the first cell that is not below it, and how many are
//   a rank ──▶ seek() ──▶ the cell there
//
// The way stands in `nodes` and `cells`, by level from the root on: good until the next one. It only reads.

import type { Entries } from "./entries.ts";
import {
  KEY_KIND_MASK,
  KEY_LENGTH_SHIFT,
  KEY_OFFSET,
  KIND_VALUE,
  ROOT_TREE,
  ROOT_TREE_HEIGHT,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  UNIT_SHIFT,
} from "./layout.ts";
import { NODE_SCORES, type SortedNodes } from "./sorted-nodes.ts";

/** More levels than 2^32 entries in nodes that are a quarter full have. */
const LEVELS_MAX = 16;

// What decides whether a cell is below the target.
const BY_BOTH = 0;
const BY_SCORE = 1;
const BY_NAME = 2;

export class SortedWay {
  /** By level: the node, and the cell in it that the way goes through. */
  readonly nodes: Int32Array = new Int32Array(LEVELS_MAX);
  readonly cells: Int32Array = new Int32Array(LEVELS_MAX);
  /** The entry that seek() has led to, as long as the way is still the one to it; 0 for none. */
  sought = 0;
  readonly #nodes: SortedNodes;
  readonly #entries: Entries;
  // What is looked for.
  #mode = BY_BOTH;
  #score = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #length = 0;
  #typed = 0;
  /** Whether what equals the target counts as below it. */
  #inclusive = false;

  constructor(nodes: SortedNodes, entries: Entries) {
    this.#nodes = nodes;
    this.#entries = entries;
  }

  aimAtScore(score: number, inclusive: boolean): void {
    this.sought = 0;
    this.#mode = BY_SCORE;
    this.#score = score;
    this.#inclusive = inclusive;
  }

  aimAtName(bytes: Uint8Array, start: number, length: number, inclusive: boolean): void {
    this.sought = 0;
    this.#mode = BY_NAME;
    this.#bytes = bytes;
    this.#start = start;
    this.#length = length;
    this.#typed = 0;
    this.#inclusive = inclusive;
  }

  /** The way to the entry with this rank. Returns its cell in the leaf. */
  seek(root: number, rank: number): number {
    const nodes = this.#nodes;
    const leaf = this.#get(root, ROOT_TREE_HEIGHT) - 1;
    let node = this.#get(root, ROOT_TREE);
    let rest = rank;
    for (let level = 0; level < leaf; level++) {
      let cell = 0;
      for (let below = nodes.below(node, 0); rest >= below; below = nodes.below(node, cell)) {
        rest -= below;
        cell++;
      }
      this.nodes[level] = node;
      this.cells[level] = cell;
      node = nodes.child(node, cell);
    }
    this.nodes[leaf] = node;
    this.cells[leaf] = rest;
    this.sought = nodes.ref(node, rest, true);
    return rest;
  }

  /** At an entry, as if it had this score. */
  aimAt(ref: number, score: number): void {
    const entries = this.#entries;
    this.sought = 0;
    this.#mode = BY_BOTH;
    this.#score = score;
    this.#bytes = entries.bytesOf(ref);
    this.#start = entries.keyStart(ref);
    this.#length = entries.keyLength(ref);
    this.#typed = entries.keyKind(ref) === KIND_VALUE ? 1 : 0;
    this.#inclusive = false;
  }

  /** The way to the first cell that is not below the target. Returns how many entries are below it. */
  countDown(root: number): number {
    this.descend(root);
    const nodes = this.#nodes;
    const leaf = this.#get(root, ROOT_TREE_HEIGHT) - 1;
    let below = this.cells[leaf]!;
    for (let level = 0; level < leaf; level++) below += nodes.belowBefore(this.nodes[level]!, this.cells[level]!);
    return below;
  }

  /** The same without counting, which would read half of each node beside. */
  descend(root: number): void {
    const nodes = this.#nodes;
    const leaf = this.#get(root, ROOT_TREE_HEIGHT) - 1;
    let node = this.#get(root, ROOT_TREE);
    for (let level = 0; level < leaf; level++) {
      // In an inner node the last cell whose first entry is below the target, or is it.
      let cell = this.#cellsBelow(node, false);
      const isIt = this.#mode === BY_BOTH && cell < nodes.cells(node) && this.#isTarget(node, cell);
      if (!isIt && cell > 0) cell--;
      this.nodes[level] = node;
      this.cells[level] = cell;
      node = nodes.child(node, cell);
    }
    const cell = this.#cellsBelow(node, true);
    this.nodes[leaf] = node;
    this.cells[leaf] = cell;
  }

  /** How many cells of a node are below the target: they are in order. */
  #cellsBelow(node: number, leaf: boolean): number {
    if (this.#mode === BY_NAME) return this.#search(node, leaf, 0, this.#nodes.cells(node));
    const { words, doubles } = this.#nodes;
    const cells = words[node >>> SEGMENT_SHIFT]![(node & SEGMENT_MASK) << 1]!;
    const scores = doubles[node >>> SEGMENT_SHIFT]!;
    const first = (node & SEGMENT_MASK) + NODE_SCORES;
    const score = this.#score;
    let low = 0;
    let high = cells;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (scores[first + middle]! < score) low = middle + 1;
      else high = middle;
    }
    // Only among equal scores names decide, and they lie elsewhere.
    if (low === cells || scores[first + low] !== score) return low;
    high = low + 1;
    while (high < cells && scores[first + high] === score) high++;
    return this.#mode === BY_SCORE ? (this.#inclusive ? high : low) : this.#search(node, leaf, low, high);
  }

  #search(node: number, leaf: boolean, from: number, to: number): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#isBelow(node, middle, leaf)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether the name of a cell is below the target's. */
  #isBelow(node: number, cell: number, leaf: boolean): boolean {
    const order = this.#compareName(this.#nodes.ref(node, cell, leaf));
    return order < 0 || (order === 0 && this.#inclusive);
  }

  #isTarget(node: number, cell: number): boolean {
    return this.#nodes.score(node, cell) === this.#score && this.#compareName(this.#nodes.ref(node, cell, false)) === 0;
  }

  /** The order of an entry's name and the target's: byte by byte, then the shorter first, then raw before typed. */
  #compareName(ref: number): number {
    const { words, bytes } = this.#entries;
    const head = words[ref >>> SEGMENT_SHIFT]![(ref & SEGMENT_MASK) << 1]!;
    const start = ((ref & SEGMENT_MASK) << UNIT_SHIFT) + KEY_OFFSET[(head >>> 8) & 7]!;
    const own = bytes[ref >>> SEGMENT_SHIFT]!;
    const order = compareBytes(own, start, head >>> KEY_LENGTH_SHIFT, this.#bytes, this.#start, this.#length);
    return order !== 0 ? order : ((head & KEY_KIND_MASK) === KEY_KIND_MASK ? 1 : 0) - this.#typed;
  }

  #get(root: number, word: number): number {
    return this.#nodes.words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + word]!;
  }
}

/** The order of two names as C's memcmp gives it, the shorter first where one begins the other. */
export function compareBytes(
  one: Uint8Array,
  start: number,
  length: number,
  other: Uint8Array,
  otherStart: number,
  otherLength: number,
): number {
  const shared = Math.min(length, otherLength);
  for (let i = 0; i < shared; i++) {
    const difference = one[start + i]! - other[otherStart + i]!;
    if (difference !== 0) return difference;
  }
  return length - otherLength;
}
