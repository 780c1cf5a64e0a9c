// The compactor: memory goes back, nothing is lost, whatever kind of block lies in a sparse page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGE_SHIFT, SEGMENT_BYTES } from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";

const KEYS = 300_000;

test("nine tenths of 300,000 keys go, and the memory goes back to about what is left", () => {
  const small = new SmallStore();
  const { store } = small;
  const value = "v".repeat(150);
  for (let i = 0; i < KEYS; i++) small.put(`key ${i}`, value, i % 3 === 0 ? store.nowMs + 1_000_000 + i : undefined);
  const full = store.memory.pages.openBytes;
  for (let i = 0; i < KEYS; i++) if (i % 10 !== 0) small.remove(`key ${i}`);
  small.workAll();
  const { pages } = store.memory;
  assert.ok(store.compactor.moved > 0);
  assert.ok(full > 3 * SEGMENT_BYTES);
  assert.ok(
    pages.openBytes <= 1.5 * pages.blockBytes + 2 * SEGMENT_BYTES,
    `${pages.openBytes >> 20} MiB open for ${pages.blockBytes >> 20} MiB in use`,
  );
  checkStore(store);
  for (let i = 0; i < KEYS; i += 10) assert.equal(small.get(`key ${i}`), value);
  for (let i = 0; i < KEYS; i += 10) small.remove(`key ${i}`);
  small.workAll();
  assert.ok(pages.inUse < 64, `${pages.inUse} pages in use when nothing is left`);
  checkStore(store);
});

test("roots, directories, buckets, overflow nodes, fields and their deadlines move too", () => {
  const small = new SmallStore();
  const { store } = small;
  const { memory } = store;
  for (let table = 0; table < 40; table++) {
    small.table(`table ${table}`, 100 + table * 60);
    for (let i = 0; i < 50; i++) small.set(`table ${table}`, `field ${i}`, "with a deadline", store.nowMs + 5000 + i);
    small.put(`string ${table}`, "x".repeat(table * 300), store.nowMs + 9000);
  }
  for (let table = 0; table < 40; table++) if (table % 4 !== 1) small.remove(`table ${table}`);
  while (!memory.reaper.idle) memory.reaper.reap(100);
  // As after want(), but everything is to move.
  memory.pages.eachSpan((page) => memory.pages.evacuate(page));
  store.compactor.want();
  const left: number[] = [];
  const endEvacuation = memory.pages.endEvacuation.bind(memory.pages);
  memory.pages.endEvacuation = () => {
    memory.pages.eachSpan((page) => memory.pages.isEvacuating((page << PAGE_SHIFT) | 0) && left.push(page));
    endEvacuation();
  };
  while (store.compactor.walks === 0) store.compactor.step(100_000);
  assert.equal(store.compactor.walks, 1);
  assert.deepEqual(left, [], "pages that should be empty");
  checkStore(store);
  for (let table = 1; table < 40; table += 4) {
    assert.equal(small.field(`table ${table}`, "field 7"), "with a deadline");
    assert.equal(small.field(`table ${table}`, "field 90"), "value 90");
  }
  small.pass(5049);
  small.workAll();
  for (let table = 1; table < 40; table += 4) assert.equal(small.field(`table ${table}`, "field 7"), undefined);
  checkStore(store);
});

test("tables come, go and change their names while the compactor walks", () => {
  const small = new SmallStore();
  const { store } = small;
  for (let i = 0; i < 400; i++) small.table(`table ${i}`, 70);
  for (let i = 0; i < 400; i++) if (i % 3 !== 0) small.remove(`table ${i}`);
  small.workAll();
  store.compactor.want();
  let next = 0;
  for (let slice = 0; store.hasWork; slice++) {
    let steps = 0;
    store.work(() => steps++ > 0);
    if (slice > 600) continue;
    small.table(`new ${slice}`, 66);
    small.rename(`table ${(next += 3) % 399}`, `table ${(next + 1) % 399}`);
    small.rename(`table ${(next + 1) % 399}`, `table ${next % 399}`);
    if (slice % 2 === 1) small.remove(`new ${slice - 1}`);
    if (slice % 50 === 0) checkStore(store);
  }
  checkStore(store);
  for (let i = 0; i < 399; i += 3) assert.equal(small.field(`table ${i}`, "field 69"), "value 69", `table ${i}`);
});

test("emptied segments go back one segment at a time", () => {
  const small = new SmallStore();
  const { pages } = small.store.memory;
  for (let i = 0; i < 12; i++) small.put(`key ${i}`, "v".repeat(12 << 20));
  for (let i = 1; i < 12; i++) small.remove(`key ${i}`);
  let slices = 0;
  while (small.store.hasWork) {
    const before = pages.openBytes;
    small.store.work(() => false);
    assert.ok(before - pages.openBytes <= SEGMENT_BYTES);
    slices++;
  }
  assert.ok(slices > 8);
  assert.ok(pages.openBytes <= 3 * SEGMENT_BYTES);
  checkStore(small.store);
});

test("a walk that runs out of memory ends, and nothing is lost", () => {
  const small = new SmallStore();
  const { store } = small;
  const { pages } = store.memory;
  for (let i = 0; i < 5000; i++) small.put(`key ${i}`, "v".repeat(i % 700));
  for (let i = 0; i < 5000; i++) if (i % 3 !== 0) small.remove(`key ${i}`);
  const alloc = pages.alloc.bind(pages);
  for (let fail = 1; fail < 2000; fail = Math.ceil(fail * 1.7)) {
    store.compactor.want();
    let left = fail;
    pages.max = pages.inUse;
    pages.alloc = (bytes) => {
      if (--left === 0) pages.overdraft = -1000;
      return alloc(bytes);
    };
    small.workAll();
    checkStore(store);
  }
  for (let i = 0; i < 5000; i += 3) assert.equal(small.get(`key ${i}`)?.length, i % 700);
});

test("a walk that began while the hive filled does not stop later ones", () => {
  const small = new SmallStore();
  const { store } = small;
  const { pages } = store.memory;
  const value = "v".repeat(2000);
  for (let i = 0; i < 60_000; i++) {
    small.put(`key ${i}`, value);
    if (i !== 5000) continue;
    store.compactor.want();
    store.compactor.step(1);
  }
  small.workAll();
  const full = pages.openBytes;
  for (let i = 0; i < 60_000; i++) {
    if (i % 10 !== 0) small.remove(`key ${i}`);
  }
  small.workAll();

  assert.ok(pages.openBytes < full / 2, `${pages.openBytes} bytes are open, ${full} were`);
});

test("a walk touches no fresh memory while there are holes enough", () => {
  const small = new SmallStore();
  const { store } = small;
  const { runs } = store.memory.pages;
  const value = "v".repeat(150);
  for (let i = 0; i < KEYS; i++) small.put(`key ${i}`, value);
  const slice = (): void => {
    const before = runs.touchedBytes;
    let steps = 0;
    store.work(() => steps++ > 8);
    assert.ok(runs.touchedBytes <= before, `${(runs.touchedBytes - before) >> 10} KiB of fresh memory`);
  };
  for (let i = 0; i < KEYS; i++) {
    if (i % 10 !== 0) small.remove(`key ${i}`);
    if (i % 500 === 0 && store.hasWork) slice();
  }
  while (store.hasWork) slice();
  assert.ok(store.compactor.walks > 1);
  checkStore(store);
});

test("when a large table goes, all but the first segment goes back", () => {
  const small = new SmallStore();
  const { store } = small;
  const { pages } = store.memory;
  small.put("small", "value");
  small.table("large", 500_000);
  small.put("late", "value");
  assert.ok(pages.openBytes > SEGMENT_BYTES + SEGMENT_BYTES / 2);
  small.remove("large");
  small.workAll();
  assert.ok(pages.openBytes < SEGMENT_BYTES, `${pages.openBytes >> 10} KiB are open`);
  assert.deepEqual([small.get("small"), small.get("late")], ["value", "value"]);
  checkStore(store);
});

test("marks are set and taken off a bounded number of pages at a time", () => {
  const small = new SmallStore();
  const { pages } = small.store.memory;
  for (let i = 0; i < 60_000; i++) small.put(`key ${i}`, "v".repeat(700));
  for (let i = 0; i < 10; i++) small.put(`large ${i}`, "v".repeat(15 << 20));
  for (let i = 0; i < 60_000; i++) if (i % 10 !== 0) small.remove(`key ${i}`);
  const endEvacuation = pages.endEvacuation.bind(pages);
  const eachSpan = pages.eachSpan.bind(pages);
  let most = 0;
  let ends = 0;
  pages.endEvacuation = (from = 0, to = Number.POSITIVE_INFINITY) => {
    most = Math.max(most, to - from);
    ends++;
    endEvacuation(from, to);
  };
  pages.eachSpan = (visit, from = 0, to = Number.POSITIVE_INFINITY) => {
    most = Math.max(most, to - from);
    eachSpan(visit, from, to);
  };
  small.store.compactor.want();
  small.workAll();
  assert.ok(small.store.compactor.walks > 0);
  assert.ok(ends > small.store.compactor.walks, "more than one part for a walk");
  assert.ok(most <= 1024, `${most} pages at once`);
  pages.endEvacuation = endEvacuation;
  pages.eachSpan = eachSpan;
  checkStore(small.store);
});
