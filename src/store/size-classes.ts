// Size classes: block sizes 8 bytes apart up to 128, then eight to each doubling up to 128 KiB, and
// for each class as many pages a span as keep what is left over at its end below a sixteenth.

import { PAGE_BYTES } from "./layout.ts";

const SIZES: number[] = [];
for (let size = 8; size <= 128; size += 8) SIZES.push(size);
for (let base = 128; base < 131072; base *= 2) {
  for (let i = 1; i <= 8; i++) SIZES.push(base + (base / 8) * i);
}

export const CLASS_BYTES: Int32Array = Int32Array.from(SIZES);
export const CLASS_COUNT: number = SIZES.length;
export const LARGEST_CLASS: number = SIZES[SIZES.length - 1]!;
/** By class: the pages of a span. */
export const CLASS_PAGES: Int32Array = Int32Array.from(SIZES, (size) => {
  for (let pages = 1; ; pages++) {
    const bytes = pages * PAGE_BYTES;
    if (bytes >= size && bytes % size <= bytes / 16) return pages;
  }
});

/** The class whose blocks are the smallest that hold `bytes`, which is at most LARGEST_CLASS. */
export function classOf(bytes: number): number {
  if (bytes <= 128) return bytes <= 8 ? 0 : (bytes - 1) >> 3;
  const doubling = 31 - Math.clz32(bytes - 1); // 2^doubling < bytes <= 2^(doubling + 1)
  return 16 + (doubling - 7) * 8 + ((bytes - 1 - (1 << doubling)) >> (doubling - 3));
}
