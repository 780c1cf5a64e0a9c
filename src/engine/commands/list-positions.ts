// List positions: where in a list elements stand that equal another.

import type { Slice } from "../../store/collections.ts";
import type { Store } from "../../store/store.ts";

export type Wanted = {
  /** The first match that counts, from 1 on; negative: from the end. */
  rank: number;
  /** Matches at most, and elements that are compared at most. */
  count: number;
  length: number;
};

const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

/** The indexes of the elements that `matches` takes, in the order in which they are found. */
export function positions(
  store: Store,
  key: number,
  matches: (element: Slice) => boolean,
  { rank, count, length }: Wanted,
): number[] {
  const back = rank < 0;
  const elements = store.lists.count(key);
  const found: number[] = [];
  let skip = Math.abs(rank) - 1;
  let left = Math.min(length, elements);
  let index = back ? elements - 1 : 0;
  store.lists.walk(key, index, back, slice, (element) => {
    if (matches(element)) {
      if (skip > 0) skip--;
      else found.push(index);
    }
    index += back ? -1 : 1;
    return found.length < count && --left > 0;
  });
  return found;
}
