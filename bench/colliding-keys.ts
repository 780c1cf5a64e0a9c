// Keys that collide under hashes that are not keyed: what somebody sends who wants a server to be slow.
//
//   FNV-1a       blocks that lead from a state to the same next one, found by birthday; 17 such pairs in a
//                row give 2^17 keys of one hash (A. Joux, "Multicollisions in iterated hash functions", 2004)
//   MurmurHash2  one step over a word can be inverted, so for every first word there is a second one
//   xxHash32     that leads to the chosen state: keys of 8 bytes, as many as wanted
//
// The hashes are here only to choose keys; every key is checked with the whole hash, all 32 bits of it.

import { randomInt } from "node:crypto";

export type Hash = (key: Uint8Array) => number;

const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

export function fnv1a(key: Uint8Array): number {
  let hash = FNV_OFFSET;
  for (const byte of key) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash;
}

const MURMUR_M = 0x5bd1e995;
const MURMUR_SEED = 0;

/** MurmurHash2 of A. Appleby, for keys whose length is a multiple of 4. */
export function murmur2(key: Buffer): number {
  let hash = MURMUR_SEED ^ key.length;
  for (let at = 0; at < key.length; at += 4) hash = murmurStep(hash, key.readInt32LE(at));
  hash = Math.imul(hash ^ (hash >>> 13), MURMUR_M);
  return hash ^ (hash >>> 15);
}

function murmurStep(state: number, word: number): number {
  let mixed = Math.imul(word, MURMUR_M);
  mixed ^= mixed >>> 24;
  return Math.imul(state, MURMUR_M) ^ Math.imul(mixed, MURMUR_M);
}

const XX_PRIME2 = 0x85ebca77 | 0;
const XX_PRIME3 = 0xc2b2ae3d | 0;
const XX_PRIME4 = 0x27d4eb2f;
const XX_PRIME5 = 0x165667b1;
const XX_SEED = 0;

/** xxHash32 of Y. Collet, for keys of up to 15 bytes whose length is a multiple of 4. */
export function xxHash32(key: Buffer): number {
  let hash = (XX_SEED + XX_PRIME5 + key.length) | 0;
  for (let at = 0; at < key.length; at += 4) hash = xxStep(hash, key.readInt32LE(at));
  hash = Math.imul(hash ^ (hash >>> 15), XX_PRIME2);
  hash = Math.imul(hash ^ (hash >>> 13), XX_PRIME3);
  return hash ^ (hash >>> 16);
}

function xxStep(state: number, word: number): number {
  return Math.imul(rotate((state + Math.imul(word, XX_PRIME3)) | 0, 17), XX_PRIME4);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The factor that undoes Math.imul(…, odd). */
function inverse(odd: number): number {
  let result = odd;
  for (let i = 0; i < 5; i++) result = Math.imul(result, 2 - Math.imul(odd, result));
  return result;
}

const BLOCK_BYTES = 4;

/** `count` different keys with one FNV-1a hash, 4 bytes for each doubling of their number. */
export function fnvCollisions(count: number): Buffer[] {
  const pairs: [Buffer, Buffer][] = [];
  let state = FNV_OFFSET;
  while (1 << pairs.length < count) {
    const seen = new Map<number, number>();
    for (;;) {
      const word = randomInt(2 ** 32);
      let next = state;
      for (let byte = 0; byte < 32; byte += 8) next = Math.imul(next ^ ((word >>> byte) & 255), FNV_PRIME);
      const other = seen.get(next);
      seen.set(next, word);
      if (other === undefined || other === word) continue;
      pairs.push([littleEndian(other), littleEndian(word)]);
      state = next;
      break;
    }
  }
  return Array.from({ length: count }, (_, number) =>
    Buffer.concat(
      pairs.map((pair, i) => pair[(number >>> i) & 1]!),
      pairs.length * BLOCK_BYTES,
    ),
  );
}

/** `count` different keys of 8 bytes with one MurmurHash2. */
export function murmurCollisions(count: number): Buffer[] {
  const target = randomInt(2 ** 32) | 0;
  const back = inverse(MURMUR_M);
  return Array.from({ length: count }, (_, first) => {
    const state = murmurStep(MURMUR_SEED ^ 8, first);
    // target = state × m ^ mixed × m, and mixed = k × m ^ (k × m >>> 24)
    let mixed = Math.imul(target ^ Math.imul(state, MURMUR_M), back);
    mixed ^= mixed >>> 24;
    return Buffer.concat([littleEndian(first), littleEndian(Math.imul(mixed, back))]);
  });
}

/** `count` different keys of 8 bytes with one xxHash32. */
export function xxHashCollisions(count: number): Buffer[] {
  const target = randomInt(2 ** 32) | 0;
  const back3 = inverse(XX_PRIME3);
  const back4 = inverse(XX_PRIME4);
  return Array.from({ length: count }, (_, first) => {
    const state = xxStep((XX_SEED + XX_PRIME5 + 8) | 0, first);
    const sum = rotate(Math.imul(target, back4), 32 - 17);
    return Buffer.concat([littleEndian(first), littleEndian(Math.imul((sum - state) | 0, back3))]);
  });
}

function littleEndian(word: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(word | 0);
  return bytes;
}
