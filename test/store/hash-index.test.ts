// The index finds what is in it through growth and shrinking, also where hashes are chosen badly.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KEYSPACE_ROOT } from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";
import { checkStore } from "../kit/store-invariants.ts";

test("an index grows and shrinks by one bucket at a time and ends where it began", () => {
  const small = new SmallStore();
  const { index } = small.store.memory;
  let before = index.buckets(KEYSPACE_ROOT);
  for (let i = 0; i < 20_000; i++) {
    small.put(`key ${i}`, "");
    const buckets = index.buckets(KEYSPACE_ROOT);
    assert.ok(buckets - before <= 1);
    before = buckets;
  }
  assert.ok(before > 2500 && before < 3000, `${before} buckets`);
  checkStore(small.store);
  for (let i = 0; i < 20_000; i++) {
    small.remove(`key ${i}`);
    const buckets = index.buckets(KEYSPACE_ROOT);
    assert.ok(before - buckets <= 1);
    before = buckets;
  }
  assert.equal(before, 1);
  checkStore(small.store);
});

test("entries with one and the same hash form a chain without holes", () => {
  const { store } = new SmallStore();
  const { index, entries } = store.memory;
  const refs: number[] = [];
  for (let i = 0; i < 100; i++) {
    const name = Buffer.from(`key ${i}`);
    const ref = entries.create(1, name, 0, name.length, 0);
    index.insert(KEYSPACE_ROOT, 12345, ref);
    refs.push(ref);
  }
  const chain = (): number[] => {
    index.bucketOf(KEYSPACE_ROOT, 12345);
    return index.takeChain();
  };
  assert.deepEqual(chain().sort(), [...refs].sort());
  for (const [i, ref] of refs.entries()) {
    if (i % 3 !== 0) continue;
    index.remove(KEYSPACE_ROOT, 12345, ref);
    assert.ok(!chain().includes(ref));
  }
  assert.equal(index.count(KEYSPACE_ROOT), 66);
  assert.deepEqual(chain().sort(), refs.filter((_, i) => i % 3 !== 0).sort());
});
