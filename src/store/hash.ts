// KeyHash: HalfSipHash-1-3 of a key, 32 bits (J.-P. Aumasson, D. J. Bernstein, "SipHash"; the 32-bit
// variant with one and three rounds is what the Linux kernel uses for its hash tables).
//
// Keyed, with a random key per hive: with a known hash a client can choose keys that all fall into
// one bucket. While it reads the key it leaves the bytes as words in `words`, which is what lets the
// index compare keys four bytes at a time whatever their alignment in the received chunk.

import { KEY_LENGTH_MAX } from "./layout.ts";

export class KeyHash {
  readonly #key0: number;
  readonly #key1: number;
  /** The last hashed bytes as little endian words, the last one filled up with zeros. */
  words: Int32Array = new Int32Array(1024);

  constructor(key0: number, key1: number) {
    this.#key0 = key0 | 0;
    this.#key1 = key1 | 0;
  }

  /**
   * @param typed 1 for the encoding of a value, 0 for raw bytes: integer 1 and text "1" are two keys.
   */
  hash(bytes: Uint8Array, start: number, length: number, typed: number): number {
    if (length > KEY_LENGTH_MAX) return 0; // no entry has such a name: its words would be kept for nothing
    const count = length >> 2;
    if (count >= this.words.length) this.words = new Int32Array(Math.max(count + 1, this.words.length * 2));
    const words = this.words;
    let v0 = this.#key0;
    let v1 = this.#key1;
    let v2 = v0 ^ 0x6c796765;
    let v3 = v1 ^ 0x74656462;
    v1 ^= typed;
    let at = start;
    for (let i = 0; i < count; i++, at += 4) {
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      words[i] = word;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    let tail = 0;
    const rest = length & 3;
    if (rest > 0) {
      tail = bytes[at]!;
      if (rest > 1) tail |= bytes[at + 1]! << 8;
      if (rest > 2) tail |= bytes[at + 2]! << 16;
    }
    words[count] = tail;
    tail |= length << 24;
    v3 ^= tail;
    // One compression round for the last word, then three of finalization.
    for (let round = 0; round < 4; round++) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      if (round === 0) {
        v0 ^= tail;
        v2 ^= 0xff;
      }
    }
    return v1 ^ v3;
  }
}
