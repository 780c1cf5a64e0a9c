// A short form of `npm run torture -- spool`: real processes are killed while readings go through a spool.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tortureSpool } from "./spool.ts";

for (const bytesMax of [undefined, 16 * 1024]) {
  const room = bytesMax === undefined ? "each reading is there once and in order" : "what has no room is counted";
  test(`whatever dies while a device puts through its spool, ${room}`, async (t) => {
    const seed = Number(process.env["TORTURE_SEED"] ?? Date.now() % 1_000_000_007);
    t.diagnostic(`TORTURE_SEED=${seed}`);
    const counts = { readings: 1000, cuts: 3, kills: 3, restarts: 2 };
    const result = await tortureSpool({ seed, ...counts, bytesMax, note: () => {} });
    t.diagnostic(JSON.stringify(result));
    assert.deepEqual(result.wrong, []);
    assert.ok(result.resolved >= 1000, `${result.resolved} were put`);
  });
}
