// Every size has the smallest class that holds it, and little is lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGE_BYTES } from "../../src/store/layout.ts";
import { CLASS_BYTES, CLASS_COUNT, CLASS_PAGES, classOf, LARGEST_CLASS } from "../../src/store/size-classes.ts";

test("the class of a size is the smallest that holds it", () => {
  for (let bytes = 0, sizeClass = 0; bytes <= LARGEST_CLASS; bytes++) {
    while (CLASS_BYTES[sizeClass]! < bytes) sizeClass++;
    assert.equal(classOf(bytes), sizeClass, `${bytes} bytes`);
  }
});

test("classes are whole units, an eighth apart at most, and their spans waste less than a sixteenth", () => {
  for (let i = 0; i < CLASS_COUNT; i++) {
    const size = CLASS_BYTES[i]!;
    assert.equal(size % 8, 0);
    if (i > 0) assert.ok(size - CLASS_BYTES[i - 1]! <= Math.max(8, size / 8), `${size} after ${CLASS_BYTES[i - 1]}`);
    const span = CLASS_PAGES[i]! * PAGE_BYTES;
    assert.ok(span % size <= span / 16, `${size} in ${CLASS_PAGES[i]} pages`);
    assert.ok(CLASS_PAGES[i]! < 256, "how far back a span begins fits a byte");
  }
});
