// Store checks: random histories in the settings that a store can have, checked by fast-check.
//
// A failure prints fast-check's seed and path, and the shortest history that it found; STORE_SEED=… does it again.

import fc from "fast-check";
import { EVICTION_POLICIES } from "../../src/store/eviction.ts";
import { Store, type StoreOptions } from "../../src/store/store.ts";
import { type HistoryOptions, StoreHistory } from "./store-history.ts";
import type { Step } from "./store-steps.ts";

const PAGE = 65536;

export type Check = { runs: number; steps: number; seed: number; large?: boolean };

/** The seed of this run of the tests: STORE_SEED, or a fresh one. */
export function freshSeed(): number {
  return Number(process.env["STORE_SEED"] ?? Math.floor(Math.random() * 0x7fffffff));
}

/** Any history. */
const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(99), fc.nat(0xfffff), fc.nat(0xfffff), fc.nat(0xfffff));

/** Runs `runs` histories of up to `steps` steps in stores of every setting. @throws where one fails. */
export function checkHistories({ runs, steps, seed, large = false }: Check): Map<string, number> {
  const counts = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: steps, size: "max" }),
      fc.nat(0xffff),
      fc.nat(9),
      (history, number, setting) => {
        const store = new Store(storeOptions(number, setting));
        const options: HistoryOptions = { checkEvery: 40, large, fillBytes: setting % 2 === 0 ? 12 : 1000 };
        const run = new StoreHistory(store, options);
        try {
          run.run(history);
        } finally {
          store.close();
        }
        for (const [name, count] of run.counts) counts.set(name, (counts.get(name) ?? 0) + count);
        counts.set("evicted", (counts.get("evicted") ?? 0) + store.keys.evicted);
        counts.set("moved", (counts.get("moved") ?? 0) + store.compactor.moved);
      },
    ),
    { numRuns: runs, seed, interruptAfterTimeLimit: 300_000, endOnFailure: false },
  );
  return counts;
}

/** By setting: no limit, or a limit of a few pages under each of the policies. */
function storeOptions(number: number, setting: number): StoreOptions {
  const options: StoreOptions = { nowMs: 1 + number * 37, hashKey: Buffer.alloc(8, number) };
  if (setting < 5) return options;
  const maxMemoryBytes = PAGE * (16 + (number % 20));
  return { ...options, maxMemoryBytes, maxMemoryPolicy: EVICTION_POLICIES[setting % EVICTION_POLICIES.length]! };
}
