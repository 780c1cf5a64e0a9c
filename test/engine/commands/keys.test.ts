// Keys whatever they hold: deleted, counted, named otherwise.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startCalls } from "../../kit/calls.ts";

test("DEL, UNLINK, EXISTS and TOUCH count", () => {
  const { call } = startCalls();
  call("MSET", "a", "1", "b", "2", "c", "3");
  call("HSET", "t", "f", "v");
  assert.equal(call("EXISTS", "a", "a", "t", "none"), 3);
  assert.equal(call("TOUCH", "a", "none"), 1);
  assert.equal(call("DEL", "a", "a", "t"), 2);
  assert.equal(call("UNLINK", "b", "none"), 1);
  assert.equal(call("EXISTS", "a", "b", "c", "t"), 1);
});

test("TYPE has the words of Redis", () => {
  const { call } = startCalls();
  call("SET", "k", "v");
  call("HSET", "t", "f", "v");
  call("SADD", "s", "m");
  assert.deepEqual(
    ["k", "t", "s", "none"].map((key) => call("TYPE", key)),
    ["string", "hash", "set", "none"],
  );
});

test("RENAME takes the value, its deadline, and the place of what was there", () => {
  const { call } = startCalls();
  call("SADD", "s", "m");
  call("EXPIRE", "s", "100");
  call("HSET", "t", "f", "v");
  assert.equal(call("RENAME", "s", "t"), "OK");
  assert.deepEqual(call("SMEMBERS", "t"), ["m"]);
  assert.equal(call("TTL", "t"), 100);
  assert.equal(call("EXISTS", "s"), 0);
  assert.equal(call("RENAME", "t", "t"), "OK");
  assert.equal(call("RENAME", "none", "t"), "-ERR no such key");
  assert.equal(call("RENAME", "none", "none"), "-ERR no such key");
});

test("RENAMENX leaves what is there", () => {
  const { call } = startCalls();
  call("MSET", "a", "1", "b", "2");
  assert.equal(call("RENAMENX", "a", "b"), 0);
  assert.equal(call("RENAMENX", "a", "a"), 0);
  assert.equal(call("RENAMENX", "a", "c"), 1);
  assert.equal(call("RENAMENX", "none", "c"), "-ERR no such key");
  assert.deepEqual(call("MGET", "a", "b", "c"), [null, "2", "1"]);
});

test("a big table is renamed and deleted with all its fields", () => {
  const { call, store } = startCalls();
  for (let i = 0; i < 3000; i++) call("HSET", "t", `f${i}`, `${i}`);
  assert.equal(call("RENAME", "t", "u"), "OK");
  assert.equal(call("HLEN", "u"), 3000);
  assert.equal(call("HGET", "u", "f2999"), "2999");
  assert.equal(call("DEL", "u"), 1);
  assert.equal(store.memory.totals.entryBytes, 0);
});
