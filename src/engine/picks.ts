// Picks: fields or members at random, each with the same chance.
//
//   count ≥ 0 ──▶ pickDistinct: that many different ones, or all      few: drawn until new, many: shuffled
//   count < 0 ──▶ pickRepeated: that many draws                       SRANDMEMBER key -3
//
// Picks are handles, good until the container changes.

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Store } from "../store/store.ts";
import type { Args } from "./args.ts";
import { random } from "./random.ts";

const INT64_MAX = 9223372036854775807n;
/** From this part of a container on, drawing until there are enough would draw too often. */
const FEW = 1 / 3;
/** What one element takes at least of a reply: to refuse at once what can never be sent. */
const ELEMENT_BYTES_MIN = 6;

/**
 * The count in argument `index`, from -(2^63 - 1) to 2^63 - 1; above 2^53 the nearest number.
 * @throws {HiveError} NOT_INTEGER, OUT_OF_RANGE
 */
export function countArgument(args: Args, index: number): number {
  const count = args.integer(index);
  if (count < -(2 ** 53) && args.int64(index) < -INT64_MAX) {
    const range = `value must between ${-INT64_MAX} and ${INT64_MAX}`;
    throw new HiveError("OUT_OF_RANGE", `value is out of range, ${range}`);
  }
  return count;
}

/** `count` different elements, in no particular order; all where there are no more. */
export function pickDistinct(store: Store, key: number, count: number): number[] {
  const all = store.fields.count(key);
  if (count < all * FEW) return [...drawDistinct(store, key, count)];
  const picks: number[] = [];
  store.fields.each(key, (handle) => picks.push(handle));
  if (count >= picks.length) return picks;
  // The first `count` places of a shuffle (R. Durstenfeld, 1964).
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(random() * (picks.length - i));
    const pick = picks[other]!;
    picks[other] = picks[i]!;
    picks[i] = pick;
  }
  picks.length = count;
  return picks;
}

function drawDistinct(store: Store, key: number, count: number): Set<number> {
  const picks = new Set<number>();
  while (picks.size < count) {
    const handle = store.fields.random(key, random);
    if (handle === 0) break;
    picks.add(handle);
  }
  return picks;
}

/**
 * Calls back with `count` elements, some perhaps more than once; the container must have one. The caller
 * has asked checkPicks().
 */
export function pickRepeated(store: Store, key: number, count: number, visit: (handle: number) => void): void {
  for (let i = 0; i < count; i++) visit(store.fields.random(key, random));
}

/** @throws {HiveError} OUTPUT_TOO_BIG: no reply can have that many elements. */
export function checkPicks(count: number, limits: Limits): void {
  if (count * ELEMENT_BYTES_MIN <= limits.outputBytesMax) return;
  const message = `reply of ${count} elements exceeds outputBytesMax (${limits.outputBytesMax} bytes)`;
  throw new HiveError("OUTPUT_TOO_BIG", message);
}
