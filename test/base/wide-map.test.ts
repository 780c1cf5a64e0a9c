import assert from "node:assert/strict";
import { test } from "node:test";
import { WideMap } from "../../src/base/wide-map.ts";

test("it is a Map of whole numbers", () => {
  const map = new WideMap<string>();
  const same = new Map<number, string>();
  for (let i = 0; i < 5000; i++) {
    const key = (i * 7919) % 3001;
    map.set(key, `${i}`);
    same.set(key, `${i}`);
  }
  for (let key = 0; key < 3100; key++) {
    assert.equal(map.get(key), same.get(key));
    assert.equal(map.has(key), same.has(key));
  }
  const numbers = (one: number, other: number): number => one - other;
  assert.deepEqual([...map.keys()].sort(numbers), [...same.keys()].sort(numbers));
  map.clear();
  assert.deepEqual([...map.keys()], []);
});

test("it has room for more than a Map (WIDE=1)", { skip: process.env["WIDE"] !== "1" }, () => {
  const map = new WideMap<number>();
  for (let i = 0; i < 2 ** 24 + 1000; i++) map.set(i, i);
  assert.equal(map.get(2 ** 24 + 999), 2 ** 24 + 999);
});
