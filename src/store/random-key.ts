// Random key: one of the keys that have not run out.

import type { Keyspace } from "./keyspace.ts";
import { KEYSPACE_ROOT } from "./layout.ts";

/** Keys that have run out and that one call removes at most: about a millisecond. */
const DRAWS_MAX = 1000;

/**
 * A key, each with the same chance; 0 when there is none. Those that it meets and that have run out go.
 * After DRAWS_MAX of them it gives up: where nearly all keys have run out it may miss the others once.
 * @param random Gives numbers in [0, 1).
 */
export function randomKey(keys: Keyspace, random: () => number): number {
  const { index, isLive } = keys.memory;
  for (let draws = 0; draws < DRAWS_MAX; draws++) {
    const ref = index.random(KEYSPACE_ROOT, random, isAnything);
    if (ref === 0 || isLive(ref)) return ref;
    keys.remove(ref, "expire");
  }
  return 0;
}

function isAnything(): boolean {
  return true;
}
