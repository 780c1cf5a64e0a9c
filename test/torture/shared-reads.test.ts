// A short form of `npm run torture -- shared`: 5 s of reading beside a writer, and three kills of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tortureShared } from "./shared-reads.ts";

const seed = Number(process.env["TORTURE_SEED"] ?? Date.now() % 1_000_000_007);

test("what processes read of a hive's memory while it changes is whole, newest and not run out", async (t) => {
  t.diagnostic(`TORTURE_SEED=${seed}`);
  const result = await tortureShared({ seed, readers: 2, seconds: 5, kills: 0, note: () => {} });
  t.diagnostic(JSON.stringify(result));
  assert.deepEqual(result.wrong, []);
  assert.ok(result.retried > 0, "no read met a writer: this proves nothing");
  assert.ok(result.reads > result.asked, `${result.reads} from memory, ${result.asked} not`);
});

test("a hive that is killed in the middle of a write leaves readers that go on with the next one", async (t) => {
  t.diagnostic(`TORTURE_SEED=${seed}`);
  const result = await tortureShared({ seed, readers: 2, seconds: 0.5, kills: 3, note: () => {} });
  t.diagnostic(JSON.stringify(result));
  assert.deepEqual(result.wrong, []);
  assert.equal(result.mappedAgain, 6);
});
