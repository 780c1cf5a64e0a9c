// Compactor: blocks move together, so that pages and whole segments become free and go back.
//
//   want() ──▶ sparse segments and pages are marked ──▶ step() walks every index and moves what lies in them
//
// Only its index slot and its wheel neighbours refer to an entry, so whoever walks the indexes can
// move everything: entries, overflow nodes, blocks of buckets, directories, roots. A walk visits each
// bucket once, by the cursor of SCAN, so that it holds while the index grows and shrinks. What is
// allocated meanwhile never lands in a marked page, so after one walk the marked pages are empty.

import { HiveError } from "../base/errors.ts";
import { IndexMoves } from "./index-moves.ts";
import { FLAG_ROOT, KEYSPACE_ROOT, SEGMENT_BYTES } from "./layout.ts";
import type { Memory } from "./memory.ts";
import { PAGES_PER_STEP, SparseMarks } from "./sparse-pages.ts";

/** A walk is worth it when less than this part of the open segments is in use, and they are more than these. */
const WORTH = 0.75;
const SMALL_BYTES: number = 48 * 1024 * 1024;

/** Copying 16 KiB counts as much as a visit of a bucket: a step with large values ends sooner. */
const COPY_SHIFT = 14;

type Walk = { id: number; cursor: number; block: number };

export class Compactor {
  /** Walks finished, and blocks moved, since the start. */
  walks = 0;
  moved = 0;
  readonly #memory: Memory;
  #asked = false;
  /** The containers under way: the keyspace first, and those whose keys its last bucket had. */
  readonly #walks: Walk[] = [];
  /** Open bytes after the last walk: another one is not worth it before there are more, or far less in use. */
  #settledOpen = 0;
  #settledUsed = 0;
  #openBefore = 0;
  /** Pages that have lost their marks after the walk; -1 when all have. */
  #unmarked = -1;
  /** The marking under way. */
  #marks: SparseMarks | undefined = undefined;
  /** Bytes in use when the walk under way began: what is freed meanwhile may be worth another walk. */
  #usedBefore = 0;

  /** Buckets that the step under way may still visit. */
  #left = 0;
  readonly #moves: IndexMoves;
  readonly #isMarked = (ref: number): boolean => this.#memory.pages.isEvacuating(ref);

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#moves = new IndexMoves(memory.segments.words, memory.pages);
  }

  /** Asks for sparse pages to be emptied, whatever the segments look like: memory is short. */
  want(): void {
    this.#asked = true;
  }

  get wanted(): boolean {
    return this.#walks.length > 0 || this.#marks !== undefined || this.#unmarked >= 0 || this.#asked || this.#worthIt();
  }

  #worthIt(): boolean {
    const { blockBytes } = this.#memory.pages;
    const openBytes = this.#openBytes();
    if (openBytes < SMALL_BYTES || blockBytes > openBytes * WORTH) return false;
    // While the hive fills, the segment opened last is nearly empty: that is no reason.
    if (openBytes - blockBytes < 2 * SEGMENT_BYTES) return false;
    return openBytes > this.#settledOpen || blockBytes < this.#settledUsed * WORTH;
  }

  /** Visits up to `buckets` buckets, and moves what lies in marked pages. Stops early when memory is full. */
  step(buckets: number): void {
    const { pages } = this.#memory;
    if (this.#unmarked >= 0) return this.#unmark();
    if (this.#walks.length === 0) return this.#begin();
    try {
      pages.overdraft = Math.max(64, pages.inUse >> 4);
      for (this.#left = buckets; this.#left > 0; this.#left--) {
        const walk = this.#walks.at(-1);
        if (!walk) return this.#end();
        if (this.#advance(walk)) this.#walks.splice(this.#walks.indexOf(walk), 1);
      }
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      this.#end();
    } finally {
      pages.overdraft = 0;
    }
  }

  /** Marks some more pages; the walk begins when all marks are set. */
  #begin(): void {
    if (this.#marks === undefined) {
      this.#openBefore = this.#openBytes();
      this.#usedBefore = this.#memory.pages.blockBytes;
      this.#marks = new SparseMarks(this.#memory.pages, this.#asked);
      this.#asked = false;
    }
    if (!this.#marks.step()) return;
    if (this.#marks.any) this.#walks.push({ id: this.#memory.containers.keyspaceId, cursor: 0, block: 0 });
    else this.#settle();
    this.#marks = undefined;
  }

  #end(): void {
    this.#walks.length = 0;
    this.#memory.pages.reopenSegments();
    this.#unmarked = 0;
  }

  /** Takes the marks back of some more pages; with the last of them the walk is over. */
  #unmark(): void {
    const from = this.#unmarked;
    this.#unmarked += PAGES_PER_STEP;
    if (this.#memory.pages.unmark(from, this.#unmarked)) return;
    this.#unmarked = -1;
    this.walks++;
    // A walk that gave something back may be worth another one.
    if (this.#openBytes() < this.#openBefore) this.#settledOpen = 0;
    else this.#settle();
  }

  /** Bytes of the open segments, without those that are about to be given back. */
  #openBytes(): number {
    return this.#memory.pages.openBytes - this.#memory.pages.surplusBytes;
  }

  #settle(): void {
    this.#settledOpen = this.#openBytes();
    this.#settledUsed = Math.max(this.#usedBefore, this.#memory.pages.blockBytes);
  }

  /** One block of buckets, or one bucket. Returns whether the container is done. */
  #advance(walk: Walk): boolean {
    const { containers, index, pages } = this.#memory;
    let root = containers.rootOf(walk.id);
    if (root === 0 || containers.isDetached(root)) return true;
    if (walk.block === 0) {
      root = this.#moveRoot(root);
      if (pages.isEvacuating(index.directoryOf(root))) this.#moves.directory(root);
    }
    if (walk.block < this.#moves.blocks(index.buckets(root))) {
      if (this.#moves.block(root, walk.block, this.#isMarked)) {
        this.moved++;
        // It may have touched memory for the first time, which takes the system up to a millisecond.
        this.#left = 0;
      }
      walk.block++;
      return false;
    }
    walk.cursor = index.seek(root, walk.cursor);
    this.#moveBucket(root);
    return walk.cursor === 0;
  }

  #moveRoot(root: number): number {
    const { containers, entries, index, pages } = this.#memory;
    if (root === KEYSPACE_ROOT || !pages.isEvacuating(root)) return root;
    const next = containers.moveRoot(root);
    const key = containers.keyOf(next);
    index.bucketOf(KEYSPACE_ROOT, this.#memory.hashOf(key));
    index.lock();
    entries.setRoot(key, next, containers.idOf(next));
    index.unlock();
    pages.free(root);
    this.moved++;
    return next;
  }

  #moveBucket(root: number): void {
    const { index, pages, entries, containers, wheel } = this.#memory;
    this.moved += this.#moves.nodes(index.bucketWords, index.bucketAt, this.#isMarked);
    const count = index.readChain();
    for (let i = 0; i < count; i++) {
      const ref = index.chainRef(i);
      let target = ref;
      if (pages.isEvacuating(ref)) {
        target = entries.duplicate(ref);
        this.#left -= entries.size(ref) >>> COPY_SHIFT;
        index.lock();
        index.exchange(ref, target);
        index.unlock();
        wheel.moved(target);
        entries.free(ref);
        this.moved++;
      }
      if (root !== KEYSPACE_ROOT || (entries.head(target) & FLAG_ROOT) === 0) continue;
      const inner = entries.rootOf(target);
      if (target !== ref) containers.setKey(inner, target);
      this.#walks.push({ id: containers.idOf(inner), cursor: 0, block: 0 });
    }
  }
}
