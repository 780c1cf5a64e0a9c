// The hash against HalfSipHash written down from the paper, which is itself held to the published vectors.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyHash } from "../../src/store/hash.ts";

/** HalfSipHash-c-d with 32 bits of output (J.-P. Aumasson, D. J. Bernstein), one step a line. */
function halfSipHash(key: Buffer, message: Buffer, c: number, d: number, typed = 0): number {
  const k0 = key.readUInt32LE(0);
  const k1 = key.readUInt32LE(4);
  const v = [k0, (k1 ^ typed) >>> 0, (0x6c796765 ^ k0) >>> 0, (0x74656462 ^ k1) >>> 0];
  const add = (a: number, b: number): void => void (v[a] = (v[a]! + v[b]!) % 2 ** 32);
  const rotate = (a: number, bits: number): void => void (v[a] = ((v[a]! << bits) | (v[a]! >>> (32 - bits))) >>> 0);
  const xor = (a: number, b: number): void => void (v[a] = (v[a]! ^ v[b]!) >>> 0);
  const round = (): void => {
    add(0, 1);
    rotate(1, 5);
    xor(1, 0);
    rotate(0, 16);
    add(2, 3);
    rotate(3, 8);
    xor(3, 2);
    add(0, 3);
    rotate(3, 7);
    xor(3, 0);
    add(2, 1);
    rotate(1, 13);
    xor(1, 2);
    rotate(2, 16);
  };
  const padded = Buffer.alloc(Math.floor(message.length / 4) * 4 + 4);
  message.copy(padded);
  padded[padded.length - 1] = message.length & 255;
  for (let at = 0; at < padded.length; at += 4) {
    const word = padded.readUInt32LE(at);
    v[3] = (v[3]! ^ word) >>> 0;
    for (let i = 0; i < c; i++) round();
    v[0] = (v[0]! ^ word) >>> 0;
  }
  v[2] = (v[2]! ^ 0xff) >>> 0;
  for (let i = 0; i < d; i++) round();
  return (v[1]! ^ v[3]!) | 0;
}

const COUNTING = Buffer.from(Array.from({ length: 64 }, (_, i) => i));

test("the straightforward version gives the published vectors of HalfSipHash-2-4", () => {
  const vectors = ["a9359f5b", "27475ab8", "fa62a603", "8afee704"];
  for (const [length, vector] of vectors.entries()) {
    const hash = Buffer.alloc(4);
    hash.writeInt32LE(halfSipHash(COUNTING.subarray(0, 8), COUNTING.subarray(0, length), 2, 4));
    assert.equal(hash.toString("hex"), vector, `${length} bytes`);
  }
});

test("KeyHash is HalfSipHash-1-3, whatever the length, the alignment and the key", () => {
  for (let seed = 0; seed < 40; seed++) {
    const key = Buffer.from(Array.from({ length: 8 }, (_, i) => (seed * 97 + i * 31) & 255));
    const hash = new KeyHash(key.readInt32LE(0), key.readInt32LE(4));
    for (const length of [...Array(70).keys(), 255, 256, 257, 5000, 70_001]) {
      const start = (seed + length) % 5;
      const bytes = Buffer.alloc(start + length + 3, 0xee);
      for (let i = 0; i < length; i++) bytes[start + i] = (i * 7 + seed) & 255;
      const name = bytes.subarray(start, start + length);
      assert.equal(hash.hash(bytes, start, length, 0), halfSipHash(key, name, 1, 3), `${length} bytes`);
      assert.equal(hash.hash(bytes, start, length, 1), halfSipHash(key, name, 1, 3, 1), `${length} typed bytes`);
      const words = Buffer.from(hash.words.buffer, hash.words.byteOffset, length);
      assert.ok(words.equals(name), "the name stands in words");
    }
  }
});

test("a name longer than any key is not hashed, and its words are not kept", () => {
  const hash = new KeyHash(1, 2);
  const name = Buffer.alloc(32 << 20);
  assert.equal(hash.hash(name, 0, name.length, 0), 0);
  assert.ok(hash.words.length <= 1024);
});
