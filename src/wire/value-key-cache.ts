// Key cache: names of properties that were decoded before.
//
//   bytes of a key ──▶ slot by their hash ──▶ same bytes? the same string : miss
//
// Objects in a table have the same few keys. Making a string and finding it among V8's unique ones
// costs about 60 ns a key; comparing bytes with what a slot remembers costs 5 to 10.
//
// The cache has a fixed size and a slot holds the last key that fell into it, so chosen keys can make
// it useless but nothing worse. Names that Object.prototype has are never in it: they are the caller's
// to define with care.

/** A power of two. With 33 bytes and a string a slot: about 70 KiB. */
const SLOTS = 1_024;
/** Longer keys have another head than fixstr and are not remembered. */
const SLOT_BYTES = 32;

const held = new Uint8Array(SLOTS * SLOT_BYTES);
const lengths = new Uint8Array(SLOTS);
const texts: string[] = new Array(SLOTS).fill("");

/** Where a key of 1 to 31 bytes belongs. All bytes count: names like user:1, user:2 are what objects with many have. */
export function keySlot(bytes: Uint8Array, start: number, length: number): number {
  let mixed = length;
  for (let at = start + length - 1; at >= start; at--) mixed = (mixed * 31 + bytes[at]!) | 0;
  return (mixed ^ (mixed >>> 9)) & (SLOTS - 1);
}

/** The key, where the slot remembers the same bytes. */
export function cachedKey(slot: number, bytes: Uint8Array, start: number, length: number): string | undefined {
  if (lengths[slot] !== length) return undefined;
  const from = slot * SLOT_BYTES;
  for (let i = 0; i < length; i++) {
    if (held[from + i] !== bytes[start + i]) return undefined;
  }
  return texts[slot];
}

export function cacheKey(slot: number, text: string, bytes: Uint8Array, start: number, length: number): void {
  const from = slot * SLOT_BYTES;
  for (let i = 0; i < length; i++) held[from + i] = bytes[start + i]!;
  lengths[slot] = length;
  texts[slot] = text;
}
