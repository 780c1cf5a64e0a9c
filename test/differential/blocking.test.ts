// test/differential/blocking.test.ts
// The short form of the scenarios with calls that wait; the long one is `node test/differential/blocking.ts`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runBlocking } from "./blocking.ts";
import { startHive, startReference, whyNoReference } from "./servers.ts";

const skip = await whyNoReference();

test("who waits for lists and sorted sets is served as by redis-server", {
  skip,
  timeout: 120_000,
}, async (context) => {
  await using reference = await startReference();
  await using hive = await startHive();
  for (const seed of [1344107916, Math.floor(Math.random() * 0x7fffffff)]) {
    context.diagnostic(`seed ${seed}`);
    const addresses = { theirs: reference.address, ours: hive.address };
    const { served, mismatches } = await runBlocking(addresses, { seed, count: 100 });
    assert.equal(mismatches.join("\n\n"), "");
    assert.ok(served > 50, `${served} pops were answered`);
  }
});
