// HCAS, HCAD, CAS and CAD: a change that happens only where nobody else's did.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../../../src/wire/value.ts";
import { startCalls } from "../../kit/calls.ts";

const value = (of: unknown) => ({ bytes: encode(of), kind: 3 });

test("a field is set or deleted where it holds what was expected", () => {
  const { call } = startCalls();
  assert.equal(call("HCAS", "t", "f", "old", "new"), 0, "there is no table");
  call("HSET", "t", "f", "old", "g", "1");
  assert.equal(call("HCAS", "t", "x", "old", "new"), 0, "there is no field");
  assert.equal(call("HCAS", "t", "f", "other", "new"), 0);
  assert.equal(call("HCAS", "t", "f", "ol", "new"), 0);
  assert.equal(call("HCAS", "t", "f", "old", "new"), 1);
  assert.equal(call("HGET", "t", "f"), "new");
  assert.equal(call("HCAD", "t", "f", "old"), 0);
  assert.equal(call("HCAD", "t", "f", "new"), 1);
  assert.equal(call("HCAD", "t", "g", "1"), 1);
  assert.equal(call("EXISTS", "t"), 0);
});

test("raw bytes and an encoded value are never the same; what was said of raw bytes does not count", () => {
  const { call } = startCalls();
  call("HSET", "t", "f", { bytes: Buffer.from("\x01"), kind: 1 });
  assert.equal(call("HCAS", "t", "f", value(1), "x"), 0, "the byte 01 is not the number 1");
  assert.equal(call("HCAS", "t", "f", { bytes: Buffer.from("\x01"), kind: 2 }, value({ a: 1 })), 1);
  assert.equal(call("HCAS", "t", "f", value({ a: 2 }), value({ a: 3 })), 0);
  assert.equal(call("HCAS", "t", "f", value({ a: 1 }), value({ a: 2 })), 1);
  assert.equal(call("HGET", "t", "f"), '{"a":2}');
});

test("a deadline is set, kept or gone", () => {
  const { call } = startCalls();
  call("HSETEX", "t", "PX", "900", "FIELDS", "1", "f", "1");
  assert.equal(call("HCAS", "t", "f", "1", "2", "KEEPTTL"), 1);
  assert.deepEqual(call("HPTTL", "t", "FIELDS", "1", "f"), [900]);
  assert.equal(call("HCAS", "t", "f", "2", "3", "PX", "50"), 1);
  assert.deepEqual(call("HPTTL", "t", "FIELDS", "1", "f"), [50]);
  assert.equal(call("HCAS", "t", "f", "3", "4"), 1);
  assert.deepEqual(call("HPTTL", "t", "FIELDS", "1", "f"), [-1]);
  assert.match(String(call("HCAS", "t", "f", "4", "5", "PX")), /^-ERR syntax error/);
  assert.match(String(call("HCAS", "t", "f", "4", "5", "EX", "5")), /^-ERR syntax error/);
});

test("the same with the string of a key", () => {
  const { call } = startCalls();
  assert.equal(call("CAS", "k", "a", "b"), 0);
  call("SET", "k", "a", "PX", "700");
  assert.equal(call("CAS", "k", "x", "b"), 0);
  assert.equal(call("CAS", "k", "a", "b", "KEEPTTL"), 1);
  assert.equal(call("PTTL", "k"), 700);
  assert.equal(call("CAS", "k", "b", "c", "PX", "20"), 1);
  assert.equal(call("PTTL", "k"), 20);
  assert.equal(call("CAD", "k", "b"), 0);
  assert.equal(call("CAD", "k", "c"), 1);
  assert.equal(call("EXISTS", "k"), 0);
  call("SADD", "s", "x");
  for (const command of ["CAS", "HCAS"]) {
    assert.match(String(call(command, "s", "f", "a", "b")), command === "CAS" ? /syntax/ : /^-WRONGTYPE/);
  }
  assert.match(String(call("CAD", "s", "a")), /^-WRONGTYPE/);
});
