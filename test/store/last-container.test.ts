// The container looked up last is found again only while it is what its name names.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KIND_VALUE, TYPE_TABLE } from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";

/** More than a packed table holds. */
const FIELDS = 100;

function findContainer(small: SmallStore, name: string, kind = 0): number {
  const bytes = Buffer.from(name);
  return small.store.lastContainer.find(bytes, 0, bytes.length, kind);
}

/** A store whose last container is the table "here". */
function storeWithTable(): SmallStore {
  const small = new SmallStore();
  small.table("here", FIELDS);
  assert.equal(findContainer(small, "here"), small.ref("here"));
  return small;
}

test("the last container is found by its name and no other", () => {
  const small = storeWithTable();
  small.put("hers", "a string");
  assert.equal(findContainer(small, "here"), small.ref("here"));
  assert.equal(findContainer(small, "hers"), small.ref("hers"));
  assert.equal(findContainer(small, "her"), 0);
  assert.equal(findContainer(small, "here "), 0);
  assert.equal(findContainer(small, ""), 0);
  assert.equal(findContainer(small, "here", KIND_VALUE), 0, "an encoded value is another key");
});

test("a container that was removed, emptied or replaced is not found", () => {
  const small = storeWithTable();
  small.remove("here");
  assert.equal(findContainer(small, "here"), 0);
  small.workAll();
  assert.equal(findContainer(small, "here"), 0, "freed");

  small.table("here", FIELDS);
  assert.equal(findContainer(small, "here"), small.ref("here"));
  for (let i = 0; i < FIELDS; i++) small.delete("here", `field ${i}`);
  assert.equal(findContainer(small, "here"), 0);

  small.table("here", FIELDS);
  findContainer(small, "here");
  const string = small.put("here", "a string now");
  assert.equal(findContainer(small, "here"), string);
});

test("a container that was renamed is found by its new name", () => {
  const small = storeWithTable();
  small.rename("here", "there");
  assert.equal(findContainer(small, "here"), 0);
  assert.equal(findContainer(small, "there"), small.ref("there"));
  small.table("here", FIELDS);
  small.rename("there", "here");
  assert.equal(findContainer(small, "here"), small.ref("here"));
  assert.equal(small.store.fields.count(small.ref("here")), FIELDS);
});

test("nothing is found in a keyspace that was emptied, however often", () => {
  const small = storeWithTable();
  for (let round = 0; round < 5; round++) {
    small.store.keys.clear();
    assert.equal(findContainer(small, "here"), 0, `round ${round}`);
    if (round % 2 === 1) small.workAll();
    small.table("here", FIELDS);
    assert.equal(findContainer(small, "here"), small.ref("here"));
  }
});

test("a container whose key runs out is not found afterwards", () => {
  const small = storeWithTable();
  small.store.keys.setDeadline(small.ref("here"), small.store.nowMs + 10);
  assert.equal(findContainer(small, "here"), small.ref("here"));
  small.pass(10);
  assert.equal(findContainer(small, "here"), 0);
});

test("a container is found where undo has put it back, and not where undo took it away", () => {
  const small = storeWithTable();
  const { undo } = small.store;
  undo.begin();
  small.remove("here");
  assert.equal(findContainer(small, "here"), 0);
  undo.rollback();
  assert.equal(findContainer(small, "here"), small.ref("here"));
  assert.equal(small.store.fields.count(small.ref("here")), FIELDS);

  undo.begin();
  const name = Buffer.from("new");
  small.store.fields.create(TYPE_TABLE, name, 0, name.length, 0);
  small.table("new", FIELDS);
  assert.equal(findContainer(small, "new"), small.ref("new"));
  undo.rollback();
  assert.equal(findContainer(small, "new"), 0);
});

test("a container is found while the compactor moves it", () => {
  const small = new SmallStore();
  for (let i = 0; i < 3000; i++) small.put(`key ${i}`, "x".repeat(1000));
  small.table("here", 3000);
  findContainer(small, "here");
  for (let i = 0; i < 3000; i++) if (i % 10 !== 0) small.remove(`key ${i}`);
  for (let i = 0; i < 3000; i++) if (i % 10 !== 0) small.delete("here", `field ${i}`);
  for (let turn = 0; turn < 1000 && small.store.hasWork; turn++) {
    let looks = 0;
    small.store.work(() => ++looks > 3);
    assert.equal(findContainer(small, "here"), small.ref("here"));
  }
  small.workAll();
  assert.equal(findContainer(small, "here"), small.ref("here"));
});

test("nothing is found of a keyspace whose id is used again while the reaper is still busy with what it held", () => {
  for (let slices = 0; slices < 40; slices++) {
    const small = storeWithTable();
    const ids = new Set<number>();
    for (let round = 0; round < 12; round++) {
      small.store.keys.clear();
      assert.equal(findContainer(small, "here"), 0, `${slices} slices, round ${round}`);
      let left = slices;
      small.store.work(() => left-- <= 0);
      assert.equal(findContainer(small, "here"), 0, `${slices} slices, round ${round}, after work`);
      small.put("other", "x");
      ids.add(small.store.memory.containers.keyspaceId);
    }
    assert.ok(ids.size > 0);
  }
});
