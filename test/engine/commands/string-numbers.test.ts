// Numbers in strings: exact 64-bit integers of both kinds, Redis's floats.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Double, decode, encode } from "../../../src/wire/value.ts";
import { type Calls, startCalls } from "../../kit/calls.ts";

const NOT_INTEGER = "-ERR value is not an integer or out of range";
const NOT_FLOAT = "-ERR value is not a valid float";
const OVERFLOW = "-ERR increment or decrement would overflow";

/** The encoded value in a key. */
function stored({ store }: Calls, key: string): unknown {
  const { entries } = store.memory;
  const ref = store.keys.find(Buffer.from(key), 0, key.length);
  assert.equal(entries.valueKind(ref), 3, "the kind is kept");
  const start = entries.valueStart(ref);
  return decode(entries.bytesOf(ref), start, start + entries.valueLength(ref), { as: "doubles" });
}

test("counting begins at 0 and goes through every number of digits", () => {
  const { call } = startCalls();
  assert.equal(call("INCR", "k"), 1);
  assert.equal(call("DECRBY", "k", "3"), -2);
  assert.equal(call("DECR", "k"), -3);
  for (const from of ["9", "99", "999999999", "-10", "999999999999999", "9007199254740991", "-1"]) {
    call("SET", "k", from);
    assert.equal(`${call("INCR", "k")}`, `${BigInt(from) + 1n}`);
    assert.equal(call("GET", "k"), `${BigInt(from) + 1n}`);
  }
  assert.equal(call("INCRBY", "zero", "0"), 0);
  assert.equal(call("GET", "zero"), "0");
  assert.equal(call("DECRBY", "other", "0"), 0);
});

test("integers are exact to the edges of 64 bits", () => {
  const { call } = startCalls();
  call("SET", "k", "9223372036854775806");
  assert.equal(call("INCR", "k"), 9223372036854775807n);
  assert.equal(call("INCR", "k"), OVERFLOW);
  assert.equal(call("GET", "k"), "9223372036854775807");
  assert.equal(call("DECRBY", "k", "9223372036854775807"), 0);
  assert.equal(call("INCRBY", "k", "-9223372036854775808"), -9223372036854775808n);
  assert.equal(call("DECR", "k"), OVERFLOW);
  assert.equal(call("DECRBY", "k", "-9223372036854775808"), "-ERR decrement would overflow");
  assert.equal(call("INCRBY", "k", "9223372036854775808"), NOT_INTEGER);
});

test("what is no integer is refused", () => {
  const { call } = startCalls();
  for (const text of ["", " 1", "1 ", "+1", "01", "-0", "1.0", "abc", "1\0", "9223372036854775808", "0x10"]) {
    call("SET", "k", text);
    assert.equal(call("INCR", "k"), NOT_INTEGER, JSON.stringify(text));
    assert.equal(call("INCRBY", "n", text), NOT_INTEGER, JSON.stringify(text));
  }
  call("SADD", "s", "m");
  assert.match(String(call("INCR", "s")), /^-WRONGTYPE/);
});

test("an encoded integer stays one, a bigint too", () => {
  const calls = startCalls();
  const { call } = calls;
  call("SET", "k", { bytes: encode(41), kind: 3 });
  assert.equal(call("INCR", "k"), 42);
  assert.equal(stored(calls, "k"), 42);
  assert.equal(call("INCRBY", "k", "9223372036854775000"), 9223372036854775042n);
  assert.equal(stored(calls, "k"), 9223372036854775042n);
  call("SET", "big", { bytes: encode(5n), kind: 3 });
  assert.equal(call("DECR", "big"), 4);
  assert.equal(stored(calls, "big"), 4n);
  call("SET", "word", { bytes: encode(true), kind: 3 });
  assert.equal(call("INCR", "word"), NOT_INTEGER);
});

test("INCRBYFLOAT writes as Redis does", () => {
  const { call } = startCalls();
  assert.equal(call("INCRBYFLOAT", "k", "10.50"), "10.5");
  assert.equal(call("INCRBYFLOAT", "k", "0.1"), "10.6");
  assert.equal(call("INCRBYFLOAT", "k", "-5.0e2"), "-489.39999999999999999");
  assert.equal(call("GET", "k"), "-489.39999999999999999");
  call("SET", "k", "3.0");
  assert.equal(call("INCRBYFLOAT", "k", "1.000000000000000005"), "4.00000000000000001");
  call("SET", "k", "5.0e3");
  assert.equal(call("INCRBYFLOAT", "k", "2.0e2"), "5200");
});

test("INCRBYFLOAT refuses what is no number and what would not be one", () => {
  const { call } = startCalls();
  for (const text of ["abc", "", " 1", "1 ", "nan", "1e5000", "1e-5000", "1e", "0x", "."]) {
    call("SET", "k", text);
    assert.equal(call("INCRBYFLOAT", "k", "1"), NOT_FLOAT, text);
    assert.equal(call("INCRBYFLOAT", "n", text), NOT_FLOAT, text);
  }
  assert.equal(call("INCRBYFLOAT", "n", "+inf"), "-ERR increment would produce NaN or Infinity");
  call("SET", "k", "1e4932");
  assert.equal(call("INCRBYFLOAT", "k", "1e4932"), "-ERR increment would produce NaN or Infinity");
  assert.equal(call("EXISTS", "n"), 0);
});

test("an encoded number stays one under INCRBYFLOAT, and a float64 stays a float64", () => {
  const calls = startCalls();
  const { call } = calls;
  call("SET", "k", { bytes: encode(new Double(3.5)), kind: 3 });
  assert.equal(call("INCRBYFLOAT", "k", "0.5"), "4");
  assert.deepEqual(stored(calls, "k"), new Double(4));
  call("SET", "k", { bytes: encode(4), kind: 3 });
  assert.equal(call("INCRBYFLOAT", "k", "1"), "5");
  assert.equal(stored(calls, "k"), 5);
});

test("counting keeps the deadline, and a failed call is no change", () => {
  const { call, store } = startCalls();
  call("SET", "k", "99", "EX", "100");
  call("INCR", "k");
  call("INCRBYFLOAT", "k", "0.25");
  assert.equal(call("TTL", "k"), 100);
  const version = store.memory.entries.version;
  call("INCR", "k");
  assert.equal(store.memory.entries.version, version);
});
