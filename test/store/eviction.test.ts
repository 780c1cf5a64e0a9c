// Each policy lets go of what it should, keeps below its limit, and refuses where it must.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HiveError } from "../../src/base/errors.ts";
import { PAGE_BYTES } from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";

const MAX_BYTES = 64 * PAGE_BYTES;
const VALUE = "v".repeat(1000);

/** Fills a store until keys had to go; every key is `prefix` and its number. */
function fill(small: SmallStore, prefix: string, count: number, deadlineMs?: number): void {
  for (let i = 0; i < count; i++) {
    assert.ok(small.store.eviction.makeRoom(), `room for ${prefix}${i}`);
    small.put(`${prefix}${i}`, VALUE, deadlineMs);
    assert.ok(small.store.usedBytes <= (MAX_BYTES * 9) / 8 + 16 * PAGE_BYTES);
    if (i % 50 === 0) small.workAll();
  }
}

function present(small: SmallStore, prefix: string, count: number): number {
  let there = 0;
  for (let i = 0; i < count; i++) if (small.find(`${prefix}${i}`) !== 0) there++;
  return there;
}

test("noeviction refuses when memory is full, and takes again when some is free", () => {
  const small = new SmallStore({ maxMemoryBytes: MAX_BYTES });
  let count = 0;
  assert.throws(() => {
    while (small.store.eviction.makeRoom()) small.put(`key ${count++}`, VALUE);
    throw new HiveError("OUT_OF_MEMORY", "as a call is refused");
  }, HiveError);
  assert.ok(count > 2500, `${count} keys`);
  assert.ok(small.store.usedBytes <= MAX_BYTES);
  count = small.store.keys.count;
  assert.equal(small.store.keys.evicted, 0);
  for (let i = 0; i < count; i += 2) small.remove(`key ${i}`);
  small.workAll();
  assert.ok(small.store.eviction.makeRoom());
  checkStore(small.store);
});

test("allkeys-lru lets old keys go first", () => {
  const small = new SmallStore({ maxMemoryBytes: MAX_BYTES, maxMemoryPolicy: "allkeys-lru" });
  fill(small, "old ", 1500);
  small.pass(1_000_000);
  fill(small, "young ", 1500);
  for (let i = 0; i < 1500; i++) small.find(`old ${i}`);
  small.pass(1000);
  fill(small, "new ", 1000);
  assert.ok(small.store.keys.evicted > 300, `${small.store.keys.evicted} evicted`);
  const old = present(small, "old ", 1500);
  const young = present(small, "young ", 1500);
  assert.ok(1500 - old > 10 * (1500 - young), `${old} old and ${young} young keys are left`);
  checkStore(small.store);
});

test("allkeys-lfu keeps what is read often, and what is written often", () => {
  const small = new SmallStore({ maxMemoryBytes: MAX_BYTES, maxMemoryPolicy: "allkeys-lfu" });
  fill(small, "rare ", 1200);
  fill(small, "read ", 300);
  fill(small, "written ", 300);
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 300; i++) {
      const name = Buffer.from(`read ${i}`);
      small.store.keys.read(name, 0, name.length);
      if (round % 2 === 0) small.put(`written ${i}`, VALUE);
      else small.put(`written ${i}`, VALUE + "longer");
    }
  }
  fill(small, "new ", 2500);
  assert.ok(small.store.keys.evicted > 300);
  assert.ok(present(small, "read ", 300) > 290);
  assert.ok(present(small, "written ", 300) > 290);
  assert.ok(present(small, "rare ", 1200) < 1000);
});

test("volatile-ttl lets go of what runs out next, and of nothing without a deadline", () => {
  const small = new SmallStore({ maxMemoryBytes: MAX_BYTES, maxMemoryPolicy: "volatile-ttl" });
  fill(small, "stays ", 1000);
  fill(small, "late ", 800, small.store.nowMs + 900_000_000);
  fill(small, "soon ", 800, small.store.nowMs + 90_000);
  fill(small, "new ", 700);
  assert.ok(small.store.keys.evicted > 30, `${small.store.keys.evicted} evicted`);
  assert.equal(present(small, "stays ", 1000), 1000);
  assert.equal(present(small, "late ", 800), 800);
  let count = 0;
  while (small.store.eviction.makeRoom() && count < 10_000) small.put(`more ${count++}`, VALUE.slice(count & 1));
  assert.ok(count < 10_000, "it refuses when no deadline is left");
  assert.equal(present(small, "stays ", 1000), 1000);
  checkStore(small.store);
});

test("volatile-ttl does not take the keys of an emptied keyspace for present ones", () => {
  const small = new SmallStore({ maxMemoryBytes: MAX_BYTES, maxMemoryPolicy: "volatile-ttl" });
  fill(small, "gone ", 2500, small.store.nowMs + 50_000);
  small.store.keys.clear();
  fill(small, "new ", 3000, small.store.nowMs + 90_000);
  checkStore(small.store);
});

test("a table that goes is freed before another key has to go", () => {
  const small = new SmallStore({ maxMemoryBytes: MAX_BYTES, maxMemoryPolicy: "allkeys-lru" });
  for (let table = 0; table < 8; table++) {
    for (let i = 0; i < 450; i++) small.set(`table ${table}`, `field ${i}`, VALUE);
    small.pass(10_000);
  }
  let evicted = 0;
  for (let i = 0; i < 100; i++) {
    assert.ok(small.store.eviction.makeRoom());
    assert.ok(small.store.keys.evicted - evicted <= 4, "one call needs few tables");
    evicted = small.store.keys.evicted;
    small.put(`key ${i}`, VALUE);
  }
  assert.ok(evicted > 0 && evicted <= 5, `${evicted} evicted`);
  small.workAll();
  checkStore(small.store);
});

test("a policy with a limit too small for its pages lets keys go instead of failing", () => {
  const small = new SmallStore({ maxMemoryBytes: PAGE_BYTES * 16, maxMemoryPolicy: "allkeys-lru" });
  for (let i = 0; i < 3000; i++) {
    assert.ok(small.store.eviction.makeRoom());
    small.put(`key ${i}`, "x".repeat((i * 37) % 1500));
    if (i % 20 === 0) small.workAll();
  }
  assert.ok(small.store.keys.evicted > 100);
  checkStore(small.store);
});
