// What the two clocks promise: a date that may jump, and a duration that may not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, systemClock } from "../../src/base/clock.ts";

test("the system clock reads whole milliseconds of the date and never goes back", () => {
  assert.ok(Number.isSafeInteger(systemClock.nowMs()));
  assert.ok(Math.abs(systemClock.nowMs() - Date.now()) < 1000);

  let before = systemClock.monotonicMs();
  for (let i = 0; i < 1000; i++) {
    const now = systemClock.monotonicMs();
    assert.ok(now >= before);
    before = now;
  }
});

test("a manual clock stands still until it is moved, and moves both readings together", () => {
  const clock = new ManualClock(5000);
  assert.equal(clock.nowMs(), 5000);
  assert.equal(clock.monotonicMs(), 0);

  clock.advance(250);
  assert.equal(clock.nowMs(), 5250);
  assert.equal(clock.monotonicMs(), 250);
});

test("setting the date leaves the monotonic reading alone", () => {
  const clock = new ManualClock(5000);
  clock.advance(10);
  clock.setDate(1);

  assert.equal(clock.nowMs(), 1);
  assert.equal(clock.monotonicMs(), 10);
});

test("a manual clock refuses to go back or to move by a fraction", () => {
  const clock = new ManualClock();
  for (const byMs of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => clock.advance(byMs), RangeError, String(byMs));
  }
});
