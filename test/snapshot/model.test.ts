// Snapshots against the moment that they show: random histories go on while one is written in steps, and
// what comes back from it is what was there at its beginning. STORE_RUNS=… makes it long, STORE_SEED=… repeats one.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Store } from "../../src/store/store.ts";
import { compareTaken, SnapshotHistory } from "../kit/snapshot-history.ts";
import { freshSeed } from "../kit/store-checks.ts";
import type { Step } from "../kit/store-steps.ts";

const RUNS = Number(process.env["STORE_RUNS"] ?? 120);
const PAGE = 65536;
const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(99), fc.nat(0xfffff), fc.nat(0xfffff), fc.nat(0xfffff));

test("what a snapshot gives back is what was there when it began", async (t) => {
  const seed = freshSeed();
  t.diagnostic(`STORE_SEED=${seed}`);
  let compared = 0;
  const history = fc.array(step, { maxLength: 500, size: "max" });
  await fc.assert(
    fc.asyncProperty(history, fc.nat(0xffff), fc.nat(3), async (steps, number, setting) => {
      const limit = setting === 0 ? { maxMemoryBytes: PAGE * 64, maxMemoryPolicy: "allkeys-lru" as const } : {};
      const store = new Store({ nowMs: 1 + number * 37, hashKey: Buffer.alloc(8, number), ...limit });
      const run = new SnapshotHistory(store);
      run.run(steps);
      for (const taken of run.taken) compared += await compareTaken(taken);
      store.close();
    }),
    { numRuns: RUNS, seed, interruptAfterTimeLimit: 300_000, endOnFailure: false },
  );
  assert.ok(compared > RUNS, `${compared} entries were compared`);
});
