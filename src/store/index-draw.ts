// IndexDraw: entries of an index by chance, for RANDOMKEY, SPOP and the samples of eviction.
//
//   draw ──▶ a hash's bucket ──▶ one of the places of its chain ──▶ the entry there, else once more
//
// A bucket that is not split yet is reached by two values of the hash's bits and has twice the entries,
// so it gets twice the places of a split one: then each place has the same chance, and so has each entry.
// Only those of a chain that is longer than its places (about one in 400) share what there is.

import { SLOTS_AT } from "./index-growth.ts";
import { BUCKET_SLOTS, OVERFLOW_SLOTS, SEGMENT_MASK, SEGMENT_SHIFT } from "./layout.ts";

/**
 * The places of an unsplit bucket while no bucket is split, when it holds 7.5 entries on average; they grow
 * with what an unsplit bucket holds on average, up to twice as much when nearly all the others are split.
 */
const PLACES = 18;
/** Draws before it looks at every bucket in turn. */
const TRIES = 200;

/** What it needs of HashIndex. */
export interface Chains {
  readonly bucketWords: Int32Array;
  readonly bucketAt: number;
  buckets(root: number): number;
  moveTo(root: number, bucket: number): void;
  readChain(): number;
  chainRef(index: number): number;
  takeChain(): number[];
}

export class IndexDraw {
  readonly #chains: Chains;
  readonly #words: Int32Array[];

  constructor(chains: Chains, words: Int32Array[]) {
    this.#chains = chains;
    this.#words = words;
  }

  /** An entry that `accepts` takes; 0 when none was found. `random` gives numbers in [0, 1). */
  draw(root: number, random: () => number, accepts: (ref: number) => boolean): number {
    const chains = this.#chains;
    const buckets = chains.buckets(root);
    const low = 1 << (31 - Math.clz32(buckets));
    const split = buckets - low;
    const places = Math.ceil((PLACES * buckets) / low / 2);
    for (let tries = 0; tries < TRIES; tries++) {
      let bucket = Math.floor(random() * low * 2);
      if (bucket >= buckets) bucket -= low;
      const here = bucket >= split && bucket < low ? places * 2 : places;
      chains.moveTo(root, bucket);
      const ref = this.#refAt(Math.floor(random() * here));
      if (ref === 0) continue;
      const any = this.#isLonger(here) ? chains.chainRef(Math.floor(random() * chains.readChain())) : ref;
      if (accepts(any)) return any;
    }
    const from = Math.floor(random() * buckets);
    for (let i = 0; i < buckets; i++) {
      chains.moveTo(root, (from + i) % buckets);
      const refs = chains.takeChain().filter(accepts);
      if (refs.length > 0) return refs[Math.floor(random() * refs.length)]!;
    }
    return 0;
  }

  /** Whether the chain moved to has more entries than `places`. */
  #isLonger(places: number): boolean {
    return this.#chains.bucketWords[this.#chains.bucketAt + 1] !== 0 && this.#refAt(places) !== 0;
  }

  /** The `pick`-th ref of the chain moved to; 0 when it is shorter. */
  #refAt(pick: number): number {
    let words = this.#chains.bucketWords;
    let at = this.#chains.bucketAt;
    let slots = BUCKET_SLOTS;
    let index = pick;
    let next = words[at + 1]!;
    while (index >= slots) {
      if (next === 0) return 0;
      index -= slots;
      words = this.#words[next >>> SEGMENT_SHIFT]!;
      at = (next & SEGMENT_MASK) << 1;
      next = words[at]!;
      slots = OVERFLOW_SLOTS;
    }
    return words[at + SLOTS_AT + index * 2 + 1]!;
  }
}
