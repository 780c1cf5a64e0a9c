// Sessions: they end on time, by use or by hand, and leave no byte behind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { type Client, connect, isHiveError } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { passed } from "../kit/limited-hive.ts";
import { folderOf, line } from "../kit/spool-line.ts";

const START_MS = 1_700_000_000_000;

type Run = (db: Client, time: { pass(ms: number): void; hive: Hive }) => Promise<void>;

async function withClock(run: Run): Promise<void> {
  const clock = new ManualClock(START_MS);
  await using hive = await Hive.start({ listen: false, clock });
  await using db = await connect(hive);
  await run(db, {
    hive,
    pass(ms) {
      clock.advance(ms);
      hive.engine.tick();
      hive.engine.store.beat();
    },
  });
}

function code(expected: string): (error: unknown) => boolean {
  return (error) => isHiveError(error) && error.code === expected;
}

/** Whether the text lies anywhere in the store's memory, once the work that waits is done. */
function isInMemory(hive: Hive, text: string): boolean {
  const { store } = hive.engine;
  while (store.work(() => false) || store.hasWork);
  return store.memory.segments.bytes.some((bytes) => bytes.includes(text));
}

test("a fixed session ends although it is in use, a sliding one goes on while it is, an open one stays", async () => {
  await withClock(async (db, { pass }) => {
    const fixed = await db.session("d", { ttlMs: 1000 });
    const sliding = await db.session("d", { ttlMs: 1000, sliding: true });
    const open = await db.session("d");
    for (const session of [fixed, sliding, open]) await session.put("l", session.id);
    for (let i = 0; i < 3; i++) {
      pass(300);
      for (const session of [fixed, sliding, open]) assert.equal(await session.fetch("l"), session.id);
    }
    assert.deepEqual(await fixed.check(), { ttlMs: 1000, leftMs: 100, sliding: false });
    assert.deepEqual(await sliding.check(), { ttlMs: 1000, leftMs: 1000, sliding: true });
    assert.deepEqual(await open.check(), { ttlMs: undefined, leftMs: undefined, sliding: false });
    pass(100);
    assert.equal(await fixed.fetch("l"), undefined);
    await assert.rejects(fixed.put("l", 1), code("SESSION_GONE"));
    assert.equal(fixed.state, "expired");
    pass(899);
    assert.equal(await sliding.has("l"), true);
    pass(1000);
    assert.equal(await sliding.has("l"), false);
    assert.equal(await sliding.check(), undefined);
    pass(1e9);
    assert.equal(await open.fetch("l"), open.id);
    assert.deepEqual(await open.labels(), ["l"]);
    assert.equal(await open.close(), true);
    assert.equal(open.state, "closed");
    assert.equal(await open.close(), false);
    await assert.rejects(open.merge("l", { a: 1 }), code("SESSION_GONE"));
  });
});

test("a session is prolonged by its own time or by another one, and begun with an id of the caller's", async () => {
  await withClock(async (db, { pass }) => {
    const fixed = await db.session("d", { ttlMs: 1000 });
    await fixed.put("l", "kept");
    pass(900);
    assert.equal(await fixed.touch(), true);
    pass(900);
    assert.equal(await fixed.touch({ ttlMs: 5000 }), true);
    assert.deepEqual(await fixed.check(), { ttlMs: 5000, leftMs: 5000, sliding: false });
    assert.deepEqual([await fixed.labels(), await fixed.fetch("l")], [["l"], "kept"]);
    const sliding = await db.session("d", { ttlMs: 1000, sliding: true });
    await sliding.touch({ ttlMs: 3000 });
    pass(2000);
    assert.equal(await sliding.has("l"), false);
    assert.equal((await sliding.check())!.leftMs, 3000, "use prolongs it by its new time");
    const open = await db.session("d");
    assert.equal(await open.touch(), true);
    pass(1e6);
    assert.deepEqual([await fixed.touch(), fixed.state, await open.touch()], [false, "expired", true]);

    assert.equal(await db.send(["SESSION.BEGIN", "d", "PX", 1000, "SLIDING", "ID", "own id"]), "own id");
    await assert.rejects(db.send(["SESSION.BEGIN", "d", "ID", "own id"]), code("BUSY_KEY"));
    assert.deepEqual(await (await db.session("d", { resume: "own id" })).labels(), []);
    pass(1000);
    assert.equal(await db.send(["SESSION.BEGIN", "d", "ID", "own id"]), "own id");
    for (const id of ["", "x".repeat(129), 7]) {
      await assert.rejects(db.send(["SESSION.BEGIN", "d", "ID", id]), code("INVALID_ARGUMENT"));
    }
    await assert.rejects(db.send(["SESSION.BEGIN", "d", "ID"]), code("SYNTAX"));
  });
});

test("sessions and the device's own memory are apart, and count for it together", async () => {
  await withClock(async (db) => {
    const device = db.device("d");
    await device.put("l", "the device's");
    const one = await db.session("d");
    const two = await db.session("d");
    await one.put("l", "one");
    assert.equal(await two.has("l"), false);
    assert.equal(await device.fetch("l"), "the device's");
    const before = (await device.usage()).bytes;
    await one.put("more", Buffer.alloc(1000));
    assert.ok((await device.usage()).bytes >= before + 1000);
    assert.equal((await one.usage()).labels, 2);
    assert.equal(await one.clear(), true);
    assert.deepEqual([await one.labels(), one.state], [[], "open"]);
    assert.equal(await device.clear(), true);
    await one.put("l", "still open");
    assert.ok((await device.usage()).bytes > 0);
    await one.close();
    await two.close();
    assert.equal((await device.usage()).bytes, 0);
  });
});

test("a session is gone on with by its id, and begun again it is empty", async () => {
  await withClock(async (db, { hive }) => {
    const session = await db.session("d", { ttlMs: 1000, sliding: true });
    await session.put("l", [1]);
    await using other = await connect(hive);
    const same = await other.session("d", { resume: session.id });
    assert.deepEqual(await same.fetch("l"), [1]);
    await assert.rejects(other.session("e", { resume: session.id }), code("SESSION_GONE"), "of another device");
    await same.close();
    await assert.rejects(other.session("d", { resume: session.id }), code("SESSION_GONE"));
    await session.begin();
    assert.deepEqual(await session.labels(), []);
    assert.notEqual(session.id, same.id);
  });
});

test("patches from many sides at once all count, and a close wins over them", async () => {
  await withClock(async (db) => {
    const session = await db.session("d");
    await Promise.all(Array.from({ length: 50 }, (_, i) => session.merge("cart", { [`item ${i}`]: i })));
    assert.equal(Object.keys((await session.fetch<object>("cart"))!).length, 50);
    await session.merge("cart", JSON.parse('{"__proto__": {"a": 1}, "item 1": 7}'));
    const cart = (await session.fetch<Record<string, unknown>>("cart"))!;
    assert.equal(cart["item 1"], 7);
    assert.equal((cart as { a?: number }).a, undefined);
    await session.put("text", "no object");
    await assert.rejects(session.merge("text", { a: 1 }), code("INVALID_ARGUMENT"));
    const late = [session.merge("cart", { a: 1 }), session.close(), session.merge("cart", { b: 1 })];
    const [, closed, after] = await Promise.allSettled(late);
    assert.equal(closed!.status, "fulfilled");
    assert.ok(after?.status === "rejected" && code("SESSION_GONE")(after.reason));
  });
});

test("who waits for the end of a session is told how it ended", async () => {
  await withClock(async (db, { hive, pass }) => {
    await using other = await connect(hive);
    const first = await db.session("d/1", { ttlMs: 1000 });
    const second = await db.session("d/1");
    const seen = await other.session("d/1", { resume: second.id });
    const ends = [first.ends(), seen.ends()];
    await passed(async () => String(await db.send(["PUBSUB", "CHANNELS"])).split("$session:").length === 3);
    pass(1000);
    await second.close();
    assert.deepEqual(await Promise.all(ends), ["expired", "closed"]);
    assert.deepEqual([first.state, seen.state], ["expired", "closed"]);
    assert.equal(await first.ends(), "expired", "one that has ended is told at once");
  });
});

test("an end is told of although everything was flushed, and counted", async () => {
  await withClock(async (db, { hive }) => {
    const session = await db.session("d");
    const ended = session.ends();
    await passed(async () => String(await db.send(["PUBSUB", "CHANNELS"])).includes("$session:"));
    await db.send(["FLUSHALL"]);
    assert.equal(await ended, "closed");
    assert.deepEqual(
      { ...hive.engine.statistics.sessions() },
      { open: 0, begun: 1, closed: 1, expired: 0, evicted: 0 },
    );
  });
});

test("a message that somebody made up ends no wait, and says nothing of how the session ended", async () => {
  await withClock(async (db) => {
    const session = await db.session("d/1");
    const channel = `$session:d%2F1:${session.id}`;
    const ended = session.ends();
    await passed(async () => String(await db.send(["PUBSUB", "CHANNELS"])).includes("$session:"));
    for (const text of ["closed", "evicted", "whatever"]) await db.publish(channel, text);
    await session.put("l", 1);
    assert.equal(await Promise.race([ended, session.fetch("l")]), 1, "it goes on");
    assert.equal(session.state, "open");
    await session.close();
    assert.equal(await ended, "closed");
    assert.equal(session.state, "closed");
  });
});

test("an end that falls into a lost connection, a restart or a restored snapshot is told of all the same", async (t) => {
  const way = await line(t, { snapshots: { folder: folderOf(t) } });
  await way.start();
  const url = `hive://127.0.0.1:${way.proxy.port}`;
  await using db = await connect(url, { reconnect: { minMs: 1, maxMs: 10 } });
  await using other = await connect(way.hive());
  const isHeard = async (): Promise<boolean> => String(await other.send(["PUBSUB", "CHANNELS"])).includes("$session:");
  const session = await db.session("d");
  const ended = session.ends();
  await passed(isHeard);
  way.proxy.cut();
  await other.send(["SESSION.CLOSE", "d", session.id]);
  assert.equal(await ended, "closed");

  await other.snapshot.store("without");
  await session.begin();
  const restored = session.ends();
  await passed(isHeard);
  way.proxy.cut();
  await passed(isHeard);
  await other.snapshot.restore("without");
  assert.equal(await restored, "closed", "after a gap it listens again");

  await session.begin();
  const restarted = session.ends();
  await passed(isHeard);
  await other.close();
  await way.stop();
  await way.start();
  assert.equal(await restarted, "closed", "by another hive, which has never heard of it");

  await session.begin();
  const stop = new AbortController();
  const aborted = session.ends(stop.signal);
  stop.abort();
  await assert.rejects(aborted, code("ABORTED"));
  await way.stop();
});

test("what a session held is nowhere in the memory once it has ended, however it ended", async () => {
  const secret = "hunter2-is-the-plain-text";
  for (const end of ["closed", "expired", "flushed", "dropped"] as const) {
    await withClock(async (db, { hive, pass }) => {
      const session = await db.session("d", { ttlMs: 1000 });
      await session.put("replaced", `${secret} 1`);
      await session.put("replaced", "y".repeat(60));
      await session.put("deleted", `${secret} 2`);
      await session.delete("deleted");
      await session.merge("merged", { a: `${secret} 3` });
      await session.merge("merged", { a: "", more: "x".repeat(300) });
      // A packed table becomes one of entries, entries move as they grow.
      for (let i = 0; i < 200; i++) await session.put(`grown ${i}`, `${secret} ${"z".repeat(i)}`);
      for (let i = 0; i < 200; i++) await session.put(`grown ${i}`, `${secret} ${"z".repeat(400)}`);
      await session.put("kept", `${secret} 4`);
      assert.equal(isInMemory(hive, secret), true, "while it is open");
      for (let i = 0; i < 200; i += 2) await session.delete(`grown ${i}`);
      assert.equal(isInMemory(hive, `${secret} 2`), false, "deleted while it is open");
      assert.equal(isInMemory(hive, `${secret} 1`), false, "replaced while it is open");
      if (end === "closed") await session.close();
      else if (end === "expired") pass(1000);
      else if (end === "flushed") await db.send(["FLUSHALL"]);
      else await session[Symbol.asyncDispose]();
      assert.equal(isInMemory(hive, secret), false, end);
    });
  }
});

/** Puts a secret in each way that there is, and leaves the session open. */
const HOLDER = `
  import { connect } from ${JSON.stringify(new URL("../../src/client/node.ts", import.meta.url).href)};
  const db = await connect(process.argv[1]);
  const session = await db.session("d", { ttlMs: 60_000 });
  await session.put("replaced", process.argv[2]);
  await session.put("replaced", process.argv[2] + " again");
  for (let i = 0; i < 200; i++) await session.merge("label " + i % 50, { [i]: process.argv[2] + "x".repeat(i) });
  process.kill(process.pid, "SIGKILL");
`;

test("what the session of a client that was killed held is overwritten at its deadline", async () => {
  const secret = "hunter2-of-a-client-that-was-killed";
  const clock = new ManualClock(START_MS);
  await using hive = await Hive.start({ port: 0, clock });
  const url = `hive://127.0.0.1:${hive.port}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", HOLDER, url, secret], { stdio: "inherit" });
  const [, signal] = await once(child, "exit");
  assert.equal(signal, "SIGKILL");
  assert.deepEqual([hive.engine.statistics.sessions().open, isInMemory(hive, secret)], [1, true]);
  clock.advance(60_000);
  hive.engine.tick();
  assert.deepEqual([hive.engine.statistics.sessions().open, isInMemory(hive, secret)], [0, false]);
});

test("when a hive closes nothing of its sessions is left in the memory that it gives back", async (t) => {
  const secret = "hunter2-at-the-end";
  // Memory that is given back cannot be looked at any more.
  t.mock.method(ArrayBuffer.prototype, "transfer", function (this: ArrayBuffer) {
    return this;
  });
  for (const end of ["open", "just closed", "just flushed"]) {
    const hive = await Hive.start({ listen: false });
    const db = await connect(hive);
    for (let i = 0; i < 100; i++) await db.put(`key ${i}`, "of somebody else");
    const session = await db.session("d");
    for (let i = 0; i < 200; i++) await session.put(`label ${i}`, `${secret} ${"x".repeat(i)}`);
    await (await db.session("e")).put("packed", secret);
    const segments = [...hive.engine.store.memory.segments.bytes];
    assert.ok(segments.some((bytes) => bytes.includes(secret)));
    const last = end === "just closed" ? session.close() : end === "just flushed" ? db.send(["FLUSHALL"]) : undefined;
    await last;
    await Promise.all([db.close(), hive.close()]);
    assert.equal(
      segments.some((bytes) => bytes.includes(secret)),
      false,
      end,
    );
    assert.ok(
      segments.some((bytes) => bytes.includes("of somebody else")),
      "the test looks at the right memory",
    );
  }
});

test("a session is in no snapshot, and its calls show nothing in the slow log", async (t) => {
  const folder = `${process.env["TMPDIR"] ?? "/tmp"}/memhive-sessions-${process.pid}`;
  const { mkdir, readdir, readFile, rm } = await import("node:fs/promises");
  await mkdir(folder, { recursive: true });
  t.after(() => rm(folder, { recursive: true, force: true }));
  await using hive = await Hive.start({ listen: false, snapshots: { folder } });
  await using db = await connect(hive);
  await db.send(["CONFIG", "SET", "slowlog-log-slower-than", "0"]);
  const session = await db.session("d");
  await session.put("label", "a secret that is not stored");
  await db.device("d").put("label", "the device's stays");
  await db.snapshot.store("one");
  for (const name of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const bytes = await readFile(`${name.parentPath}/${name.name}`);
    assert.equal(bytes.includes("a secret"), false);
  }
  assert.equal(JSON.stringify(await db.send(["SLOWLOG", "GET", "100"])).includes("a secret"), false);
  await db.snapshot.restore("one");
  assert.equal(await session.fetch("label"), undefined, "a dead session does not come back to life");
  assert.equal(await db.device("d").fetch("label"), "the device's stays");
  const bytes = (await db.device("d").usage()).bytes;
  assert.ok(bytes > 0, "what was restored counts for its device");
  await (await db.session("d")).put("l", Buffer.alloc(500));
  assert.ok((await db.device("d").usage()).bytes > bytes + 500, "and what comes then counts with it");
});

test("what a session holds is in no message, notification, history, figure or list of the hive", async () => {
  const secret = "hunter2-for-nobody-else";
  await using hive = await Hive.start({ port: 0, keyspaceEvents: "KEA" });
  await using db = await connect(hive);
  await db.send(["CONFIG", "SET", "slowlog-log-slower-than", "0"]);
  const watch = db.watch("*");
  await watch.ready;
  const from = watch.position!;
  await using messages = db.subscribe("*", { patterns: true });
  await messages.ready;
  const session = await db.session("d", { ttlMs: 60_000 });
  const ended = session.ends();
  for (let i = 0; i < 100; i++) await session.put(`label ${i % 20}`, `${secret} ${i}`);
  await session.merge("merged", { [secret]: secret });
  await assert.rejects(session.merge("label 1", { [secret]: secret }), code("INVALID_ARGUMENT"));
  await session.delete("label 0");
  await session.close();
  await ended;
  await db.put("last", 1);
  const heard: unknown[] = [];
  while (!String(heard.at(-1)).includes("last")) heard.push(JSON.stringify((await messages.next()).value));
  assert.ok(heard.length > 2, "notifications came");
  await watch.return();
  const history = db.watch("*", { since: from });
  heard.push(JSON.stringify((await history.next()).value));
  await history.return();
  for (const call of [
    ["INFO", "everything"],
    ["SLOWLOG", "GET", "-1"],
    ["CLIENT", "LIST"],
    ["LATENCY", "HISTOGRAM"],
  ]) {
    heard.push(JSON.stringify(await db.send(call), (_, value) => (value instanceof Map ? [...value] : value)));
  }
  heard.push(await (await fetch(`http://127.0.0.1:${hive.port}/metrics`)).text());
  assert.match(String(heard.at(-1)), /memhive_sessions/);
  for (const text of heard) assert.equal(String(text).includes(secret), false, String(text));
});

test("the change feed knows nothing of sessions, their names and their ends", async () => {
  await withClock(async (db, { pass }) => {
    const watch = db.watch("*");
    await watch.ready;
    const session = await db.session("d", { ttlMs: 1000, sliding: true });
    await session.put("label", "a secret");
    await session.merge("label 2", { a: 1 });
    await session.delete("label");
    pass(2000);
    assert.equal(await session.has("label"), false);
    await (await db.session("d")).close();
    await db.device("d").put("label", 1);
    const { value } = await watch.next();
    assert.deepEqual({ ...value, position: "" }, { kind: "set", key: "$device:d", field: "label", position: "" });
    await watch.return();
  });
});

test("what a session is stands under a name that no label can have", async () => {
  await withClock(async (db) => {
    const session = await db.session("d", { ttlMs: 1000 });
    for (const call of [
      ["SESSION.PUT", "d", session.id, false, 1],
      ["SESSION.MERGE", "d", session.id, false, {}],
      ["SESSION.FETCH", "d", session.id, false],
      ["SESSION.HAS", "d", session.id, false],
      ["SESSION.DELETE", "d", session.id, "a", false],
      ["SESSION.PUT", "d", 7, "label", 1],
      ["SESSION.PUT", 7, session.id, "label", 1],
    ]) {
      await assert.rejects(db.send(call), code("INVALID_ARGUMENT"), String(call));
    }
    await assert.rejects(db.send(["HDEL", `$session:d:${session.id}`, false]), code("NO_PERMISSION"));
    assert.deepEqual(await session.check(), { ttlMs: 1000, leftMs: 1000, sliding: false });
    await db.device("d").put(7 as unknown as string, "a number");
    assert.deepEqual(await db.device("d").labels(), [7]);
  });
});
