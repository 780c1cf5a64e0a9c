// Draws: every entry has its chance, and about the same one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KEYSPACE_ROOT } from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";

test("random reaches every entry of a chain longer than usual", () => {
  const { store } = new SmallStore();
  const { index, entries } = store.memory;
  for (let i = 0; i < 40; i++) {
    const name = Buffer.from(`key ${i}`);
    index.insert(KEYSPACE_ROOT, 0, entries.create(1, name, 0, name.length, 0));
  }
  let state = 1;
  const random = (): number => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff;
  const seen = new Set<number>();
  for (let i = 0; i < 4000; i++) seen.add(index.random(KEYSPACE_ROOT, random, () => true));
  assert.equal(seen.size, 40);
});

test("random draws about evenly", () => {
  const small = new SmallStore();
  const { index } = small.store.memory;
  for (let i = 0; i < 1000; i++) small.put(`key ${i}`, "");
  let state = 1;
  const random = (): number => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff;
  const counts = new Map<number, number>();
  for (let i = 0; i < 100_000; i++) {
    const ref = index.random(KEYSPACE_ROOT, random, () => true);
    counts.set(ref, (counts.get(ref) ?? 0) + 1);
  }
  assert.equal(counts.size, 1000);
  const values = [...counts.values()];
  assert.ok(Math.min(...values) > 40 && Math.max(...values) < 180, `${Math.min(...values)} to ${Math.max(...values)}`);
  const spread = values.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
  assert.ok(spread < 1300, `chi square of ${spread.toFixed(0)} with 999 degrees of freedom`);
});

test("random finds the one entry that is accepted, and none where none is", () => {
  const small = new SmallStore();
  for (let i = 0; i < 3000; i++) small.put(`key ${i}`, "");
  const { index } = small.store.memory;
  const wanted = small.ref("key 77");
  assert.equal(
    index.random(KEYSPACE_ROOT, Math.random, (ref) => ref === wanted),
    wanted,
  );
  assert.equal(
    index.random(KEYSPACE_ROOT, Math.random, () => false),
    0,
  );
});
