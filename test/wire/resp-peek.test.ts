// Peek: keys of whole calls in the usual form, and never anything behind what is not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keySpans, peekKeys } from "../../src/wire/resp-peek.ts";
import { encodeCall } from "../kit/resp-client.ts";

function keysOf(bytes: Buffer, start = 0, end = bytes.length, room = 64): string[] {
  const spans = keySpans(room);
  peekKeys(bytes, start, end, spans);
  return Array.from({ length: spans.calls }, (_, i) => textAt(bytes, spans, i * 2));
}

function textAt(bytes: Buffer, spans: ReturnType<typeof keySpans>, place: number): string {
  return bytes.latin1Slice(spans.starts[place]!, spans.starts[place]! + spans.lengths[place]!);
}

test("the argument behind the key comes along, and an empty one where there is none", () => {
  const bytes = Buffer.concat(
    [
      ["HGET", "table", "field"],
      ["GET", "a"],
    ].map((call) => Buffer.from(encodeCall(call))),
  );
  const spans = keySpans(4);
  spans.lengths.fill(9);
  peekKeys(bytes, 0, bytes.length, spans);
  assert.equal(textAt(bytes, spans, 1), "field");
  assert.equal(spans.lengths[3], 0);
});

test("the second argument of each call is taken for its key", () => {
  const calls = [["GET", "a"], ["SET", "key:12", "value"], ["PING"], ["MSET", "x", "1", "y", "2"], ["GET", ""]];
  assert.deepEqual(keysOf(Buffer.concat(calls.map((call) => Buffer.from(encodeCall(call))))), ["a", "key:12", "x", ""]);
});

test("what is cut off, inline or broken ends it without a word", () => {
  const whole = Buffer.from(encodeCall(["GET", "first"]));
  const next = Buffer.from(encodeCall(["GET", "second"]));
  const both = Buffer.concat([whole, next]);
  for (let end = 0; end < both.length; end++) {
    const keys = keysOf(both, 0, end);
    assert.deepEqual(keys, end < whole.length ? [] : ["first"], `cut at ${end}`);
  }
  for (const broken of [
    "GET third\r\n",
    "*2\r\n$3\r\nGET\r\n:5\r\n",
    "*2\r\n$3\r\nGET\r\n$99999999999\r\n",
    "*x\r\n",
  ]) {
    assert.deepEqual(keysOf(Buffer.concat([whole, Buffer.from(broken)])), ["first"], broken);
  }
});

test("there are never more than there is room for", () => {
  const call = Buffer.from(encodeCall(["GET", "k"]));
  assert.equal(keysOf(Buffer.concat(new Array(100).fill(call)), 0, call.length * 100, 64).length, 64);
});
