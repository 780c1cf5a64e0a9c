// Lists through the client, in this process and over a socket: elements of every type, waits and their ends.

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

/** Until so many calls wait for a key. */
function waits(db: Client, calls: number): Promise<void> {
  return passed(async () => String(await db.send(["INFO", "clients"])).includes(`blocked_clients:${calls}\r`));
}

test("elements stand in their order, and keep their types", async () => {
  await both(async (db) => {
    const list = db.list("mixed");
    const date = new Date(0);
    assert.equal(await list.push("text", 7, { deep: [1] }), 3);
    assert.equal(await list.unshift(date, 3n ** 40n), 5);
    assert.deepEqual(await list.slice(), [date, 3n ** 40n, "text", 7, { deep: [1] }]);
    assert.deepEqual(await list.slice(1, -1), [3n ** 40n, "text", 7]);
    assert.deepEqual(await list.slice(0, 0), []);
    assert.deepEqual([await list.at(0), await list.at(-1), await list.at(9)], [date, { deep: [1] }, undefined]);
    assert.equal(await list.indexOf({ deep: [1] }), 4);
    assert.equal(await list.indexOf("7"), undefined, "text and number are two");
    await list.set(1, "second");
    assert.equal(await list.insertBefore("second", "first"), 6);
    assert.equal(await list.insertAfter("nothing", 1), undefined);
    assert.equal(await list.remove("first"), 1);
    await list.trim(1, -1);
    assert.deepEqual(await list.slice(), ["second", "text", 7]);
    assert.deepEqual([await list.pop(), await list.shift(), await list.size()], [7, "second", 1]);
    assert.deepEqual([await list.clear(), await list.pop()], [true, undefined]);
    assert.equal(await db.type("mixed"), undefined);
  });
});

test("the iterator goes over all of a long list, and move() hands on as one step", async () => {
  await both(async (db) => {
    const list = db.list<number>("long");
    const all = Array.from({ length: 1000 }, (_, i) => i);
    await list.push(...all);
    const seen: number[] = [];
    for await (const element of list) seen.push(element);
    assert.deepEqual(seen, all);
    const done = db.list<number>("done");
    assert.equal(await list.move(done), 0);
    assert.equal(await list.move(done, { from: "end", to: "start" }), 999);
    assert.deepEqual(await done.slice(), [999, 0]);
    assert.equal(await db.list<number>("none").move(done), undefined);
  });
});

test("who waits gets what comes, in the order of waiting, while other calls of his connection go on", async () => {
  await both(async (db, other) => {
    const jobs = db.list<string>("jobs");
    const first = jobs.shift({ waitMs: Number.POSITIVE_INFINITY });
    const second = other.list<string>("jobs").pop({ waitMs: 60_000 });
    await waits(db, 2);
    assert.equal(await db.ping(), "PONG");
    await jobs.push("a", "b", "c");
    assert.deepEqual([await first, await second], ["a", "c"]);
    assert.deepEqual(await jobs.slice(), ["b"]);
  });
});

test("a wait ends by its time, its signal, or with the connection, and then nothing is taken", async () => {
  await both(async (db, other) => {
    const jobs = db.list<string>("jobs");
    assert.equal(await jobs.shift({ waitMs: 1 }), undefined);
    const abort = new AbortController();
    const waiting = jobs.shift({ waitMs: Number.POSITIVE_INFINITY, signal: abort.signal });
    await waits(other, 1);
    abort.abort();
    await assert.rejects(waiting, (error) => isHiveError(error) && error.code === "ABORTED");
    await waits(other, 0);
    const lost = jobs.shift({ waitMs: Number.POSITIVE_INFINITY });
    lost.catch(() => {});
    await waits(other, 1);
    await db.close({ graceMs: 0 });
    await waits(other, 0);
    await other.list("jobs").push("kept");
    assert.equal(await other.list("jobs").size(), 1);
  });
});

test("take() gives elements as they come, until nothing has come for a while", async () => {
  await both(async (db, other) => {
    await db.list("jobs").push(1, 2);
    const seen: unknown[] = [];
    for await (const job of db.list<number>("jobs").take({ waitMs: 20 })) {
      seen.push(job);
      if (job === 2) await other.list("jobs").push(3);
    }
    assert.deepEqual(seen, [1, 2, 3]);
  });
});

test("take() gives an element that is undefined or null, and goes on", async () => {
  await both(async (db) => {
    await db.list("jobs").push(undefined, null, 3);
    const seen: unknown[] = [];
    for await (const job of db.list("jobs").take({ waitMs: 20 })) seen.push(job);
    assert.deepEqual(seen, [undefined, null, 3]);
  });
});

test("move() waits too, and a time to wait has to be one", async () => {
  await both(async (db, other) => {
    const moved = db.list<string>("from").move(db.list("to"), { waitMs: 60_000 });
    await waits(other, 1);
    await other.list("from").push("x");
    assert.equal(await moved, "x");
    assert.deepEqual(await db.list("to").slice(), ["x"]);
    assert.throws(() => db.list("from").pop({ waitMs: 0 }), /waitMs is more than 0/);
  });
});

test("a move that waits resolves with undefined when its time is up, and with null where that was the element", async () => {
  await both(async (db) => {
    const [from, to] = [db.list("from"), db.list("to")];
    assert.equal(await from.move(to, { waitMs: 5 }), undefined);
    await from.push(null);
    assert.equal(await from.move(to, { waitMs: 5 }), null);
    assert.equal(await from.move(to), undefined);
  });
});
