// HSETEX, HGETEX and HGETDEL, as the public documentation of Redis 8.0 has them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../../../src/wire/value.ts";
import { startCalls } from "../../kit/calls.ts";

test("HSETEX sets fields and their deadline, all or none", () => {
  const { call } = startCalls();
  assert.equal(call("HSETEX", "t", "PX", "500", "FIELDS", "2", "a", "1", "b", "2"), 1);
  assert.deepEqual(call("HPTTL", "t", "FIELDS", "3", "a", "b", "c"), [500, 500, -2]);
  assert.equal(call("HSETEX", "t", "FNX", "FIELDS", "2", "a", "x", "c", "x"), 0, "a is there");
  assert.equal(call("HSETEX", "t", "FXX", "FIELDS", "2", "a", "x", "c", "x"), 0, "c is not");
  assert.equal(call("HLEN", "t"), 2);
  assert.equal(call("HSETEX", "t", "FXX", "KEEPTTL", "FIELDS", "1", "a", "x"), 1);
  assert.deepEqual(call("HPTTL", "t", "FIELDS", "1", "a"), [500]);
  assert.equal(call("HSETEX", "t", "FIELDS", "1", "a", "y"), 1);
  assert.deepEqual(call("HPTTL", "t", "FIELDS", "1", "a"), [-1], "without a time the deadline is gone");
  assert.equal(call("HSETEX", "t", "EXAT", "1", "FIELDS", "2", "a", "z", "new", "z"), 1);
  assert.deepEqual(call("HMGET", "t", "a", "new"), [null, null], "a time that has passed deletes");
});

test("HGETEX reads fields and sets, keeps or removes their deadline; HGETDEL takes them", () => {
  const { call } = startCalls();
  call("HSET", "t", "a", "1", "b", "2");
  assert.deepEqual(call("HGETEX", "t", "EX", "9", "FIELDS", "2", "a", "x"), ["1", null]);
  assert.deepEqual(call("HTTL", "t", "FIELDS", "2", "a", "b"), [9, -1]);
  assert.deepEqual(call("HGETEX", "t", "FIELDS", "1", "a"), ["1"]);
  assert.deepEqual(call("HTTL", "t", "FIELDS", "1", "a"), [9]);
  assert.deepEqual(call("HGETEX", "t", "PERSIST", "FIELDS", "1", "a"), ["1"]);
  assert.deepEqual(call("HTTL", "t", "FIELDS", "1", "a"), [-1]);
  assert.deepEqual(call("HGETEX", "t", "PXAT", "1", "FIELDS", "1", "a"), ["1"], "read, and gone");
  assert.deepEqual(call("HGETDEL", "t", "FIELDS", "2", "a", "b"), [null, "2"]);
  assert.equal(call("EXISTS", "t"), 0, "a table without fields is no key");
  assert.deepEqual(call("HGETDEL", "t", "FIELDS", "1", "a"), [null]);
});

test("what is wrong with such a call is said before anything changes", () => {
  const { call } = startCalls();
  call("SET", "text", "x");
  assert.match(String(call("HSETEX", "text", "FIELDS", "1", "a", "1")), /^-WRONGTYPE/);
  assert.match(String(call("HSETEX", "t", "EX", "5", "PX", "5", "FIELDS", "1", "a", "1")), /Only one of/);
  assert.match(String(call("HSETEX", "t", "EX", "soon", "FIELDS", "1", "a", "1")), /not an integer/);
  assert.match(String(call("HSETEX", "t", "FIELDS", "2", "a", "1", "b")), /numfields/);
  assert.match(String(call("HSETEX", "t", "FIELDS", "0", "a", "1")), /positive integer/);
  assert.match(String(call("HSETEX", "t", "a", "1", "b", "2")), /^-ERR syntax error/);
  assert.match(String(call("HGETEX", "t", "KEEPTTL", "FIELDS", "1", "a")), /^-ERR syntax error/);
  assert.match(String(call("HGETDEL", "t", "FIELDS", "3", "a", "b")), /numfields/);
  assert.equal(call("EXISTS", "t"), 0);
});

test("names and values keep their kinds", () => {
  const { call } = startCalls();
  const one = { bytes: encode(1), kind: 3 };
  assert.equal(call("HSETEX", "t", "FIELDS", "2", one, one, { bytes: Buffer.from("1"), kind: 1 }, "text"), 1);
  assert.equal(call("HLEN", "t"), 2, "integer 1 and text 1 are two");
  assert.equal(call("HINCRBY", "t", one, "1"), 2);
  assert.deepEqual(call("HGETDEL", "t", "FIELDS", "1", one), ["2"]);
  const object = { bytes: encode({ a: 1 }), kind: 3 };
  assert.match(String(call("HSETEX", "t", "FIELDS", "2", "ok", "1", object, "1")), /a key or member is/);
  assert.equal(call("HEXISTS", "t", "ok"), 0, "of several none was set");
});
