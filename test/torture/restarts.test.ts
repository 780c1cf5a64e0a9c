// A short form of `npm run torture -- restarts`: two real kills and some cut connections under busy clients.

import assert from "node:assert/strict";
import { test } from "node:test";
import { torture } from "./restarts.ts";

test("clients of a hive that is killed and started again settle every call, and counters add up", async (t) => {
  const seed = Number(process.env["TORTURE_SEED"] ?? Date.now() % 1_000_000_007);
  t.diagnostic(`TORTURE_SEED=${seed}`);
  // Real processes are killed, and real time passes while they start; nothing is judged by how long it took.
  const result = await torture({ seed, restarts: 4, clients: 6, timeoutMs: 10_000, note: () => {} });
  assert.deepEqual(result.wrong, []);
  assert.ok(result.answered > 100, `${result.answered} calls were answered`);
  const allowed = /^(CONNECTION_LOST, (not )?sent|DEADLINE, (not )?sent|CONFLICT, answered)$/;
  assert.deepEqual(
    Object.keys(result.failed).filter((name) => !allowed.test(name)),
    [],
  );
});
