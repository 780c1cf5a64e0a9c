// Bytes: copies and text, at the sizes where the way changes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { allocateBytes, copyBytes, latin1Slice } from "../../src/base/bytes.ts";

test("copies of any size are exact and touch nothing beside them", () => {
  for (const size of [0, 1, 23, 24, 25, 26, 1000]) {
    const source = Uint8Array.from({ length: size + 8 }, (_, i) => i * 7 + 1);
    const target = allocateBytes(size + 8).fill(0);
    copyBytes(source, 3, 3 + size, target, 5);
    const wanted = new Uint8Array(size + 8);
    wanted.set(source.subarray(3, 3 + size), 5);
    assert.deepEqual(Buffer.from(target), Buffer.from(wanted), `${size}`);
  }
});

test("memory is of its own, not a part of a shared pool", () => {
  const bytes = allocateBytes(10);
  assert.equal(bytes.buffer.byteLength, 10);
  assert.ok(Buffer.isBuffer(bytes));
});

test("Latin-1 is one character a byte, of any kind of array", () => {
  assert.equal(latin1Slice!(Uint8Array.of(0x61, 0, 0xff, 0x62), 1, 3), "\0\xff");
});
