// What is counted is what the entries are: by the byte, by owner, and back to nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GROUP_OWNER_MIN, Totals } from "../../src/store/accounting.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";

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

test("what a key holds counts for its owner, whoever that is at the time, and for nobody in the end", () => {
  const small = new SmallStore();
  const { store } = small;
  const { totals, entries } = store.memory;
  small.put("string", "value");
  small.put("leaving", "value", store.nowMs + 5000);
  small.table("packed", 5);
  small.table("table", 200);
  const names = ["string", "leaving", "packed", "table"];
  const plain = totals.entryBytes;
  for (const owner of [7, 8, 7]) {
    for (const name of names) {
      const ref = store.keys.setOwner(small.ref(name), owner, { isOfSession: owner === 8 });
      assert.equal(ref, small.ref(name), "the entry from now on");
      assert.deepEqual([entries.ownerOf(ref), entries.isOfSession(ref)], [owner, owner === 8]);
    }
    checkStore(store);
    assert.deepEqual([...totals.ownerBytes], [[owner, totals.entryBytes]]);
    assert.deepEqual([...totals.ownerKeys], [[owner, names.length]]);
    assert.equal(totals.entryBytes, plain + names.length * 8, "eight bytes for each key");
  }
  assert.equal(entries.deadline(small.ref("leaving")), store.nowMs + 5000);
  small.put("string", "a longer value than before");
  small.table("packed", 90);
  small.set("table", "new", "value", store.nowMs + 100);
  small.delete("table", "field 7");
  small.rename("table", "other");
  assert.deepEqual([...totals.ownerBytes], [[7, totals.entryBytes]]);
  checkStore(store);
  for (const name of ["string", "packed", "other"]) {
    const ref = store.keys.setOwner(small.ref(name), 0);
    assert.deepEqual([entries.ownerOf(ref), entries.ownedWord(ref)], [0, 0]);
  }
  small.pass(5000);
  checkStore(store);
  assert.equal(totals.ownerBytes.size, 0);
  assert.equal(small.field("other", "field 9"), "value 9");
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

test("a key that is made while there is a creator is his, with all that it will hold", () => {
  const small = new SmallStore();
  const { store } = small;
  const { totals } = store.memory;
  small.put("nobody's", "value");
  store.keys.creator = 9;
  small.put("string", "value", store.nowMs + 1000);
  small.table("table", 200);
  small.put("nobody's", "another value, still nobody's");
  store.keys.creator = 0;
  small.put("later", "value");
  small.put("string", "a longer value than before");
  checkStore(store);
  assert.deepEqual([...totals.ownerKeys], [[9, 2]]);
  assert.equal(store.memory.entries.ownerOf(small.ref("nobody's")), 0);
  small.pass(1000);
  checkStore(store);
  store.keys.clear();
  assert.deepEqual([totals.ownerKeys.size, totals.ownerBytes.size], [0, 0]);
});

test("what owners had before a stretch of changes is noted, of those that it touched", () => {
  const totals = new Totals();
  totals.add(1, 100);
  totals.addKey(1, 1);
  totals.add(2, 50);
  totals.watch();
  totals.add(1, 20);
  totals.addKey(3, 1);
  totals.add(1, -120);
  assert.deepEqual(
    [...totals.unwatch()],
    [
      [1, { bytes: 100, keys: 1 }],
      [3, { bytes: 0, keys: 0 }],
    ],
  );
  assert.deepEqual(totals.of(1), { bytes: 0, keys: 1 });
});

test("an account of two counts for both, and is forgotten when nothing is counted by it", () => {
  const totals = new Totals();
  const device = GROUP_OWNER_MIN + 5;
  assert.deepEqual([totals.account(device, 0), totals.account(7, 7), totals.account(0, 3)], [device, 7, 0]);
  const account = totals.account(device, 3);
  assert.ok(account < 0);
  assert.equal(totals.account(device, 3), account);
  totals.add(account, 100);
  totals.addKey(account, 1);
  totals.addFields(account, 4);
  totals.add(device, 10);
  assert.deepEqual(
    [totals.of(device), totals.of(3)],
    [
      { bytes: 110, keys: 1 },
      { bytes: 100, keys: 1 },
    ],
  );
  assert.deepEqual([totals.entryBytes, totals.groupBytes, totals.groupFields.get(device)], [110, 110, 4]);
  const copy = totals.copy();
  totals.clear();
  totals.add(account, 50);
  assert.equal(totals.of(3).bytes, 0, "of a keyspace that is gone");
  totals.putBack(copy);
  assert.equal(totals.account(device, 3), account);
  totals.add(account, -50);
  assert.deepEqual([totals.of(device).bytes, totals.of(3).bytes, totals.groupFields.get(device)], [60, 50, 4]);
  // Those that nothing is counted by any more do not add up.
  const accounts = new Set<number>();
  for (let payer = 10; payer < 100_000; payer++) accounts.add(totals.account(device, payer));
  assert.equal(accounts.size, 99_990, "no number is given twice");
  assert.ok(totals.copy().pairs.length < 3000, `${totals.copy().pairs.length} are kept`);
  assert.equal(totals.account(device, 3), account);
});
