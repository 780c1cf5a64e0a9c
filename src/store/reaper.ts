// Reaper: frees detached containers in slices, with all that is in them.
//
//   containers.detach(root) ──▶ detached, secrets first ──▶ reap(buckets): entries, buckets, tree, root
//
// What waits is counted for nobody any more. A snapshot under way may still read it (the keeper): then it waits longer.

import type { Containers } from "./containers.ts";
import { type Detached, NOTHING, type Reaping } from "./detached.ts";
import type { Entries } from "./entries.ts";
import type { HashIndex } from "./hash-index.ts";
import { blockOf } from "./index-growth.ts";
import type { Keeper } from "./keeper.ts";
import { FLAG_ROOT, FLAG_SCRUB, ROOT_DIRECTORY, SEGMENT_MASK, SEGMENT_SHIFT } from "./layout.ts";
import { dropSkips } from "./list-skips.ts";
import type { Pages } from "./pages.ts";
import type { SortedTree } from "./sorted-tree.ts";
import type { Wheel } from "./wheel.ts";

const LARGE_SHIFT = 18; // freeing 256 KiB of one value counts as much as freeing a bucket

export type ReaperParts = {
  pages: Pages;
  index: HashIndex;
  entries: Entries;
  wheel: Wheel;
  tree: SortedTree;
  containers: Containers;
};

export class Reaper {
  /** Asked before a detached container is freed. */
  keeper: Keeper | undefined = undefined;
  readonly #parts: ReaperParts;
  readonly #detached: Detached;
  /** The container that it is at. */
  #reaping: Readonly<Reaping> = NOTHING;

  constructor(parts: ReaperParts) {
    this.#parts = parts;
    this.#detached = parts.containers.detached;
  }

  /**
   * Frees up to `buckets` buckets of detached containers, with the entries in them; large values count as several, and
   * it may end between two of them. Returns how many are left of that number: 0 when there is more to do.
   */
  reap(buckets: number): number {
    let left = buckets;
    while (left > 0) {
      const at = this.#detached.next(this.#reaping);
      this.#reaping = NOTHING;
      if (at.root === 0) break;
      if (at.bucket < 0 && this.keeper?.keeps(at.root)) continue;
      this.#reaping = at;
      if (at.bucket < 0) at.bucket = this.#parts.index.buckets(at.root);
      while (left > 0 && at.bucket > 0) {
        left = this.#freeEntries(at, left);
        if (left <= 0 && at.entry > 0) break;
        this.#freeBucket(at.root, --at.bucket);
        left--;
      }
      if (at.bucket > 0) break;
      if (this.#parts.containers.isSorted(at.root)) {
        left = this.#parts.tree.reap(at.root, left);
        if (this.#parts.tree.bytesOf(at.root) > 0) break;
      }
      this.#freeRoot(at.root);
      this.#reaping = NOTHING;
    }
    return Math.max(0, left);
  }

  /** Whether nothing waits to be freed. */
  get idle(): boolean {
    return this.#reaping.root === 0 && this.#detached.length === 0;
  }

  /** Whether secrets wait to be overwritten. */
  get hasSecrets(): boolean {
    return this.#reaping.isSecret || this.#detached.secrets > 0;
  }

  /** Frees what is in the next bucket; large values take from `left`, and it stops before an entry when nothing is left. */
  #freeEntries(at: Reaping, left: number): number {
    const { index, entries, wheel, containers } = this.#parts;
    index.moveTo(at.root, at.bucket - 1);
    const count = index.readChain();
    let rest = left;
    for (let i = at.entry; i < count; i++) {
      if (rest <= 0) {
        at.entry = i;
        return rest;
      }
      const ref = index.chainRef(i);
      const head = entries.head(ref);
      wheel.unlink(ref);
      rest -= entries.size(ref) >>> LARGE_SHIFT;
      if ((head & FLAG_ROOT) !== 0) containers.detachInner(entries.rootOf(ref), (head & FLAG_SCRUB) !== 0);
      entries.free(ref);
    }
    at.entry = 0;
    return rest;
  }

  /** Frees a bucket whose entries are freed. */
  #freeBucket(root: number, bucket: number): void {
    const { index, pages, entries } = this.#parts;
    index.moveTo(root, bucket);
    index.readChain();
    index.freeChainNodes();
    // The last bucket of its block takes the block with it.
    const first = bucket < 1024 ? (bucket & (bucket - 1)) === 0 : (bucket & 1023) === 0;
    if (!first) return;
    const directory = this.#directoryOf(root);
    const at = ((directory & SEGMENT_MASK) << 1) + blockOf(bucket);
    pages.free(entries.words[directory >>> SEGMENT_SHIFT]![at]!);
  }

  #freeRoot(root: number): void {
    const { pages, containers, entries } = this.#parts;
    containers.forget(root);
    dropSkips({ words: entries.words, pages }, root);
    pages.free(this.#directoryOf(root));
    pages.free(root);
  }

  #directoryOf(root: number): number {
    return this.#parts.entries.words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + ROOT_DIRECTORY]!;
  }
}
