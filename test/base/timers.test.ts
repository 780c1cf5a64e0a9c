// Timers that a test moves, and the platform's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualTimers, systemTimers } from "../../src/base/timers.ts";

test("what falls due runs in order, each at its own time, and once", () => {
  const timers = new ManualTimers();
  const log: string[] = [];
  const note = (name: string) => () => void log.push(`${name}@${timers.monotonicMs()}`);
  timers.after(30, note("c"));
  timers.after(10, () => {
    note("a")();
    timers.after(5, note("b"));
  });
  const cancel = timers.after(20, note("never"));
  timers.after(-5, note("now"));
  cancel();
  cancel();
  timers.advance(29);
  assert.deepEqual(log, ["now@0", "a@10", "b@15"]);
  assert.equal(timers.size, 1);
  timers.advance(1000);
  assert.deepEqual(log.at(-1), "c@30");
  assert.equal(timers.monotonicMs(), 1029);
  assert.equal(timers.size, 0);
});

test("the platform's timers run once, can be called off, and take any time", async () => {
  let runs = 0;
  const cancel = systemTimers.after(1, () => assert.fail("it was called off"));
  cancel();
  cancel();
  const far = systemTimers.after(Number.POSITIVE_INFINITY, () => assert.fail("not in this life"));
  const fromMs = systemTimers.monotonicMs();
  await new Promise<void>((resolve) => {
    systemTimers.after(
      2,
      () => {
        runs++;
        resolve();
      },
      true,
    );
  });
  assert.equal(runs, 1);
  assert.ok(systemTimers.monotonicMs() >= fromMs);
  far();
});
