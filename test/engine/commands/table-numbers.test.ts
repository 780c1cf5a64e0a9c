// Numbers in fields keep their kind and their expiry, and are exact.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KIND_VALUE } from "../../../src/store/layout.ts";
import { Double, encode } from "../../../src/wire/value.ts";
import { type Argument, startCalls } from "../../kit/calls.ts";

function typed(value: unknown): Argument {
  return { bytes: encode(value), kind: KIND_VALUE };
}

/** The kind of the value in field a of table t. */
function kindOf(store: ReturnType<typeof startCalls>["store"]): number {
  const key = store.keys.find(Buffer.from("t"), 0, 1);
  const slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: -1 };
  return store.fields.value(key, store.fields.find(key, Buffer.from("a"), 0, 1), slice).kind;
}

test("HINCRBY counts from nothing, exactly, to the ends of 64 bits", () => {
  const { call } = startCalls();

  assert.equal(call("HINCRBY", "t", "a", "5"), 5);
  assert.equal(call("HINCRBY", "t", "a", "-7"), -2);
  assert.equal(call("HSET", "t", "a", "9223372036854775806"), 0);
  assert.equal(call("HINCRBY", "t", "a", "1"), 9223372036854775807n);
  assert.equal(call("HGET", "t", "a"), "9223372036854775807");
  assert.equal(call("HINCRBY", "t", "a", "1"), "-ERR increment or decrement would overflow");
  assert.equal(call("HGET", "t", "a"), "9223372036854775807");
});

test("what is no integer is refused: the increment first, then the key, then the value", () => {
  const { call, store } = startCalls();
  call("SET", "text", "x");
  call("HSET", "t", "a", "one", "b", "1.5", "c", " 1", "d", "");

  assert.equal(call("HINCRBY", "text", "a", "x"), "-ERR value is not an integer or out of range");
  assert.match(String(call("HINCRBY", "text", "a", "1")), /^-WRONGTYPE/);
  for (const field of "abcd") assert.equal(call("HINCRBY", "t", field, "1"), "-ERR hash value is not an integer");
  assert.equal(call("HINCRBY", "new", "a", "x"), "-ERR value is not an integer or out of range");
  assert.equal(store.keys.count, 2);
});

test("an encoded integer stays one", () => {
  const { call, store } = startCalls();
  call("HSET", "t", "a", typed(41));

  assert.equal(call("HINCRBY", "t", "a", "1"), 42);
  assert.equal(kindOf(store), KIND_VALUE);
  call("HSET", "t", "a", typed(new Double(1.5)));
  assert.equal(call("HINCRBY", "t", "a", "1"), "-ERR hash value is not an integer");
  assert.equal(call("HINCRBYFLOAT", "t", "a", "1"), "2.5");
  assert.equal(kindOf(store), KIND_VALUE);
});

test("a field that is counted up keeps its expiry", () => {
  const { call, advance } = startCalls();
  call("HSET", "t", "a", "1", "b", "1", "c", "1");
  call("HPEXPIRE", "t", "100", "FIELDS", "2", "a", "b");
  call("HINCRBY", "t", "a", "1");
  call("HINCRBYFLOAT", "t", "b", "0.5");

  assert.deepEqual(call("HPTTL", "t", "FIELDS", "3", "a", "b", "c"), [100, 100, -1]);
  advance(100);
  assert.equal(call("HINCRBY", "t", "a", "1"), 1);
  assert.deepEqual(call("HPTTL", "t", "FIELDS", "1", "a"), [-1]);
});

test("HINCRBYFLOAT writes what Redis writes", () => {
  const { call } = startCalls();

  assert.equal(call("HINCRBYFLOAT", "t", "a", "5.0e3"), "5000");
  assert.equal(call("HINCRBYFLOAT", "t", "a", "0.1"), "5000.10000000000000009");
  assert.equal(call("HGET", "t", "a"), "5000.10000000000000009");
  assert.equal(call("HINCRBYFLOAT", "t", "a", "one"), "-ERR value is not a valid float");
  assert.equal(call("HINCRBYFLOAT", "t", "a", "inf"), "-ERR value is NaN or Infinity");
  call("HSET", "t", "b", "inf", "c", "nan");
  assert.equal(call("HINCRBYFLOAT", "t", "b", "1"), "-ERR increment would produce NaN or Infinity");
  assert.equal(call("HINCRBYFLOAT", "t", "c", "1"), "-ERR hash value is not a float");
});

test("a number that there is no memory for leaves no empty table behind", () => {
  const { call, store } = startCalls({ keyBytesMax: 10 });

  assert.match(String(call("HINCRBY", "t", "x".repeat(11), "1")), /exceeds keyBytesMax/);
  assert.equal(store.keys.count, 0);
});
