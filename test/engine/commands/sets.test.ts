// Sets: members one by one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KIND_TEXT, KIND_VALUE } from "../../../src/store/layout.ts";
import { encode } from "../../../src/wire/value.ts";
import { type Argument, startCalls } from "../../kit/calls.ts";

const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

function typed(value: unknown): Argument {
  return { bytes: encode(value), kind: KIND_VALUE };
}

test("members are added and removed once", () => {
  const { call, store } = startCalls();

  assert.equal(call("SADD", "s", "a", "b", "a"), 2);
  assert.equal(call("SADD", "s", "a"), 0);
  assert.equal(call("SADD", "s", "c"), 1);
  assert.equal(call("SCARD", "s"), 3);
  assert.equal(call("SISMEMBER", "s", "a"), 1);
  assert.deepEqual(call("SMISMEMBER", "s", "a", "x", "a"), [1, 0, 1]);
  assert.deepEqual((call("SMEMBERS", "s") as string[]).toSorted(), ["a", "b", "c"]);
  assert.equal(call("SREM", "s", "a", "x", "a", "b"), 2);
  assert.equal(call("SREM", "s", "c"), 1);
  assert.equal(store.keys.count, 0);
});

test("a key that does not exist is an empty set; one with something else is refused", () => {
  const { call } = startCalls();
  call("SET", "text", "x");

  assert.equal(call("SCARD", "s"), 0);
  assert.deepEqual(call("SMISMEMBER", "s", "a", "b"), [0, 0]);
  assert.deepEqual(call("SMEMBERS", "s"), []);
  assert.deepEqual(call("SSCAN", "s", "0", "NO"), ["0", []]);
  for (const name of ["SADD", "SREM", "SISMEMBER", "SMISMEMBER"]) assert.equal(call(name, "text", "a"), WRONG_TYPE);
  for (const name of ["SCARD", "SMEMBERS", "SPOP", "SRANDMEMBER"]) assert.equal(call(name, "text"), WRONG_TYPE);
});

test("a set keeps its members as it grows out of one entry and shrinks again", () => {
  const { call, store } = startCalls();
  for (let i = 0; i < 500; i++) assert.equal(call("SADD", "s", `${i}`), 1);
  for (let i = 0; i < 500; i++) assert.equal(call("SADD", "s", `${i}`), 0);

  assert.equal(new Set(call("SMEMBERS", "s") as string[]).size, 500);
  for (let i = 0; i < 500; i++) assert.equal(call("SREM", "s", `${i}`), 1);
  assert.equal(store.keys.count, 0);
});

test("a decimal text names a typed member where there is no raw one of that name", () => {
  for (const others of [0, 100]) {
    const { call } = startCalls();
    for (let i = 0; i < others; i++) call("SADD", "s", `other ${i}`);
    call("SADD", "s", typed(7), typed(true));

    assert.equal(call("SISMEMBER", "s", "7"), 1);
    assert.equal(call("SISMEMBER", "s", { bytes: Buffer.from("7"), kind: KIND_TEXT }), 0);
    assert.equal(call("SADD", "s", "7"), 0);
    assert.equal(call("SADD", "s", { bytes: Buffer.from("7"), kind: KIND_TEXT }), 1);
    assert.equal(call("SCARD", "s"), others + 3);
    assert.equal(call("SREM", "s", "7"), 1);
    assert.equal(call("SISMEMBER", "s", typed(7)), 1);
    assert.equal(call("SREM", "s", "7"), 1);
    assert.equal(call("SREM", "s", "7"), 0);
  }
});

test("SMOVE moves a member with its kind, and makes and removes keys", () => {
  const { call, store } = startCalls();
  call("SADD", "from", typed(7), "a", "b");

  assert.equal(call("SMOVE", "from", "to", "7"), 1);
  assert.equal(call("SISMEMBER", "to", typed(7)), 1);
  assert.equal(call("SISMEMBER", "from", typed(7)), 0);
  assert.equal(call("SADD", "to", "a"), 1);
  assert.equal(call("SMOVE", "from", "to", "a"), 1);
  assert.equal(call("SMOVE", "from", "to", "x"), 0);
  assert.equal(call("SMOVE", "from", "to", "b"), 1);
  assert.equal(call("SCARD", "to"), 3);
  assert.equal(call("SMOVE", "from", "to", "a"), 0);
  assert.equal(store.keys.count, 1);
});

test("SMOVE looks for the source, then at both types, then for the member", () => {
  const { call } = startCalls();
  call("SET", "text", "x");
  call("SADD", "s", "a");

  assert.equal(call("SMOVE", "missing", "text", "a"), 0);
  assert.equal(call("SMOVE", "s", "text", "x"), WRONG_TYPE);
  assert.equal(call("SMOVE", "text", "s", "a"), WRONG_TYPE);
  assert.equal(call("SMOVE", "s", "s", "a"), 1);
  assert.equal(call("SMOVE", "s", "s", "x"), 0);
  assert.deepEqual(call("SMEMBERS", "s"), ["a"]);
});

test("adding what is there and removing what is not leaves a watched key untouched", () => {
  const { call, context, engine } = startCalls();
  call("SADD", "s", "a");
  for (let i = 0; i < 100; i++) call("SADD", "big", `${i}`);

  call("WATCH", "s", "big");
  call("SADD", "s", "a");
  call("SADD", "big", "5");
  call("SREM", "s", "x");
  call("SMOVE", "s", "s", "a");
  assert.equal(context.transaction?.touched, false);
  call("SADD", "big", "x");
  assert.equal(context.transaction?.touched, true);
  engine.close(context);
});

test("SSCAN gives every member at least once, and only those that match", () => {
  for (const size of [1, 64, 65, 1000]) {
    const { call } = startCalls();
    for (let i = 0; i < size; i++) call("SADD", "s", `m${i}`);
    const seen = new Set<string>();
    let cursor = "0";
    do {
      const [next, page] = call("SSCAN", "s", cursor, "COUNT", "7", "MATCH", "m*") as [string, string[]];
      for (const member of page) seen.add(member);
      cursor = next;
    } while (cursor !== "0");

    assert.equal(seen.size, size);
    assert.deepEqual(call("SSCAN", "s", "0", "MATCH", "x*", "COUNT", "100000"), ["0", []]);
  }
});

test("of several members none is added where one is refused, or memory does not suffice", () => {
  const { call, store } = startCalls({ keyBytesMax: 60_000, maxMemoryBytes: 4 << 20 });
  call("SADD", "s", "a");
  const many = Array.from({ length: 200 }, (_, index) => `${index}`.padEnd(50_000));

  assert.match(String(call("SADD", "s", "b", "x".repeat(60_001))), /^-ERR field of 60001 bytes exceeds keyBytesMax/);
  assert.match(String(call("SADD", "s", ...many)), /^-OOM/);
  assert.match(String(call("SADD", "new", ...many)), /^-OOM/);
  assert.deepEqual(call("SMEMBERS", "s"), ["a"]);
  assert.equal(store.keys.count, 1);
});
