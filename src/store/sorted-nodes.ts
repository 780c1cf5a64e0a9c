// Sorted nodes: the nodes of a sorted set's tree, as layout.ts draws them.
//
//   cell of a leaf: score, ref          cell of an inner node: score and ref of the first entry below, node, entries below
//
// Reads and writes cells; it knows nothing of order. All nodes have one size class, so that a page of them
// serves every set. What a cell held is overwritten when it goes: it may be a secret's score.

import { SEGMENT_MASK, SEGMENT_SHIFT } from "./layout.ts";
import type { Pages } from "./pages.ts";
import type { Segments } from "./segments.ts";

/** Cells of a leaf, and of an inner node. */
export const LEAF_CELLS = 63;
export const INNER_CELLS = 38;
export const NODE_BYTES = 768;

/** Units of 8 bytes of a node before its first score. */
export const NODE_SCORES = 1;

/** Words of a node before its first score, and the words at which the other columns begin. */
const SCORES = 2;
const LEAF_REFS: number = SCORES + LEAF_CELLS * 2;
const INNER_REFS: number = SCORES + INNER_CELLS * 2;
const INNER_NODES: number = INNER_REFS + INNER_CELLS;
const INNER_COUNTS: number = INNER_NODES + INNER_CELLS;

export class SortedNodes {
  readonly words: Int32Array[];
  readonly doubles: Float64Array[];
  readonly #pages: Pages;

  constructor(segments: Segments, pages: Pages) {
    this.words = segments.words;
    this.doubles = segments.doubles;
    this.#pages = pages;
  }

  /** A node without cells. @throws {HiveError} OUT_OF_MEMORY */
  create(): number {
    const node = this.#pages.alloc(NODE_BYTES);
    const words = this.words[node >>> SEGMENT_SHIFT]!;
    const at = (node & SEGMENT_MASK) << 1;
    words.fill(0, at, at + NODE_BYTES / 4);
    return node;
  }

  free(node: number): void {
    const at = (node & SEGMENT_MASK) << 1;
    this.words[node >>> SEGMENT_SHIFT]!.fill(0, at, at + NODE_BYTES / 4);
    this.#pages.free(node);
  }

  /** A copy of a node in another block; the old one is the caller's to free. @throws {HiveError} OUT_OF_MEMORY */
  duplicate(node: number): number {
    const copy = this.#pages.alloc(NODE_BYTES);
    const at = (node & SEGMENT_MASK) << 1;
    const words = this.words[node >>> SEGMENT_SHIFT]!.subarray(at, at + NODE_BYTES / 4);
    this.words[copy >>> SEGMENT_SHIFT]!.set(words, (copy & SEGMENT_MASK) << 1);
    return copy;
  }

  cells(node: number): number {
    return this.words[node >>> SEGMENT_SHIFT]![(node & SEGMENT_MASK) << 1]!;
  }

  setCells(node: number, cells: number): void {
    this.words[node >>> SEGMENT_SHIFT]![(node & SEGMENT_MASK) << 1] = cells;
  }

  score(node: number, cell: number): number {
    return this.doubles[node >>> SEGMENT_SHIFT]![(node & SEGMENT_MASK) + 1 + cell]!;
  }

  ref(node: number, cell: number, leaf: boolean): number {
    const refs = leaf ? LEAF_REFS : INNER_REFS;
    return this.words[node >>> SEGMENT_SHIFT]![((node & SEGMENT_MASK) << 1) + refs + cell]!;
  }

  /** Copies the refs of `count` cells of a leaf from `cell` on into `refs`. */
  copyRefs(node: number, cell: number, count: number, refs: Int32Array): void {
    const words = this.words[node >>> SEGMENT_SHIFT]!;
    const at = ((node & SEGMENT_MASK) << 1) + LEAF_REFS + cell;
    for (let i = 0; i < count; i++) refs[i] = words[at + i]!;
  }

  setRef(node: number, cell: number, leaf: boolean, ref: number): void {
    const refs = leaf ? LEAF_REFS : INNER_REFS;
    this.words[node >>> SEGMENT_SHIFT]![((node & SEGMENT_MASK) << 1) + refs + cell] = ref;
  }

  /** The node that a cell of an inner node stands for. */
  child(node: number, cell: number): number {
    return this.words[node >>> SEGMENT_SHIFT]![((node & SEGMENT_MASK) << 1) + INNER_NODES + cell]!;
  }

  setChild(node: number, cell: number, child: number): void {
    this.words[node >>> SEGMENT_SHIFT]![((node & SEGMENT_MASK) << 1) + INNER_NODES + cell] = child;
  }

  /** How many entries are below a cell of an inner node. */
  below(node: number, cell: number): number {
    return this.words[node >>> SEGMENT_SHIFT]![((node & SEGMENT_MASK) << 1) + INNER_COUNTS + cell]!;
  }

  /** How many entries are below the cells before `cell`. */
  belowBefore(node: number, cell: number): number {
    const words = this.words[node >>> SEGMENT_SHIFT]!;
    const at = ((node & SEGMENT_MASK) << 1) + INNER_COUNTS;
    let below = 0;
    for (let i = 0; i < cell; i++) below += words[at + i]!;
    return below;
  }

  addBelow(node: number, cell: number, change: number): void {
    const words = this.words[node >>> SEGMENT_SHIFT]!;
    words[((node & SEGMENT_MASK) << 1) + INNER_COUNTS + cell]! += change;
  }

  /** How many entries are in a node or below it. */
  total(node: number, leaf: boolean): number {
    const cells = this.cells(node);
    if (leaf) return cells;
    const words = this.words[node >>> SEGMENT_SHIFT]!;
    const at = ((node & SEGMENT_MASK) << 1) + INNER_COUNTS;
    let total = 0;
    for (let i = 0; i < cells; i++) total += words[at + i]!;
    return total;
  }

  /** Tells a cell of an inner node which entry is the first below it: that of the first cell of `child`. */
  setFirst(node: number, cell: number, child: number, childIsLeaf: boolean): void {
    const at = (node & SEGMENT_MASK) + 1 + cell;
    this.doubles[node >>> SEGMENT_SHIFT]![at] = this.score(child, 0);
    this.setRef(node, cell, false, this.ref(child, 0, childIsLeaf));
  }

  /** Makes room for a cell at `cell`, where the node has it, and writes its score and ref. */
  open(node: number, cell: number, leaf: boolean, score: number, ref: number): void {
    const segment = node >>> SEGMENT_SHIFT;
    const words = this.words[segment]!;
    const doubles = this.doubles[segment]!;
    const unit = (node & SEGMENT_MASK) + 1;
    const at = (node & SEGMENT_MASK) << 1;
    const cells = words[at]!;
    const refs = at + (leaf ? LEAF_REFS : INNER_REFS);
    for (let i = cells; i > cell; i--) doubles[unit + i] = doubles[unit + i - 1]!;
    for (let i = refs + cells; i > refs + cell; i--) words[i] = words[i - 1]!;
    doubles[unit + cell] = score;
    words[refs + cell] = ref;
    words[at] = cells + 1;
    if (leaf) return;
    const nodes = at + INNER_NODES;
    const counts = at + INNER_COUNTS;
    for (let i = nodes + cells; i > nodes + cell; i--) words[i] = words[i - 1]!;
    for (let i = counts + cells; i > counts + cell; i--) words[i] = words[i - 1]!;
    words[counts + cell] = 0;
  }

  /** Takes a cell out. */
  cut(node: number, cell: number, leaf: boolean): void {
    const segment = node >>> SEGMENT_SHIFT;
    const words = this.words[segment]!;
    const doubles = this.doubles[segment]!;
    const unit = (node & SEGMENT_MASK) + 1;
    const at = (node & SEGMENT_MASK) << 1;
    const last = words[at]! - 1;
    const refs = at + (leaf ? LEAF_REFS : INNER_REFS);
    for (let i = cell; i < last; i++) doubles[unit + i] = doubles[unit + i + 1]!;
    for (let i = refs + cell; i < refs + last; i++) words[i] = words[i + 1]!;
    doubles[unit + last] = 0;
    words[refs + last] = 0;
    words[at] = last;
    if (leaf) return;
    const nodes = at + INNER_NODES;
    const counts = at + INNER_COUNTS;
    for (let i = nodes + cell; i < nodes + last; i++) words[i] = words[i + 1]!;
    for (let i = counts + cell; i < counts + last; i++) words[i] = words[i + 1]!;
    words[nodes + last] = 0;
    words[counts + last] = 0;
  }

  /** Moves the cells from `cell` on behind those of the node `to`, which has room for them. */
  moveCells(node: number, cell: number, to: number, leaf: boolean): void {
    const words = this.words[node >>> SEGMENT_SHIFT]!;
    const at = (node & SEGMENT_MASK) << 1;
    const target = this.words[to >>> SEGMENT_SHIFT]!;
    const targetAt = (to & SEGMENT_MASK) << 1;
    const cells = words[at]!;
    const there = target[targetAt]!;
    const move = (column: number, wide: number): void => {
      const from = at + column + cell * wide;
      const end = at + column + cells * wide;
      target.set(words.subarray(from, end), targetAt + column + there * wide);
      words.fill(0, from, end);
    };
    move(SCORES, 2);
    move(leaf ? LEAF_REFS : INNER_REFS, 1);
    if (!leaf) {
      move(INNER_NODES, 1);
      move(INNER_COUNTS, 1);
    }
    words[at] = cell;
    target[targetAt] = there + cells - cell;
  }
}
