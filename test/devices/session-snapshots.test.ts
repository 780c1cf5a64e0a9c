// Sessions in snapshots: only where that is asked for, and none that has ended is there again.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { type Client, connect, type DeviceSession } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { passed } from "../kit/limited-hive.ts";

type Running = { hive: Hive; db: Client; clock: ManualClock; stop(snapshot?: boolean): Promise<void> };

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "memhive-sessions-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(folder: string, clock: ManualClock, sessions: boolean = true): Promise<Running> {
  // Snapshots are named by the time.
  clock.advance(1);
  const hive = await Hive.start({ listen: false, clock, snapshots: { folder, sessions } });
  const db = await connect(hive);
  const stop = async (snapshot?: boolean): Promise<void> => {
    await db.close();
    await hive.close(snapshot === undefined ? {} : { snapshot });
  };
  return { hive, db, clock, stop };
}

async function isOpen(db: Client, { device, id }: DeviceSession): Promise<boolean> {
  return (await db.send(["SESSION.STATE", device, id])) !== undefined;
}

test("a hive that stops has its sessions back when it starts, with their time, and as secrets", async (t) => {
  const folder = folderOf(t);
  const clock = new ManualClock(1_700_000_000_000);
  const first = await start(folder, clock);
  const fixed = await first.db.session("d", { ttlMs: 10_000 });
  const sliding = await first.db.session("d", { ttlMs: 10_000, sliding: true });
  const short = await first.db.session("d", { ttlMs: 1_000 });
  for (const session of [fixed, sliding, short]) {
    for (let i = 0; i < 100; i++) await session.put(`label ${i}`, `a secret of ${session.id} ${"x".repeat(i)}`);
  }
  const packed = await first.db.session("e");
  await packed.put("label", "a secret that is packed");
  const closed = await first.db.session("d");
  await closed.close();
  await first.stop();

  clock.advance(2_000);
  const { db, hive, stop } = await start(folder, clock);
  assert.deepEqual([await isOpen(db, short), await isOpen(db, closed)], [false, false]);
  assert.equal(hive.engine.statistics.sessions().open, 3);
  const again = await db.session("d", { resume: fixed.id });
  assert.equal(await again.fetch("label 7"), `a secret of ${fixed.id} xxxxxxx`);
  assert.deepEqual(await again.check(), { ttlMs: 10_000, leftMs: 7_999, sliding: false });
  assert.equal((await again.labels()).length, 100);
  assert.equal(await (await db.session("d", { resume: sliding.id })).has("label 1"), true);
  const bytes = (await db.device("d").usage()).bytes;
  assert.ok(bytes > 20_000, "they count for their device");
  const ended = again.ends();
  await passed(async () => String(await db.send(["PUBSUB", "CHANNELS"])).includes(fixed.id));
  // From a beat on the hive listens to the ends of those that came with the snapshot.
  await passed(async () => hive.engine.store.memory.funnel.on);
  clock.advance(8_000);
  hive.engine.tick();
  assert.equal(await ended, "expired");
  await (await db.session("d", { resume: sliding.id })).close();
  await (await db.session("e", { resume: packed.id })).close();
  const { store } = hive.engine;
  while (store.work(() => false) || store.hasWork);
  assert.equal(
    store.memory.segments.bytes.some((segment) => segment.includes("a secret")),
    false,
  );
  assert.equal((await db.device("d").usage()).bytes, 0);
  await stop();
});

test("after a crash there are none: nobody knows which were closed since the snapshot", async (t) => {
  const folder = folderOf(t);
  const clock = new ManualClock(1_700_000_000_000);
  const first = await start(folder, clock);
  const session = await first.db.session("d");
  await session.put("label", 1);
  await first.db.device("d").put("label", "stays");
  await first.db.snapshot.store("one");
  await first.stop(false);
  await new Promise((resolve) => setImmediate(resolve));

  // It was stopped, without a snapshot of its own: what it had stored last is what it had.
  const second = await start(folder, clock);
  assert.equal(await isOpen(second.db, session), true);
  const later = await second.db.session("d");
  await second.db.snapshot.store("two");
  await later.close();
  await second.stop(false);

  // Here something had changed since: as if it had been killed.
  const third = await start(folder, clock);
  assert.deepEqual([await isOpen(third.db, session), await isOpen(third.db, later)], [false, false]);
  assert.equal(await third.db.device("d").fetch("label"), "stays");
  assert.equal(third.hive.engine.statistics.sessions().open, 0);
  await third.stop();
});

test("a snapshot that is restored into a hive that runs brings back what open sessions held, and no other session", async (t) => {
  const clock = new ManualClock(1_700_000_000_000);
  const { db, stop } = await start(folderOf(t), clock);
  const kept = await db.session("d");
  const closed = await db.session("d");
  await kept.put("label", "before");
  await closed.put("label", "gone for good");
  await db.snapshot.store("one");
  await kept.put("label", "after");
  await closed.close();
  await db.snapshot.restore("one");
  assert.equal(await kept.fetch("label"), "before");
  assert.equal(await isOpen(db, closed), false);
  await stop();
});

test("without --snapshot-sessions none is in a snapshot, and none comes out of one", async (t) => {
  const folder = folderOf(t);
  const clock = new ManualClock(1_700_000_000_000);
  const first = await start(folder, clock);
  const session = await first.db.session("d");
  await session.put("label", 1);
  await first.stop();
  const second = await start(folder, clock, false);
  assert.equal(await isOpen(second.db, session), false);
  const other = await second.db.session("d");
  await other.put("label", "a text that is in no file");
  await second.stop();
  for (const name of readdirSync(folder)) {
    assert.equal(readFileSync(join(folder, name)).includes("a text that"), false);
  }
  const third = await start(folder, clock);
  assert.deepEqual([await isOpen(third.db, session), await isOpen(third.db, other)], [false, false]);
  await third.stop();
});

test("INFO and the figures of sessions count them by their end", async (t) => {
  const clock = new ManualClock(1_700_000_000_000);
  const { db, hive, stop } = await start(folderOf(t), clock, false);
  const [open, closed] = [await db.session("d"), await db.session("d")];
  await db.session("d", { ttlMs: 1000 });
  await closed.close();
  clock.advance(1000);
  hive.engine.tick();
  await open.put("l", 1);
  const { sessions } = await db.info("sessions");
  assert.deepEqual(sessions, {
    ...{ sessions_open: 1, sessions_begun: 3, sessions_closed: 1, sessions_expired: 1, sessions_evicted: 0 },
  });
  await db.send(["FLUSHALL"]);
  assert.equal(hive.engine.statistics.sessions().open, 0);
  await stop();
});
