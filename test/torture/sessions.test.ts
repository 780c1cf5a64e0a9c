// A short form of `npm run torture -- sessions`: sessions end on their deadlines while a hive is busy, and leave nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tortureSessions } from "./sessions.ts";

test("sessions end on time while the hive is busy, sliding ones live while in use, and no byte is left", async (t) => {
  const seed = Number(process.env["TORTURE_SEED"] ?? Date.now() % 1_000_000_007);
  t.diagnostic(`TORTURE_SEED=${seed}`);
  // The hundred milliseconds are for the long form: here other tests run beside.
  const result = await tortureSessions({ seed, sessions: 400, pace: 0.15, lateMsMax: 1000, note: () => {} });
  t.diagnostic(JSON.stringify(result));
  assert.deepEqual(result.wrong, []);
});
