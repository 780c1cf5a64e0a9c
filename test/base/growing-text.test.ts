// A text of many pieces: the same as the pieces put together, within its bytes, and small while it grows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GrowingText } from "../../src/base/growing-text.ts";

test("text and bytes are those of all pieces in their order, whatever their lengths", () => {
  const growing = new GrowingText();
  let whole = "";
  for (let i = 0; i < 30_000; i++) {
    const piece = ["\ufeff", "é", "𝄞", "abc", ""][i % 5]!.repeat(i % 7) + (i === 9999 ? "x".repeat(200_000) : "");
    growing.add(piece);
    whole += piece;
  }
  assert.equal(growing.text(), whole);
  assert.deepEqual(Buffer.from(growing.bytes()), Buffer.from(whole));
  assert.equal(growing.size, Buffer.byteLength(whole));
  growing.add("!");
  assert.equal(growing.text(), `${whole}!`);
  assert.equal(new GrowingText().text(), "");
});

test("more bytes than it may have are refused, counted in UTF-8", () => {
  const growing = new GrowingText(1000);
  growing.add("é".repeat(500));
  assert.equal(growing.bytes().length, 1000);
  growing.add("a");
  assert.throws(() => growing.text(), { code: "OUTPUT_TOO_BIG" });
  assert.throws(() => new GrowingText(1000).add("a".repeat(100_000)), /exceeds outputBytesMax \(1000\)/);
});

test("pieces that are written take no more of the heap than a line", () => {
  const growing = new GrowingText();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 4_000_000; i++) growing.add(",");
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(grown < 40_000_000, `${grown} bytes; a node for each piece would be 128,000,000`);
  assert.equal(growing.size, 4_000_000);
});
