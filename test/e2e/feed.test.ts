// A short form of `npm run torture -- feed`: a watcher over real sockets that is cut off again and again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tortureFeed } from "../torture/feed.ts";

const seed = Number(process.env["TORTURE_SEED"] ?? Date.now() % 1_000_000_007);

for (const historyMax of [undefined, 200]) {
  const history = historyMax === undefined ? "the history that a hive has" : "a short history";
  test(`a watcher that is cut off at random sees each change once and in order, or is told the gap: ${history}`, async (t) => {
    t.diagnostic(`TORTURE_SEED=${seed}`);
    const result = await tortureFeed({ seed, cuts: 10, changes: 5_000, historyMax, note: () => {} });
    t.diagnostic(JSON.stringify(result));
    assert.deepEqual(result.wrong, []);
    assert.equal(result.cuts, 10);
    assert.ok(result.changes >= 5_000);
    if (historyMax === undefined) assert.equal(result.lost, 0);
  });
}
