// test/differential/random.ts
// Random: a seeded source of choices, the same on every machine.
//
//   seed ──▶ [ sfc32 ] ──▶ below(n), pick(list), chance(share)
//
// A failing run is repeated by its seed alone, so nothing in the tester may call Math.random.
// The algorithm is sfc32 by Chris Doty-Humphrey (PractRand), with the usual twelve warm-up rounds.

/** A stream of choices that depends on its seed only. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed A whole number; only its low 53 bits count. */
  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 0x100000000) >>> 0;
    this.#c = 0x9e3779b9;
    for (let round = 0; round < 12; round++) this.#next();
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.#next() / 0x100000000) * limit);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in `share` of all calls (0 to 1). */
  chance(share: number): boolean {
    return this.#next() < share * 0x100000000;
  }

  /** One element of a list that has at least one. */
  pick<Item>(list: readonly Item[]): Item {
    return list[this.below(list.length)] as Item;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}

/** A seed for part number `index` of a run, far from the seeds of its neighbours. */
export function deriveSeed(seed: number, index: number): number {
  const random = new Random(seed * 1_000_003 + index * 7919 + 1);
  return random.below(0x7fffffff);
}
