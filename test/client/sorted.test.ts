// Sorted sets through the client, in this process and over a socket: typed members, ranks, ranges, waits.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, connect, isHiveError } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { passed } from "../kit/limited-hive.ts";

async function both(run: (db: Client, other: Client) => Promise<void>): Promise<void> {
  const hive = await Hive.start({ port: 0 });
  try {
    for (const target of [hive, `hive://127.0.0.1:${hive.port}`]) {
      await using db = await connect(target);
      await using other = await connect(hive);
      await db.send(["FLUSHALL"]);
      await run(db, other);
    }
  } finally {
    await hive.close();
  }
}

test("members keep their types and stand in the order of their scores", async () => {
  await both(async (db) => {
    const board = db.sorted<string | number>("board");
    assert.equal(await board.add("ada", 12.5), true);
    assert.equal(await board.add("ada", 13), false);
    assert.equal(
      await board.addAll([
        [7, -1],
        ["7", 0],
        ["grace", Number.POSITIVE_INFINITY],
      ]),
      3,
    );
    assert.deepEqual(await board.slice(), [7, "7", "ada", "grace"], "integer 7 and text 7 are two");
    assert.deepEqual(await board.slice(-2), ["ada", "grace"]);
    assert.deepEqual(await board.slice(0, 2, { reverse: true }), ["grace", "ada"]);
    assert.deepEqual(await board.entries(0, 2), [
      [7, -1],
      ["7", 0],
    ]);
    assert.deepEqual(await board.entries(0, 0), []);
    assert.deepEqual([await board.rank("ada"), await board.rank("ada", { reverse: true })], [2, 1]);
    assert.equal(await board.rank("nobody"), undefined);
    assert.deepEqual(await board.scores(7, "nobody", "grace"), [-1, undefined, Number.POSITIVE_INFINITY]);
    assert.deepEqual([await board.has("ada"), await board.has("nobody"), await board.size()], [true, false, 4]);
  });
});

test("scores go up and down, under conditions where one is said", async () => {
  await both(async (db) => {
    const board = db.sorted("board");
    assert.equal(await board.add("a", 1, { when: "present" }), false);
    assert.equal(await board.add("a", 1, { when: "absent" }), true);
    assert.deepEqual([await board.raise("a", 0), await board.raise("a", 5), await board.score("a")], [false, true, 5]);
    assert.deepEqual([await board.lower("a", 9), await board.lower("a", 2), await board.score("a")], [false, true, 2]);
    assert.deepEqual([await board.incr("a", 0.25), await board.incr("b")], [2.25, 1]);
    await assert.rejects(board.add("a", Number.NaN), (error) => isHiveError(error) && error.code === "NOT_FLOAT");
  });
});

test("ranges of scores are asked for, counted and taken out", async () => {
  await both(async (db) => {
    const board = db.sorted("board");
    await board.addAll(Array.from({ length: 300 }, (_, i) => [`m${i}`, i] as const));
    assert.equal(await board.count({ min: 10, max: 19 }), 10);
    assert.deepEqual(await board.byScore({ min: 298 }), [
      ["m298", 298],
      ["m299", 299],
    ]);
    assert.deepEqual(await board.byScore({ max: 5 }, { reverse: true, offset: 1, limit: 2 }), [
      ["m4", 4],
      ["m3", 3],
    ]);
    assert.equal(await board.deleteByScore({ max: 99 }), 100);
    assert.equal(await board.deleteSlice(-50), 50);
    assert.equal(await board.delete("m100", "m101", "nobody"), 2);
    const seen = new Map<string, number>();
    for await (const [member, score] of board) seen.set(member, score);
    assert.equal(seen.size, 148);
    assert.equal(seen.get("m200"), 200);
    assert.equal(await board.clear(), true);
  });
});

test("pops take from either end, and wait until there is something, time is up or nobody wants it any more", async () => {
  await both(async (db, other) => {
    const jobs = db.sorted("jobs");
    assert.equal(await jobs.popMin(), undefined);
    await jobs.addAll([
      ["low", 1],
      ["high", 9],
    ]);
    assert.deepEqual(
      [await jobs.popMax(), await jobs.popMin()],
      [
        ["high", 9],
        ["low", 1],
      ],
    );
    assert.equal(await jobs.popMin({ waitMs: 1 }), undefined);
    const waiting = jobs.popMin({ waitMs: Number.POSITIVE_INFINITY });
    await passed(async () => String(await other.send(["INFO", "clients"])).includes("blocked_clients:1\r"));
    await other.sorted("jobs").add("later", 3);
    assert.deepEqual(await waiting, ["later", 3]);
    const controller = new AbortController();
    const given = jobs.popMax({ waitMs: Number.POSITIVE_INFINITY, signal: controller.signal });
    controller.abort();
    await assert.rejects(given, (error) => isHiveError(error) && error.code === "ABORTED");
    await other.sorted("jobs").add("kept", 1);
    assert.equal(await jobs.size(), 1, "who gave up takes nothing");
  });
});
