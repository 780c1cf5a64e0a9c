// Sparse pages: which of them the compactor is to empty.
//
// To give memory back a whole segment must become free, so everything in the emptiest segments is
// marked, full pages too. When memory is short single spans that are less than three quarters full are
// marked as well: their pages become free for other sizes.
//
//   survey: what each segment holds ──▶ choose ──▶ mark        PAGES_PER_STEP pages a step
//
// A hive of 32 GiB has half a million pages, so the marking is sliced too. What changes meanwhile makes
// the survey a little old, never wrong: the walk begins when all marks are set.

import { PAGES_PER_SEGMENT, SEGMENT_BYTES } from "./layout.ts";
import type { Pages } from "./pages.ts";

/** About 50 µs of work. */
export const PAGES_PER_STEP = 1024;
/** A larger block stays where it is, and its segment with it: to move it would take too long a slice. */
const MOVED_BLOCK_MAX: number = 512 * 1024;

const SPARSE = 0.75;
/** Of what is in use at most this part is moved at once, so that the copies need little memory. */
const MOVED_MAX = 0.5;

type Phase = "survey" | "mark" | "done";

export class SparseMarks {
  /** Whether anything was marked. */
  any = false;
  readonly #pages: Pages;
  readonly #spans: boolean;
  /** By segment: bytes in use; Infinity where something in it cannot move. */
  readonly #used: Float64Array;
  #chosen: Set<number> = new Set();
  #phase: Phase = "survey";
  #page = 1;

  /** @param spans Whether memory is short: sparse spans are marked in every segment. */
  constructor(pages: Pages, spans: boolean) {
    this.#pages = pages;
    this.#spans = spans;
    this.#used = new Float64Array(pages.segmentCount);
  }

  /** Looks at some more pages. Returns whether all marks are set. */
  step(): boolean {
    const from = this.#page;
    const to = from + PAGES_PER_STEP;
    if (this.#phase === "survey") this.#pages.eachSpan(this.#count, from, to);
    else if (this.#phase === "mark") this.#pages.eachSpan(this.#mark, from, to);
    this.#page = to;
    if (to < this.#used.length * PAGES_PER_SEGMENT) return false;
    if (this.#phase === "survey") this.#choose();
    else this.#phase = "done";
    return this.#phase === "done";
  }

  readonly #count = (page: number, _pages: number, _blocks: number, room: number, bytes: number): void => {
    const segment = Math.floor(page / PAGES_PER_SEGMENT);
    if (segment < this.#used.length) this.#used[segment]! += room === 1 && bytes > MOVED_BLOCK_MAX ? Infinity : bytes;
  };

  readonly #mark = (page: number, _pages: number, blocks: number, room: number, bytes: number): void => {
    const inSegment = this.#chosen.has(Math.floor(page / PAGES_PER_SEGMENT));
    if (room === 1 && bytes > MOVED_BLOCK_MAX) return;
    if (!inSegment && !(this.#spans && room > 1 && blocks < room * SPARSE)) return;
    this.#pages.evacuate(page);
    this.any = true;
  };

  #choose(): void {
    this.#chosen = chooseSegments(this.#pages, this.#used);
    for (const segment of this.#chosen) {
      this.#pages.closeToNew(segment);
      this.any = true;
    }
    this.#phase = "mark";
    this.#page = 1;
  }
}

/** Marks them all at once. Returns whether there were any. */
export function markSparse(pages: Pages, spans: boolean): boolean {
  const marks = new SparseMarks(pages, spans);
  while (!marks.step());
  return marks.any;
}

/** The emptiest segments, but never the first one, whose header cannot move. */
function chooseSegments(pages: Pages, used: Float64Array): Set<number> {
  const candidates: number[] = [];
  for (let segment = 1; segment < used.length; segment++) {
    if (pages.freePagesOf(segment) >= 0 && used[segment]! < SEGMENT_BYTES * SPARSE) candidates.push(segment);
  }
  candidates.sort((a, b) => used[a]! - used[b]!);
  const chosen = new Set<number>();
  let moved = 0;
  for (const segment of candidates) {
    moved += used[segment]!;
    if (moved > pages.blockBytes * MOVED_MAX && chosen.size > 0) break;
    chosen.add(segment);
  }
  // One segment alone would only move into another one just like it.
  if (chosen.size === 1 && moved > SEGMENT_BYTES / 2) chosen.clear();
  return chosen;
}
