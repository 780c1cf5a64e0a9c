// Walks: the entries of a container without their names, all or a bucket at a time.
// Entries that have run out and are not removed yet are passed over.

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
