// Full memory: what throws OUT_OF_MEMORY leaves the key, and the caller's ref, as they were.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HiveError } from "../../src/base/errors.ts";
import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { startCalls } from "../kit/calls.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";

/** Lets no page be taken beyond those in use and `spare` more. */
function limit({ store }: SmallStore, spare: number): void {
  store.memory.pages.max = store.memory.pages.inUse + spare;
}

test("a field that has no room leaves a packed table packed and its ref good", () => {
  for (let spare = 0; spare < 12; spare++) {
    const small = new SmallStore();
    for (let i = 0; i < 3; i++) small.set("table", `field ${i}`, "value");
    const key = small.ref("table");
    const large = Buffer.alloc(50_000, "x");
    const { fields, keys } = small.store;
    limit(small, spare);
    try {
      fields.set(key, Buffer.from("large"), 0, 5, 0, large, 0, large.length, 0, NO_DEADLINE);
      continue;
    } catch (error) {
      assert.ok(error instanceof HiveError);
    }
    assert.equal(small.ref("table"), key);
    assert.ok(fields.isPacked(key));
    assert.equal(fields.count(key), 3);
    small.workAll();
    checkStore(small.store);
    keys.remove(key);
    small.workAll();
    checkStore(small.store);
  }
});

test("a field's deadline that has no room leaves a packed table packed and its ref good", () => {
  for (let spare = 0; spare < 6; spare++) {
    const small = new SmallStore();
    for (let i = 0; i < 3; i++) small.set("table", `field ${i}`, "value");
    const key = small.ref("table");
    const { fields } = small.store;
    limit(small, spare);
    try {
      fields.setDeadline(key, fields.find(key, Buffer.from("field 1"), 0, 7), small.store.nowMs + 1000);
      continue;
    } catch (error) {
      assert.ok(error instanceof HiveError);
    }
    assert.equal(small.ref("table"), key);
    assert.equal(small.field("table", "field 1"), "value");
    small.workAll();
    checkStore(small.store);
  }
});

test("MSET of values of many sizes sets all of them or none", () => {
  for (const spare of [20, 24, 30, 40]) {
    const { call, store } = startCalls({});
    call("SET", "k", "v");
    store.eviction.configure((store.memory.pages.inUse + spare) * 65536, "noeviction");
    const names: string[] = [];
    const args: string[] = [];
    for (let size = 40; size < 9000; size = Math.floor(size * 1.13) + 1) {
      names.push(`key${names.length}`);
      args.push(names.at(-1)!, "v".repeat(size));
    }
    call("MSET", ...args);
    const there = names.filter((name) => call("EXISTS", name) === 1).length;
    assert.ok(there === 0 || there === names.length, `${there} of ${names.length} keys with ${spare} pages`);
  }
});

test("a limit above 2 GiB keeps a sixteenth of it free", () => {
  const { store } = new SmallStore();
  store.eviction.configure(3 * 2 ** 30, "noeviction");
  store.memory.pages.inUse = 2 ** 40;
  for (const [part, room] of [
    [0.93, true],
    [0.95, false],
  ] as const) {
    store.memory.pages.blockBytes = 3 * 2 ** 30 * part;
    assert.equal(store.eviction.makeRoom(), room);
  }
});

test("a key gets another name, a deadline or an owner when memory is full", () => {
  const small = new SmallStore({ maxMemoryBytes: 60 * 65536 });
  const { store } = small;
  const { pages } = store.memory;
  small.put("large", "v".repeat(1_000_000));
  small.table("table", 300);
  let keys = 0;
  assert.throws(() => {
    for (; ; keys++) small.put(`key ${keys}`, "v".repeat(100 + (keys % 50)));
  });
  const full = pages.inUse;
  small.rename("large", "a new name");
  small.rename("table", "another name");
  for (let i = 0; i < keys; i++) {
    const name = `key ${i}`;
    if (i % 4 === 0) store.keys.setDeadline(small.ref(name), store.nowMs + 1000);
    if (i % 4 === 1) small.rename(name, `a much longer name of key ${i}`);
    if (i % 4 === 2) store.keys.setOwner(small.ref(name), 3, { payer: 4 });
    if (i % 8 === 0) store.keys.setDeadline(small.ref(name), Number.POSITIVE_INFINITY);
  }
  assert.ok(pages.inUse > full && pages.inUse < full * 1.5, `${pages.inUse} pages, ${full} before`);
  assert.equal(pages.overdraft, 0);
  assert.equal(small.get("a new name")?.length, 1_000_000);
  assert.throws(() => small.put("one more", "v".repeat(100_000)));
  checkStore(store);
});

test("a full store can be emptied, though that takes a new root", () => {
  const small = new SmallStore();
  small.table("table", 1000);
  for (let i = 0; i < 3000; i++) small.put(`key ${i}`, "value");
  const { pages } = small.store.memory;
  for (let round = 0; round < 20; round++) {
    limit(small, 0);
    small.store.keys.clear();
    assert.equal(small.store.keys.count, 0);
    assert.equal(pages.overdraft, 0);
    if (round % 3 === 0) small.workAll();
    pages.max = Number.POSITIVE_INFINITY;
    small.table(`table ${round}`, 1000);
  }
  small.workAll();
  checkStore(small.store);
});
