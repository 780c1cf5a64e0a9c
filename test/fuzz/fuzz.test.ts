// The short form of `npm run fuzz`, over a seed of the day, so that runs add up.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HIVE_ROWS as ROWS } from "../../src/server/rows.ts";
import { Random } from "../differential/random.ts";
import { allRows } from "./frames.ts";
import { batchFrames, fuzz } from "./fuzz.ts";
import { WIRES } from "./wires.ts";

const skip = process.platform === "linux" ? false : "reads a process's memory from /proc";
/** One spare segment, which may be there at one of the two moments: it weighs more than what so few frames could leak. */
const SLACK_KIB = 16 * 1024;
const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Date.now() / 86_400_000));

for (const [name, wire] of Object.entries(WIRES)) {
  test(`frames of every row over ${name}, whole and spoilt, stop nothing (FUZZ_SEED=${seed})`, { skip }, async (t) => {
    const report = await fuzz({ wire, seed, frames: 40_000, warmUpFrames: 40_000, slackKib: SLACK_KIB });
    t.diagnostic(JSON.stringify(report));
    assert.ok(report.beside > 500);
  });
}

test("a batch depends on its seed and number alone, and the batches of one round have every row", () => {
  const random = new Random(1);
  for (const wire of Object.values(WIRES)) {
    assert.deepEqual(batchFrames(wire, 7, 3), batchFrames(wire, 7, 3));
    assert.notDeepEqual(batchFrames(wire, 7, 3), batchFrames(wire, 7, 4));
    for (const row of allRows(ROWS)) {
      const frame = wire.draw(random, row);
      assert.ok(frame.length > 0, row.name);
      assert.ok(wire.spoil(random, frame).length >= 0);
    }
  }
});
