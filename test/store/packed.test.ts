// Packed containers: records in one entry, and the moment when they do not fit any more.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PACKED_BYTES_MAX, PACKED_RECORDS_MAX } from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";

test("records are found, replaced by longer and shorter values, and cut out", () => {
  const small = new SmallStore();
  for (let i = 0; i < 20; i++) small.set("table", `f${i}`, "x".repeat(i));
  for (let i = 0; i < 20; i++) small.set("table", `f${i}`, "y".repeat((i * 7) % 33));
  for (let i = 0; i < 20; i += 2) small.delete("table", `f${i}`);
  for (let i = 0; i < 20; i++) {
    assert.equal(small.field("table", `f${i}`), i % 2 === 0 ? undefined : "y".repeat((i * 7) % 33));
  }
  assert.ok(small.store.fields.isPacked(small.ref("table")));
  checkStore(small.store);
  for (let i = 1; i < 20; i += 2) small.delete("table", `f${i}`);
  assert.equal(small.find("table"), 0, "a table goes with its last field");
  checkStore(small.store);
});

test("names and values may be empty", () => {
  const small = new SmallStore();
  small.set("", "", "");
  assert.equal(small.field("", ""), "");
  checkStore(small.store);
});

test("a table unpacks with its sixty-fifth record, and not before", () => {
  const small = new SmallStore();
  small.table("table", PACKED_RECORDS_MAX);
  assert.ok(small.store.fields.isPacked(small.ref("table")));
  small.set("table", "one more", "");
  assert.ok(!small.store.fields.isPacked(small.ref("table")));
  assert.equal(small.store.fields.count(small.ref("table")), PACKED_RECORDS_MAX + 1);
  assert.equal(small.field("table", "field 63"), "value 63");
  checkStore(small.store);
});

test("a table unpacks when it is above 4 KiB, to the byte", () => {
  const small = new SmallStore();
  const room = PACKED_BYTES_MAX - 2 - 5 - 1;
  small.set("full", "f", "x".repeat(room));
  assert.ok(small.store.fields.isPacked(small.ref("full")));
  small.set("full", "f", "x".repeat(room + 1));
  assert.ok(!small.store.fields.isPacked(small.ref("full")));
  assert.equal(small.field("full", "f")?.length, room + 1);
  checkStore(small.store);
});

test("a field with a deadline needs an entry of its own", () => {
  const small = new SmallStore();
  small.set("table", "a", "1");
  small.set("table", "b", "2", small.store.nowMs + 100);
  assert.ok(!small.store.fields.isPacked(small.ref("table")));
  assert.equal(small.field("table", "a"), "1");
  small.pass(100);
  assert.equal(small.field("table", "b"), undefined);
  assert.equal(small.store.fields.count(small.ref("table")), 1);
  checkStore(small.store);
});
