// Lists and sorted sets of the store inside of a structure: as part of each call, and of the key.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Client, connect } from "../../../src/client/node.ts";
import { Hive, type HiveOptions, ManualClock } from "../../../src/server/index.ts";
import { type NoticedHive, startNoticed } from "../../kit/noticed-hive.ts";
import { RespClient } from "../../kit/resp-client.ts";
import { Board, Plain } from "./board.ts";

const FILE = fileURLToPath(new URL("board.ts", import.meta.url));
/** Where a machine is busy a call in a worker may take longer than 50 ms that does nothing wrong. */
const PATIENT = { commandMsMax: 10_000 };
const FORMS = {
  inline: { structures: [Board, Plain] },
  isolated: { structures: [[FILE, { isolate: true }]] },
} as const satisfies Record<string, HiveOptions>;

function started(options: HiveOptions): Promise<NoticedHive> {
  return startNoticed({ ...options, limits: { ...PATIENT, ...options.limits } });
}

type Shown = { calls: number; jobs: unknown[]; votes: [string, number][] };

async function shown(db: Client, key: string): Promise<Shown> {
  return (await db.send(["BOARD_SHOW", key])) as Shown;
}

async function keysOf(db: Client): Promise<string[]> {
  return ((await db.send(["KEYS", "*"])) as string[]).sort();
}

for (const [form, options] of Object.entries(FORMS)) {
  test(`${form}: what is put in is there, under keys of its own that others only read`, async () => {
    await using given = await started(options);
    const { db } = given;
    assert.equal(await db.send(["BOARD_OPEN", "b"]), "OK");
    assert.deepEqual(await keysOf(db), ["b"]);
    assert.deepEqual(await db.send(["BOARD_SIZES", "b"]), [0, 0]);
    assert.equal(await db.send(["BOARD_TAKE", "b"]), undefined);
    assert.equal(await db.send(["BOARD_ADD", "b", "one", { two: 2 }, 3]), 3);
    assert.equal(await db.send(["BOARD_VOTE", "b", "ada", 2]), 2);
    assert.equal(await db.send(["BOARD_VOTE", "b", "ada"]), 3);
    assert.deepEqual(await shown(db, "b"), { calls: 1, jobs: ["one", { two: 2 }, 3], votes: [["ada", 3]] });
    assert.deepEqual(await keysOf(db), ["$part:b:jobs", "$part:b:votes", "b"]);
    assert.equal(await db.send(["LINDEX", "$part:b:jobs", 0]), "one");
    await assert.rejects(db.send(["RPUSH", "$part:b:jobs", "x"]), {
      code: "NO_PERMISSION",
      message: /part of a structure/,
    });
    await assert.rejects(db.send(["DEL", "$part:b:jobs"]), { code: "NO_PERMISSION" });
    await assert.rejects(db.send(["RENAME", "b", "$part:c:jobs"]), { code: "NO_PERMISSION" });
    await assert.rejects(db.send(["BOARD_STEAL", "b"]), { code: "NO_PERMISSION" });
    assert.equal(await db.send(["BOARD_TAKE", "b"]), "one");
    assert.equal(await db.send(["BOARD_LATER", "b"]), 3);
    assert.equal(await db.send(["BOARD_FILL", "c", 600]), 600);
    assert.equal((await shown(db, "c")).jobs.at(-1), "job 599");
  });

  test(`${form}: every method`, async () => {
    await using given = await started(options);
    const { db } = given;
    await db.send(["BOARD_OPEN", "b"]);
    assert.deepEqual(await db.send(["BOARD_TRY", "b"]), [
      ...[4, 5, 5, 5],
      ...["a", "b", undefined, ["b", "c"], [{ d: 1 }, "b"], []],
      ...[1, 4, 3, undefined],
      ...[6, 7, undefined],
      ...[["a", "B", "before c", "c", "after c", { d: 1 }, "b"], 1, { d: 1 }, "a"],
      ["before c", "c"],
      ...[0, undefined],
      ...[true, false, true, 2, 3],
      ...[-1.5, undefined, true, 2, 0],
      ...[undefined, 3, 2, ["bob", "cyd", "ada"], ["ada"]],
      [
        ["cyd", 2],
        ["ada", 4],
      ],
      [
        ["bob", -1.5],
        ["cyd", 2],
      ],
      [["ada", 4]],
      [["cyd", 2]],
      [
        ["bob", -1.5],
        ["cyd", 2],
        ["ada", 4],
      ],
      ...[["bob", -1.5], ["ada", 4], ["cyd"]],
      ...[1, undefined, 0, true, true],
      ...[1, true, 1, ["e"]],
      0,
    ]);
  });

  test(`${form}: a call that fails leaves no trace, and names and numbers have limits`, async () => {
    await using given = await started({ ...options, limits: { structurePartsMax: 3 } });
    const { db } = given;
    await db.send(["BOARD_OPEN", "b"]);
    await db.send(["BOARD_ADD", "b", "one"]);
    const keys = await keysOf(db);
    await assert.rejects(db.send(["BOARD_FAIL", "b"]), { code: "STRUCTURE_FAILED", message: /half-way/ });
    assert.deepEqual(await shown(db, "b"), { calls: 1, jobs: ["one"], votes: [] });
    assert.deepEqual(await keysOf(db), keys);
    await assert.rejects(db.send(["BOARD_MANY", "b", 3]), { code: "OUT_OF_RANGE", message: /structurePartsMax \(3\)/ });
    assert.deepEqual(await keysOf(db), keys);
    await db.send(["BOARD_MANY", "b", 2]);
    for (const name of ["a:b", "", "ä", "x".repeat(65)]) {
      await assert.rejects(db.send(["BOARD_NAMED", "b", name]), { code: "INVALID_ARGUMENT", message: /is named by/ });
    }
    await assert.rejects(db.send(["BOARD_MIX", "b"]), { code: "WRONG_TYPE" });
    await assert.rejects(db.send(["BOARD_LOSE", "b"]), { code: "NO_KEY" });
    assert.deepEqual((await shown(db, "b")).jobs, ["one"]);
  });

  test(`${form}: they go, move and are copied with their key`, async () => {
    const clock = new ManualClock(1_000_000);
    await using given = await started({ ...options, clock });
    const { db } = given;
    await db.send(["BOARD_FILL", "b", 100]);
    await db.send(["BOARD_VOTE", "b", "ada", 5]);
    const whole = await shown(db, "b");
    const usage = (await db.send(["MEMORY", "USAGE", "b"])) as number;
    assert.ok(usage > 700, `${usage} bytes`);
    assert.equal(await db.send(["COPY", "b", "copy"]), 1);
    assert.deepEqual(await shown(db, "copy"), whole);
    await db.send(["BOARD_TAKE", "copy"]);
    assert.deepEqual(await shown(db, "b"), whole);
    const dump = (await db.send(["DUMP", "b"], { as: "bytes" })) as Uint8Array;
    await db.send(["RESTORE", "restored", 0, dump]);
    assert.deepEqual(await shown(db, "restored"), whole);
    await db.send(["RENAME", "restored", "copy"]);
    assert.deepEqual(await shown(db, "copy"), whole);
    assert.deepEqual(await keysOf(db), [
      "$part:b:jobs",
      "$part:b:votes",
      "$part:copy:jobs",
      "$part:copy:votes",
      "b",
      "copy",
    ]);
    if (form === "inline") {
      assert.equal(await db.send(["BOARD_COPIED", "b", "copy"]), 101);
      assert.equal((await shown(db, "b")).jobs.length, 102);
      assert.equal((await shown(db, "copy")).jobs.at(-1), "one more");
    }
    await db.send(["SET", "copy", "text"]);
    assert.deepEqual(await keysOf(db), ["$part:b:jobs", "$part:b:votes", "b", "copy"]);
    await db.send(["PEXPIRE", "b", 500]);
    await db.send(["BOARD_ADD", "b", "before the end"]);
    clock.advance(501);
    await assert.rejects(db.send(["BOARD_SHOW", "b"]), { code: "NO_KEY" });
    assert.deepEqual(await keysOf(db), ["copy"]);
    await db.send(["BOARD_FILL", "b", 1]);
    await db.send(["DEL", "b"]);
    assert.equal(await db.send(["DBSIZE"]), 1);
  });

  test(`${form}: somebody who watches the key sees a change of a part`, async () => {
    await using given = await started(options);
    const { db } = given;
    await db.send(["BOARD_FILL", "b", 2]);
    await using client = await RespClient.connect({ port: given.hive.port });
    await client.call("WATCH", "b");
    await db.send(["BOARD_TAKE", "b"]);
    await client.call("MULTI");
    await client.call("SET", "x", "1");
    assert.equal((await client.call("EXEC")).value, null);
  });
}

test("a snapshot has them, and what its time took is not left behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-parts-"));
  try {
    const clock = new ManualClock(1_000_000);
    const options = { ...FORMS.inline, clock, snapshots: { folder } };
    let given = await started(options);
    await given.db.send(["BOARD_FILL", "b", 50]);
    await given.db.send(["BOARD_FILL", "short", 50]);
    await given.db.send(["PEXPIRE", "short", 500]);
    await given.db.send(["PLAIN_ADD", "p", { a: 1 }]);
    await given.db.send(["SAVE"]);
    await given[Symbol.asyncDispose]();
    clock.advance(501);
    given = await started(options);
    assert.equal((await shown(given.db, "b")).jobs.length, 50);
    assert.deepEqual(await given.db.send(["PLAIN_VALUES", "p"]), [{ a: 1 }]);
    assert.deepEqual(await keysOf(given.db), ["$part:b:jobs", "$part:p:values", "b", "p"]);
    await given[Symbol.asyncDispose]();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a full hive evicts a structure whole, and never a part of it", async () => {
  const maxMemoryBytes = 24 * 1024 * 1024;
  await using given = await started({ ...FORMS.inline, maxMemoryBytes, maxMemoryPolicy: "allkeys-lru" });
  const { db } = given;
  const job = "j".repeat(1000);
  for (let i = 0; i < 400; i++) {
    await Promise.all(Array.from({ length: 20 }, () => db.send(["BOARD_PUSH", `b${i}`, job, job, job, job, job])));
  }
  const keys = await keysOf(db);
  const boards = keys.filter((key) => !key.startsWith("$"));
  assert.ok(boards.length > 50 && boards.length < 400, `${boards.length} boards are left`);
  assert.deepEqual(
    keys.filter((key) => key.startsWith("$")),
    boards.map((key) => `$part:${key}:jobs`).sort(),
  );
  const sizes = await Promise.all(boards.map((key) => db.send(["BOARD_SIZES", key])));
  assert.ok(sizes.filter((size) => (size as [number, number])[0] === 100).length > boards.length - 5);
});

test("who may use the structure's key needs nothing more, and what it takes is his", async () => {
  const hive = await Hive.start({ port: 0, ...FORMS.inline, tokens: true });
  const address = `hive://127.0.0.1:${hive.port}`;
  const first = await hive.tokens.create({ grants: ["run", "read:b*", "write:b*"], quotas: { bytes: 4000 } });
  const second = await hive.tokens.create({ grants: ["run", "read:b*"] });
  await using ada = await connect(address, { token: first.token });
  await using bob = await connect(address, { token: second.token });
  assert.equal(await ada.send(["BOARD_FILL", "b", 10]), 10);
  await assert.rejects(ada.send(["BOARD_FILL", "c", 10]), { code: "NO_PERMISSION" });
  await assert.rejects(bob.send(["BOARD_ADD", "b", "x"]), { code: "NO_PERMISSION" });
  assert.equal((await shown(bob, "b")).jobs.length, 10);
  await assert.rejects(ada.send(["BOARD_ADD", "b", "x".repeat(4000)]), { code: "QUOTA" });
  assert.equal((await shown(ada, "b")).jobs.length, 10);
  await assert.rejects(ada.send(["LLEN", "$part:b:jobs"]), { code: "NO_PERMISSION" });
  await hive.close();
});
