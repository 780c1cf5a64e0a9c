// Deadline: one limit, moved often, on one timer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadline } from "../../../src/net/http/deadline.ts";

test("a limit is due when it was set to, and not when an earlier one was", (t) => {
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const pass = (ms: number): void => {
    for (let i = 0; i < ms; i++) {
      nowMs++;
      t.mock.timers.tick(1);
    }
  };
  const told: string[] = [];
  const deadline = new Deadline();
  deadline.set(100, () => told.push("first"));
  pass(60);
  deadline.set(100, () => told.push("moved on"));
  pass(99);
  assert.equal(told.length, 0);
  pass(1);
  assert.deepEqual(told, ["moved on"]);
  pass(1000);
  assert.deepEqual(told, ["moved on"], "once");
  deadline.set(100, () => told.push("late"));
  deadline.set(10, () => told.push("earlier"));
  pass(10);
  assert.deepEqual(told, ["moved on", "earlier"]);
  pass(1000);
  deadline.set(10, () => told.push("none"));
  deadline.clear();
  pass(20);
  deadline.set(10, () => {
    told.push("again");
    deadline.set(5, () => told.push("from within"));
  });
  pass(15);
  deadline.set(10, () => told.push("none"));
  deadline.end();
  pass(1000);
  assert.deepEqual(told, ["moved on", "earlier", "again", "from within"]);
});
