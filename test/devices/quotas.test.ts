// Quotas of tokens on what devices have: of the token that made a memory, and of the device's own.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { type Client, connect, type DeviceSession, isHiveError } from "../../src/client/node.ts";
import type { TokenOptions } from "../../src/engine/token-records.ts";
import { Hive, type HiveOptions } from "../../src/server/hive.ts";
import { writeTokens } from "../../src/server/tokens-file.ts";
import { fillAtRandom, ofDevice } from "../kit/device-model.ts";
import { checkStore } from "../kit/store-invariants.ts";

type Known = { admin: Client; token(options: Partial<TokenOptions>): Promise<Client> };

/** A hive with tokens, and clients with them. */
async function started(t: TestContext, options: HiveOptions = {}): Promise<Known> {
  const hive = await Hive.start({ port: 0, tokens: true, ...options });
  t.after(() => hive.close());
  const token = async (given: Partial<TokenOptions>): Promise<Client> => {
    const { token } = await hive.tokens.create({ grants: ["all"], ...given });
    const db = await connect(`hive://127.0.0.1:${hive.port}`, { token });
    t.after(() => db.close());
    return db;
  };
  const admin = await connect(hive);
  t.after(() => admin.close());
  return { admin, token };
}

function quota(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.match(String(error), message);
    return isHiveError(error) && error.code === "QUOTA";
  };
}

const CAP = 3_000_000;

test("under the quota of the device's token the bytes are a model's at every step", async (t) => {
  const { token } = await started(t);
  const db = await token({ device: "d", quotas: { bytes: CAP } });
  await fillAtRandom({ db, ids: ["d"], cap: CAP, steps: 200, refusal: ofDevice });
});

test("what a token makes in the memory of any device counts for it, by a model and to the byte", async (t) => {
  const { token, admin } = await started(t);
  const db = await token({ quotas: { bytes: CAP } });
  const refusal = (bytes: number): string =>
    `bytes: this call would make ${bytes} of the 3000000 that this token may have`;
  await fillAtRandom({ db, ids: ["d", "e", "f"], cap: CAP, steps: 200, refusal });
  const { allBytes } = await admin.device("d").usage();
  // Everything else of the token is in the same sum.
  await assert.rejects(db.put("k", Buffer.alloc(CAP)), quota(new RegExp(`would make ${allBytes + CAP + 32} of the`)));
  for (const id of ["d", "e", "f"]) await admin.device(id).clear();
  await db.put("k", Buffer.alloc(CAP - 100));
});

test("a memory or session counts for the token that made it, whoever puts more into it, and for its device", async (t) => {
  const { token, admin } = await started(t, { deviceBytesMax: 100_000 });
  const maker = await token({ quotas: { bytes: 10_000, keys: 2 } });
  const other = await token({ quotas: { bytes: 1_000 } });
  await admin.device("theirs").put("l", 1);
  await maker.device("d").put("l", Buffer.alloc(1_000));
  const session = await maker.session("d");
  await assert.rejects(maker.session("d"), quota(/keys: this call would make 3 of the 2 that this token may have/));
  await assert.rejects(maker.put("k", 1), quota(/keys: this call would make 3 of the 2/));
  await session.put("l", Buffer.alloc(8_000));
  await assert.rejects(
    maker.device("d").put("m", Buffer.alloc(1_000)),
    quota(/bytes: this call would make 10\d\d\d of the 10000/),
  );
  await assert.rejects(
    other.device("d").put("m", Buffer.alloc(2_000)),
    quota(/bytes: a key of this call belongs to a token that may not have more/),
  );
  await other.device("d").put("m", Buffer.alloc(100));
  await other.device("theirs").put("l", Buffer.alloc(2_000));
  await assert.rejects(
    other.device("new").put("l", Buffer.alloc(2_000)),
    quota(/of the 1000 that this token may have/),
  );
  assert.equal(await admin.exists("$device:new"), false, "nothing was changed");
  await admin.device("d").put("m", Buffer.alloc(20_000));
  await assert.rejects(admin.device("d").put("n", Buffer.alloc(80_000)), quota(/of the 100000 that device d may have/));
  await admin.device("d").put("m", 1);
  await session.close();
  await maker.put("k", Buffer.alloc(8_000));
});

test("it goes on counting after its own DEVICE.CLEAR, a restart and a restore, and no longer when it has run out", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-quotas-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new ManualClock(1_700_000_000_000);
  const options = { port: 0, clock, tokens: join(folder, "tokens.json"), snapshots: { folder, sessions: true } };
  writeTokens(options.tokens, { nextOwner: 7, tokens: [] });
  const first = await Hive.start(options);
  const made = await first.tokens.create({ grants: ["all"], quotas: { bytes: 6_000 } });
  const enter = (hive: Hive): Promise<Client> => connect(`hive://127.0.0.1:${hive.port}`, { token: made.token });
  {
    await using db = await enter(first);
    await using admin = await connect(first);
    await db.device("d").put("l", Buffer.alloc(2_000));
    // The numbers of a spool stay when a memory is cleared.
    const [memory] = (await db.send(["DEVICE.SPOOL", "d", "producer", ""])) as [string];
    await db.send(["DEVICE.SPOOL", "d", "producer", memory, 1, "s", "x", 0]);
    await db.device("d").clear();
    await admin.device("d").put("l", Buffer.alloc(2_000));
    await (await db.session("d", { ttlMs: 10_000 })).put("l", Buffer.alloc(2_000));
    await assert.rejects(db.put("k", Buffer.alloc(2_000)), quota(/of the 6000 that this token may have/));
  }
  await first.close();

  clock.advance(1);
  await using second = await Hive.start(options);
  await using db = await enter(second);
  await assert.rejects(db.put("k", Buffer.alloc(2_000)), quota(/of the 6000 that this token may have/));
  await db.snapshot.store("one");
  await db.device("d").clear();
  await db.put("k", Buffer.alloc(2_000));
  await db.delete("k");
  await db.snapshot.restore("one");
  await assert.rejects(db.put("k", Buffer.alloc(2_000)), quota(/of the 6000 that this token may have/));
  clock.advance(10_000);
  second.engine.tick();
  await db.put("k", Buffer.alloc(2_000));
});

test("keys of a device's token are its labels, of its memory and its sessions together, and as many sessions", async (t) => {
  const { token, admin } = await started(t);
  const db = await token({ device: "d", quotas: { keys: 5 } });
  await db.device("d").put("packed", 1);
  const sessions: DeviceSession[] = [];
  for (let i = 0; i < 5; i++) sessions.push(await db.session("d"));
  await assert.rejects(db.session("d"), quota(/keys: this would make 6 of the 5 sessions that device d may have/));
  await sessions[0]!.put("packed", 1);
  await sessions[1]!.put("unpacked", Buffer.alloc(5_000));
  await sessions[1]!.merge("merged", { a: 1 });
  await db.device("d").put("unpacked", Buffer.alloc(5_000), { ttlMs: 1e6 });
  for (const put of [
    () => db.device("d").put("sixth", 1),
    () => sessions[0]!.put("sixth", 1),
    () => sessions[4]!.merge("sixth", {}),
  ]) {
    await assert.rejects(put(), quota(/keys: this would make 6 of the 5 labels that device d may have/));
  }
  const usage = await db.device("d").usage();
  assert.deepEqual([usage.labels, usage.deviceLabels, usage.labelsMax, usage.sessions], [2, 5, 5, 5]);
  await db.device("d").put("packed", "another");
  await sessions[1]!.merge("merged", { b: 2 });
  await sessions[1]!.close();
  assert.equal((await admin.device("d").usage()).deviceLabels, 3);
  await sessions[4]!.put("fourth", 1);
  await admin.device("d").put("fifth", 1);
  await admin.device("d").put("sixth", 1);
  await db.device("d").put("packed", "there are more than it may have, and no more than before");
  await assert.rejects(db.device("d").put("seventh", 1), quota(/would make 7 of the 5 labels/));
  await db.device("d").clear();
  assert.equal((await db.device("d").usage()).deviceLabels, 2);
});

test("whoever clears a memory has made it: a device is rid of a token that may have no more", async (t) => {
  const { token } = await started(t);
  const own = await token({ device: "d", quotas: { bytes: 50_000 } });
  const maker = await token({ quotas: { bytes: 1_000 } });
  const [memory] = (await maker.send(["DEVICE.SPOOL", "d", "producer", ""])) as [string];
  await maker.send(["DEVICE.SPOOL", "d", "producer", memory, 1, "s", "x", 0]);
  await assert.rejects(own.device("d").put("l", Buffer.alloc(2_000)), quota(/a key of this call belongs to a token/));
  await own.device("d").clear();
  await own.device("d").put("l", Buffer.alloc(2_000));
  await maker.put("k", Buffer.alloc(900));
  const [, last] = (await maker.send(["DEVICE.SPOOL", "d", "producer", memory])) as [string, number];
  assert.equal(last, 1, "what the memory knows of itself stays");
});

test("the quotas of a device hold for every token that is held to anything, and its most generous token says them", async (t) => {
  const { token, admin } = await started(t);
  const own = await token({ device: "d", quotas: { bytes: 5_000, keys: 2 } });
  await own.device("d").put("l", 1);
  const other = await token({ quotas: { bytes: 1_000 } });
  const reader = await token({ grants: ["read", "write:$device:*"] });
  for (const db of [other, reader]) {
    const refused = quota(/bytes: this would make \d+ of the 5000 that device d may have/);
    await assert.rejects(db.device("d").put("l", Buffer.alloc(50_000)), refused);
  }
  await other.device("d").put("second", 1);
  await assert.rejects(reader.device("d").put("third", 1), quota(/keys: this would make 3 of the 2 labels/));
  await token({ device: "d", quotas: { bytes: 100_000, keys: 3 } });
  await reader.device("d").put("third", Buffer.alloc(50_000));
  await assert.rejects(own.device("d").put("l", Buffer.alloc(1_000)), quota(/of the 5000 that device d may have/));
  await token({ device: "d" });
  await reader.device("d").put("fourth", Buffer.alloc(200_000));
  await admin.device("d").put("fifth", Buffer.alloc(200_000));
});

test("a device has one number, whatever is left of it after a restart, a restore, or one that failed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-quotas-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new ManualClock(1_700_000_000_000);
  const options: HiveOptions = { listen: false, clock, deviceBytesMax: 20_000, snapshots: { folder, sessions: true } };
  const isFull = quota(/of the 20000 that device d may have/);
  {
    await using first = await Hive.start(options);
    await using db = await connect(first);
    await db.device("d").put("l", 1);
  }
  clock.advance(1);
  await using hive = await Hive.start(options);
  await using db = await connect(hive);
  await (await db.session("d")).put("l", Buffer.alloc(18_000));
  await db.device("d").clear();
  assert.equal((await db.device("d").usage()).sessions, 1);
  await assert.rejects(db.device("d").put("l", Buffer.alloc(18_000)), isFull);
  await db.snapshot.store("kept");
  const { store } = hive.engine;
  store.beginRestoring().rollback();
  assert.equal((await db.device("d").usage()).sessions, 1, "after a restore that failed");
  await assert.rejects((await db.session("d")).put("l", Buffer.alloc(18_000)), isFull);
  await db.snapshot.restore("kept");
  await assert.rejects((await db.session("d")).put("l", Buffer.alloc(18_000)), isFull);
  checkStore(store);
});

test("labels that have run out are no reason to refuse others", async (t) => {
  const clock = new ManualClock(1_700_000_000_000);
  const { token } = await started(t, { clock });
  const db = await token({ device: "d", quotas: { keys: 1_000 } });
  const put = (i: number, ttlMs?: number): Promise<void> =>
    db.device("d").put(`label ${i}`, "x", ttlMs === undefined ? {} : { ttlMs });
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => put(i, 1_000)));
  await assert.rejects(put(1_000), quota(/would make 1001 of the 1000 labels/));
  clock.advance(1_000);
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => put(2_000 + i)));
  assert.equal((await db.device("d").usage()).deviceLabels, 1_000);
});
