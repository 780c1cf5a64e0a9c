// Sorted tree: the order of a large sorted set, by score and then by name.
//
//   insert, remove, moved ◀── placement and compactor, which own the entries        rank, seek, countBelow ──▶ reads
//
// A B+ tree that counts (R. Bayer and E. McCreight, "Organization and Maintenance of Large Ordered Indexes",
// 1972; counts after D. Knuth, The Art of Computer Programming 3, 6.2.3). It is derived from the entries:
// nothing of it is undone, visited by a snapshot or accounted for, so that it is right wherever each entry
// that comes or goes is told here. insert() takes its memory before the first change; remove() never needs
// any. A node below a quarter joins a neighbour where both fit one with room to spare, so sizes do not swing.

import type { Entries } from "./entries.ts";
import { ROOT_SEQUENCE, ROOT_TREE, ROOT_TREE_HEIGHT, ROOT_TREE_NODES, SEGMENT_MASK, SEGMENT_SHIFT } from "./layout.ts";
import type { Pages } from "./pages.ts";
import type { Segments } from "./segments.ts";
import { close, open } from "./sequence.ts";
import { INNER_CELLS, LEAF_CELLS, NODE_BYTES, SortedNodes } from "./sorted-nodes.ts";
import { SortedWay } from "./sorted-way.ts";

export class SortedTree {
  readonly #nodes: SortedNodes;
  readonly #words: Int32Array[];
  readonly #way: SortedWay;
  readonly #spare: number[] = [];
  /** Nodes that are freed when the sequence has changed. */
  readonly #freed: number[] = [];
  #writing = false;

  constructor(segments: Segments, pages: Pages, entries: Entries) {
    this.#nodes = new SortedNodes(segments, pages);
    this.#words = segments.words;
    this.#way = new SortedWay(this.#nodes, entries);
  }

  /** Bytes of the tree's nodes; 0 when it has none. */
  bytesOf(root: number): number {
    return this.#get(root, ROOT_TREE_NODES) * NODE_BYTES;
  }

  /** Puts an entry in its place. @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  insert(root: number, ref: number, score: number): void {
    const nodes = this.#nodes;
    this.#way.aimAt(ref, score);
    const height = this.#get(root, ROOT_TREE_HEIGHT);
    const leaf = height - 1;
    if (height > 0) this.#way.descend(root);
    this.#reserve(height);
    this.#begin(root);
    if (height === 0) {
      const node = this.#take(root);
      nodes.open(node, 0, true, score, ref);
      this.#set(root, ROOT_TREE, node);
      this.#set(root, ROOT_TREE_HEIGHT, 1);
      return this.#end(root);
    }
    let right = this.#insertCell(root, this.#way.nodes[leaf]!, this.#way.cells[leaf]!, true, score, ref);
    for (let level = leaf - 1; level >= 0; level--) {
      const node = this.#way.nodes[level]!;
      const cell = this.#way.cells[level]!;
      const isLeaf = level + 1 === leaf;
      nodes.addBelow(node, cell, 1);
      if (this.#way.cells[level + 1] === 0) nodes.setFirst(node, cell, this.#way.nodes[level + 1]!, isLeaf);
      if (right !== 0) right = this.#insertChild(root, node, cell, right, isLeaf);
    }
    if (right !== 0) this.#grow(root, right, height);
    this.#end(root);
  }

  /** A new root node over the old one and its new neighbour. */
  #grow(root: number, right: number, height: number): void {
    const nodes = this.#nodes;
    const left = this.#way.nodes[0]!;
    const top = this.#take(root);
    [left, right].forEach((child, cell) => {
      nodes.open(top, cell, false, nodes.score(child, 0), nodes.ref(child, 0, height === 1));
      nodes.setChild(top, cell, child);
      nodes.addBelow(top, cell, nodes.total(child, height === 1));
    });
    this.#set(root, ROOT_TREE, top);
    this.#set(root, ROOT_TREE_HEIGHT, height + 1);
  }

  /** A cell for `child` behind the cell `cell`, whose own child it was split from. Returns the node's new neighbour; 0 for none. */
  #insertChild(root: number, node: number, cell: number, child: number, childIsLeaf: boolean): number {
    const nodes = this.#nodes;
    const below = nodes.total(child, childIsLeaf);
    nodes.addBelow(node, cell, -below);
    const right = this.#insertCell(
      root,
      node,
      cell + 1,
      false,
      nodes.score(child, 0),
      nodes.ref(child, 0, childIsLeaf),
    );
    const kept = nodes.cells(node);
    const target = cell + 1 < kept || right === 0 ? node : right;
    const place = target === node ? cell + 1 : cell + 1 - kept;
    nodes.setChild(target, place, child);
    nodes.addBelow(target, place, below);
    return right;
  }

  /** Writes a cell, in a new neighbour where the node is full. Returns that; 0 for none. */
  #insertCell(root: number, node: number, cell: number, leaf: boolean, score: number, ref: number): number {
    const nodes = this.#nodes;
    const max = leaf ? LEAF_CELLS : INNER_CELLS;
    if (nodes.cells(node) < max) {
      nodes.open(node, cell, leaf, score, ref);
      return 0;
    }
    const right = this.#take(root);
    // What comes in order fills each node.
    const kept = cell === max ? max : cell === 0 ? 1 : (max + 1) >> 1;
    nodes.moveCells(node, kept, right, leaf);
    if (cell < kept) nodes.open(node, cell, leaf, score, ref);
    else nodes.open(right, cell - kept, leaf, score, ref);
    return right;
  }

  /** Takes an entry out, which is there with this score. */
  remove(root: number, ref: number, score: number): void {
    const nodes = this.#nodes;
    // Whoever takes entries by rank has just been led there.
    if (this.#way.sought !== ref) {
      this.#way.aimAt(ref, score);
      this.#way.descend(root);
    }
    const leaf = this.#get(root, ROOT_TREE_HEIGHT) - 1;
    if (nodes.ref(this.#way.nodes[leaf]!, this.#way.cells[leaf]!, true) !== ref)
      throw new Error("an entry is not in its tree");
    this.#begin(root);
    nodes.cut(this.#way.nodes[leaf]!, this.#way.cells[leaf]!, true);
    for (let level = leaf; level > 0; level--) this.#removed(root, level, level === leaf);
    this.#shrink(root);
    this.#end(root);
  }

  /** Tells a node's parent that one entry is gone from below it; a node that got small joins a neighbour. */
  #removed(root: number, level: number, isLeaf: boolean): void {
    const nodes = this.#nodes;
    const node = this.#way.nodes[level]!;
    const parent = this.#way.nodes[level - 1]!;
    const cell = this.#way.cells[level - 1]!;
    const cells = nodes.cells(node);
    nodes.addBelow(parent, cell, -1);
    if (cells === 0) {
      nodes.cut(parent, cell, false);
      return this.#give(root, node);
    }
    nodes.setFirst(parent, cell, node, isLeaf);
    const max = isLeaf ? LEAF_CELLS : INNER_CELLS;
    if (cells >= max >> 2) return;
    const fits = (max * 3) >> 2;
    if (cell + 1 < nodes.cells(parent) && cells + nodes.cells(nodes.child(parent, cell + 1)) <= fits)
      this.#join(root, parent, cell, isLeaf);
    else if (cell > 0 && cells + nodes.cells(nodes.child(parent, cell - 1)) <= fits)
      this.#join(root, parent, cell - 1, isLeaf);
  }

  /** The node of the next cell becomes part of that of `cell`. */
  #join(root: number, parent: number, cell: number, isLeaf: boolean): void {
    const nodes = this.#nodes;
    const right = nodes.child(parent, cell + 1);
    nodes.moveCells(right, 0, nodes.child(parent, cell), isLeaf);
    nodes.addBelow(parent, cell, nodes.below(parent, cell + 1));
    nodes.cut(parent, cell + 1, false);
    this.#give(root, right);
  }

  /** A root node with one child, or none, is not needed. */
  #shrink(root: number): void {
    const nodes = this.#nodes;
    for (;;) {
      const top = this.#get(root, ROOT_TREE);
      const height = this.#get(root, ROOT_TREE_HEIGHT);
      const cells = nodes.cells(top);
      if (cells > 1 || (cells === 1 && height === 1)) return;
      this.#set(root, ROOT_TREE, cells === 0 ? 0 : nodes.child(top, 0));
      this.#set(root, ROOT_TREE_HEIGHT, cells === 0 ? 0 : height - 1);
      this.#give(root, top);
      if (cells === 0) return;
    }
  }

  /** The entry `from` lies at `to` now, where its name and score are already. */
  moved(root: number, from: number, to: number, score: number): void {
    const nodes = this.#nodes;
    this.#way.aimAt(to, score);
    this.#way.descend(root);
    this.#begin(root);
    const leaf = this.#get(root, ROOT_TREE_HEIGHT) - 1;
    for (let level = leaf; level >= 0; level--) {
      const node = this.#way.nodes[level]!;
      const cell = this.#way.cells[level]!;
      if (nodes.ref(node, cell, level === leaf) !== from) break;
      nodes.setRef(node, cell, level === leaf, to);
    }
    this.#end(root);
  }

  /**
   * Moves the nodes on the way to an entry that lie in marked pages. Returns how many. A node whose entries
   * all came behind the walk stays: its page is not emptied this time.
   * @throws {HiveError} OUT_OF_MEMORY: the tree is whole.
   */
  moveNodes(root: number, ref: number, score: number, isMarked: (ref: number) => boolean): number {
    const nodes = this.#nodes;
    this.#way.aimAt(ref, score);
    this.#way.descend(root);
    const height = this.#get(root, ROOT_TREE_HEIGHT);
    let moved = 0;
    for (let level = 0; level < height; level++) {
      const node = this.#way.nodes[level]!;
      if (!isMarked(node)) continue;
      const copy = nodes.duplicate(node);
      this.#begin(root);
      if (level === 0) this.#set(root, ROOT_TREE, copy);
      else nodes.setChild(this.#way.nodes[level - 1]!, this.#way.cells[level - 1]!, copy);
      this.#way.nodes[level] = copy;
      this.#end(root);
      nodes.free(node);
      moved++;
    }
    return moved;
  }

  /** How many entries are before this one, which is there. */
  rank(root: number, ref: number, score: number): number {
    this.#way.aimAt(ref, score);
    return this.#way.countDown(root);
  }

  /** How many entries have a lower score, or where `inclusive` the same one. */
  countBelow(root: number, score: number, inclusive: boolean): number {
    this.#way.aimAtScore(score, inclusive);
    return this.#get(root, ROOT_TREE_HEIGHT) === 0 ? 0 : this.#way.countDown(root);
  }

  /** How many entries have a lower name, or where `inclusive` the same one, in a set of one score. */
  countBelowName(root: number, bytes: Uint8Array, start: number, length: number, inclusive: boolean): number {
    this.#way.aimAtName(bytes, start, length, inclusive);
    return this.#get(root, ROOT_TREE_HEIGHT) === 0 ? 0 : this.#way.countDown(root);
  }

  /** The entry with this rank, which there is. */
  at(root: number, rank: number): number {
    this.#way.seek(root, rank);
    return this.#way.sought;
  }

  /** Puts the refs of up to `max` entries from `rank` on into `refs`, to the end of their leaf. Returns how many, at least one. */
  leafFrom(root: number, rank: number, refs: Int32Array, max: number): number {
    const cell = this.#way.seek(root, rank);
    const node = this.#way.nodes[this.#get(root, ROOT_TREE_HEIGHT) - 1]!;
    const count = Math.min(this.#nodes.cells(node) - cell, max);
    this.#nodes.copyRefs(node, cell, count, refs);
    return count;
  }

  /** The same up to the entry before `rank`, from the start of its leaf. */
  leafTo(root: number, rank: number, refs: Int32Array): number {
    const cell = this.#way.seek(root, rank - 1);
    const node = this.#way.nodes[this.#get(root, ROOT_TREE_HEIGHT) - 1]!;
    this.#nodes.copyRefs(node, 0, cell + 1, refs);
    return cell + 1;
  }

  /** Frees up to `count` nodes of a tree that is not used any more. Returns how many are left of that number. */
  reap(root: number, count: number): number {
    const nodes = this.#nodes;
    this.#way.sought = 0;
    let left = count;
    while (left > 0 && this.#get(root, ROOT_TREE_NODES) > 0) {
      let node = this.#get(root, ROOT_TREE);
      const height = this.#get(root, ROOT_TREE_HEIGHT);
      let level = 1;
      let parent = 0;
      while (level < height && nodes.cells(node) > 0) {
        parent = node;
        node = nodes.child(node, nodes.cells(node) - 1);
        level++;
      }
      if (parent !== 0) nodes.setCells(parent, nodes.cells(parent) - 1);
      this.#give(root, node);
      left--;
    }
    return left;
  }

  /** Takes the nodes that an insertion at the end of the way may need. @throws {HiveError} OUT_OF_MEMORY */
  #reserve(height: number): void {
    let needed = 1;
    for (let level = height - 1; level >= 0; level--) {
      if (this.#nodes.cells(this.#way.nodes[level]!) < (level === height - 1 ? LEAF_CELLS : INNER_CELLS)) {
        needed--;
        break;
      }
      needed++;
    }
    try {
      for (let i = 0; i < needed; i++) this.#spare.push(this.#nodes.create());
    } catch (error) {
      for (const node of this.#spare.splice(0)) this.#nodes.free(node);
      throw error;
    }
  }

  #take(root: number): number {
    this.#set(root, ROOT_TREE_NODES, this.#get(root, ROOT_TREE_NODES) + 1);
    return this.#spare.pop()!;
  }

  #give(root: number, node: number): void {
    this.#set(root, ROOT_TREE_NODES, this.#get(root, ROOT_TREE_NODES) - 1);
    this.#freed.push(node);
    if (!this.#writing) this.#freeAll();
  }

  #freeAll(): void {
    while (this.#freed.length > 0) this.#nodes.free(this.#freed.pop()!);
  }

  #begin(root: number): void {
    this.#writing = true;
    open(this.#words[root >>> SEGMENT_SHIFT]!, ((root & SEGMENT_MASK) << 1) + ROOT_SEQUENCE);
  }

  #end(root: number): void {
    close(this.#words[root >>> SEGMENT_SHIFT]!, ((root & SEGMENT_MASK) << 1) + ROOT_SEQUENCE);
    this.#writing = false;
    this.#way.sought = 0;
    if (this.#freed.length > 0) this.#freeAll();
  }

  #get(root: number, word: number): number {
    return this.#words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + word]!;
  }

  #set(root: number, word: number, value: number): void {
    this.#words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + word] = value;
  }
}
