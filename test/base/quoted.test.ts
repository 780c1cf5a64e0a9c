// Bytes of a client in messages: text where they are text, and back to the same bytes where they are not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeQuoted, hasQuoted, quoteBytes } from "../../src/base/quoted.ts";

function quote(bytes: Buffer, bytesMax = 128): string {
  return quoteBytes(bytes, 0, bytes.length, bytesMax);
}

test("UTF-8 is text", () => {
  const text = quote(Buffer.from("grün 👋"));
  assert.equal(text, "grün 👋");
  assert.equal(hasQuoted(text), false);
});

test("other bytes come back as they were, in any message", () => {
  const all = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1));
  const message = `unknown 👋 '${quote(all, 300)}' ü`;
  assert.equal(hasQuoted(message), true);
  assert.deepEqual(encodeQuoted(message), Buffer.concat([Buffer.from("unknown 👋 '"), all, Buffer.from("' ü")]));
});

test("a zero byte ends the text, and so does the limit", () => {
  assert.equal(quote(Buffer.from("ab\0c")), "ab");
  assert.equal(quote(Buffer.from("\0ab")), "");
  assert.equal(quote(Buffer.from("abcdef"), 3), "abc");
  assert.equal(quoteBytes(Buffer.from("0123\0"), 1, 3, 128), "12", "only what is asked for");
  assert.deepEqual(encodeQuoted(quote(Buffer.from("aü"), 2)), Buffer.from("aü").subarray(0, 2));
});

test("a message of any length is encoded", () => {
  const bytes = Buffer.alloc(1 << 20, 0xff);
  assert.deepEqual(encodeQuoted(quote(bytes, bytes.length)), bytes);
  const text = "ü👋".repeat(1 << 16);
  assert.deepEqual(encodeQuoted(text), Buffer.from(text));
});

test("half of a pair is shown as U+FFFD, as in any UTF-8", () => {
  assert.equal(encodeQuoted("a\ud83d\udcff").toString("hex"), Buffer.from("a\ud83d\udcff").toString("hex"));
  assert.equal(encodeQuoted("\udcff\ud83d").toString("hex"), "ffefbfbd");
});
