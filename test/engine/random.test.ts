// The generator behind random picks: numbers in [0, 1), spread evenly.

import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../../src/engine/random.ts";

test("numbers lie in [0, 1) and spread evenly", () => {
  const buckets = new Array<number>(64).fill(0);
  for (let i = 0; i < 64_000; i++) {
    const number = random();
    assert.ok(number >= 0 && number < 1);
    buckets[Math.floor(number * 64)]!++;
  }
  // 1,000 is expected of each, with a deviation of 31.
  for (const count of buckets) assert.ok(Math.abs(count - 1000) < 250, `${count}`);
});
