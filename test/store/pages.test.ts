// Blocks do not overlap, free ones are used again, and segments go back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HiveError } from "../../src/base/errors.ts";
import { PAGE_BYTES, SEGMENT_BYTES, SEGMENT_MASK, SEGMENT_SHIFT, SEGMENTS_MAX } from "../../src/store/layout.ts";
import { Pages } from "../../src/store/pages.ts";
import { PlainSegments, type SegmentProvider, Segments } from "../../src/store/segments.ts";

const MIB = 1 << 20;

function open(provider: SegmentProvider = new PlainSegments()): { pages: Pages; segments: Segments } {
  const segments = new Segments(provider);
  const pages = new Pages(segments);
  pages.openHeader();
  return { pages, segments };
}

/** The same memory for every segment: address space without memory. */
class OneBuffer implements SegmentProvider {
  readonly shared = false;
  opened = 0;
  readonly #buffer = new ArrayBuffer(SEGMENT_BYTES * 2);

  open(): { buffer: ArrayBuffer; offset: number } {
    this.opened++;
    return { buffer: this.#buffer, offset: 0 };
  }

  reserve(): void {}

  close(): void {}
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof HiveError && error.code === "OUT_OF_MEMORY";
}

test("blocks of every size keep what is written to them while others come and go", (t) => {
  const seed = Math.floor(Math.random() * 0x7fffffff) || 1;
  t.diagnostic(`seed ${seed}`);
  let state = seed;
  const random = (below: number): number => (state = (state * 48271) % 0x7fffffff) % below;
  const { pages, segments } = open();
  const blocks: { ref: number; bytes: number; mark: number }[] = [];
  const at = (ref: number): number => (ref & SEGMENT_MASK) << 3;
  for (let step = 0; step < 20_000; step++) {
    if (blocks.length > 0 && random(step < 10_000 ? 3 : 2) === 0) {
      const [block] = blocks.splice(random(blocks.length), 1);
      const bytes = segments.bytes[block!.ref >>> SEGMENT_SHIFT]!.subarray(
        at(block!.ref),
        at(block!.ref) + block!.bytes,
      );
      assert.ok(bytes[0] === block!.mark && bytes[block!.bytes - 1] === block!.mark, "a block was written over");
      pages.free(block!.ref);
    } else {
      const bytes = 1 + random([40, 200, 3000, 140_000, 700_000][random(random(3) + 2)]!);
      const ref = pages.alloc(bytes);
      assert.ok(pages.sizeOf(ref) >= bytes && pages.sizeOf(ref) <= Math.max(bytes * 1.125 + 8, bytes + PAGE_BYTES));
      const mark = random(255) + 1;
      segments.bytes[ref >>> SEGMENT_SHIFT]!.fill(mark, at(ref), at(ref) + bytes);
      blocks.push({ ref, bytes, mark });
    }
  }
  assert.equal(
    pages.blockBytes,
    blocks.reduce((sum, { ref }) => sum + pages.sizeOf(ref), 0),
  );
  for (const { ref } of blocks) pages.free(ref);
  assert.equal(pages.blockBytes, 0);
  assert.ok(pages.inUse < 100, `${pages.inUse} pages in use when nothing is`);
  // A page that is kept for each size may hold a segment; what is free goes in slices of the store.
  pages.releaseEmpty();
  while (pages.runs.surplusBytes > 0) pages.runs.closeSurplus();
  assert.ok(pages.openBytes <= 3 * SEGMENT_BYTES, "segments went back");
});

test("a block above a segment has a segment of its own, and takes the numbers behind it", () => {
  const { pages, segments } = open();
  const before = { inUse: pages.inUse, openBytes: pages.openBytes, touchedBytes: pages.runs.touchedBytes };
  const large = pages.alloc(40 * MIB);
  const next = pages.alloc(17 * MIB);
  assert.ok(pages.sizeOf(large) >= 40 * MIB);
  assert.equal((next >>> SEGMENT_SHIFT) - (large >>> SEGMENT_SHIFT), 3);
  segments.bytes[large >>> SEGMENT_SHIFT]!.fill(1);
  pages.free(large);
  assert.equal(pages.alloc(16 * MIB + 1) >>> SEGMENT_SHIFT, large >>> SEGMENT_SHIFT, "its numbers are free again");
  pages.free(large);
  pages.free(next);
  const after = { inUse: pages.inUse, openBytes: pages.openBytes, touchedBytes: pages.runs.touchedBytes };
  assert.deepEqual(after, before);
});

test("a limit is a limit, and an overdraft goes beyond it", () => {
  const { pages } = open();
  pages.max = 5;
  for (let i = 0; i < 4; i++) pages.alloc(PAGE_BYTES);
  assert.throws(() => pages.alloc(PAGE_BYTES), isOutOfMemory);
  assert.throws(() => pages.alloc(20 * MIB), isOutOfMemory);
  pages.overdraft = 1;
  const ref = pages.alloc(PAGE_BYTES);
  assert.throws(() => pages.alloc(8), isOutOfMemory);
  pages.overdraft = 0;
  assert.equal(pages.inUse, 6);
  pages.free(ref);
  assert.throws(() => pages.alloc(8), isOutOfMemory);
});

test("the address space ends at 32 GiB with OUT_OF_MEMORY, and refs above 16 GiB are as good as others", () => {
  const provider = new OneBuffer();
  const { pages } = open(provider);
  const refs: number[] = [];
  assert.throws(() => {
    for (;;) refs.push(pages.alloc(SEGMENT_BYTES));
  }, isOutOfMemory);
  assert.equal(provider.opened, SEGMENTS_MAX);
  assert.equal(new Set(refs.map((ref) => ref >>> SEGMENT_SHIFT)).size, SEGMENTS_MAX - 1);
  const high = refs.filter((ref) => ref < 0);
  assert.equal(high.length, SEGMENTS_MAX / 2);
  assert.throws(() => pages.alloc(SEGMENT_BYTES + 1), isOutOfMemory);
  const kept = pages.inUse;
  for (const ref of high) assert.equal(pages.sizeOf(ref), SEGMENT_BYTES);
  // Of three free ones the first stays open for the next growth.
  for (const ref of high.slice(-3)) pages.free(ref);
  const large = pages.alloc(2 * SEGMENT_BYTES);
  assert.equal(large >>> SEGMENT_SHIFT, SEGMENTS_MAX - 2, "two free numbers in a row hold a large block");
  pages.free(large);
  for (const ref of refs.slice(0, -3)) pages.free(ref);
  assert.ok(pages.inUse < kept && pages.inUse === 1);
});

test("a segment that the system refuses is OUT_OF_MEMORY with its cause, and changes nothing", () => {
  let refuse = false;
  const plain = new PlainSegments();
  const provider: SegmentProvider = {
    shared: false,
    open(index, bytes) {
      if (refuse) throw new RangeError("Array buffer allocation failed");
      return plain.open(index, bytes);
    },
    reserve() {},
    close: (_index, buffer) => plain.close(_index, buffer as ArrayBuffer),
  };
  const { pages } = open(provider);
  refuse = true;
  const before = { inUse: pages.inUse, openBytes: pages.openBytes, blockBytes: pages.blockBytes };
  assert.throws(
    () => pages.alloc(20 * MIB),
    (error) => isOutOfMemory(error) && (error as Error).cause instanceof RangeError,
  );
  assert.throws(() => {
    for (;;) pages.alloc(MIB);
  }, isOutOfMemory);
  assert.equal(before.openBytes, pages.openBytes);
  refuse = false;
  assert.ok(pages.alloc(20 * MIB) !== 0);
});

test("fits says whether a block is large enough and not twice too large", () => {
  const { pages } = open();
  const ref = pages.alloc(1000);
  const size = pages.sizeOf(ref);
  assert.deepEqual(
    [size + 1, size, size / 2 + 1, size / 2, 1].map((bytes) => pages.fits(ref, bytes)),
    [false, true, true, false, false],
  );
  assert.ok(pages.fits(pages.alloc(64), 1), "below 64 bytes nothing is gained by moving");
});

test("a page under evacuation gets no new blocks, and goes back when its last block goes", () => {
  const { pages } = open();
  const refs = Array.from({ length: 200 }, () => pages.alloc(1024));
  const inUse = pages.inUse;
  pages.eachSpan((page) => pages.evacuate(page));
  assert.ok(refs.every((ref) => pages.isEvacuating(ref)));
  const fresh = pages.alloc(1024);
  assert.ok(!pages.isEvacuating(fresh));
  for (const ref of refs) pages.free(ref);
  assert.ok(pages.inUse < inUse);
  pages.endEvacuation();
  assert.ok(!pages.isEvacuating(fresh));
  pages.free(fresh);
  assert.equal(pages.blockBytes, 0);
});

test("an empty page that was kept for its class goes back when it is to be emptied", () => {
  const { pages } = open();
  const before = pages.inUse;
  pages.free(pages.alloc(1024));
  assert.equal(pages.inUse, before + 1, "one page stays for the next block of its size");
  pages.eachSpan((page) => pages.evacuate(page));
  assert.equal(pages.inUse, before);
  pages.endEvacuation();
  assert.ok(pages.alloc(1024) !== 0);
});
