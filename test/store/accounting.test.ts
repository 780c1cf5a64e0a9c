// What is counted is what the entries are: by the byte, by owner, and back to nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Totals } from "../../src/store/accounting.ts";
import { SmallStore } from "../kit/small-store.ts";

test("an owner without bytes has no row", () => {
  const totals = new Totals();
  totals.add(3, 100);
  totals.add(4, 8);
  totals.add(0, 50);
  totals.add(3, -100);
  assert.equal(totals.entryBytes, 58);
  assert.deepEqual([...totals.ownerBytes], [[4, 8]]);
  totals.clear();
  assert.equal(totals.entryBytes + totals.ownerBytes.size, 0);
});

test("an entry counts its header, deadline, name and value, rounded up to 8", () => {
  const small = new SmallStore();
  const { totals } = small.store.memory;
  small.put("name", "value");
  assert.equal(totals.entryBytes, 32); // 16 + 4 + 5, rounded up
  small.put("name", "value", small.store.nowMs + 1000);
  assert.equal(totals.entryBytes, 56);
  small.put("name", "");
  assert.equal(totals.entryBytes, 24);
  small.rename("name", "a longer name");
  assert.equal(totals.entryBytes, 32);
  small.remove("a longer name");
  assert.equal(totals.entryBytes, 0);
});

test("the bytes of the keyspace go beyond 4 GiB", () => {
  const small = new SmallStore();
  const { containers, entries, totals } = small.store.memory;
  small.table("table", 100);
  const root = entries.rootOf(small.ref("table"));
  const before = containers.bytesOf(root);
  containers.account(root, 0, 2 ** 36 + 8);
  assert.equal(containers.bytesOf(root), before + 2 ** 36 + 8);
  containers.account(root, 0, -(2 ** 36));
  assert.equal(containers.bytesOf(root), before + 8);
  assert.ok(totals.entryBytes > 0);
});
