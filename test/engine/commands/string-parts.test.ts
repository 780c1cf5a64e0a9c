// Parts of strings: offsets from both ends, gaps, limits.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../../../src/wire/value.ts";
import { startCalls } from "../../kit/calls.ts";

const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

test("GETRANGE counts from both ends, and SUBSTR is the same", () => {
  const { call } = startCalls();
  call("SET", "k", "This is a string");
  for (const name of ["GETRANGE", "SUBSTR"]) {
    assert.equal(call(name, "k", "0", "3"), "This");
    assert.equal(call(name, "k", "-3", "-1"), "ing");
    assert.equal(call(name, "k", "0", "-1"), "This is a string");
    assert.equal(call(name, "k", "10", "100"), "string");
    assert.equal(call(name, "k", "-1", "-3"), "");
    assert.equal(call(name, "k", "0", "-100"), "T", "an end before the start is the start");
    assert.equal(call(name, "k", "5", "3"), "");
    assert.equal(call(name, "k", "-9223372036854775808", "9223372036854775807"), "This is a string");
    assert.equal(call(name, "none", "0", "-1"), "");
    assert.equal(call(name, "k", "x", "1"), "-ERR value is not an integer or out of range");
  }
});

test("SETRANGE overwrites, grows, and fills gaps with zeros", () => {
  const { call } = startCalls();
  assert.equal(call("SETRANGE", "k", "0", ""), 0);
  assert.equal(call("EXISTS", "k"), 0);
  assert.equal(call("SETRANGE", "k", "3", "ab"), 5);
  assert.equal(call("GET", "k"), "\0\0\0ab");
  assert.equal(call("SETRANGE", "k", "1", "xy"), 5);
  assert.equal(call("GET", "k"), "\0xyab");
  assert.equal(call("SETRANGE", "k", "4", "12345678901234567890"), 24);
  assert.equal(call("GET", "k"), "\0xya12345678901234567890");
  assert.equal(call("SETRANGE", "k", "30", "z"), 31);
  assert.equal(call("GET", "k"), `\0xya12345678901234567890${"\0".repeat(6)}z`);
  assert.equal(call("SETRANGE", "k", "5", ""), 31);
  assert.equal(call("SETRANGE", "k", "-1", "z"), "-ERR offset is out of range");
});

test("a string can grow to valueBytesMax and no further", () => {
  const { call } = startCalls({ valueBytesMax: 100 });
  const tooBig = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";
  assert.equal(call("SETRANGE", "k", "99", "a"), 100);
  assert.equal(call("SETRANGE", "k", "100", "a"), tooBig);
  assert.equal(call("SETRANGE", "new", "9223372036854775807", "a"), tooBig);
  assert.equal(call("APPEND", "k", "a"), tooBig);
  assert.equal(call("STRLEN", "k"), 100);
  assert.equal(call("EXISTS", "new"), 0);
});

test("APPEND grows a value from nothing to many pages, and keeps its deadline", () => {
  const { call } = startCalls();
  let expected = "";
  assert.equal(call("APPEND", "k", ""), 0);
  assert.equal(call("EXISTS", "k"), 1);
  call("EXPIRE", "k", "1000");
  for (let length = 1; length < 40_000; length = Math.ceil(length * 1.3)) {
    const part = String.fromCharCode(97 + (length % 26)).repeat(length);
    expected += part;
    assert.equal(call("APPEND", "k", part), expected.length);
  }
  assert.equal(call("GET", "k"), expected);
  assert.equal(call("TTL", "k"), 1000);
});

test("random writes agree with the obvious model", () => {
  const { call, store } = startCalls();
  let seed = 5;
  const random = (below: number): number => (seed = (seed * 48271) % 0x7fffffff) % below;
  let model = Buffer.alloc(0);
  for (let step = 0; step < 3000; step++) {
    const part = Buffer.alloc(random(20) === 0 ? random(300) : random(9), 65 + random(26));
    const at = random(4) === 0 ? model.length : random(model.length + 12);
    const isAppend = random(3) === 0;
    if (random(60) === 0) {
      call("DEL", "k");
      model = Buffer.alloc(0);
    }
    const from = isAppend ? model.length : at;
    call(...(isAppend ? ["APPEND", "k"] : ["SETRANGE", "k", `${at}`]), part);
    if (part.length > 0) {
      const next = Buffer.alloc(Math.max(model.length, from + part.length));
      model.copy(next);
      part.copy(next, from);
      model = next;
    }
    assert.equal(call("GETRANGE", "k", "0", "-1"), model.latin1Slice(), `step ${step}`);
  }
  call("DEL", "k");
  assert.equal(store.memory.totals.entryBytes, 0, "every byte is accounted for");
});

test("parts are for raw strings", () => {
  const { call } = startCalls();
  call("SET", "v", { bytes: encode(41), kind: 3 });
  call("SADD", "s", "m");
  for (const key of ["v", "s"]) {
    assert.equal(call("APPEND", key, "x"), WRONG_TYPE);
    assert.equal(call("SETRANGE", key, "0", "x"), WRONG_TYPE);
    assert.equal(call("GETRANGE", key, "0", "1"), WRONG_TYPE);
  }
  assert.equal(call("STRLEN", "s"), WRONG_TYPE);
  assert.equal(call("STRLEN", "v"), 2);
});

test("what is text stays text only where both parts are", () => {
  const { call, store } = startCalls();
  const kindOf = (key: string): number =>
    store.memory.entries.valueKind(store.keys.find(Buffer.from(key), 0, key.length));
  call("SET", "k", { bytes: Buffer.from("é"), kind: 1 });
  call("APPEND", "k", { bytes: Buffer.from("é"), kind: 1 });
  assert.equal(kindOf("k"), 1);
  call("APPEND", "k", "raw");
  assert.equal(kindOf("k"), 0);
});
