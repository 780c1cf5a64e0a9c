// The store as a whole: what a key costs, how far addresses go, and that work() comes to an end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { KEYSPACE_ROOT, PAGE_BYTES, SEGMENT_BYTES, SEGMENT_SHIFT, SEGMENTS_MAX } from "../../src/store/layout.ts";
import { PlainSegments, type SegmentProvider } from "../../src/store/segments.ts";
import { Store } from "../../src/store/store.ts";
import { SmallStore } from "../kit/small-store.ts";
import { freshSeed } from "../kit/store-checks.ts";
import { StoreHistory } from "../kit/store-history.ts";
import { checkStore } from "../kit/store-invariants.ts";
import type { Step } from "../kit/store-steps.ts";

const MILLION = 1_000_000;
const BYTES_PER_KEY = 28;

test(`a key costs at most ${BYTES_PER_KEY} bytes beside its name and value, index included`, (t) => {
  const store = new Store({ nowMs: 1 });
  const { containers, pages, totals } = store.memory;
  const name = Buffer.alloc(16);
  const value = Buffer.alloc(64, 1);
  let worst = 0;
  for (let i = 0; i < MILLION; i++) {
    name.writeDoubleLE(i);
    store.keys.put(name, 0, 16, 0, value, 0, 64, 0, NO_DEADLINE);
    // Between two doublings the index is at its loosest somewhere.
    if (i < MILLION / 2 || i % 1024 !== 0) continue;
    worst = Math.max(worst, (totals.entryBytes + containers.indexBytesOf(KEYSPACE_ROOT)) / (i + 1) - 80);
  }
  const atMillion = (totals.entryBytes + containers.indexBytesOf(KEYSPACE_ROOT)) / MILLION - 80;
  const inPages = (pages.inUse * PAGE_BYTES) / MILLION - 80;
  t.diagnostic(
    `${atMillion.toFixed(2)} bytes a key at 1 M, ${worst.toFixed(2)} at most, ${inPages.toFixed(2)} in pages`,
  );
  assert.ok(worst <= BYTES_PER_KEY, `${worst} bytes a key`);
  assert.ok(inPages <= BYTES_PER_KEY * 1.15, `${inPages} bytes a key in pages`);
  store.close();
});

/** Real memory but for the segments `from` to `to`, which are all one buffer: address space for nothing. */
class Gap implements SegmentProvider {
  readonly shared = false;
  readonly #plain = new PlainSegments();
  readonly #filler = new ArrayBuffer(SEGMENT_BYTES);
  #filling = true;

  open(index: number, bytes: number): { buffer: ArrayBuffer; offset: number } {
    return index > 0 && this.#filling ? { buffer: this.#filler, offset: 0 } : this.#plain.open(index, bytes);
  }

  reserve(): void {}

  close(index: number, buffer: ArrayBuffer): void {
    if (buffer !== this.#filler) this.#plain.close(index, buffer);
  }

  endFilling(): void {
    this.#filling = false;
  }
}

test("a history above 16 GiB of addresses, where refs are negative, is like any other", (t) => {
  const seed = freshSeed() || 1;
  t.diagnostic(`STORE_SEED=${seed}`);
  let state = (seed % 0x7ffffffe) + 1;
  const random = (below: number): number => (state = (state * 48271) % 0x7fffffff) % below;
  const provider = new Gap();
  const store = new Store({ nowMs: 1_000_000, provider });
  const { pages } = store.memory;
  const foreign: number[] = [];
  // The rest of segment 0, then whole segments up to the middle of the address space and beyond it.
  for (let i = 0; i < 256; i++) {
    const ref = pages.alloc(PAGE_BYTES * 4);
    foreign.push(ref);
    if (ref >>> SEGMENT_SHIFT > 0) break;
  }
  while (foreign.at(-1)! >>> SEGMENT_SHIFT < SEGMENTS_MAX / 2 + 5) foreign.push(pages.alloc(SEGMENT_BYTES));
  for (let i = 0; i < 63; i++) foreign.push(pages.alloc(PAGE_BYTES * 4));
  provider.endFilling();
  const history = new StoreHistory(store, { checkEvery: 500, foreign, fillBytes: 300 });
  const steps = Array.from(
    { length: 1500 },
    (): Step => [random(100), random(1 << 20), random(1 << 20), random(1 << 20)],
  );
  history.run(steps);
  const name = Buffer.from("high");
  const ref = store.keys.put(name, 0, 4, 0, Buffer.alloc(200_000), 0, 200_000, 0, NO_DEADLINE);
  assert.ok(ref < 0, "the last blocks were above 16 GiB");
  assert.equal(store.keys.find(name, 0, 4), ref);
  for (let i = 0; i < 300; i++) {
    const key = store.keys.find(name, 0, 4);
    if (i === 0) store.keys.remove(key);
    const table = store.keys.find(name, 0, 4) || store.fields.create(2, name, 0, 4, 0);
    const field = Buffer.from(`field ${i}`);
    store.fields.set(table, field, 0, field.length, 0, field, 0, field.length, 0, store.nowMs + 5000);
  }
  checkStore(store, foreign);
  store.setNow(store.nowMs + 5000);
  while (store.hasWork) store.work(() => false);
  assert.equal(store.keys.find(name, 0, 4), 0);
  checkStore(store, foreign);
});

test("everything that expires at one moment goes in slices, and work() ends", () => {
  const small = new SmallStore();
  for (let i = 0; i < 20_000; i++) small.put(`key ${i}`, "value", small.store.nowMs + 100);
  small.pass(100);
  const left = small.store.keys.count;
  assert.ok(left >= 20_000 - 200, "one moment removes a bounded number");
  assert.equal(small.find("key 19999"), 0, "but none is there for a reader");
  assert.ok(small.store.hasWork);
  let slices = 0;
  for (let more = true; more; slices++) {
    let looks = 0;
    more = small.store.work(() => looks++ >= 10);
  }
  assert.ok(slices > 5);
  assert.equal(small.store.keys.count, 0);
  assert.ok(!small.store.hasWork);
  checkStore(small.store);
});

test("after a pause of years work() catches up at once", () => {
  const small = new SmallStore();
  for (let i = 0; i < 500; i++) small.put(`key ${i}`, "value", small.store.nowMs + i * 86_400_000);
  small.pass(400 * 86_400_000);
  let looks = 0;
  while (small.store.hasWork) small.store.work(() => looks++ > 1000);
  assert.ok(looks < 2000, `${looks} looks`);
  assert.equal(small.store.keys.count, 99);
});

test("what comes and goes leaves no page behind", () => {
  const small = new SmallStore();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 5000; i++) small.put(`key ${i}`, "v".repeat((i * 13) % 900), small.store.nowMs + 10_000);
    for (let table = 0; table < 50; table++) small.table(`table ${table}`, table * 4);
    for (let i = 0; i < 5000; i += 2) small.remove(`key ${i}`);
    for (let table = 0; table < 50; table++) if (small.find(`table ${table}`) !== 0) small.remove(`table ${table}`);
    small.pass(10_000);
    small.workAll();
    assert.equal(small.store.keys.count, 0);
    assert.equal(small.store.memory.totals.entryBytes, 0);
    assert.ok(small.store.memory.pages.inUse <= 60, `${small.store.memory.pages.inUse} pages in use`);
    checkStore(small.store);
  }
});
