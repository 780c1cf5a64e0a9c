// When snapshots are stored and restored, which are kept, and what waits for them: over a place in memory and a
// clock that the test moves.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ManualClock } from "../../src/base/clock.ts";
import { HiveError } from "../../src/base/errors.ts";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { connect } from "../../src/client/node.ts";
import { LocalEngine } from "../../src/engine/local-engine.ts";
import { Hive } from "../../src/server/hive.ts";
import type { SnapshotEvent } from "../../src/server/hive-events.ts";
import { Maintenance } from "../../src/server/maintenance.ts";
import { type SnapshotEventDetail, type SnapshotSettings, Snapshots } from "../../src/server/snapshots.ts";
import type { SnapshotInfo, SnapshotPlace, SnapshotSink, SnapshotSource } from "../../src/snapshot/sink.ts";
import { TYPE_TABLE } from "../../src/store/layout.ts";
import { Store } from "../../src/store/store.ts";
import { MemorySink, memorySource } from "../kit/memory-snapshots.ts";
import { checkStore } from "../kit/store-invariants.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-snapshots-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A place in memory, whose sinks a test may hold up or break. */
class MemoryPlace implements SnapshotPlace {
  readonly title = "memory";
  readonly sinks = new Map<string, MemorySink>();
  /** Awaited before each write. */
  beforeWrite: () => Promise<void> = async () => {};
  #order = 0;
  readonly #times = new Map<string, number>();

  async list(): Promise<SnapshotInfo[]> {
    return [...this.sinks]
      .filter(([, sink]) => sink.committed)
      .map(([name, sink]) => ({ name, bytes: sink.bytes.length, storedMs: this.#times.get(name)! }))
      .sort((one, other) => other.storedMs - one.storedMs);
  }

  async create(name: string): Promise<SnapshotSink> {
    const sink = new MemorySink();
    this.sinks.set(name, sink);
    this.#times.set(name, ++this.#order);
    return {
      write: async (chunks) => {
        await this.beforeWrite();
        await sink.write(chunks);
      },
      commit: () => sink.commit(),
      abort: async () => {
        await sink.abort();
        this.sinks.delete(name);
      },
    };
  }

  async open(name: string): Promise<SnapshotSource> {
    const sink = this.sinks.get(name);
    if (!sink?.committed) throw new HiveError("NO_SNAPSHOT", `there is no snapshot ${name}`);
    return memorySource(sink.bytes, name);
  }

  async remove(name: string): Promise<void> {
    this.sinks.delete(name);
  }

  #last: string | undefined = undefined;

  async noteLast(name: string | undefined): Promise<void> {
    this.#last = name;
  }

  async last(): Promise<string | undefined> {
    return this.#last;
  }
}

function setUp(settings: SnapshotSettings = {}, limits: Partial<typeof DEFAULT_LIMITS> = {}) {
  const clock = new ManualClock(1_700_000_000_000);
  const store = new Store({ nowMs: clock.nowMs() });
  const all = { ...DEFAULT_LIMITS, ...limits };
  const engine = new LocalEngine({ store, clock, limits: all });
  const maintenance = new Maintenance({ workers: [store], beat() {}, monotonicMs: () => clock.monotonicMs() });
  const place = new MemoryPlace();
  const notices: string[] = [];
  const events = { snapshot: (event: SnapshotEvent): void => void notices.push(JSON.stringify(event)) };
  const snapshots = new Snapshots({ store, engine, place, clock, limits: all, maintenance, settings, events });
  let number = 0;
  const put = (name: string, bytes: number = 8): void => {
    const key = Buffer.from(name);
    const value = Buffer.alloc(bytes, ++number);
    store.keys.put(key, 0, key.length, 0, value, 0, bytes, 0, Number.POSITIVE_INFINITY);
  };
  const has = (name: string): boolean => store.keys.find(Buffer.from(name), 0, Buffer.byteLength(name)) !== 0;
  const close = (): void => {
    maintenance.close();
    store.close();
  };
  return { clock, store, engine, place, snapshots, notices, put, has, close };
}

test("an interval stores where something changed, and the newest of those are kept", async () => {
  const { clock, place, snapshots, put, close } = setUp({ intervalMs: 60_000, keep: 2 });
  const settled = async (): Promise<string[]> => {
    snapshots.beat();
    while (snapshots.status().work !== undefined) await turn();
    for (let i = 0; i < 20; i++) await turn();
    return (await place.list()).map(({ name }) => name);
  };
  put("a");
  assert.deepEqual(await settled(), [], "it is not time yet");
  clock.advance(60_000);
  const [first] = await settled();
  assert.match(first!, /^auto-20231114T221420000Z$/);
  clock.advance(60_000);
  assert.equal((await settled()).length, 1, "nothing has changed");
  await snapshots.store("mine");
  for (let i = 0; i < 3; i++) {
    put(`b${i}`);
    clock.advance(60_000);
    await settled();
  }
  const names = (await place.list()).map(({ name }) => name);
  assert.equal(names.length, 3, "two that it named itself, and the one that has a name");
  assert.ok(names.includes("mine") && !names.includes(first!));
  assert.equal(snapshots.status().changes, 0);
  close();
});

test("an interval goes on though the date is set back", async () => {
  const { clock, place, snapshots, put, close } = setUp({ intervalMs: 60_000 });
  put("a");
  clock.advance(30_000);
  clock.setDate(clock.nowMs() - 86_400_000);
  clock.advance(30_000);
  snapshots.beat();
  while (snapshots.status().work !== undefined) await turn();
  assert.equal((await place.list()).length, 1);
  close();
});

test("the one that was made just now stays, whatever the times of the others say", async () => {
  const { clock, place, snapshots, put, close } = setUp({ keep: 2 });
  const later = ["auto-20991231T000000000Z", "auto-20991231T000000001Z", "auto-20991231T000000002Z"];
  const list = place.list.bind(place);
  place.list = async () => (await list()).sort((one, other) => (one.name < other.name ? 1 : -1));
  for (const name of later) await (await place.create(name)).commit();
  put("a");
  const { name } = await snapshots.store();
  assert.deepEqual((await list()).map((info) => info.name).sort(), [name, later[2]]);
  clock.advance(1);
  const next = await snapshots.store();
  assert.deepEqual((await list()).map((info) => info.name).sort(), [next.name, later[2]]);
  close();
});

test("a hive that is closed stores and restores nothing any more", async () => {
  const path = join(folder, "closed");
  const hive = await Hive.start({ listen: false, snapshots: { folder: path } });
  const snapshots = hive.snapshots!;
  await hive.close();
  const before = readdirSync(path);
  await assert.rejects(snapshots.store("late"), { code: "HIVE_CLOSED" });
  await assert.rejects(snapshots.restore(before[0]!.replace(".memhive", "")), { code: "HIVE_CLOSED" });
  assert.deepEqual(readdirSync(path), before);
});

test("a failure is told, counted and mended by the next store", async () => {
  const { place, snapshots, notices, put, close } = setUp();
  const events: string[] = [];
  for (const name of ["storing", "stored", "failed"]) {
    snapshots.addEventListener(name, (event) => {
      events.push(`${name} ${(event as CustomEvent<SnapshotEventDetail>).detail.name}`);
    });
  }
  put("a");
  place.beforeWrite = async () => {
    throw new HiveError("SNAPSHOT_FAILED", "the disk is full");
  };
  await assert.rejects(snapshots.store("one"), { code: "SNAPSHOT_FAILED" });
  assert.equal(place.sinks.size, 0, "nothing is left of it");
  assert.match(notices[1]!, /"store-failed","name":"one","reason":"the disk is full"/);
  assert.equal(snapshots.status().failures, 1);
  place.beforeWrite = async () => {};
  assert.equal((await snapshots.store("two")).keys, 1);
  assert.equal(snapshots.status().lastFailure, undefined);
  assert.deepEqual(events, ["storing one", "failed one", "storing two", "stored two"]);
  close();
});

test("wherever a store fails, nothing is kept, nobody waits and the next one is whole", async () => {
  const { store, engine, place, snapshots, put, close } = setUp({}, { snapshotBacklogBytesMax: 1 });
  const table = Buffer.from("table");
  const fill = (): void => {
    for (let i = 0; i < 60; i++) put(`k${i}`, 50_000);
    let ref = store.keys.find(table, 0, table.length) || store.fields.create(TYPE_TABLE, table, 0, table.length, 0);
    for (let i = 0; i < 500; i++) {
      const name = Buffer.from(`field ${i}`);
      ref = store.fields.set(ref, name, 0, name.length, 0, name, 0, name.length, 0);
    }
  };
  const error = new HiveError("SNAPSHOT_FAILED", "broken");
  const create = place.create.bind(place);
  for (let failAt = -1; failAt < 8; failAt++) {
    store.keys.clear();
    fill();
    let writes = 0;
    place.beforeWrite = async () => {
      await turn();
      if (writes++ === failAt) throw error;
    };
    place.create = async (name) => {
      if (failAt < 0) throw error;
      const sink = await create(name);
      const commit = async (): Promise<void> => {
        throw error;
      };
      return failAt === 7 ? { write: (chunks) => sink.write(chunks), abort: () => sink.abort(), commit } : sink;
    };
    const stored = snapshots.store(`fails ${failAt}`);
    const refused = assert.rejects(stored, { code: "SNAPSHOT_FAILED", message: "broken" });
    for (let i = 0; i < 4; i++) {
      await turn();
      put(`k${i}`, 1_000);
    }
    store.keys.clear();
    await refused;
    assert.equal(engine.pauses.ended, undefined, "nobody waits");
    assert.equal(store.memory.funnel.on, false);
    assert.equal(store.memory.reaper.keeper, undefined);
    assert.equal(place.sinks.size, 0);
    while (store.work(() => false));
    assert.ok(store.memory.reaper.idle);
    checkStore(store);
  }
  place.beforeWrite = async () => {};
  place.create = create;
  fill();
  assert.equal((await snapshots.store("whole")).fields, 500);
  close();
});

test("pre-images above the backlog let calls that write wait, until half of them are out", async () => {
  const { store, engine, place, snapshots, put, close } = setUp({}, { snapshotBacklogBytesMax: 4 * 1024 * 1024 });
  const progress: number[] = [];
  snapshots.addEventListener("progress", (event) => {
    progress.push((event as CustomEvent<SnapshotEventDetail>).detail.progress!);
  });
  for (let i = 0; i < 100; i++) put(`k${i}`, 100_000);
  const gate = Promise.withResolvers<void>();
  place.beforeWrite = () => gate.promise;
  const stored = snapshots.store("slow");
  while (!place.sinks.has("slow")) await turn();
  await turn();
  assert.equal(engine.pauses.ended, undefined);
  for (let i = 99; i > 20; i--) put(`k${i}`, 10);
  assert.ok(engine.pauses.ended, "calls wait");
  assert.ok(engine.pauses.holds("SET", true) && !engine.pauses.holds("GET", false), "those that write, and no others");
  gate.resolve();
  await engine.pauses.ended;
  const { keys } = await stored;
  assert.equal(keys, 100);
  assert.ok(progress.length > 0, "a store tells how far it is");
  assert.deepEqual(
    progress,
    progress.toSorted((one, other) => one - other),
  );
  assert.equal(store.memory.funnel.on, false, "nobody listens any more");
  const { bytes } = place.sinks.get("slow")!;
  assert.ok(bytes.length > 0);
  for (let i = 0; i < 100; i++) put(`k${i}`, 1);
  await snapshots.restore("slow");
  const ref = store.keys.find(Buffer.from("k99"), 0, 3);
  assert.equal(store.memory.entries.valueLength(ref), 100_000, "as it was when the store began");
  close();
});

test("a restore that fails half-way puts everything back, and calls go on", async () => {
  const { store, engine, place, snapshots, put, has, close } = setUp();
  for (let i = 0; i < 5000; i++) put(`old${i}`, 200);
  await snapshots.store("big");
  store.keys.clear();
  put("now");
  while (store.work(() => false));
  store.eviction.configure(store.usedBytes + 128 * 1024, "noeviction");
  const before = store.memory.totals.entryBytes;
  await assert.rejects(snapshots.restore("big"), { code: "OUT_OF_MEMORY" });
  while (store.work(() => false));
  assert.ok(has("now") && !has("old1"));
  assert.equal(store.memory.totals.entryBytes, before);
  assert.equal(engine.pauses.ended, undefined);
  store.eviction.configure(0, "noeviction");
  assert.equal((await snapshots.restore("big")).keys, 5000);
  assert.ok(!has("now") && has("old1"));
  assert.ok(place.sinks.has("big"));
  close();
});

test("a transaction that watches a key which a restore brings or takes is refused", async () => {
  const path = join(folder, "watches");
  await using hive = await Hive.start({ port: 0, snapshots: { folder: path, atClose: false } });
  await using client = await connect(hive);
  await client.put("there", 1);
  await client.snapshot.store("one");
  await client.send(["DEL", "there"]);
  await client.put("taken", 1);
  for (const key of ["there", "taken"]) {
    const socket = createConnection(hive.port);
    const say = async (line: string): Promise<string> => {
      socket.write(`${line}\r\n`);
      return String((await once(socket, "data"))[0]);
    };
    assert.equal(await say(`WATCH ${key}`), "+OK\r\n");
    await client.snapshot.restore("one");
    assert.equal(await say("MULTI"), "+OK\r\n");
    assert.equal(await say("SET result 1"), "+QUEUED\r\n");
    assert.equal(await say("EXEC"), "*-1\r\n", key);
    socket.destroy();
    await client.put("taken", 1);
  }
});

test("calls wait for a restore and then see what it brought", async () => {
  const path = join(folder, "waits");
  await using hive = await Hive.start({ listen: false, snapshots: { folder: path, atClose: false } });
  await using client = await connect(hive);
  await client.put("k", "old");
  await client.snapshot.store("one");
  await client.put("k", "new");
  const restored = client.snapshot.restore("one");
  const seen = client.get("k");
  await restored;
  assert.equal(await seen, "old");
  assert.deepEqual(readdirSync(path), ["one.memhive"]);
});

test("a hive without a folder says what to do", async () => {
  await using hive = await Hive.start({ listen: false });
  await using client = await connect(hive);
  for (const call of [["SAVE"], ["BGSAVE"], ["SNAPSHOT", "STORE"], ["SNAPSHOT", "LIST"]]) {
    await assert.rejects(client.send(call), { code: "UNSUPPORTED", message: /start it with --snapshots FOLDER/ });
  }
  assert.equal((await client.snapshot.status()).place, "");
  assert.equal(typeof (await client.send(["LASTSAVE"])), "number");
});

test("INFO tells of the last store, and of no restore", async () => {
  const path = join(folder, "info");
  await using hive = await Hive.start({ listen: false, snapshots: { folder: path, atClose: false } });
  await using client = await connect(hive);
  const state = async (): Promise<unknown> =>
    (await client.info("persistence"))["persistence"]!["rdb_last_bgsave_status"];
  await client.snapshot.store("one");
  writeFileSync(join(path, "bad.memhive"), "bad");
  await assert.rejects(client.snapshot.restore("bad"), { code: "BAD_SNAPSHOT" });
  assert.equal(await state(), "ok");
  assert.match((await client.snapshot.status()).lastFailure, /bad is refused/);
  await client.snapshot.restore("one");
  assert.equal((await client.snapshot.status()).lastFailure, "");
  rmSync(path, { recursive: true });
  await assert.rejects(client.snapshot.store("two"), { code: "SNAPSHOT_FAILED" });
  assert.equal(await state(), "err");
  mkdirSync(path);
  await client.snapshot.store("two");
  assert.equal(await state(), "ok");
});

test("SAVE, BGSAVE and LASTSAVE are Redis's", async () => {
  const clock = new ManualClock(1_700_000_000_000);
  await using hive = await Hive.start({
    listen: false,
    clock,
    snapshots: { folder: join(folder, "redis"), atClose: false },
  });
  await using client = await connect(hive);
  await client.put("k", "v");
  assert.equal(await client.send(["SAVE"]), "OK");
  clock.advance(5_000);
  assert.equal(await client.send(["LASTSAVE"]), 1_700_000_000);
  assert.equal(await client.send(["BGSAVE"]), "Background saving started");
  assert.equal(await client.send(["BGSAVE", "SCHEDULE"]), "Background saving scheduled");
  await assert.rejects(client.send(["BGSAVE", "NOW"]), { code: "SYNTAX" });
  while ((await client.snapshot.status()).stores < 3) await turn();
  assert.equal(await client.send(["LASTSAVE"]), 1_700_000_005);
});
