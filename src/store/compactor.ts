// Compactor: blocks move together, so that pages and whole segments become free and go back.
//
//   want() ──▶ marks on sparse segments and pages ──▶ a walk over every index moves what lies in them ──▶ marks off
//
// Only its index slot and its wheel neighbours refer to an entry, so whoever walks the indexes can
// move everything: entries, overflow nodes, blocks of buckets, directories, roots. A walk visits each
// bucket once, by the cursor of SCAN, so that it holds while the index grows and shrinks. What is
// allocated meanwhile never lands in a marked page, so after one walk the marked pages are empty. Entries
// go first and blocks of buckets last: by then whole pages are empty, and no fresh memory is needed.

import { HiveError } from "../base/errors.ts";
import { IndexMoves } from "./index-moves.ts";
import { FLAG_ROOT, KEYSPACE_ROOT, SEGMENT_BYTES } from "./layout.ts";
import { dropSkips, skipsOf } from "./list-skips.ts";
import type { Memory } from "./memory.ts";
import { PAGES_PER_STEP, SparseMarks } from "./sparse-pages.ts";

/** A walk is worth it when less than this part of the touched memory is in use, and this much of it is not. */
const WORTH = 0.75;
const WASTE_MIN_BYTES: number = SEGMENT_BYTES / 2;

/** Copying 16 KiB counts as much as a visit of a bucket: a step with large values ends sooner. */
const COPY_SHIFT = 14;
/** So many buckets is the way to one entry in the tree of a sorted set. */
const SORTED_COST = 0.5;

type Walk = { id: number; cursor: number; stage: "root" | "buckets" | "blocks"; block: number };

export class Compactor {
  /** Walks finished, and blocks moved, since the start. */
  walks = 0;
  moved = 0;
  readonly #memory: Memory;
  #asked = false;
  /** The containers under way: the keyspace first, and those whose keys its last bucket had. */
  readonly #walks: Walk[] = [];
  /** Touched bytes after the last walk: another one is not worth it before there are more, or far less in use. */
  #settledHeld = 0;
  #settledUsed = 0;
  /** The marking under way. */
  #marks: SparseMarks | undefined = undefined;
  /** The page from which on marks are still to be taken off; -1 when that is done. */
  #unmarked = -1;
  /** Open bytes and bytes in use when the walk under way began: what is freed meanwhile may be worth another walk. */
  #openBefore = 0;
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
    return this.#isWalking || this.#marks !== undefined || this.#unmarked >= 0 || this.#asked || this.#worthIt();
  }

  get #isWalking(): boolean {
    return this.#walks.length > 0;
  }

  #worthIt(): boolean {
    const { blockBytes, runs } = this.#memory.pages;
    const heldBytes = runs.touchedBytes - runs.surplusBytes;
    if (heldBytes - blockBytes < WASTE_MIN_BYTES || blockBytes > heldBytes * WORTH) return false;
    return heldBytes >= this.#settledHeld + WASTE_MIN_BYTES || blockBytes < this.#settledUsed * WORTH;
  }

  /** Visits up to `buckets` buckets, and moves what lies in marked pages. Stops early when memory is full. */
  step(buckets: number): void {
    if (this.#unmarked >= 0) return this.#unmark();
    if (!this.#isWalking) return this.#begin();
    const { pages } = this.#memory;
    try {
      pages.overdraft = Math.max(64, pages.inUse >> 4);
      for (this.#left = buckets; this.#left > 0; this.#left--) {
        const walk = this.#walks.at(-1);
        if (!walk) return this.#end();
        const { touchedBytes } = pages.runs;
        if (this.#advance(walk)) this.#walks.splice(this.#walks.indexOf(walk), 1);
        // Fresh memory may take a whole slice (page-runs.ts): the clock is looked at.
        if (pages.runs.touchedBytes > touchedBytes) this.#left = 0;
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
    const { pages, containers } = this.#memory;
    if (this.#marks === undefined) {
      this.#openBefore = this.#openBytes();
      this.#usedBefore = pages.blockBytes;
      this.#marks = new SparseMarks(pages, this.#asked);
      this.#asked = false;
    }
    if (!this.#marks.step()) return;
    if (this.#marks.any) this.#walks.push(newWalk(containers.keyspaceId));
    else this.#settle();
    this.#marks = undefined;
  }

  #end(): void {
    this.#walks.length = 0;
    this.#unmarked = 0;
  }

  /** Takes the marks off some more pages. */
  #unmark(): void {
    const { pages } = this.#memory;
    const to = this.#unmarked + PAGES_PER_STEP;
    pages.endEvacuation(this.#unmarked, to);
    this.#unmarked = to;
    if (to < pages.runs.pageCount) return;
    this.#unmarked = -1;
    this.walks++;
    this.#settle();
  }

  #settle(): void {
    const { pages } = this.#memory;
    pages.runs.reopen();
    // A walk that gave something back may be worth another one.
    const gave = this.#openBytes() < this.#openBefore;
    this.#settledHeld = gave ? 0 : pages.runs.touchedBytes;
    this.#settledUsed = gave ? Infinity : Math.max(this.#usedBefore, pages.blockBytes);
  }

  /** Bytes of the open segments, without those that are about to be given back. */
  #openBytes(): number {
    return this.#memory.pages.openBytes - this.#memory.pages.runs.surplusBytes;
  }

  /** One bucket, or one block of buckets. Returns whether the container is done. */
  #advance(walk: Walk): boolean {
    const { containers, index, pages, segments } = this.#memory;
    let root = containers.rootOf(walk.id);
    if (root === 0 || containers.isDetached(root)) return true;
    if (walk.stage === "buckets") {
      walk.cursor = index.seek(root, walk.cursor);
      this.#moveBucket(root);
      if (walk.cursor === 0) walk.stage = "blocks";
      return false;
    }
    if (walk.stage === "root") {
      root = this.#moveRoot(root);
      const skips = skipsOf({ words: segments.words, pages }, root);
      if (skips !== 0 && pages.isEvacuating(skips)) dropSkips({ words: segments.words, pages }, root);
      if (pages.isEvacuating(index.directoryOf(root))) this.#moves.directory(root);
      walk.stage = "buckets";
      return false;
    }
    if (walk.block >= this.#moves.blocks(index.buckets(root))) return true;
    if (this.#moves.block(root, walk.block++, this.#isMarked)) {
      this.moved++;
      this.#left -= 4;
    }
    return false;
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
    const { index, pages, entries, containers, wheel, tree } = this.#memory;
    const sorted = root !== KEYSPACE_ROOT && containers.isSorted(root);
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
        if (sorted) tree.moved(root, ref, target, entries.score(target));
        entries.free(ref);
        this.moved++;
      }
      if (sorted) {
        this.moved += tree.moveNodes(root, target, entries.score(target), this.#isMarked);
        this.#left -= SORTED_COST;
      }
      if (root !== KEYSPACE_ROOT || (entries.head(target) & FLAG_ROOT) === 0) continue;
      const inner = entries.rootOf(target);
      if (target !== ref) containers.setKey(inner, target);
      this.#walks.push(newWalk(containers.idOf(inner)));
    }
  }
}

function newWalk(id: number): Walk {
  return { id, cursor: 0, stage: "root", block: 0 };
}
