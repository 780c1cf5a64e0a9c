// Set algebra against JavaScript's Set, with few sets and many, small and big, some of them missing or twice.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Args } from "../../../src/engine/args.ts";
import { SET_ALGEBRA_ROWS } from "../../../src/engine/commands/set-algebra.ts";
import { keyIndexes } from "../../../src/engine/row.ts";
import { KIND_VALUE } from "../../../src/store/layout.ts";
import { encode } from "../../../src/wire/value.ts";
import { type Argument, type Calls, startCalls } from "../../kit/calls.ts";

const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

function typed(value: unknown): Argument {
  return { bytes: encode(value), kind: KIND_VALUE };
}

function membersOf(calls: Calls, key: string): string[] {
  return (calls.call("SMEMBERS", key) as string[]).toSorted();
}

const union = (sets: readonly Set<string>[]): string[] => [...new Set(sets.flatMap((set) => [...set]))];
const intersection = (sets: readonly Set<string>[]): string[] =>
  union(sets).filter((member) => sets.every((set) => set.has(member)));
const difference = ([first, ...others]: readonly Set<string>[]): string[] =>
  [...first!].filter((member) => !others.some((set) => set.has(member)));

test("any mix of sets agrees with the obvious version, as a reply and stored", () => {
  const seed = 20_261_120;
  let state = seed;
  const random = (below: number): number => (state = (state * 48_271) % 0x7fffffff) % below;
  const calls = startCalls();
  const { call, store } = calls;
  const model = new Map<string, Set<string>>();
  for (let i = 0; i < 30; i++) {
    const members = Array.from({ length: [3, 40, 300][random(3)]! }, () => `${random(400)}`);
    model.set(`s${i}`, new Set(members));
    call("SADD", `s${i}`, ...members);
  }
  const algebras = [
    ["SUNION", union],
    ["SINTER", intersection],
    ["SDIFF", difference],
  ] as const;
  for (let step = 0; step < 400; step++) {
    const names = Array.from({ length: 1 + random(random(4) === 0 ? 20 : 4) }, () => `s${random(33)}`);
    const sets = names.map((name) => model.get(name) ?? new Set<string>());
    for (const [name, compute] of algebras) {
      const expected = compute(sets).toSorted();
      const message = `seed ${seed}, step ${step}: ${name} ${names.join(" ")}`;
      const reply = call(name, ...names) as string[];
      assert.deepEqual(reply.toSorted(), expected, message);
      assert.equal(call(`${name}STORE`, "stored", ...names), expected.length, message);
      assert.deepEqual(membersOf(calls, "stored"), expected, message);
    }
    const common = intersection(sets).length;
    assert.equal(call("SINTERCARD", `${names.length}`, ...names), common);
    const limit = random(6);
    const counted = limit === 0 ? common : Math.min(limit, common);
    assert.equal(call("SINTERCARD", `${names.length}`, ...names, "LIMIT", `${limit}`), counted);
  }
  call("SDIFFSTORE", "stored", "missing");
  assert.equal(store.keys.count, 30);
});

test("typed members and raw ones of the same text are different members", () => {
  const calls = startCalls();
  const { call } = calls;
  call("SADD", "a", typed(1), "x");
  call("SADD", "b", { bytes: Buffer.from("1"), kind: 0 }, "x");

  assert.deepEqual(call("SINTER", "a", "b"), ["x"]);
  assert.equal(call("SUNIONSTORE", "c", "a", "b"), 3);
  assert.equal(call("SISMEMBER", "c", typed(1)), 1);
  assert.deepEqual(call("SDIFF", "c", "b"), ["1"]);
  const many = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? "a" : "b"));
  const names = many.map((key, index) => {
    call("SUNIONSTORE", `${key}${index}`, key);
    return `${key}${index}`;
  });
  assert.equal((call("SUNION", ...names) as string[]).length, 3);
  assert.deepEqual(call("SDIFF", "c", ...names), []);
});

test("a key may be source and destination at once", () => {
  const calls = startCalls();
  const { call } = calls;
  call("SADD", "a", "1", "2", "3");
  call("SADD", "b", "3", "4");

  assert.equal(call("SUNIONSTORE", "a", "a", "a", "b"), 4);
  assert.deepEqual(membersOf(calls, "a"), ["1", "2", "3", "4"]);
  assert.equal(call("SDIFFSTORE", "b", "a", "b"), 2);
  assert.deepEqual(membersOf(calls, "b"), ["1", "2"]);
  assert.equal(call("SINTERSTORE", "a", "b", "a"), 2);
  assert.deepEqual(membersOf(calls, "a"), ["1", "2"]);
  assert.equal(call("SDIFFSTORE", "a", "a", "a"), 0);
  assert.deepEqual(call("SMEMBERS", "a"), []);
});

test("what is stored replaces whatever the key held, with its expiry; an empty result removes it", () => {
  const { call, store } = startCalls();
  call("SADD", "a", "1");
  call("SET", "k", "x", "PX", "1000");

  assert.equal(call("SUNIONSTORE", "k", "a"), 1);
  const key = store.keys.find(Buffer.from("k"), 0, 1);
  assert.equal(store.memory.entries.hasTtl(key), false);
  call("SET", "k", "x");
  assert.equal(call("SINTERSTORE", "k", "a", "missing"), 0);
  assert.equal(store.keys.count, 1);
});

test("every key must be a set, whether it matters or not", () => {
  const { call, store } = startCalls();
  call("SET", "text", "x");
  call("SADD", "a", "1");

  for (const name of ["SINTER", "SUNION", "SDIFF"]) {
    assert.equal(call(name, "missing", "text"), WRONG_TYPE);
    assert.equal(call(`${name}STORE`, "a", "a", "text"), WRONG_TYPE);
  }
  assert.equal(call("SINTERCARD", "2", "missing", "text"), WRONG_TYPE);
  assert.equal(store.keys.count, 2);
  assert.deepEqual(call("SMEMBERS", "a"), ["1"]);
});

test("SINTERCARD checks its numbers before the keys", () => {
  const { call } = startCalls();
  call("SET", "text", "x");

  for (const count of ["0", "-1", "x", "9223372036854775808"])
    assert.equal(call("SINTERCARD", count, "text"), "-ERR numkeys should be greater than 0");
  assert.equal(call("SINTERCARD", "2", "text"), "-ERR Number of keys can't be greater than number of args");
  for (const rest of [["LIMIT"], ["NO", "1"], ["text"]])
    assert.equal(call("SINTERCARD", "1", "text", ...rest), "-ERR syntax error");
  for (const limit of ["-1", "x"])
    assert.equal(call("SINTERCARD", "1", "text", "LIMIT", limit), "-ERR LIMIT can't be negative");
});

test("the keys of SINTERCARD are as many as its number says, none where that is no number", () => {
  const row = SET_ALGEBRA_ROWS.find(({ name }) => name === "SINTERCARD")!;

  assert.deepEqual(keyIndexes(row, Args.of("SINTERCARD", "2", "a", "b", "LIMIT", "1")), [2, 3]);
  for (const count of ["0", "x", "2"]) assert.deepEqual(keyIndexes(row, Args.of("SINTERCARD", count, "a")), []);
});

test("a result that memory does not suffice for leaves the destination as it was, and nothing else behind", () => {
  const calls = startCalls({ maxMemoryBytes: 4 << 20 });
  const { call, store } = calls;
  for (let i = 0; i < 60; i++) call("SADD", "a", `${i}`.padEnd(40_000));
  for (let i = 0; i < 10; i++) call("SADD", "b", `${i}`);
  call("SADD", "k", "before");

  assert.match(String(call("SUNIONSTORE", "k", "a", "b")), /^-OOM/);
  assert.deepEqual(membersOf(calls, "k"), ["before"]);
  assert.equal(store.keys.count, 3);
  assert.equal((call("SUNION", "a", "b") as string[]).length, 70);
});
