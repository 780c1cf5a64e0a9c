// After a rollback everything is as it was: values, deadlines, versions, and whose container is whose.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HiveError } from "../../src/base/errors.ts";
import { HEADER_BUSY } from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";
import { StoreModel } from "../kit/store-model.ts";

/** Does `change` and takes it back; everything a client can see must be as before. */
function undone(small: SmallStore, change: () => void): void {
  const { undo } = small.store;
  const model = new StoreModel(small.store);
  const before = model.dump();
  undo.begin();
  change();
  undo.rollback();
  assert.deepEqual(model.dump(), before);
  checkStore(small.store);
  small.workAll();
  assert.deepEqual(model.dump(), before);
  checkStore(small.store);
}

function filled(): SmallStore {
  const small = new SmallStore();
  small.put("string", "value");
  small.put("leaving", "value", small.store.nowMs + 5000);
  small.table("packed", 5);
  small.table("table", 200);
  small.set("table", "leaving", "value", small.store.nowMs + 5000);
  return small;
}

test("what was created goes, what was replaced, removed or given a deadline comes back", () => {
  const small = filled();
  undone(small, () => {
    small.put("new", "value");
    small.put("string", "a longer value than before");
    small.put("table", "a string now");
    small.remove("leaving");
    small.set("packed", "field 1", "changed");
    small.delete("packed", "field 2");
    small.store.keys.setDeadline(small.ref("packed"), small.store.nowMs + 10);
  });
});

test("fields of a table come back, those with deadlines too, and so does the key's version", () => {
  const small = filled();
  undone(small, () => {
    small.set("table", "field 1", "changed");
    small.set("table", "new", "value");
    small.delete("table", "leaving");
    small.set("table", "leaving", "again", small.store.nowMs + 10);
    for (let i = 0; i < 200; i++) if (i !== 1) small.delete("table", `field ${i}`);
  });
});

test("a table that was emptied, and filled anew under its name, comes back", () => {
  const small = filled();
  undone(small, () => {
    small.remove("table");
    small.table("table", 70);
    small.remove("table");
    small.set("table", "only", "value");
  });
});

test("a packed table that was unpacked is packed again", () => {
  const small = filled();
  undone(small, () => {
    small.table("packed", 100);
    small.set("packed", "field 3", "changed", small.store.nowMs + 10);
  });
  assert.ok(small.store.fields.isPacked(small.ref("packed")));
});

test("a table that was renamed has its old name back, whatever the new name named before", () => {
  for (const to of ["new", "string", "packed", "leaving"]) {
    const small = filled();
    undone(small, () => {
      small.rename("table", to);
      small.set(to, "field 1", "changed");
    });
    assert.equal(small.field("table", "field 1"), "value 1");
  }
  const small = filled();
  small.table("other", 90);
  undone(small, () => {
    small.rename("table", "other");
    small.rename("other", "third");
    small.rename("string", "table");
  });
  assert.equal(small.field("other", "field 80"), "value 80");
});

test("a rollback succeeds when memory is full: what was there had its memory before", () => {
  const small = new SmallStore({ maxMemoryBytes: 40 * 65536 });
  small.put("large", "v".repeat(1_000_000));
  undone(small, () => {
    small.remove("large");
    assert.throws(() => {
      for (let i = 0; ; i++) small.put(`key ${i}`, "v".repeat(10_000));
    });
  });
});

test("a rollback to which the system gives no memory says so, and puts back what it can", () => {
  const small = filled();
  const { undo, memory } = small.store;
  undo.begin();
  small.remove("string");
  small.remove("leaving");
  small.remove("packed");
  const alloc = memory.pages.alloc.bind(memory.pages);
  let left = 2;
  memory.pages.alloc = (bytes) => {
    if (--left === 0) throw new HiveError("OUT_OF_MEMORY", "an allocation that fails");
    return alloc(bytes);
  };
  assert.throws(() => undo.rollback(), HiveError);
  assert.ok(!undo.armed);
  assert.equal(small.get("string"), "value");
  assert.equal(small.find("leaving"), 0);
  assert.equal(small.field("packed", "field 1"), "value 1");
  checkStore(small.store);
});

test("what was noted of a scrubbed entry is overwritten", () => {
  const small = filled();
  const ref = small.put("secret", "swordfish, swordfish, swordfish");
  small.store.keys.setScrub(ref);
  let noted: Buffer | undefined;
  const from = Buffer.from;
  Buffer.from = ((...args: Parameters<typeof from>) => {
    const copy = from(...args);
    if (copy.includes("swordfish")) noted = copy;
    return copy;
  }) as typeof from;
  try {
    small.store.undo.begin();
    small.remove("secret");
  } finally {
    Buffer.from = from;
  }
  assert.ok(noted);
  small.store.undo.commit();
  assert.ok(!noted.includes("swordfish"));
});

test("what a rollback brings back counts for its owner again", () => {
  const small = new SmallStore();
  const { memory, undo, keys } = small.store;
  const { entries, totals } = memory;
  keys.setOwner(small.put("k", "value"), 7, { payer: 9 });
  const before = new Map(totals.ownerBytes);
  undo.begin();
  small.put("k", "another value that is longer than the first");
  undo.rollback();
  assert.equal(entries.ownerOf(small.ref("k")), 7);
  assert.deepEqual(totals.ownerBytes, before);
  checkStore(small.store);
  small.remove("k");
  assert.equal(totals.entryBytes, 0);
});

test("an owner that was given or taken is what it was before, for the fields of a table too", () => {
  const small = filled();
  small.store.keys.setOwner(small.ref("string"), 7, { payer: 9 });
  small.store.keys.setOwner(small.ref("table"), 7, { payer: 9 });
  const before = new Map(small.store.memory.totals.ownerBytes);
  undone(small, () => {
    small.store.keys.setOwner(small.ref("string"), 0);
    small.store.keys.setOwner(small.ref("leaving"), 8, { payer: 5, isOfSession: true });
    small.store.keys.setOwner(small.ref("packed"), 8, { payer: 5, isOfSession: true });
    small.store.keys.setOwner(small.ref("table"), 8, { payer: 5, isOfSession: true });
    small.set("table", "new", "value");
  });
  assert.deepEqual(small.store.memory.totals.ownerBytes, before);
});

test("names that were noted are overwritten, those of a secret's new fields too", () => {
  const small = filled();
  small.store.keys.setScrub(small.ref("table"));
  small.set("table", "swordfish one", "value");
  const noted: Buffer[] = [];
  const from = Buffer.from;
  small.store.undo.begin();
  Buffer.from = ((...args: Parameters<typeof from>) => {
    const copy = from(...args);
    // Not what the test itself makes of a text.
    if (typeof args[0] !== "string" && copy.includes("swordfish")) noted.push(copy);
    return copy;
  }) as typeof from;
  try {
    small.delete("table", "swordfish one");
    small.set("table", "swordfish two", "value");
  } finally {
    Buffer.from = from;
  }
  small.store.undo.rollback();
  assert.ok(noted.length >= 3, "two names and what one of them named");
  for (const copy of noted) assert.ok(!copy.includes("swordfish"));
});

test("while a command may still be taken back, readers in other processes ask the socket", () => {
  const { undo, memory } = filled().store;
  const busy = (): number => memory.segments.words[0]![HEADER_BUSY]!;
  undo.begin();
  assert.equal(busy(), 1);
  undo.rollback();
  undo.begin();
  undo.commit();
  assert.equal(busy(), 0);
});
