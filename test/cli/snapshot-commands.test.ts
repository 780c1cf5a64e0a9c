// memhive snapshot, as processes: what is printed, where, and with which exit code.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { type Ended, runMemhive } from "../kit/run-memhive.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-cli-"));
let hive: Hive;

before(async () => {
  hive = await Hive.start({ port: 0, snapshots: { folder, atClose: false } });
});
after(async () => {
  await hive.close();
  rmSync(folder, { recursive: true, force: true });
});

function snapshot(...args: string[]): Promise<Ended> {
  return runMemhive(["snapshot", ...args], { env: { MEMHIVE_URL: `hive://127.0.0.1:${hive.port}` } });
}

test("store, list, restore, remove and status of a running hive", async () => {
  await using client = await connect(hive);
  await client.put("k", "before");
  const stored = await snapshot("store", "mine");
  assert.match(stored.out, /^stored mine: 1 keys, \d+ B, 0\.\d\d s\n$/);
  assert.deepEqual([stored.code, stored.error], [0, ""], "no bar where there is no terminal");
  assert.match((await snapshot("list")).out, /^\d{4}-\S+Z +\d+ B {2}mine\n$/);
  await client.put("k", "after");
  const { out, code } = await snapshot("restore", "mine", "--json");
  assert.equal(code, 0);
  assert.equal(JSON.parse(out).name, "mine");
  assert.equal(await client.get("k"), "before");
  assert.match((await snapshot("status")).out, /^lastName: mine$/m);
  assert.equal((await snapshot("remove", "mine")).code, 0);
  assert.equal((await snapshot("list")).out, "");
});

test("inspect reads a file without a hive, and says what is wrong with it", async () => {
  await snapshot("store", "whole");
  const path = join(folder, "whole.memhive");
  assert.match((await snapshot("inspect", path)).out, /whole\.memhive, whole\n(.*\n)*keys: +1\n/);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(join(folder, "bent"), bytes);
  const bent = await snapshot("inspect", join(folder, "bent"));
  assert.equal(bent.code, 1);
  assert.match(bent.error, /^memhive: BAD_SNAPSHOT: .*bent is refused: block \d+ is damaged\n$/);
});

test("what is called wrongly is exit code 2 with advice, what fails 1", async () => {
  for (const args of [["swap"], ["restore"], ["list", "x"], ["store", "a", "b"]]) {
    const { code, error } = await snapshot(...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(error, /expected/);
  }
  const missing = await snapshot("restore", "nothing");
  assert.deepEqual([missing.code, missing.error], [1, "memhive: NO_SNAPSHOT: there is no snapshot nothing\n"]);
  const outside = await snapshot("store", "../x");
  assert.equal(outside.code, 1);
  assert.match(outside.error, /INVALID_ARGUMENT: a snapshot's name has 1 to 100 letters/);
});
