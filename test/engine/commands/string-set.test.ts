// Setting whole strings: conditions, deadlines, the value before, several at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../../../src/wire/value.ts";
import { startCalls } from "../../kit/calls.ts";

const SYNTAX = "-ERR syntax error";
const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

test("SET replaces whatever the key held, and its deadline with it", () => {
  const { call } = startCalls();
  call("HSET", "k", "f", "v");
  assert.equal(call("SET", "k", "1"), "OK");
  call("EXPIRE", "k", "100");
  assert.equal(call("SET", "k", "2"), "OK");
  assert.equal(call("GET", "k"), "2");
  assert.equal(call("TTL", "k"), -1);
});

test("SET with NX, XX and GET, alone and together", () => {
  const { call } = startCalls();
  assert.equal(call("SET", "k", "1", "XX"), null);
  assert.equal(call("SET", "k", "1", "nx"), "OK");
  assert.equal(call("SET", "k", "2", "NX"), null);
  assert.equal(call("SET", "k", "2", "XX", "GET"), "1");
  assert.equal(call("SET", "k", "3", "GET", "NX"), "2");
  assert.equal(call("GET", "k"), "2", "NX with GET answers with the value and sets nothing");
  assert.equal(call("SET", "new", "3", "GET"), null);
  assert.equal(call("GET", "new"), "3");
  call("SADD", "s", "m");
  assert.equal(call("SET", "s", "v", "GET"), WRONG_TYPE);
  assert.equal(call("TYPE", "s"), "set");
});

test("SET with a time, and KEEPTTL", () => {
  const { call, store, advance } = startCalls();
  const nowMs = store.nowMs;
  call("SET", "k", "v", "EX", "10");
  assert.equal(call("PEXPIRETIME", "k"), nowMs + 10_000);
  call("SET", "k", "v", "PX", "500");
  assert.equal(call("PTTL", "k"), 500);
  call("SET", "k", "v", "EXAT", "2000000000");
  assert.equal(call("EXPIRETIME", "k"), 2_000_000_000);
  call("SET", "k", "v", "PXAT", "2000000000001");
  assert.equal(call("PEXPIRETIME", "k"), 2_000_000_000_001);
  call("SET", "k", "w", "KEEPTTL");
  assert.equal(call("PEXPIRETIME", "k"), 2_000_000_000_001);
  call("SET", "k", "v", "EX", "1", "EX", "2");
  assert.equal(call("PTTL", "k"), 2000, "the second time counts");
  advance(2000);
  assert.equal(call("GET", "k"), null);
});

test("SET with a time that is past leaves no key", () => {
  const { call, store } = startCalls();
  call("SET", "k", "before");
  assert.equal(call("SET", "k", "v", "EXAT", "1"), "OK");
  assert.equal(call("EXISTS", "k"), 0);
  assert.equal(store.keys.count, 0);
});

test("options that do not go together are a syntax error, and nothing changes", () => {
  const { call } = startCalls();
  call("SET", "k", "v");
  const wrong = [
    ["NX", "XX"],
    ["EX"],
    ["EX", "1", "PX", "1"],
    ["KEEPTTL", "EX", "1"],
    ["PXAT", "1", "KEEPTTL"],
    ["PERSIST"],
    ["FOO"],
    [""],
  ];
  for (const options of wrong) assert.equal(call("SET", "k", "w", ...options), SYNTAX, options.join(" "));
  assert.equal(call("GET", "k"), "v");
});

test("a time must be a positive integer that 64 bits of milliseconds hold", () => {
  const { call } = startCalls();
  for (const time of ["0", "-1", "9223372036854775807", "9223372036854775"]) {
    assert.equal(call("SET", "k", "v", "EX", time), "-ERR invalid expire time in 'set' command", time);
    assert.equal(call("SETEX", "k", time, "v"), "-ERR invalid expire time in 'setex' command", time);
  }
  assert.equal(call("PSETEX", "k", "9223372036854775807", "v"), "-ERR invalid expire time in 'psetex' command");
  assert.equal(call("SET", "k", "v", "PX", "1.5"), "-ERR value is not an integer or out of range");
  assert.equal(call("EXISTS", "k"), 0);
  assert.equal(call("SET", "k", "v", "PXAT", "9223372036854775807"), "OK");
  assert.ok((call("PTTL", "k") as bigint) > 9_000_000_000_000_000_000n);
});

test("SETNX, SETEX, PSETEX, GETSET and GETDEL", () => {
  const { call } = startCalls();
  assert.equal(call("SETNX", "k", "1"), 1);
  assert.equal(call("SETNX", "k", "2"), 0);
  assert.equal(call("SETEX", "k", "5", "2"), "OK");
  assert.equal(call("GETSET", "k", "3"), "2");
  assert.equal(call("TTL", "k"), -1);
  assert.equal(call("PSETEX", "k", "700", "4"), "OK");
  assert.equal(call("PTTL", "k"), 700);
  assert.equal(call("GETDEL", "k"), "4");
  assert.equal(call("GETDEL", "k"), null);
  assert.equal(call("GETSET", "k", "5"), null);
  call("SADD", "s", "m");
  assert.equal(call("GETSET", "s", "v"), WRONG_TYPE);
  assert.equal(call("GETDEL", "s"), WRONG_TYPE);
  assert.equal(call("SCARD", "s"), 1);
});

test("GETEX reads, and sets or takes away the deadline", () => {
  const { call } = startCalls();
  assert.equal(call("GETEX", "k", "EX", "0"), null, "without the key the time is not looked at");
  call("SET", "k", "v");
  assert.equal(call("GETEX", "k", "PX", "900"), "v");
  assert.equal(call("PTTL", "k"), 900);
  assert.equal(call("GETEX", "k"), "v");
  assert.equal(call("PTTL", "k"), 900);
  assert.equal(call("GETEX", "k", "PERSIST"), "v");
  assert.equal(call("PTTL", "k"), -1);
  assert.equal(call("GETEX", "k", "EX", "0"), "-ERR invalid expire time in 'getex' command");
  assert.equal(call("GETEX", "k", "PERSIST", "EX", "1"), SYNTAX);
  assert.equal(call("GETEX", "k", "KEEPTTL"), SYNTAX);
  assert.equal(call("GETEX", "k", "EXAT", "1"), "v");
  assert.equal(call("EXISTS", "k"), 0);
});

test("MSET sets all or none, MSETNX only where none is there", () => {
  const { call, store } = startCalls();
  assert.equal(call("MSET", "a", "1", "b", "2", "a", "3"), "OK");
  assert.deepEqual(call("MGET", "a", "b", "c"), ["3", "2", null]);
  assert.equal(call("MSET", "a", "1", "b"), "-ERR wrong number of arguments for 'mset' command");
  assert.equal(call("MSETNX", "c", "1", "d"), "-ERR wrong number of arguments for 'msetnx' command");
  assert.equal(call("MSETNX", "c", "1", "a", "1"), 0);
  assert.equal(call("EXISTS", "c"), 0);
  assert.equal(call("MSETNX", "c", "1", "d", "1"), 1);
  store.keys.valueBytesMax = 4;
  assert.match(String(call("MSET", "a", "9", "b", "too long")), /^-ERR value of 8 bytes exceeds valueBytesMax/);
  assert.equal(call("GET", "a"), "3");
});

test("MGET shows nil for what is no string", () => {
  const { call } = startCalls();
  call("SADD", "s", "m");
  assert.deepEqual(call("MGET", "s", "x"), [null, null]);
});

test("an encoded value is read as text, and measured as that", () => {
  const { call } = startCalls();
  call("SET", "k", { bytes: encode({ born: 1815 }), kind: 3 });
  assert.equal(call("GET", "k"), '{"born":1815}');
  assert.equal(call("STRLEN", "k"), 13);
  assert.deepEqual(call("MGET", "k"), ['{"born":1815}']);
  assert.equal(call("SET", "k", "v", "GET"), '{"born":1815}');
});
