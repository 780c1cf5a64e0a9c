// IndexMoves: the parts of an index go to other blocks, for the compactor.
//
// Each move copies, then changes the one word that refers to the part, between two steps of the
// sequence that guards it, then frees the old block.

import { blockBytes, blockOf } from "./index-growth.ts";
import {
  BUCKET_BYTES,
  OVERFLOW_BYTES,
  ROOT_CAPACITY,
  ROOT_DIRECTORY,
  ROOT_SEQUENCE,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import { close, open } from "./sequence.ts";

export type Moves = (ref: number) => boolean;

export class IndexMoves {
  readonly #words: Int32Array[];
  readonly #pages: Pages;

  constructor(words: Int32Array[], pages: Pages) {
    this.#words = words;
    this.#pages = pages;
  }

  /** Moves a directory. @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  directory(root: number): void {
    const words = this.#words[root >>> SEGMENT_SHIFT]!;
    const at = (root & SEGMENT_MASK) << 1;
    const old = words[at + ROOT_DIRECTORY]!;
    const next = this.#copy(old, words[at + ROOT_CAPACITY]! * 4);
    open(words, at + ROOT_SEQUENCE);
    words[at + ROOT_DIRECTORY] = next;
    close(words, at + ROOT_SEQUENCE);
    this.#pages.free(old);
  }

  /** How many blocks an index of `buckets` buckets has. */
  blocks(buckets: number): number {
    return blockOf(buckets - 1) + 1;
  }

  /** Moves a block of buckets where `moves` says so. Returns whether it did. @throws {HiveError} OUT_OF_MEMORY */
  block(root: number, block: number, moves: Moves): boolean {
    const words = this.#words[root >>> SEGMENT_SHIFT]!;
    const at = (root & SEGMENT_MASK) << 1;
    const directory = words[at + ROOT_DIRECTORY]!;
    const entries = this.#words[directory >>> SEGMENT_SHIFT]!;
    const slot = ((directory & SEGMENT_MASK) << 1) + block;
    const old = entries[slot]!;
    if (old === 0 || !moves(old)) return false;
    const next = this.#copy(old, Math.max(BUCKET_BYTES, blockBytes(block)));
    open(words, at + ROOT_SEQUENCE);
    entries[slot] = next;
    close(words, at + ROOT_SEQUENCE);
    this.#pages.free(old);
    return true;
  }

  /** Moves overflow nodes of the chain at a bucket where `moves` says so. Returns how many. */
  nodes(bucketWords: Int32Array, bucketAt: number, moves: Moves): number {
    let moved = 0;
    let words = bucketWords;
    let link = bucketAt + 1;
    for (let node = words[link]!; node !== 0; node = words[link]!) {
      if (moves(node)) {
        const next = this.#copy(node, OVERFLOW_BYTES);
        open(bucketWords, bucketAt);
        words[link] = next;
        close(bucketWords, bucketAt);
        this.#pages.free(node);
        node = next;
        moved++;
      }
      words = this.#words[node >>> SEGMENT_SHIFT]!;
      link = (node & SEGMENT_MASK) << 1;
    }
    return moved;
  }

  #copy(from: number, bytes: number): number {
    const to = this.#pages.alloc(bytes);
    const at = (from & SEGMENT_MASK) << 1;
    const source = this.#words[from >>> SEGMENT_SHIFT]!.subarray(at, at + (bytes >> 2));
    this.#words[to >>> SEGMENT_SHIFT]!.set(source, (to & SEGMENT_MASK) << 1);
    return to;
  }
}
