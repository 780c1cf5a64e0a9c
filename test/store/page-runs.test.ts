// PageRuns: what is free is found again, fresh memory comes last while segments are emptied.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGE_BYTES, PAGES_PER_SEGMENT, SEGMENT_BYTES } from "../../src/store/layout.ts";
import { PageRuns } from "../../src/store/page-runs.ts";
import { PlainSegments, Segments } from "../../src/store/segments.ts";

const FIRST_BYTES = 2 << 20;

function open(): PageRuns {
  const runs = new PageRuns(new Segments(new PlainSegments()));
  runs.openFirst();
  return runs;
}

function segmentOf(page: number): number {
  return Math.floor(page / PAGES_PER_SEGMENT);
}

/** `count` full segments behind the first one, of single pages. */
function fill(runs: PageRuns, count: number): number[][] {
  while (segmentOf(runs.take(1)) === 0);
  runs.give(PAGES_PER_SEGMENT, 1);
  return Array.from({ length: count }, () => Array.from({ length: PAGES_PER_SEGMENT }, () => runs.take(1)));
}

test("the first segment is small, and its pages are used before a larger one opens", () => {
  const runs = open();
  assert.equal(runs.openBytes, FIRST_BYTES);
  for (let page = 1; page < FIRST_BYTES / PAGE_BYTES; page++) assert.equal(runs.take(1), page);
  assert.equal(runs.take(1), PAGES_PER_SEGMENT);
  assert.equal(runs.openBytes, FIRST_BYTES + SEGMENT_BYTES);
});

test("touched is what lies below the last page that was ever in use, until its segment goes back", () => {
  const runs = open();
  assert.equal(runs.touchedBytes, PAGE_BYTES);
  const page = runs.take(100);
  const after = PAGE_BYTES + 100 * PAGE_BYTES;
  assert.equal(runs.touchedBytes, after);
  runs.give(page, 100);
  assert.equal(runs.take(60), page);
  assert.equal(runs.touchedBytes, after);
  const large = runs.takeSegment(300);
  assert.equal(runs.touchedBytes, after + 300 * PAGE_BYTES);
  runs.give(large, 300);
  runs.give(page, 60);
  runs.closeToNew(segmentOf(page));
  assert.equal(runs.surplusBytes, SEGMENT_BYTES);
  runs.closeSurplus();
  assert.equal(runs.surplusBytes, 0);
  assert.equal(runs.touchedBytes, PAGE_BYTES);
  assert.equal(runs.openBytes, FIRST_BYTES);
});

test("while segments are emptied, pages come from where there were some before, and fresh ones last", () => {
  const runs = open();
  const [one, two] = fill(runs, 2) as [number[], number[]];
  const fresh = runs.take(1);
  runs.give(one[7]!, 1);
  runs.give(one[9]!, 1);
  runs.give(two[5]!, 1);
  runs.closeToNew(segmentOf(one[0]!));
  runs.closeToNew(segmentOf(two[0]!));
  runs.give(fresh, 1);

  assert.equal(runs.take(1), fresh, "it is not closed, and was touched");
  assert.equal(runs.take(1), two[5], "of those that are emptied the one that was closed last gives up first");
  assert.equal(runs.take(1), one[7]);
  assert.equal(runs.take(1), one[9]);
  assert.equal(runs.take(1), fresh + 1);
});

test("an emptied segment is used again only when no other has pages, and then does not go back", () => {
  const runs = open();
  const [one, two] = fill(runs, 2) as [number[], number[]];
  runs.closeToNew(segmentOf(one[0]!));
  runs.closeToNew(segmentOf(two[0]!));
  for (const page of two) runs.give(page, 1);
  runs.give(one[0]!, 1);
  assert.equal(runs.surplusBytes, SEGMENT_BYTES);

  assert.equal(runs.take(1), one[0]);
  assert.equal(runs.surplusBytes, SEGMENT_BYTES);
  assert.equal(segmentOf(runs.take(1)), segmentOf(two[0]!));
  assert.equal(runs.surplusBytes, 0);
});

test("reopen leaves what is empty closed, until it goes back", () => {
  const runs = open();
  const [one, two] = fill(runs, 2) as [number[], number[]];
  for (const page of one) runs.give(page, 1);
  runs.closeToNew(segmentOf(one[0]!));
  runs.closeToNew(segmentOf(two[0]!));
  runs.give(two[3]!, 1);
  runs.reopen();
  assert.equal(runs.take(1), two[3]);
  assert.equal(runs.surplusBytes, SEGMENT_BYTES);
  runs.closeSurplus();
  assert.equal(runs.freePagesOf(segmentOf(one[0]!)), -1);
});
