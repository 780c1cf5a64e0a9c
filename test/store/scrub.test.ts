// Scrub: of an entry that says so no byte stays behind, wherever it was in its life.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { TYPE_TABLE } from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";

const SECRET = "correct horse battery staple";

function scrubbed(small: SmallStore, name: string): void {
  small.store.keys.setScrub(small.ref(name));
}

/** How often the secret stands anywhere in the store's memory. */
function copies(small: SmallStore, secret: string = SECRET): number {
  let count = 0;
  for (const bytes of small.store.memory.segments.bytes) {
    for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, at + 1)) count++;
  }
  return count;
}

function withSecret(pad = 0): SmallStore {
  const small = new SmallStore();
  small.put("secret", `${"-".repeat(pad)}${SECRET}`);
  scrubbed(small, "secret");
  assert.equal(copies(small), 1);
  return small;
}

test("a deleted, expired or evicted entry leaves nothing", () => {
  for (const how of ["remove", "expire", "evict"] as const) {
    const small = withSecret();
    if (how === "expire") {
      small.store.keys.setDeadline(small.ref("secret"), small.store.nowMs + 10);
      assert.equal(copies(small), 1, "one with a deadline is another entry");
      small.pass(10);
    } else if (how === "evict") small.store.keys.remove(small.ref("secret"), "evict");
    else small.remove("secret");
    assert.equal(copies(small), 0, how);
  }
});

test("a replaced value leaves nothing, whether it is longer, shorter or as long", () => {
  for (const length of [0, 5, 10, SECRET.length, 40, 500]) {
    const small = withSecret();
    small.put("secret", "x".repeat(length));
    assert.equal(copies(small), 0);
    assert.equal(copies(small, SECRET.slice(-8)), 0, `the end, after one of ${length} bytes`);
  }
});

test("a shortened value leaves nothing of its end, in place or elsewhere", () => {
  for (const pad of [0, 20, 200, 3000]) {
    for (const length of [0, 10, pad + 1]) {
      const small = withSecret(pad);
      small.resize("secret", length);
      assert.equal(copies(small, SECRET.slice(-8)), 0, `${pad} and ${length}`);
    }
  }
});

test("a renamed and a moved entry leave nothing where they were", () => {
  const small = withSecret();
  small.rename("secret", "another name");
  assert.equal(copies(small), 1);
  small.store.memory.pages.eachSpan((page) => small.store.memory.pages.evacuate(page));
  small.store.compactor.want();
  small.workAll();
  assert.ok(small.store.compactor.moved > 0);
  assert.equal(copies(small), 1);
  small.store.keys.clear();
  small.workAll();
  assert.equal(copies(small), 0);
});

test("records of a table leave nothing when they are replaced, cut out, or get entries of their own", () => {
  const small = new SmallStore();
  const key = Buffer.from("table");
  small.store.fields.create(TYPE_TABLE, key, 0, key.length, 0);
  scrubbed(small, "table");
  for (let i = 0; i < 9; i++) small.set("table", `field ${i}`, `${i} ${SECRET}`);
  assert.equal(copies(small), 9);
  small.set("table", "field 0", "x");
  small.set("table", "field 1", `${SECRET} ${SECRET}`);
  small.set("table", "field 8", "");
  small.delete("table", "field 2");
  small.delete("table", "field 7");
  assert.equal(copies(small), 6);
  for (let i = 0; i < 100; i++) small.set("table", `more ${i}`, "x");
  assert.ok(!small.store.fields.isPacked(small.ref("table")));
  assert.equal(copies(small), 6);
  small.set("table", "field 3", "x".repeat(200));
  small.delete("table", "field 4");
  small.set("table", "field 5", "deadline", small.store.nowMs + 10);
  small.set("table", "fresh", SECRET, NO_DEADLINE);
  assert.equal(copies(small), 4);
  small.remove("table");
  small.workAll();
  assert.equal(copies(small), 0);
  checkStore(small.store);
});

test("a table that becomes a secret when it has fields already leaves nothing of those", () => {
  for (const fields of [10, 100]) {
    const small = new SmallStore();
    for (let i = 0; i < fields; i++) small.set("table", `field ${i}`, `${i} ${SECRET}`);
    scrubbed(small, "table");
    small.store.keys.setOwner(small.ref("table"), 3, { isOfSession: true });
    const before = copies(small);
    small.delete("table", "field 3");
    small.set("table", "field 4", "x");
    assert.equal(copies(small), before - 2);
    small.remove("table");
    small.workAll();
    // What was written before it was a secret, and moved since, may still stand where it was.
    assert.equal(copies(small), before - fields);
    checkStore(small.store);
  }
});
