// Tables: fields one by one, whatever their number, their kind and the memory that is left.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KIND_TEXT, KIND_VALUE } from "../../../src/store/layout.ts";
import { encode } from "../../../src/wire/value.ts";
import { type Argument, startCalls } from "../../kit/calls.ts";

const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

function typed(value: unknown): Argument {
  return { bytes: encode(value), kind: KIND_VALUE };
}

test("HSET says how many fields are new, and writes the others anew", () => {
  const { call } = startCalls();

  assert.equal(call("HSET", "t", "a", "1", "b", "2"), 2);
  assert.equal(call("HSET", "t", "a", "3", "c", "4", "c", "5"), 1);
  assert.deepEqual(call("HMGET", "t", "a", "b", "c", "d"), ["3", "2", "5", null]);
  assert.equal(call("HMSET", "t", "d", ""), "OK");
  assert.equal(call("HSETNX", "t", "d", "6"), 0);
  assert.equal(call("HSETNX", "t", "e", "7"), 1);
  assert.equal(call("HGET", "t", "d"), "");
  assert.equal(call("HLEN", "t"), 5);
  assert.equal(call("HSTRLEN", "t", "c"), 1);
  assert.equal(call("HEXISTS", "t", "e"), 1);
});

test("a field without a value is refused, before the key is looked at", () => {
  const { call } = startCalls();
  call("SET", "text", "x");

  assert.equal(call("HSET", "text", "a", "1", "b"), "-ERR wrong number of arguments for 'hset' command");
  assert.equal(call("HMSET", "t", "a", "1", "b"), "-ERR wrong number of arguments for 'hmset' command");
  assert.equal(call("HLEN", "t"), 0);
});

test("a key that does not exist is a table without fields", () => {
  const { call } = startCalls();

  assert.equal(call("HGET", "t", "a"), null);
  assert.deepEqual(call("HMGET", "t", "a", "b"), [null, null]);
  for (const name of ["HDEL", "HEXISTS", "HSTRLEN"]) assert.equal(call(name, "t", "a"), 0, name);
  assert.equal(call("HLEN", "t"), 0);
});

test("a key with something else in it is refused by every command", () => {
  const { call } = startCalls();
  call("SET", "text", "x");
  call("SADD", "set", "x");

  for (const key of ["text", "set"]) {
    for (const name of ["HGET", "HMGET", "HDEL", "HEXISTS", "HSTRLEN"]) assert.equal(call(name, key, "a"), WRONG_TYPE);
    for (const name of ["HSET", "HMSET", "HSETNX"]) assert.equal(call(name, key, "a", "1"), WRONG_TYPE);
    assert.equal(call("HLEN", key), WRONG_TYPE);
  }
});

test("a table goes with its last field", () => {
  const { call, store } = startCalls();
  call("HSET", "t", "a", "1", "b", "2");

  assert.equal(call("HDEL", "t", "a", "a", "missing", "b", "b"), 2);
  assert.equal(store.keys.count, 0);
  assert.equal(call("SET", "t", "now a string"), "OK");
});

test("a table keeps its fields as it grows out of one entry and shrinks again", () => {
  const { call, store } = startCalls();
  const model = new Map<string, string>();
  for (let i = 0; i < 500; i++) {
    assert.equal(call("HSET", "t", `field ${i}`, `value ${i}`), 1);
    model.set(`field ${i}`, `value ${i}`);
  }
  for (let i = 0; i < 500; i += 3) {
    assert.equal(call("HSET", "t", `field ${i}`, "x".repeat(i)), 0);
    model.set(`field ${i}`, "x".repeat(i));
  }
  assert.equal(call("HLEN", "t"), 500);
  for (const [field, value] of model) assert.equal(call("HGET", "t", field), value);
  for (const field of model.keys()) assert.equal(call("HDEL", "t", field), 1);
  assert.equal(store.keys.count, 0);
});

test("a decimal text names a typed field only where there is no raw one of that name", () => {
  const { call } = startCalls();
  call("HSET", "t", typed(1), "one", typed(-70_000), "less");

  assert.equal(call("HGET", "t", "1"), "one");
  assert.equal(call("HGET", "t", "-70000"), "less");
  for (const name of ["01", "+1", "1.0", "2"]) assert.equal(call("HGET", "t", name), null, name);
  assert.equal(call("HGET", "t", { bytes: Buffer.from("1"), kind: KIND_TEXT }), null);

  assert.equal(call("HSET", "t", "1", "uno"), 0);
  assert.equal(call("HGET", "t", typed(1)), "uno");
  assert.equal(call("HLEN", "t"), 2);

  assert.equal(call("HSET", "t", { bytes: Buffer.from("1"), kind: KIND_TEXT }, "text"), 1);
  assert.equal(call("HGET", "t", "1"), "text");
  assert.equal(call("HGET", "t", typed(1)), "uno");
  assert.equal(call("HDEL", "t", "1"), 1);
  assert.equal(call("HDEL", "t", "1"), 1);
  assert.equal(call("HDEL", "t", "1"), 0);
});

test("a typed field is found by its decimal text in a big table too", () => {
  const { call } = startCalls();
  for (let i = 0; i < 300; i++) call("HSET", "t", typed(i), `${i}`);

  for (let i = 0; i < 300; i++) assert.equal(call("HGET", "t", `${i}`), `${i}`);
  assert.equal(call("HGET", "t", "300"), null);
});

test("the length of a typed value is that of its text", () => {
  const { call } = startCalls();
  call("HSET", "t", "a", typed(100_000), "b", typed({ born: 1815 }));

  assert.equal(call("HGET", "t", "a"), "100000");
  assert.equal(call("HSTRLEN", "t", "a"), 6);
  assert.equal(call("HSTRLEN", "t", "b"), '{"born":1815}'.length);
});

test("of several fields none is written where one is refused", () => {
  const { call, store } = startCalls({ keyBytesMax: 10, valueBytesMax: 20 });

  const tooLong = "x".repeat(11);
  assert.match(String(call("HSET", "t", "a", "1", tooLong, "2")), /^-ERR field of 11 bytes exceeds keyBytesMax/);
  assert.match(
    String(call("HSET", "t", "a", "1", "b", "y".repeat(21))),
    /^-ERR value of 21 bytes exceeds valueBytesMax/,
  );
  assert.match(String(call("HSET", tooLong, "a", "1")), /^-ERR key of 11 bytes exceeds keyBytesMax/);
  assert.match(String(call("HSETNX", "t", tooLong, "1")), /^-ERR field of 11 bytes/);
  assert.equal(store.keys.count, 0);
});

test("an HSET that memory does not suffice for leaves the table as it was", () => {
  const { call, store } = startCalls({ maxMemoryBytes: 4 << 20 });
  for (let i = 0; i < 10; i++) assert.equal(call("HSET", "t", `${i}`, "before"), 1);

  const pairs: string[] = [];
  for (let i = 0; i < 200; i++) pairs.push(`${i}`, "x".repeat(50_000));
  assert.match(String(call("HSET", "t", ...pairs)), /^-OOM/);
  assert.match(String(call("HSET", "new", ...pairs)), /^-OOM/);
  assert.equal(call("HLEN", "t"), 10);
  for (let i = 0; i < 10; i++) assert.equal(call("HGET", "t", `${i}`), "before");
  assert.equal(store.keys.count, 1);
});

test("HDEL works where memory is full", () => {
  const { call, store } = startCalls({ maxMemoryBytes: 2 << 20 });
  for (let i = 0; i < 40; i++) call("HSET", "t", `${i}`, "x".repeat(60));
  let filled = 0;
  while (call("SET", `key ${filled}`, "y".repeat(3000)) === "OK") filled++;

  for (let i = 0; i < 40; i++) assert.equal(call("HDEL", "t", `${i}`), 1);
  assert.equal(store.keys.count, filled);
});
