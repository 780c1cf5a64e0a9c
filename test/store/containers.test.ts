// Deleting is O(1) and freeing is done in slices, also for what an emptied keyspace held.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HiveError } from "../../src/base/errors.ts";
import { KEYSPACE_ROOT, ROOT_SEQUENCE } from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";

test("a table of a million fields is dropped at once and freed in steps of so many buckets", () => {
  const small = new SmallStore();
  const { store } = small;
  const { reaper, pages, totals } = store.memory;
  small.table("table", 100);
  const name = Buffer.alloc(8);
  let key = small.ref("table");
  for (let i = 0; i < 1_000_000; i++) {
    name.writeDoubleLE(i);
    key = store.fields.set(key, name, 0, 8, 0, name, 0, 8, 0);
  }
  const buckets = store.memory.index.buckets(store.memory.entries.rootOf(key));
  const full = pages.blockBytes;
  small.remove("table");
  assert.equal(totals.entryBytes, 0, "its bytes are credited at once");
  let steps = 0;
  for (let before = pages.blockBytes; !reaper.idle; steps++) {
    reaper.reap(32);
    assert.ok(before - pages.blockBytes <= 32 * 40 * 64 + 65536 * 2, `${before - pages.blockBytes} bytes in one step`);
    before = pages.blockBytes;
  }
  assert.equal(steps, Math.ceil((buckets + 1) / 32), "each step frees 32 buckets");
  assert.ok(pages.blockBytes < full / 100);
  small.workAll();
  checkStore(store);
  assert.ok(pages.inUse < 40);
});

test("a table of large values is freed a few at a time", () => {
  const small = new SmallStore();
  const { reaper, pages } = small.store.memory;
  const value = "v".repeat(4 << 20);
  for (let i = 0; i < 20; i++) small.set("table", `field ${i}`, value);
  small.remove("table");
  for (let before = pages.blockBytes; !reaper.idle; before = pages.blockBytes) {
    reaper.reap(32);
    assert.ok(before - pages.blockBytes <= 14 << 20, "as much as 32 buckets, and one value");
  }
  checkStore(small.store);
});

test("a container's id is used again only when the container is freed", () => {
  const small = new SmallStore();
  const { containers, entries } = small.store.memory;
  small.table("a", 70);
  const id = containers.idOf(entries.rootOf(small.ref("a")));
  small.remove("a");
  small.table("b", 70);
  assert.notEqual(containers.idOf(entries.rootOf(small.ref("b"))), id);
  small.workAll();
  small.table("c", 70);
  assert.equal(containers.idOf(entries.rootOf(small.ref("c"))), id);
  checkStore(small.store);
});

test("what an emptied keyspace held runs out in peace: its keys and fields are not taken for present ones", () => {
  const small = new SmallStore();
  const { store } = small;
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 300; i++) small.put(`key ${i}`, "value", store.nowMs + 50 + (i % 20));
    small.table("table", 80);
    for (let i = 0; i < 80; i++) small.set("table", `field ${i}`, "value", store.nowMs + 60);
    store.keys.clear();
    assert.equal(store.keys.count, 0);
    small.put("key 7", "kept", store.nowMs + 1000);
    small.set("table", "field 3", "kept", store.nowMs + 1000);
    small.pass(80);
    assert.equal(small.get("key 7"), "kept");
    assert.equal(small.field("table", "field 3"), "kept");
    assert.equal(store.keys.count, 2);
    if (round > 0) checkStore(store);
    if (round === 1) continue;
    small.workAll();
    checkStore(store);
  }
});

test("emptying leaves nothing behind, and half-freed keyspaces pile up without harm", () => {
  const small = new SmallStore();
  const { store } = small;
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 200; i++) small.put(`key ${i}`, "value");
    for (let table = 0; table < 5; table++) small.table(`table ${table}`, 66 + table * 20);
    store.keys.clear();
    store.memory.reaper.reap(round);
    checkStore(store);
  }
  small.workAll();
  checkStore(store);
  assert.ok(store.memory.pages.inUse < 40, `${store.memory.pages.inUse} pages in use`);
  assert.equal(store.memory.totals.entryBytes, 0);
});

test("what is detached while it is held can be had back, and goes to the reaper when it is released", () => {
  const small = new SmallStore();
  const { containers, reaper, entries } = small.store.memory;
  small.table("table", 100);
  const root = entries.rootOf(small.ref("table"));
  const bytes = small.store.memory.totals.entryBytes;
  containers.hold();
  containers.detach(root);
  reaper.reap(1000);
  assert.ok(containers.isDetached(root));
  containers.reattach(root);
  containers.release();
  assert.ok(reaper.idle);
  assert.equal(small.store.memory.totals.entryBytes, bytes);
  assert.equal(small.field("table", "field 5"), "value 5");
  checkStore(small.store);
});

test("an owner has the bytes of its containers, from packed to unpacked to gone", () => {
  const small = new SmallStore();
  const { containers, entries, totals } = small.store.memory;
  small.table("table", 10);
  const packed = small.store.keys.setOwner(small.ref("table"), 7);
  assert.equal(totals.ownerBytes.get(7), entries.size(packed));
  small.table("table", 100);
  const key = small.ref("table");
  const root = entries.rootOf(key);
  assert.equal(containers.accountOf(root), 7);
  assert.equal(totals.ownerBytes.get(7), containers.bytesOf(root) + entries.size(key));
  small.set("table", "more", "x".repeat(1000));
  assert.equal(totals.ownerBytes.get(7), containers.bytesOf(root) + entries.size(key));
  checkStore(small.store);
  small.remove("table");
  assert.equal(totals.ownerBytes.size, 0);
});

test("the sequence of the keyspace's root goes on when it is emptied, and stays when that fails", () => {
  const small = new SmallStore();
  for (let i = 0; i < 1000; i++) small.put(`key ${i}`, "value");
  const { containers, pages, segments } = small.store.memory;
  const sequence = (): number => segments.words[0]![(KEYSPACE_ROOT << 1) + ROOT_SEQUENCE]!;
  const alloc = pages.alloc.bind(pages);
  for (let fails = 1; fails <= 3; fails++) {
    const before = sequence();
    let left = fails;
    pages.alloc = (bytes) => {
      if (--left === 0) throw new HiveError("OUT_OF_MEMORY", "an allocation that fails");
      return alloc(bytes);
    };
    assert.throws(() => containers.detachKeyspace(), HiveError);
    pages.alloc = alloc;
    assert.equal(sequence(), before);
    checkStore(small.store);
  }
  for (let i = 0; i < 3; i++) {
    const before = sequence();
    small.store.keys.clear();
    assert.ok(sequence() > before && sequence() % 2 === 0);
    small.put("key", "value");
  }
  small.workAll();
  checkStore(small.store);
});
