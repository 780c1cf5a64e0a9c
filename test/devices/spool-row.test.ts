// DEVICE.SPOOL: readings of a client's spool, each stored once, with its number, in one step.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Client, connect, isHiveError } from "../../src/client/node.ts";
import { PRODUCERS_MAX } from "../../src/devices/sequences.ts";
import { Hive, type HiveOptions } from "../../src/server/hive.ts";

type Answer = [memory: string, last: number, version: number, stored: number, refusal: unknown];

async function withHive(options: HiveOptions, run: (db: Client, hive: Hive) => Promise<void>): Promise<void> {
  await using hive = await Hive.start({ listen: false, ...options });
  await using db = await connect(hive);
  await run(db, hive);
}

function code(expected: string): (error: unknown) => boolean {
  return (error) => isHiveError(error) && error.code === expected;
}

/** Sends readings to device d; each is a number, a label, a value and a time. */
async function spool(db: Client, producer: string, memory: string, ...readings: unknown[][]): Promise<Answer> {
  return (await db.send(["DEVICE.SPOOL", "d", producer, memory, ...readings.flat()])) as Answer;
}

test("readings are stored once and in order, whatever is sent again", async () => {
  await withHive({}, async (db) => {
    const device = db.device("d");
    const [memory, none] = await spool(db, "p", "");
    assert.equal(none, 0);
    assert.match(memory, /^[0-9a-f]{32}:0$/);
    assert.equal((await spool(db, "p", memory, [1, "a", 10, 0], [2, "b", 20, 0]))[1], 2);
    await device.put("a", "newer");
    assert.equal((await spool(db, "p", memory, [1, "a", 10, 0], [2, "b", 20, 0], [5, "c", 30, 0]))[1], 5);
    assert.deepEqual([await device.fetch("a"), await device.fetch("b"), await device.fetch("c")], ["newer", 20, 30]);
    assert.equal((await spool(db, "q", memory, [1, "a", 11, 0]))[1], 1, "each producer has numbers of its own");
    assert.equal((await spool(db, "p", memory))[1], 5);
    assert.deepEqual((await device.labels()).sort(), ["a", "b", "c"]);
    assert.equal((await device.usage()).labels, 3);
  });
});

test("nothing is stored for another memory than the one that is there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-spool-"));
  try {
    await withHive({ snapshots: { folder } }, async (db) => {
      const [memory] = await spool(db, "p", "");
      const [, , version, stored] = await spool(db, "p", memory, [1, "a", 1, 0]);
      assert.equal(stored, 0);
      await db.snapshot.store("one");
      await spool(db, "p", memory, [2, "a", 2, 0]);
      const later = await spool(db, "p", memory);
      assert.ok(later[3] >= version && later[3] < later[2], "the snapshot has the first and not the second");
      await db.snapshot.restore("one");
      const refused = await spool(db, "p", memory, [3, "a", 3, 0]);
      assert.deepEqual([refused[0] === memory, refused[1]], [false, 1]);
      assert.equal(await db.device("d").fetch("a"), 1, "the label and the number go back together");
      const again = await spool(db, "p", refused[0], [2, "a", 2, 0], [3, "a", 3, 0]);
      assert.equal(again[1], 3);
      assert.equal(refused[3], refused[2], "what was restored is in a snapshot");
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("it stops at the first reading that is refused, and says why", async () => {
  await withHive({ deviceBytesMax: 3000 }, async (db) => {
    const [memory] = await spool(db, "p", "");
    const readings = [1, 2, 3, 4].map((n) => [n, `label ${n}`, Buffer.alloc(n === 3 ? 3000 : 100), 0]);
    const [, last, , , refusal] = await spool(db, "p", memory, ...readings);
    assert.equal(last, 2);
    assert.deepEqual((refusal as unknown[]).slice(0, 2), [3, "QUOTA"]);
    assert.match((refusal as string[])[2]!, /^bytes: this would make \d+ of the 3000/);
    assert.equal((await spool(db, "p", memory, readings[3]!))[1], 4, "who goes on behind it may");
    assert.deepEqual((await db.device("d").labels()).sort(), ["label 1", "label 2", "label 4"]);
    const own = await spool(db, "p", memory, [5, false, 1, 0]);
    assert.deepEqual((own[4] as unknown[]).slice(0, 2), [5, "INVALID_ARGUMENT"]);
  });
});

test("what is no call of a spool is refused before anything is stored", async () => {
  await withHive({}, async (db) => {
    const [memory] = await spool(db, "p", "");
    for (const [expected, ...rest] of [
      ["SYNTAX", "p", memory, 1, "a", 1],
      ["INVALID_ARGUMENT", "", memory],
      ["INVALID_ARGUMENT", "x".repeat(33), memory],
      ["INVALID_ARGUMENT", "p", memory, 1, "a", 1, 0, 2 ** 50, "a", 1, 0],
      ["INVALID_ARGUMENT", "p", memory, 1, "a", 1, 0, 2, "a", 1, -1],
      ["NOT_INTEGER", "p", memory, 1, "a", 1, 0, "two", "a", 1, 0],
    ] as unknown[][]) {
      await assert.rejects(db.send(["DEVICE.SPOOL", "d", ...rest]), code(expected as string), String(rest));
    }
    assert.deepEqual(await db.device("d").labels(), []);
  });
});

test("the numbers outlive clear(), are no label, and are told to nobody", async () => {
  await withHive({ feed: { keep: "always" } }, async (db) => {
    const device = db.device("d");
    const watch = db.watch("$device:*");
    await watch.ready;
    const [memory] = await spool(db, "p", "");
    await spool(db, "p", memory, [1, "a", 1, 0]);
    assert.equal(await device.clear(), true);
    assert.equal(await device.clear(), false);
    assert.deepEqual([await device.labels(), (await device.usage()).labels], [[], 0]);
    assert.equal((await spool(db, "p", memory, [1, "a", 1, 0], [2, "b", 2, 60_000]))[1], 2);
    assert.deepEqual(await device.labels(), ["b"]);
    assert.equal(await device.delete("b"), 1);
    for (const call of [
      ["DEVICE.PUT", "d", false, 1],
      ["DEVICE.DELETE", "d", "a", false],
    ]) {
      await assert.rejects(db.send(call), code("INVALID_ARGUMENT"));
    }
    assert.equal(await db.send(["DEVICE.FETCH", "d", false]), undefined);
    assert.equal(await db.send(["DEVICE.HAS", "d", false]), 0);
    const kinds: unknown[] = [];
    for await (const change of watch) {
      kinds.push("field" in change ? `${change.kind} ${change.field}` : change.kind);
      if (kinds.length === 4) break;
    }
    assert.deepEqual(kinds, ["set a", "deleted", "set b", "deleted b"]);
  });
});

test("a device remembers as many producers as it says, those that were heard of last", async () => {
  await withHive({}, async (db) => {
    const [memory] = await spool(db, "p0", "");
    for (let i = 0; i < PRODUCERS_MAX; i++) await spool(db, `p${i}`, memory, [7, "a", i, 0]);
    await spool(db, "p0", memory, [8, "a", 0, 0]);
    await spool(db, "one more", memory, [1, "a", 0, 0]);
    assert.equal((await spool(db, "p0", memory))[1], 8);
    assert.equal((await spool(db, "p1", memory))[1], 0, "the one that was heard of least recently is forgotten");
    assert.equal((await spool(db, "p2", memory))[1], 7);
  });
});

test("the bytes of the numbers count for the device, and its token's labels do not", async () => {
  await using hive = await Hive.start({ port: 0, tokens: true });
  const { token } = await hive.tokens.create({ grants: ["all"], device: "d", quotas: { keys: 2 } });
  await using db = await connect(`hive://127.0.0.1:${hive.port}`, { token });
  const [memory] = await spool(db, "p", "");
  await db.device("d").put("a", 1);
  const before = (await db.device("d").usage()).bytes;
  await assert.rejects(
    spool(db, "p", memory, [1, "b", 1, 0], [2, "c", 1, 0]),
    /^HiveError: keys: .* 3 of the 2 labels/,
  );
  assert.deepEqual(
    [await db.device("d").labels(), (await spool(db, "p", memory))[1]],
    [["a"], 0],
    "all of it is taken back",
  );
  assert.equal((await spool(db, "p", memory, [1, "b", 1, 0]))[1], 1);
  assert.ok((await db.device("d").usage()).bytes > before);
});
