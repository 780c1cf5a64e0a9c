// Deadlines of keys: conditions, overflows, the moment they pass.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startCalls } from "../../kit/calls.ts";

test("a key is there until its deadline, to the millisecond", () => {
  const { call, advance } = startCalls();
  call("SET", "k", "v");
  assert.equal(call("PEXPIRE", "k", "1500"), 1);
  assert.equal(call("PTTL", "k"), 1500);
  assert.equal(call("TTL", "k"), 2, "seconds are rounded");
  advance(1499);
  assert.equal(call("GET", "k"), "v");
  assert.equal(call("TTL", "k"), 0);
  advance(1);
  assert.equal(call("GET", "k"), null);
  assert.equal(call("TTL", "k"), -2);
  assert.equal(call("DBSIZE"), 0);
});

test("deadlines from now and from 1970, in seconds and milliseconds", () => {
  const { call, store } = startCalls();
  call("SET", "k", "v");
  assert.equal(call("EXPIRETIME", "k"), -1);
  call("EXPIRE", "k", "100");
  assert.equal(call("PEXPIRETIME", "k"), store.nowMs + 100_000);
  call("EXPIREAT", "k", "4000000000");
  assert.equal(call("EXPIRETIME", "k"), 4_000_000_000);
  call("PEXPIREAT", "k", "4000000000001");
  assert.equal(call("PEXPIRETIME", "k"), 4_000_000_000_001);
  assert.equal(call("EXPIRETIME", "none"), -2);
  assert.equal(call("PERSIST", "k"), 1);
  assert.equal(call("PERSIST", "k"), 0);
  assert.equal(call("PERSIST", "none"), 0);
  assert.equal(call("TTL", "k"), -1);
});

test("a deadline that is past deletes the key", () => {
  const { call } = startCalls();
  for (const [name, time] of [
    ["EXPIRE", "0"],
    ["PEXPIRE", "-1"],
    ["EXPIREAT", "1"],
    ["PEXPIREAT", "-9223372036854775808"],
  ] as const) {
    call("SET", "k", "v");
    assert.equal(call(name, "k", time), 1);
    assert.equal(call("EXISTS", "k"), 0, name);
  }
});

test("NX, XX, GT and LT", () => {
  const { call } = startCalls();
  call("SET", "k", "v");
  assert.equal(call("EXPIRE", "k", "100", "XX"), 0);
  assert.equal(call("EXPIRE", "k", "100", "GT"), 0, "no deadline is later than any");
  assert.equal(call("EXPIRE", "k", "100", "LT"), 1);
  assert.equal(call("EXPIRE", "k", "100", "LT"), 0);
  assert.equal(call("EXPIRE", "k", "200", "NX"), 0);
  assert.equal(call("EXPIRE", "k", "200", "gt", "xx"), 1);
  assert.equal(call("EXPIRE", "k", "100", "GT"), 0);
  assert.equal(call("TTL", "k"), 200);
  assert.equal(call("PERSIST", "k"), 1);
  assert.equal(call("EXPIRE", "k", "100", "NX"), 1);
});

test("errors, in Redis's order", () => {
  const { call } = startCalls();
  const conflict = "-ERR NX and XX, GT or LT options at the same time are not compatible";
  assert.equal(call("EXPIRE", "k", "x", "NX", "XX"), conflict);
  assert.equal(call("EXPIRE", "k", "x", "LT", "NX"), conflict);
  assert.equal(call("EXPIRE", "k", "x", "GT", "LT"), "-ERR GT and LT options at the same time are not compatible");
  assert.equal(call("EXPIRE", "k", "x", "AB"), "-ERR Unsupported option AB");
  assert.equal(call("EXPIRE", "k", "x"), "-ERR value is not an integer or out of range");
  for (const time of ["9223372036854775807", "-9223372036854775808", "9223372036854776"]) {
    assert.equal(call("EXPIRE", "none", time), "-ERR invalid expire time in 'expire' command");
    assert.equal(call("EXPIREAT", "none", time), "-ERR invalid expire time in 'expireat' command");
  }
  assert.equal(call("PEXPIRE", "none", "9223372036854775807"), "-ERR invalid expire time in 'pexpire' command");
  assert.equal(call("PEXPIREAT", "none", "9223372036854775807"), 0);
});

test("the furthest deadlines are kept", () => {
  const { call } = startCalls();
  call("SET", "k", "v");
  assert.equal(call("PEXPIREAT", "k", "9223372036854775807"), 1);
  assert.ok((call("PEXPIRETIME", "k") as bigint) > 9_223_372_036_854_770_000n);
  assert.equal(call("EXPIREAT", "k", "9223372036854775"), 1);
  assert.equal(call("GET", "k"), "v");
});
