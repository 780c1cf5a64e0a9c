// Sparse pages: which of them the compactor is to empty.
//
// To give memory back a whole segment must become free, so everything in the emptiest segments is
// marked, full pages too. When memory is short single spans that are less than three quarters full are
// marked as well: their pages become free for other sizes.

import { PAGES_PER_SEGMENT, SEGMENT_BYTES } from "./layout.ts";
import type { Pages } from "./pages.ts";

const SPARSE = 0.75;
/** Of what is in use at most this part is moved at once, so that the copies need little memory. */
const MOVED_MAX = 0.5;

/** Marks them. Returns whether there were any. */
export function markSparse(pages: Pages, spans: boolean): boolean {
  const used = new Float64Array(pages.segmentCount);
  pages.eachSpan((page, _pages, _used, _room, bytes) => {
    used[Math.floor(page / PAGES_PER_SEGMENT)]! += bytes;
  });
  const chosen = chooseSegments(pages, used);
  let marked = false;
  for (const segment of chosen) {
    pages.closeToNew(segment);
    marked = true;
  }
  pages.eachSpan((page, _pages, blocks, room) => {
    const inSegment = chosen.has(Math.floor(page / PAGES_PER_SEGMENT));
    if (!inSegment && !(spans && room > 1 && blocks < room * SPARSE)) return;
    pages.evacuate(page);
    marked = true;
  });
  return marked;
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
