// What a session held is nowhere once it has ended, and nowhere but in the memory while it is open.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { START_MS, withClock } from "../kit/clocked-hive.ts";
import { code } from "../kit/spool-line.ts";

/** Whether the text lies anywhere in the store's memory, once the work that waits is done. */
function isInMemory(hive: Hive, text: string): boolean {
  const { store } = hive.engine;
  while (store.work(() => false) || store.hasWork);
  return store.memory.segments.bytes.some((bytes) => bytes.includes(text));
}

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
