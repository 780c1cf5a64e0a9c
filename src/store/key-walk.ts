// Key walk: keys without their names, for KEYS, SCAN and RANDOMKEY. Keys that have run out and are not
// removed yet are passed over.

import { KEYSPACE_ROOT } from "./layout.ts";
import type { Memory } from "./memory.ts";

/** Calls back for every key. The keyspace may not change meanwhile. */
export function eachKey(memory: Memory, visit: (ref: number) => void): void {
  const buckets = memory.index.buckets(KEYSPACE_ROOT);
  for (let bucket = 0; bucket < buckets; bucket++) {
    memory.index.moveTo(KEYSPACE_ROOT, bucket);
    visitBucket(memory, visit);
  }
}

/**
 * Calls back for the keys of the buckets from `cursor` on, until `keysMin` were seen. Returns the next
 * cursor; 0 at the end. What is there from the first call to the last is seen at least once.
 */
export function scanKeys(memory: Memory, cursor: number, keysMin: number, visit: (ref: number) => void): number {
  let seen = 0;
  let next = cursor;
  do {
    next = memory.index.seek(KEYSPACE_ROOT, next);
    seen += visitBucket(memory, visit) + 1;
  } while (next !== 0 && seen < keysMin);
  return next;
}

/** A key, each with the same chance; 0 when there is none. `random` gives numbers in [0, 1). */
export function randomKey(memory: Memory, random: () => number): number {
  return memory.index.random(KEYSPACE_ROOT, random, (ref) => isLive(memory, ref));
}

function visitBucket(memory: Memory, visit: (ref: number) => void): number {
  const refs = memory.index.takeChain();
  for (const ref of refs) if (isLive(memory, ref)) visit(ref);
  return refs.length;
}

function isLive(memory: Memory, ref: number): boolean {
  return !memory.entries.hasTtl(ref) || memory.entries.deadline(ref) > memory.nowMs;
}
