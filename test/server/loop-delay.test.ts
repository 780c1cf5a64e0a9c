// The loop's delay is measured while there are calls, in windows, and a loop that is held up shows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LoopDelay } from "../../src/server/loop-delay.ts";

async function turnsUntil(done: () => boolean): Promise<void> {
  // Real time has to pass: what is measured is the real loop.
  for (const fromMs = performance.now(); !done() && performance.now() - fromMs < 10_000; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(done());
}

test("a loop that is held up shows in the window, and as the peak afterwards", async () => {
  const loop = new LoopDelay();
  loop.beat(100, 0);
  assert.equal(loop.read().maxMs, 0, "nobody calls, so nothing is measured");
  loop.beat(200, 1);
  // The first timer only begins the measure.
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const fromMs = performance.now(); performance.now() - fromMs < 60; );
  await turnsUntil(() => loop.read().maxMs >= 40);
  loop.beat(10_200, 2);
  assert.ok(loop.read().maxMs >= 40, "of the window that has ended");
  assert.equal(loop.read().windowMs, 10_000);
  loop.beat(20_200, 3);
  assert.ok(loop.read().peakMs >= 40);
  loop.reset();
  assert.ok(loop.read().peakMs < 40);
  loop.close();
});

test("without calls it stops, and the time in which it did is no delay", async () => {
  const loop = new LoopDelay();
  loop.beat(100, 1);
  loop.beat(5_200, 1);
  for (const fromMs = performance.now(); performance.now() - fromMs < 60; );
  await new Promise((resolve) => setTimeout(resolve, 30));
  loop.beat(60_000, 2);
  await new Promise((resolve) => setTimeout(resolve, 30));
  loop.beat(65_100, 2);
  assert.ok(loop.read().peakMs < 50, `${loop.read().peakMs}`);
  loop.close();
});
