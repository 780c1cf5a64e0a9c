// Signals: the first stops, one right behind it says nothing new, a later one is impatience.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SAME_WISH_MS, StopSignals } from "../../src/cli/stop-signals.ts";

test("what comes within half a second of the first signal is the same wish", () => {
  const seen: string[] = [];
  let nowMs = 1000;
  const signals = new StopSignals({
    stop: () => seen.push("stop"),
    giveUp: () => seen.push("give up"),
    monotonicMs: () => nowMs,
  });
  signals.receive();
  signals.receive();
  nowMs += SAME_WISH_MS - 1;
  signals.receive();
  assert.deepEqual(seen, ["stop"]);
  nowMs += 1;
  signals.receive();
  assert.deepEqual(seen, ["stop", "give up"]);
});

test("closed, it listens to nothing", () => {
  const before = process.listenerCount("SIGTERM");
  const signals = new StopSignals({ stop() {}, giveUp() {}, monotonicMs: () => 0 });
  signals.open();
  assert.equal(process.listenerCount("SIGTERM"), before + 1);
  signals.close();
  assert.equal(process.listenerCount("SIGTERM"), before);
});
