// The skips of a long list as a block: what containers and the compactor need to know of it.
//
// They are made and read in list-roots.ts. A list's root is told from others by its size.

import {
  KEYSPACE_ROOT,
  LIST_FIRST,
  LIST_ROOT_BYTES,
  LIST_SKIPS,
  LIST_SKIPS_COUNT,
  ROOT_SEQUENCE,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
} from "./layout.ts";
import type { Pages } from "./pages.ts";
import { close, open } from "./sequence.ts";

type Parts = { readonly words: Int32Array[]; readonly pages: Pages };

/** Whether a container is a list's. */
export function isListRoot(pages: Pages, root: number): boolean {
  return root !== KEYSPACE_ROOT && pages.sizeOf(root) === LIST_ROOT_BYTES;
}

/** The block of a list's skips; 0 for none, and for other containers. */
export function skipsOf({ words, pages }: Parts, root: number): number {
  if (!isListRoot(pages, root)) return 0;
  return words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + LIST_SKIPS]!;
}

/** Gives them back: they are made again when they are needed. The root's sequence may be odd already. */
export function dropSkips(parts: Parts, root: number): void {
  const skips = skipsOf(parts, root);
  if (skips === 0) return;
  const words = parts.words[root >>> SEGMENT_SHIFT]!;
  const at = (root & SEGMENT_MASK) << 1;
  const isOpen = (words[at + ROOT_SEQUENCE]! & 1) === 1;
  if (!isOpen) open(words, at + ROOT_SEQUENCE);
  for (let word = LIST_SKIPS; word <= LIST_SKIPS_COUNT; word++) words[at + word] = 0;
  if (!isOpen) close(words, at + ROOT_SEQUENCE);
  parts.pages.free(skips);
}

/** What the root says of its list, but for the skips. */
export function copyListWords(words: Int32Array[], root: number): Int32Array {
  const at = (root & SEGMENT_MASK) << 1;
  return words[root >>> SEGMENT_SHIFT]!.slice(at + LIST_FIRST, at + LIST_SKIPS);
}

/** Lets the root say it again. The skips go: they may know of what is taken back. */
export function restoreListWords(parts: Parts, root: number, list: Int32Array): void {
  dropSkips(parts, root);
  const words = parts.words[root >>> SEGMENT_SHIFT]!;
  const at = (root & SEGMENT_MASK) << 1;
  open(words, at + ROOT_SEQUENCE);
  words.set(list, at + LIST_FIRST);
  close(words, at + ROOT_SEQUENCE);
}
