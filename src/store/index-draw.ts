// IndexDraw: entries of an index by chance, for RANDOMKEY, SPOP and the samples of eviction.
//
//   draw ──▶ a bucket ──▶ one of CHAIN_USUAL places in its chain ──▶ the entry there, else once more
//
// Each place has the same chance, so each entry has, as far as its chain is no longer than usual; those
// of a longer one share what there is.

import { SLOTS_AT } from "./index-growth.ts";
import { BUCKET_SLOTS, OVERFLOW_SLOTS, SEGMENT_MASK, SEGMENT_SHIFT } from "./layout.ts";

/** The places of a bucket and three overflow nodes. */
const CHAIN_USUAL = 16;
const NODES_USUAL = 3;
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
    for (let tries = 0; tries < TRIES; tries++) {
      chains.moveTo(root, Math.floor(random() * buckets));
      const ref = this.#slotAt(Math.floor(random() * CHAIN_USUAL));
      if (ref === 0) continue;
      const any = this.#isLong() ? chains.chainRef(Math.floor(random() * chains.readChain())) : ref;
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

  /** Whether the chain moved to has more places than CHAIN_USUAL. */
  #isLong(): boolean {
    let next = this.#chains.bucketWords[this.#chains.bucketAt + 1]!;
    for (let nodes = 0; next !== 0; nodes++) {
      if (nodes === NODES_USUAL) return true;
      next = this.#words[next >>> SEGMENT_SHIFT]![(next & SEGMENT_MASK) << 1]!;
    }
    return false;
  }

  /** The `pick`-th ref of the chain moved to; 0 when it is shorter. */
  #slotAt(pick: number): number {
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
