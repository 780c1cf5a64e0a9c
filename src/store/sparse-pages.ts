// Sparse pages: which of them the compactor is to empty.
//
// To give memory back a whole segment must become free, so everything in the emptiest segments is
// marked, full pages too: of as many segments as have room in the holes of the others, since a walk that
// needs fresh memory takes longer slices (page-runs.ts) and gives back less. When memory is short single spans that are less than three quarters full are
// marked as well: their pages become free for other sizes.
//
//   survey: what each segment holds ──▶ choose ──▶ mark        PAGES_PER_STEP pages a step
//
// A hive of 32 GiB has half a million pages, so the marking is sliced too. What changes meanwhile makes
// the survey a little old, never wrong: the walk begins when all marks are set.

import { PAGES_PER_SEGMENT } from "./layout.ts";
import type { Pages } from "./pages.ts";

/** About 50 µs of work. */
export const PAGES_PER_STEP = 1024;
/** A larger block stays where it is, and its segment with it: to move it would take too long a slice. */
const MOVED_BLOCK_MAX: number = 512 * 1024;

const SPARSE = 0.75;
/** Of what is in use at most this part is moved at once, so that a walk ends soon. */
const MOVED_MAX = 0.5;
/** Of the holes in other segments at most this part is counted on: not all have the size that is needed. */
const HOLES_MAX = 0.75;

type Phase = "survey" | "mark" | "done";

export class SparseMarks {
  /** Whether anything was marked that has to be moved. */
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
    this.#used = new Float64Array(pages.runs.segmentCount);
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
    if (this.#pages.evacuate(page)) this.any = true;
  };

  #choose(): void {
    this.#chosen = chooseSegments(this.#pages, this.#used);
    // Those with nothing in them can go back as they are: no walk is needed for them.
    for (const segment of this.#chosen) this.#pages.runs.closeToNew(segment);
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
function chooseSegments({ runs, blockBytes }: Pages, used: Float64Array): Set<number> {
  const candidates: number[] = [];
  let holes = 0;
  for (let segment = 0; segment < used.length; segment++) {
    if (runs.freePagesOf(segment) < 0 || used[segment] === Infinity) continue;
    holes += runs.touchedOf(segment) - used[segment]!;
    if (segment > 0 && used[segment]! < runs.touchedOf(segment) * SPARSE) candidates.push(segment);
  }
  candidates.sort((a, b) => used[a]! - used[b]!);
  const chosen = new Set<number>();
  let moved = 0;
  for (const segment of candidates) {
    moved += used[segment]!;
    holes -= runs.touchedOf(segment) - used[segment]!;
    if (moved > holes * HOLES_MAX || (moved > blockBytes * MOVED_MAX && chosen.size > 0)) break;
    chosen.add(segment);
  }
  return chosen;
}
