// Fields and their deadlines: what is counted, found and listed while some of them run out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KEEP_DEADLINE, NO_DEADLINE } from "../../src/store/keyspace.ts";
import { KIND_RAW, KIND_VALUE, TYPE_SET } from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";

test("fields run out by themselves, and the table with the last of them", () => {
  const small = new SmallStore();
  for (let i = 0; i < 1000; i++) small.set("table", `field ${i}`, "value", small.store.nowMs + 10 + (i % 10));
  small.pass(14);
  assert.equal(small.store.fields.count(small.ref("table")), 500, "exact though the wheel is behind");
  let listed = 0;
  small.store.fields.each(small.ref("table"), () => listed++);
  assert.equal(listed, 500);
  small.workAll();
  checkStore(small.store);
  small.pass(10);
  small.workAll();
  assert.equal(small.find("table"), 0);
  assert.equal(small.store.expiredFields, 1000);
  assert.equal(small.store.memory.wheel.count, 0);
  checkStore(small.store);
});

test("fields whose table is gone, waits for the reaper, or was renamed run out without harm", () => {
  const small = new SmallStore();
  for (const table of ["gone", "renamed", "replaced"]) {
    for (let i = 0; i < 300; i++) small.set(table, `field ${i}`, "value", small.store.nowMs + 10 + i);
  }
  small.remove("gone");
  small.rename("renamed", "new name");
  small.put("replaced", "a string now");
  small.store.memory.reaper.reap(3);
  small.pass(100);
  checkStore(small.store);
  small.workAll();
  assert.equal(small.store.fields.count(small.ref("new name")), 209);
  assert.equal(small.get("replaced"), "a string now");
  checkStore(small.store);
});

test("an expired field is new when it is set again, and keeps no deadline", () => {
  const small = new SmallStore();
  // More than one tick removes, so that some are expired and still there.
  for (let i = 0; i < 900; i++) small.set("table", `field ${i}`, "old", small.store.nowMs + 5);
  small.set("table", "stays", "value");
  small.pass(5);
  for (let i = 0; i < 900; i++) {
    assert.equal(small.field("table", `field ${i}`), undefined);
    small.set("table", `field ${i}`, "new", KEEP_DEADLINE);
    assert.ok(small.store.fields.created);
  }
  small.workAll();
  assert.equal(small.store.fields.count(small.ref("table")), 901);
  checkStore(small.store);
});

test("setDeadline gives, moves and takes away, and removes where it has passed", () => {
  const small = new SmallStore();
  const { fields } = small.store;
  small.table("table", 3);
  const handle = (name: string): number => fields.find(small.ref("table"), Buffer.from(name), 0, name.length);
  assert.equal(fields.setDeadline(small.ref("table"), handle("field 0"), NO_DEADLINE), small.ref("table"));
  assert.ok(fields.isPacked(small.ref("table")), "no deadline needs no entry");
  fields.setDeadline(small.ref("table"), handle("field 0"), small.store.nowMs + 50);
  assert.ok(!fields.isPacked(small.ref("table")));
  assert.equal(fields.deadline(handle("field 0")), small.store.nowMs + 50);
  fields.setDeadline(small.ref("table"), handle("field 0"), small.store.nowMs + 90);
  fields.setDeadline(small.ref("table"), handle("field 1"), small.store.nowMs + 60);
  fields.setDeadline(small.ref("table"), handle("field 1"), NO_DEADLINE);
  small.pass(60);
  assert.equal(fields.count(small.ref("table")), 3);
  fields.setDeadline(small.ref("table"), handle("field 2"), small.store.nowMs);
  assert.equal(fields.count(small.ref("table")), 2);
  small.pass(30);
  assert.equal(fields.count(small.ref("table")), 1);
  assert.equal(fields.setDeadline(small.ref("table"), handle("field 1"), 0), 0);
  assert.equal(small.find("table"), 0);
  checkStore(small.store);
});

test("typed and raw members of the same bytes are two, packed and unpacked", () => {
  const { store } = new SmallStore();
  const { fields } = store;
  const key = Buffer.from("set");
  let ref = fields.create(TYPE_SET, key, 0, key.length, KIND_RAW);
  const add = (byte: number, kind: number): void => {
    ref = fields.set(ref, Buffer.from([byte]), 0, 1, kind, key, 0, 0, 0);
  };
  for (let byte = 0; byte < 120; byte++) {
    add(byte, KIND_RAW);
    add(byte, KIND_VALUE);
    assert.equal(fields.count(ref), (byte + 1) * 2);
  }
  assert.ok(fields.mayHaveTyped(ref));
  for (let byte = 0; byte < 120; byte++) {
    ref = fields.delete(ref, fields.find(ref, Buffer.from([byte]), 0, 1, KIND_VALUE));
    assert.notEqual(fields.find(ref, Buffer.from([byte]), 0, 1, KIND_RAW), 0);
  }
  assert.ok(!fields.mayHaveTyped(ref));
  checkStore(store);
});

test("random draws from packed and unpacked tables, and never what has run out", () => {
  const small = new SmallStore();
  const { fields } = small.store;
  for (const count of [1, 10, 500]) {
    small.table(`table ${count}`, count);
    const seen = new Set<number>();
    for (let i = 0; i < count * 30; i++) seen.add(fields.random(small.ref(`table ${count}`), Math.random));
    assert.equal(seen.size, count);
    assert.ok(!seen.has(0));
  }
  for (let i = 0; i < 499; i++) small.set("table 500", `field ${i}`, "value", small.store.nowMs + 1);
  small.pass(1);
  const left = fields.find(small.ref("table 500"), Buffer.from("field 499"), 0, 9);
  for (let i = 0; i < 20; i++) assert.equal(fields.random(small.ref("table 500"), Math.random), left);
});
