// The short form of `npm run fuzz`, over a seed of the day, so that runs add up.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ROWS } from "../../src/engine/commands/table.ts";
import { Random } from "../differential/random.ts";
import { allRows, drawFrame, spoil } from "./frames.ts";
import { batchFrames, fuzz } from "./fuzz.ts";

const skip = process.platform === "linux" ? false : "reads a process's memory from /proc";
const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Date.now() / 86_400_000));

test(`frames of every row, whole and spoilt, stop nothing (FUZZ_SEED=${seed})`, { skip }, async (t) => {
  const report = await fuzz({ seed, frames: 40_000, warmUpFrames: 40_000 });
  t.diagnostic(JSON.stringify(report));
  assert.ok(report.beside > 500);
});

test("a batch depends on its seed and number alone, and the batches of one round have every row", () => {
  assert.deepEqual(batchFrames(7, 3), batchFrames(7, 3));
  assert.notDeepEqual(batchFrames(7, 3), batchFrames(7, 4));
  const random = new Random(1);
  for (const row of allRows(ROWS)) {
    const frame = drawFrame(random, row);
    assert.ok(frame.length > 0, row.name);
    assert.ok(spoil(random, frame).length >= 0);
  }
});
