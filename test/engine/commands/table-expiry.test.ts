// Expiry of fields. The documented replies are in test/differential/field-ttl-cases.ts; this is the rest.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startCalls } from "../../kit/calls.ts";

test("a field is gone from the moment of its deadline, and its table with the last one", () => {
  const { call, advance, store } = startCalls();
  call("HSET", "t", "a", "1", "b", "2");

  assert.deepEqual(call("HPEXPIRE", "t", "100", "FIELDS", "1", "a"), [1]);
  advance(99);
  assert.equal(call("HGET", "t", "a"), "1");
  advance(1);
  assert.equal(call("HGET", "t", "a"), null);
  assert.equal(call("HLEN", "t"), 1);
  assert.deepEqual(call("HGETALL", "t"), ["b", "2"]);
  call("HPEXPIRE", "t", "1", "FIELDS", "1", "b");
  advance(1);
  assert.equal(call("HLEN", "t"), 0);
  assert.equal(store.keys.count, 0);
});

test("what is left is rounded up to seconds, exact in milliseconds", () => {
  const { call, advance, context } = startCalls();
  call("HSET", "t", "a", "1");
  call("HEXPIRE", "t", "10", "FIELDS", "1", "a");
  const atMs = context.nowMs + 10_000;

  advance(1);
  assert.deepEqual(call("HTTL", "t", "FIELDS", "1", "a"), [10]);
  assert.deepEqual(call("HPTTL", "t", "FIELDS", "1", "a"), [9_999]);
  advance(9_998);
  assert.deepEqual(call("HTTL", "t", "FIELDS", "1", "a"), [1]);
  assert.deepEqual(call("HPEXPIRETIME", "t", "FIELDS", "1", "a"), [atMs]);
  assert.deepEqual(call("HEXPIRETIME", "t", "FIELDS", "1", "a"), [Math.ceil(atMs / 1000)]);
});

test("a field named twice is answered twice", () => {
  const { call, store } = startCalls();
  call("HSET", "t", "a", "1", "b", "2");

  assert.deepEqual(call("HPEXPIREAT", "t", "1", "FIELDS", "2", "a", "a"), [2, -2]);
  assert.deepEqual(call("HEXPIRE", "t", "0", "FIELDS", "3", "b", "b", "c"), [2, -2, -2]);
  assert.equal(store.keys.count, 0);
});

test("a count of fields is any positive integer of 64 bits, and must be right", () => {
  const { call } = startCalls();
  const mismatch = "-ERR The `numfields` parameter must match the number of arguments";

  assert.equal(call("HTTL", "t", "FIELDS", "9223372036854775807", "a"), mismatch);
  assert.match(String(call("HTTL", "t", "FIELDS", "9223372036854775808", "a")), /must be a positive integer/);
  assert.equal(call("HEXPIRE", "t", "1", "NX", "FIELDS", "1", "a", "b"), mismatch);
  assert.equal(call("HEXPIRE", "t", "1", "NX", "FIELDS", "1"), mismatch);
});

test("arguments are checked from left to right, behind the type of the key", () => {
  const { call } = startCalls();
  call("SET", "text", "x");
  call("HSET", "t", "a", "1");

  assert.match(String(call("HEXPIRE", "text", "x", "NO", "x", "a", "b")), /^-WRONGTYPE/);
  assert.match(String(call("HEXPIRE", "t", "x", "NO", "x", "a", "b")), /not an integer/);
  assert.match(String(call("HEXPIRE", "t", "-1", "NO", "x", "a", "b")), /must be >= 0/);
  assert.match(String(call("HEXPIRE", "t", "1", "NO", "x", "a", "b")), /^-ERR Mandatory argument FIELDS/);
  assert.match(String(call("HEXPIRE", "t", "1", "FIELDS", "x", "a", "b")), /should be greater than 0/);
  assert.deepEqual(call("HTTL", "t", "FIELDS", "1", "a"), [-1]);
});

test("HSET takes an expiry away, in packed and big tables", () => {
  for (const size of [2, 200]) {
    const { call, advance } = startCalls();
    for (let i = 0; i < size; i++) call("HSET", "t", `${i}`, "x");
    call("HPEXPIRE", "t", "50", "FIELDS", "2", "0", "1");
    assert.equal(call("HSET", "t", "0", "y"), 0);
    advance(50);

    assert.equal(call("HGET", "t", "0"), "y");
    assert.equal(call("HLEN", "t"), size - 1);
  }
});

test("many fields that run out at one moment are gone for readers at once", () => {
  const { call, advance, store } = startCalls();
  const names = Array.from({ length: 5000 }, (_, index) => `${index}`);
  for (const name of names) call("HSET", "t", name, "x");
  call("HSET", "t", "stays", "y");
  call("HPEXPIRE", "t", "10", "FIELDS", `${names.length}`, ...names);
  advance(10);

  assert.equal(call("HLEN", "t"), 1);
  assert.deepEqual(call("HGETALL", "t"), ["stays", "y"]);
  assert.deepEqual(call("HRANDFIELD", "t", "3"), ["stays"]);
  assert.equal(call("HRANDFIELD", "t"), "stays");
  while (store.work(() => false));
  assert.equal(store.expiredFields, names.length);
});

test("an expiry that memory does not suffice for changes no field", () => {
  const { call } = startCalls({ maxMemoryBytes: 3 << 20 });
  for (let i = 0; i < 60; i++) call("HSET", "t", `${i}`, "x".repeat(3000));
  for (let i = 0; call("SET", `key ${i}`, "y".repeat(3000)) === "OK"; i++);
  const names = Array.from({ length: 60 }, (_, index) => `${index}`);

  const answer = call("HEXPIRE", "t", "100", "FIELDS", "60", ...names);
  if (typeof answer === "string") assert.match(answer, /^-OOM/);
  const expected = typeof answer === "string" ? -1 : 100;
  assert.deepEqual(
    call("HTTL", "t", "FIELDS", "60", ...names),
    names.map(() => expected),
  );
});
