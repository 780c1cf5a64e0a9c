// What a client sends again by itself are the commands that the hive's own rows call reads.

import assert from "node:assert/strict";
import { test } from "node:test";
import { REPEATABLE } from "../../src/client/repeatable.ts";
import { HIVE_ROWS as ROWS } from "../../src/server/rows.ts";

/** Reads that say something else each time are not what a caller asked for twice. */
const NOT_REPEATED: readonly string[] = [];

test("every read is repeated, and nothing else is", () => {
  const reads = ROWS.filter(
    ({ flags, permission }) => flags.includes("read") && permission === "read" && !flags.includes("write"),
  )
    .map(({ name }) => name)
    .filter((name) => !NOT_REPEATED.includes(name));
  const rows = new Map(ROWS.map((row) => [row.name, row]));
  for (const name of REPEATABLE)
    assert.ok(!rows.get(name)?.flags.includes("write"), `${name} writes, or does not exist`);
  assert.deepEqual([...REPEATABLE].sort(), reads.sort());
});
