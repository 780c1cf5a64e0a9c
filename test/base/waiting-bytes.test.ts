// What waits on all connections: counted where it is found, counted anew when it is too much, and who is cut off.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Holder, UNCOUNTED_BYTES, WaitingBytes } from "../../src/base/waiting-bytes.ts";

const MAX = 100 * UNCOUNTED_BYTES;

class TestHolder implements Holder {
  waitingBytes = 0;
  reasons: string[] = [];
  cutOff(reason: string): void {
    this.reasons.push(reason);
    this.waitingBytes = 0;
  }
}

function holding(waiting: WaitingBytes, units: number): TestHolder {
  const holder = new TestHolder();
  holder.waitingBytes = units * UNCOUNTED_BYTES;
  waiting.weigh(holder);
  return holder;
}

test("what is little is not counted, and what has become little no longer", () => {
  const waiting = new WaitingBytes(MAX);
  const holder = holding(waiting, 1);
  assert.equal(waiting.total, 0);
  holder.waitingBytes = 10 * UNCOUNTED_BYTES;
  waiting.weigh(holder);
  waiting.weigh(holder);
  assert.equal(waiting.total, 10 * UNCOUNTED_BYTES);
  holder.waitingBytes = 4 * UNCOUNTED_BYTES;
  waiting.weigh(holder);
  assert.equal(waiting.total, 4 * UNCOUNTED_BYTES);
  holder.waitingBytes = 1;
  waiting.weigh(holder);
  assert.deepEqual([waiting.total, waiting.size], [0, 0]);
  waiting.forget(holder);
  assert.equal(waiting.total, 0);
});

test("above the limit those that hold the most are cut off, until an eighth is free", () => {
  const waiting = new WaitingBytes(MAX);
  const small = Array.from({ length: 10 }, () => holding(waiting, 5));
  const [big, bigger] = [holding(waiting, 20), holding(waiting, 25)];
  assert.equal(waiting.total, 95 * UNCOUNTED_BYTES);
  const last = holding(waiting, 6);
  assert.equal(bigger.reasons.length, 1);
  assert.match(bigger.reasons[0]!, /^\d+ bytes waited on it when all connections together exceeded waitingBytesMax/);
  for (const holder of [big, last, ...small]) assert.deepEqual(holder.reasons, []);
  assert.equal(waiting.total, 76 * UNCOUNTED_BYTES);
});

test("what was read meanwhile is looked at before anybody is cut off", () => {
  const waiting = new WaitingBytes(MAX);
  const readers = Array.from({ length: 9 }, () => holding(waiting, 10));
  for (const reader of readers) reader.waitingBytes = 0;
  const last = holding(waiting, 50);
  for (const holder of [last, ...readers]) assert.deepEqual(holder.reasons, []);
  assert.deepEqual([waiting.total, waiting.size], [50 * UNCOUNTED_BYTES, 1]);
});

test("the one that is being weighed may be cut off itself, and one that ends another is no trouble", () => {
  const waiting = new WaitingBytes(MAX);
  const other = holding(waiting, 30);
  const holder = new TestHolder();
  holder.waitingBytes = 90 * UNCOUNTED_BYTES;
  holder.cutOff = () => waiting.forget(other);
  waiting.weigh(holder);
  assert.deepEqual(other.reasons, []);
  assert.deepEqual([waiting.total, waiting.size], [0, 0]);
});
