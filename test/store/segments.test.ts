// Segments: memory by number, given back at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SEGMENT_BYTES } from "../../src/store/layout.ts";
import { PlainSegments, Segments } from "../../src/store/segments.ts";

test("segments open zeroed, as words and bytes of the same memory, and close for good", () => {
  const segments = new Segments(new PlainSegments());
  segments.open(2);
  assert.ok(!segments.isOpen(0) && segments.isOpen(2));
  const words = segments.words[2]!;
  assert.ok(words.every((word) => word === 0));
  words[1] = 0x01020304;
  assert.equal(segments.bytes[2]!.readInt32LE(4), 0x01020304);
  segments.close(2);
  segments.close(2);
  assert.equal(words.length, 0, "the memory is detached, not only forgotten");
  assert.equal(segments.words[2]!.length, 0);
});

test("a large segment takes the numbers behind it until it closes", () => {
  const segments = new Segments(new PlainSegments());
  segments.open(0);
  segments.open(1, SEGMENT_BYTES * 2 + 65536);
  assert.equal(segments.unused(1), 4);
  segments.close(1);
  assert.equal(segments.unused(1), 1);
  assert.equal(segments.unused(3), 1);
  segments.closeAll();
  assert.equal(segments.unused(1), 0);
});
