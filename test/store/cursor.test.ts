// Cursors go through every bucket once, at any size, and through the rest of it when the size changes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { nextCursor } from "../../src/store/cursor.ts";

test("a walk at one size visits every bucket once", () => {
  for (let bits = 0; bits <= 10; bits++) {
    const mask = (1 << bits) - 1;
    const seen = new Set<number>();
    let cursor = 0;
    do {
      assert.ok(!seen.has(cursor & mask));
      seen.add(cursor & mask);
      cursor = nextCursor(cursor, mask);
    } while (cursor !== 0);
    assert.equal(seen.size, mask + 1);
  }
});

test("a walk whose size changes at every step misses no hash", () => {
  for (let seed = 1; seed < 200; seed++) {
    let state = seed;
    const random = (below: number): number => (state = (state * 48271) % 0x7fffffff) % below;
    const hashes = Array.from({ length: 300 }, () => random(0x7fffffff));
    const seen = new Set<number>();
    let cursor = 0;
    do {
      const mask = (1 << (2 + random(7))) - 1;
      for (const hash of hashes) if ((hash & mask) === (cursor & mask)) seen.add(hash);
      cursor = nextCursor(cursor, mask);
      assert.ok(cursor >= 0 && cursor <= 0xffffffff && Number.isInteger(cursor));
    } while (cursor !== 0);
    assert.equal(seen.size, new Set(hashes).size, `seed ${seed}`);
  }
});
