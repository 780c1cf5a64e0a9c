// The folder of snapshots: names that are never taken twice, an order that holds whatever the clock does, and
// nothing left of what was not completed.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { SnapshotFolder } from "../../src/snapshot/folder.ts";

const base = mkdtempSync(join(tmpdir(), "memhive-folder-"));
after(() => rmSync(base, { recursive: true, force: true }));

/** A century from now: the clock was wrong once. */
const LATER = new Date(Date.now() + 100 * 365 * 86_400_000);

test("two that store under one name at once: the second fails, and the first one's stays", async () => {
  const path = join(base, "one", "deep", "name");
  const [here, there] = [await SnapshotFolder.open(path), await SnapshotFolder.open(path)];
  const [first, second] = [await here.create("nightly"), await there.create("nightly")];
  await first.write([Buffer.from("first")]);
  await second.write([Buffer.from("second")]);
  await first.commit();
  await assert.rejects(second.commit(), { code: "SNAPSHOT_FAILED", message: /another hive has stored .* nightly/ });
  await second.abort();
  assert.deepEqual(readdirSync(path), ["nightly.memhive"]);
  assert.equal(readFileSync(join(path, "nightly.memhive"), "latin1"), "first");
  await assert.rejects(here.create("nightly"), { code: "INVALID_ARGUMENT", message: /already/ });
});

test("what was completed last is the newest, though another has a time to come", async () => {
  const path = join(base, "order");
  const folder = await SnapshotFolder.open(path);
  for (const name of ["a", "b", "c"]) {
    const sink = await folder.create(name);
    await sink.write([Buffer.from(name)]);
    await sink.commit();
    if (name === "a") utimesSync(join(path, "a.memhive"), LATER, LATER);
  }
  assert.deepEqual(
    (await folder.list()).map(({ name }) => name),
    ["c", "b", "a"],
  );
  assert.equal(statSync(join(path, "c.memhive")).nlink, 1);
});

test("a hive whose clock was set back keeps what it stores, and starts from that", async () => {
  const path = join(base, "clock");
  const start = (): Promise<Hive> => Hive.start({ listen: false, snapshots: { folder: path, keep: 1 } });
  for (const value of ["old", "new", "newest"]) {
    await using hive = await start();
    await using client = await connect(hive);
    await client.put("k", value);
    await client.close();
    await hive.close();
    if (value !== "old") continue;
    const old = "auto-21251126T025310123Z.memhive";
    writeFileSync(join(path, old), readFileSync(join(path, readdirSync(path)[0]!)));
    utimesSync(join(path, old), LATER, LATER);
  }
  await using hive = await start();
  await using client = await connect(hive);
  assert.equal(await client.get("k"), "newest");
  assert.equal(readdirSync(path).length, 1);
});
