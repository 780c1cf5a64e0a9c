// Sorted sets against an array: order, ranks, counts and ranges, small and in trees of several levels.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KIND_RAW, KIND_VALUE } from "../../src/store/layout.ts";
import { Store } from "../../src/store/store.ts";
import { generator } from "../kit/store-draws.ts";
import { checkStore } from "../kit/store-invariants.ts";

const KEY = Buffer.from("board");
const slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

type Row = { name: string; score: number };

class Board {
  readonly store: Store = new Store({ nowMs: 1, hashKey: Buffer.alloc(8, 1) });
  readonly scores: Map<string, number> = new Map();
  key = 0;

  set(name: string, score: number): void {
    const { sorted } = this.store;
    const bytes = Buffer.from(name);
    if (this.key === 0) this.key = sorted.create(KEY, 0, KEY.length, KIND_RAW);
    this.key = sorted.set(this.key, bytes, 0, bytes.length, KIND_RAW, score);
    this.scores.set(name, score);
  }

  delete(name: string): void {
    this.key = this.store.sorted.delete(this.key, this.handle(name));
    this.scores.delete(name);
  }

  handle(name: string): number {
    const bytes = Buffer.from(name);
    return this.store.sorted.find(this.key, bytes, 0, bytes.length);
  }

  rows(): Row[] {
    const order = (one: Row, other: Row): number =>
      one.score - other.score || Buffer.compare(Buffer.from(one.name), Buffer.from(other.name));
    return [...this.scores].map(([name, score]) => ({ name, score })).sort(order);
  }

  range(from: number, to: number, reverse: boolean): string[] {
    const names: string[] = [];
    this.store.sorted.range(this.key, from, to, reverse, (handle) => {
      const { bytes, start, end } = this.store.sorted.name(this.key, handle, slice);
      names.push(bytes.latin1Slice(start, end));
    });
    return names;
  }

  check(random: (below: number) => number): void {
    const { sorted } = this.store;
    const rows = this.rows();
    const names = rows.map(({ name }) => name);
    assert.equal(sorted.count(this.key), rows.length);
    assert.deepEqual(this.range(0, rows.length, false), names);
    assert.deepEqual(this.range(0, rows.length, true), names.toReversed());
    for (let i = 0; i < 50; i++) {
      const rank = random(rows.length);
      const to = rank + random(rows.length - rank + 1);
      const { name, score } = rows[rank]!;
      assert.equal(sorted.rank(this.key, this.handle(name)), rank);
      assert.equal(sorted.at(this.key, rank), this.handle(name));
      assert.equal(sorted.score(this.key, this.handle(name)), score);
      assert.deepEqual(this.range(rank, to, false), names.slice(rank, to));
      assert.deepEqual(this.range(rank, to, true), names.slice(rank, to).reverse());
      const limit = i % 2 === 0 ? score : score + 0.5;
      assert.equal(sorted.countBelow(this.key, limit, false), rows.filter((row) => row.score < limit).length);
      assert.equal(sorted.countBelow(this.key, limit, true), rows.filter((row) => row.score <= limit).length);
    }
    checkStore(this.store);
  }
}

for (const [what, members, scores, names] of [
  ["small", 100, 30, 300],
  ["large, with many equal scores", 6000, 5, 100_000],
  ["large, with many scores", 6000, 1e9, 100_000],
] as const) {
  test(`a ${what} sorted set agrees with a sorted array`, () => {
    const random = generator(7 + members);
    const board = new Board();
    for (let round = 0; round < 4; round++) {
      while (board.scores.size < members) board.set(`m${random(names)}`, random(scores) - scores / 2);
      board.check(random);
      for (const name of [...board.scores.keys()]) {
        const what = random(9);
        if (what < 3) board.delete(name);
        else if (what < 5) board.set(name, random(scores));
      }
      board.check(random);
    }
    for (const name of [...board.scores.keys()].slice(0, -1)) board.delete(name);
    assert.deepEqual(board.range(0, 1, false), [...board.scores.keys()]);
    board.delete([...board.scores.keys()][0]!);
    assert.equal(board.key, 0, "a set goes with its last member");
    while (board.store.work(() => false));
    checkStore(board.store);
  });
}

test("members that come in order, either way, fill their nodes", () => {
  for (const step of [1, -1]) {
    const board = new Board();
    for (let i = 0; i < 10_000; i++) board.set(`m${i}`, i * step);
    const { memory } = board.store;
    const nodes = memory.tree.bytesOf(memory.entries.rootOf(board.key)) / 768;
    assert.ok(nodes < 10_000 / 60 + 10, `${nodes} nodes`);
    board.check(generator(3));
  }
});

test("ranges go from either end, a rank at a time or many", () => {
  for (const members of [100, 3000]) {
    const board = new Board();
    for (let i = 0; i < members; i++) board.set(`m${i}`, i % 7);
    const names = board.rows().map(({ name }) => name);
    const { sorted } = board.store;
    board.key = sorted.deleteRange(board.key, 10, 60);
    board.key = sorted.deleteRange(board.key, 0, 3);
    board.key = sorted.deleteRange(board.key, sorted.count(board.key) - 4, sorted.count(board.key));
    names.splice(10, 50);
    names.splice(0, 3);
    names.splice(-4);
    assert.deepEqual(board.range(0, names.length, false), names);
    checkStore(board.store);
    assert.equal(sorted.deleteRange(board.key, 0, names.length), 0);
  }
});

test("names of one score are counted by their bytes", () => {
  for (const members of [50, 2000]) {
    const board = new Board();
    for (let i = 0; i < members; i++) board.set(`${i * 7919}`, 0);
    const names = board.rows().map(({ name }) => name);
    for (let i = 0; i < 100; i++) {
      const limit = `${i * 97}`;
      const bytes = Buffer.from(limit);
      const count = (inclusive: boolean): number =>
        board.store.sorted.countBelowName(board.key, bytes, 0, bytes.length, inclusive);
      assert.equal(count(false), names.filter((name) => name < limit).length);
      assert.equal(count(true), names.filter((name) => name <= limit).length);
    }
  }
});

test("a typed member and a raw one of the same bytes are two, and a score may be infinite", () => {
  const { store } = new Board();
  let key = store.sorted.create(KEY, 0, KEY.length, KIND_RAW);
  const name = Buffer.from([1]);
  key = store.sorted.set(key, name, 0, 1, KIND_VALUE, Number.POSITIVE_INFINITY);
  key = store.sorted.set(key, name, 0, 1, KIND_RAW, Number.NEGATIVE_INFINITY);
  for (let i = 0; i < 200; i++) key = store.sorted.set(key, Buffer.from(`m${i}`), 0, 2, KIND_RAW, -0);
  assert.equal(store.sorted.score(key, store.sorted.find(key, name, 0, 1, KIND_VALUE)), Number.POSITIVE_INFINITY);
  assert.equal(store.sorted.score(key, store.sorted.find(key, name, 0, 1, KIND_RAW)), Number.NEGATIVE_INFINITY);
  assert.equal(store.sorted.rank(key, store.sorted.find(key, name, 0, 1, KIND_VALUE)), store.sorted.count(key) - 1);
  checkStore(store);
});
