// How long calls take: percentiles that are at most an eighth too high, whatever part of the calls is timed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { drawDistance, Latency } from "../../src/engine/latency.ts";

test("a percentile is the time itself, or at most an eighth above it", () => {
  for (let nanoseconds = 64; nanoseconds < 100e9; nanoseconds *= 1.37) {
    const latency = new Latency();
    latency.add(nanoseconds, 1);
    const shown = latency.percentileMicroseconds(0.5) * 1000;
    assert.ok(shown >= nanoseconds && shown <= nanoseconds * 1.1251, `${nanoseconds} ns as ${shown}`);
  }
});

test("percentiles agree with the sorted times", () => {
  const latency = new Latency();
  const times = Array.from({ length: 10_000 }, (_, i) => 100 + ((i * 7919) % 10_000) ** 2 / 50);
  for (const time of times) latency.add(time, 1);
  times.sort((a, b) => a - b);
  for (const part of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = times[Math.ceil(part * times.length) - 1]!;
    const shown = latency.percentileMicroseconds(part) * 1000;
    assert.ok(shown >= exact && shown <= exact * 1.1251, `${part}: ${exact} as ${shown}`);
  }
});

test("a call that stands for others counts as many", () => {
  const latency = new Latency();
  latency.add(1_000, 990);
  latency.add(1_000_000, 10);
  assert.equal(latency.calls, 1000);
  assert.ok(latency.percentileMicroseconds(0.98) < 1.2);
  assert.ok(latency.percentileMicroseconds(0.999) >= 1000);
  assert.equal(latency.nanoseconds, 990 * 1_000 + 10 * 1_000_000);
  latency.clear();
  assert.equal(latency.percentileMicroseconds(0.5), 0);
});

test("what is quicker or slower than all buckets is counted too, and the powers add up", () => {
  const latency = new Latency();
  for (const time of [0, Number.NaN, 5, 900, 3_000, 2e12]) latency.add(time, 2);
  const powers = [...latency.powers()];
  assert.equal(powers.at(-1)![1], 12);
  assert.deepEqual(powers.slice(0, 2), [
    [1, 8],
    [4, 10],
  ]);
});

test("distances are from 1 on, and 128 in the mean", () => {
  assert.equal(
    drawDistance(() => 0),
    1,
  );
  assert.equal(
    drawDistance(() => 0.999999),
    255,
  );
});
