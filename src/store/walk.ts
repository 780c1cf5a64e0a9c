// Walks: the entries of a container whose names nobody knows, all or a bucket at a time; and the names of many entries.
// Entries that have run out and are not removed yet are passed over.

import type { Entries } from "./entries.ts";
import {
  KEY_KIND_MASK,
  KEY_KIND_SHIFT,
  KEY_LENGTH_SHIFT,
  KEY_OFFSET,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  TYPE_FREE,
  UNIT_SHIFT,
} from "./layout.ts";
import type { Memory } from "./memory.ts";

/** Calls back for every entry. The container may not change meanwhile. */
export function eachEntry(memory: Memory, root: number, visit: (ref: number) => void): void {
  const buckets = memory.index.buckets(root);
  for (let bucket = 0; bucket < buckets; bucket++) {
    memory.index.moveTo(root, bucket);
    visitBucket(memory, visit);
  }
}

/**
 * Calls back for the entries of the buckets from `cursor` on, until `entriesMin` were seen. Returns the
 * next cursor; 0 at the end. What is there from the first call to the last is seen at least once.
 */
export function scanEntries(
  memory: Memory,
  root: number,
  cursor: number,
  entriesMin: number,
  visit: (ref: number) => void,
): number {
  let seen = 0;
  let next = cursor;
  do {
    next = memory.index.seek(root, next);
    seen += visitBucket(memory, visit) + 1;
  } while (next !== 0 && seen < entriesMin);
  return next;
}

function visitBucket(memory: Memory, visit: (ref: number) => void): number {
  const refs = memory.index.takeChain();
  for (const ref of refs) if (memory.isLive(ref)) visit(ref);
  return refs.length;
}

/** Gets a name: its bytes, where they begin and end, its kind; and the handle of whose it is. */
export type VisitName = (bytes: Buffer, start: number, end: number, kind: number, handle: number) => void;

/**
 * Calls back with the names of `count` entries, which may lie anywhere: their first words are read before, in a loop that
 * does nothing else, so that they are fetched together.
 */
export function eachName({ words, bytes }: Entries, refs: Int32Array, count: number, visit: VisitName): void {
  let heads = 0;
  for (let i = 0; i < count; i++) {
    const ref = refs[i]!;
    heads |= words[ref >>> SEGMENT_SHIFT]![(ref & SEGMENT_MASK) << 1]!;
  }
  // No entry is like this; but what is read has to be asked for something.
  if (heads === TYPE_FREE) return;
  for (let i = 0; i < count; i++) {
    const ref = refs[i]!;
    const segment = ref >>> SEGMENT_SHIFT;
    const unit = ref & SEGMENT_MASK;
    const head = words[segment]![unit << 1]!;
    const start = (unit << UNIT_SHIFT) + KEY_OFFSET[(head >>> 8) & 7]!;
    visit(bytes[segment]!, start, start + (head >>> KEY_LENGTH_SHIFT), (head & KEY_KIND_MASK) >> KEY_KIND_SHIFT, ref);
  }
}
