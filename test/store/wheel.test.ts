// The wheel against a sorted list: nothing is due before its millisecond, and everything is due at it,
// however far the clock jumps, and whichever way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FLAG_TTL, TTL_CONTAINER, TTL_HIGH, TTL_LOW, TTL_SLOT } from "../../src/store/layout.ts";
import { Wheel } from "../../src/store/wheel.ts";

const DAY_MS = 86_400_000;

/** A wheel over entries of 8 units each, without a store around them. */
class Entries {
  readonly words = new Int32Array(16 * 12_000);
  readonly wheel: Wheel;
  readonly deadlines = new Map<number, number>();
  #next = 8;

  constructor(nowMs: number) {
    this.wheel = new Wheel([this.words], nowMs);
  }

  add(deadlineMs: number, container = 0): number {
    const ref = this.#next;
    this.#next += 8;
    this.words[ref * 2] = FLAG_TTL;
    this.words[ref * 2 + TTL_SLOT] = -1;
    this.words[ref * 2 + TTL_CONTAINER] = container;
    this.link(ref, deadlineMs);
    return ref;
  }

  link(ref: number, deadlineMs: number): void {
    this.words[ref * 2 + TTL_LOW] = deadlineMs | 0;
    this.words[ref * 2 + TTL_HIGH] = Math.floor(deadlineMs / 2 ** 32);
    this.deadlines.set(ref, deadlineMs);
    this.wheel.link(ref);
  }

  /** Moves the clock and takes what is due. */
  take(nowMs: number): number[] {
    const due: number[] = [];
    do {
      this.wheel.advance(nowMs, 100, (ref) => {
        due.push(ref);
        this.deadlines.delete(ref);
      });
    } while (this.wheel.isBehind(nowMs));
    return due;
  }

  /** What should be due. */
  expected(nowMs: number): number[] {
    return [...this.deadlines].filter(([, deadlineMs]) => deadlineMs <= nowMs).map(([ref]) => ref);
  }
}

test("ten thousand random deadlines come due as a sorted list would have them", (t) => {
  const seed = Math.floor(Math.random() * 0x7fffffff);
  t.diagnostic(`seed ${seed}`);
  let state = seed || 1;
  const random = (below: number): number => (state = (state * 48271) % 0x7fffffff) % below;
  let nowMs = 1_000_000_000_000 + random(1_000_000);
  const entries = new Entries(nowMs);
  for (let i = 0; i < 10_000; i++) {
    const ahead = random(2) === 0 ? random(5000) : random(0x7fffffff) * (random(100) + 1);
    const ref = entries.add(nowMs + 1 + ahead);
    if (random(10) === 0) {
      entries.wheel.unlink(ref);
      if (random(2) === 0) entries.link(ref, nowMs + 1 + random(100_000));
      else entries.deadlines.delete(ref);
    }
    if (random(20) !== 0) continue;
    nowMs += random(6) === 0 ? random(400_000_000) : random(200);
    const expected = entries.expected(nowMs).sort();
    assert.deepEqual(entries.take(nowMs).sort(), expected);
    assert.equal(entries.wheel.count, entries.deadlines.size);
  }
  for (const jump of [1, 64, 4096, DAY_MS, 400 * DAY_MS, 40_000 * DAY_MS, 4_000_000 * DAY_MS]) {
    nowMs += jump;
    assert.deepEqual(entries.expected(nowMs).sort(), entries.take(nowMs).sort());
  }
  assert.equal(entries.wheel.count, 0);
});

test("a jump of fifty years is over in a few looks", () => {
  const entries = new Entries(1);
  entries.add(60 * 365 * DAY_MS);
  const soon = entries.add(50 * 365 * DAY_MS);
  let looks = 0;
  for (const nowMs = 51 * 365 * DAY_MS; entries.wheel.isBehind(nowMs); looks++) {
    entries.wheel.advance(nowMs, 100, (ref) => assert.equal(ref, soon));
  }
  assert.ok(looks < 10, `${looks} looks`);
  assert.equal(entries.wheel.count, 1);
});

test("a clock that goes back makes nothing due early and nothing late", () => {
  let nowMs = 1_700_000_000_000;
  const entries = new Entries(nowMs);
  for (const ahead of [1, 63, 64, 100, 5000, 70_000, DAY_MS, 90 * DAY_MS]) entries.add(nowMs + ahead);
  nowMs += 50;
  assert.equal(entries.take(nowMs).length, 1);
  nowMs -= 30 * DAY_MS;
  assert.deepEqual(entries.take(nowMs), []);
  const fresh = [1, 10, 64, 5000, 3 * DAY_MS].map((ahead) => [entries.add(nowMs + ahead), nowMs + ahead] as const);
  for (const [ref, deadlineMs] of fresh) {
    assert.deepEqual(entries.take(deadlineMs - 1), []);
    assert.deepEqual(entries.take(deadlineMs), [ref]);
  }
  for (const [ref, deadlineMs] of [...entries.deadlines].sort((a, b) => a[1] - b[1])) {
    assert.deepEqual(entries.take(deadlineMs - 1), []);
    assert.deepEqual(entries.take(deadlineMs), [ref]);
  }
});

test("deadlines in the past, negative ones and ones beyond any clock do no harm", () => {
  const entries = new Entries(1000);
  entries.add(0);
  entries.add(-5_000_000_000_000);
  const far = entries.add(2 ** 62);
  assert.equal(entries.take(1001).length, 2);
  assert.deepEqual(entries.take(8_640_000_000_000_000), []);
  entries.wheel.unlink(far);
  assert.equal(entries.wheel.count, 0);
});

test("one call takes no more than it was told to", () => {
  const entries = new Entries(0);
  for (let i = 0; i < 100; i++) entries.add(10);
  assert.equal(
    entries.wheel.advance(10, 30, () => {}),
    30,
  );
  assert.equal(entries.wheel.count, 70);
  assert.ok(entries.wheel.isBehind(10));
});

test("soonest finds a key among those that run out first, however many fields run out before", () => {
  const entries = new Entries(0);
  assert.equal(entries.wheel.soonest(), 0);
  for (let i = 0; i < 1000; i++) entries.add(20 + i, 7);
  assert.equal(entries.wheel.soonest(), 0);
  const far = entries.add(9000);
  assert.equal(entries.wheel.soonest(), far);
  // 4101 lies in the same slot of its level as now, but a whole turn away.
  entries.take(10);
  const turn = entries.add(64 * 64 + 5);
  const near = entries.add(200);
  assert.equal(entries.wheel.soonest(), near);
  entries.wheel.unlink(near);
  assert.equal(entries.wheel.soonest(), turn);
  entries.wheel.keyspaceId = 9;
  assert.equal(entries.wheel.soonest(), 0, "keys of an emptied keyspace are none");
});

test("keys and fields of one millisecond are all due", () => {
  const entries = new Entries(0);
  for (let i = 0; i < 100; i++) entries.add(5000, i % 3);
  assert.equal(entries.take(4999).length, 0);
  assert.equal(entries.take(5000).length, 100);
});
