// The store against its model: random histories of everything that can happen to it, and after each of
// them a walk over all memory. STORE_RUNS=… makes it long, STORE_SEED=… repeats one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkHistories, freshSeed } from "../kit/store-checks.ts";

const RUNS = Number(process.env["STORE_RUNS"] ?? 120);

test("long histories do to the store what they do to its model", (t) => {
  const seed = freshSeed();
  t.diagnostic(`STORE_SEED=${seed}`);
  const counts = checkHistories({ runs: RUNS, steps: 500, seed });
  for (const operation of [
    "put",
    "rename",
    "growFields",
    "deleteFields",
    "undo",
    "fail",
    "scan",
    "clear",
    "evicted",
    "moved",
  ]) {
    assert.ok((counts.get(operation) ?? 0) > 0, `${operation} happened`);
  }
});

test("short histories, each checked at its end, do so too", (t) => {
  const seed = freshSeed();
  t.diagnostic(`STORE_SEED=${seed}`);
  checkHistories({ runs: RUNS * 8, steps: 24, seed });
});

test("values above a segment are kept and given back", (t) => {
  const seed = freshSeed();
  t.diagnostic(`STORE_SEED=${seed}`);
  checkHistories({ runs: Math.ceil(RUNS / 60), steps: 300, seed, large: true });
});
