// Devices: labels under reserved names, counted to the byte, capped, and apart from each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, connect, isHiveError } from "../../src/client/node.ts";
import { Hive, type HiveOptions } from "../../src/server/hive.ts";
import { entryBytes } from "../../src/store/entries.ts";
import { RespClient } from "../kit/resp-client.ts";

async function withHive(options: HiveOptions, run: (db: Client, hive: Hive) => Promise<void>): Promise<void> {
  await using hive = await Hive.start({ port: 0, ...options });
  await using db = await connect(hive);
  await run(db, hive);
}

function code(expected: string): (error: unknown) => boolean {
  return (error) => isHiveError(error) && error.code === expected;
}

test("a device keeps values under labels, with their types and TTLs", async () => {
  await withHive({}, async (db) => {
    const device = db.device("sensor-7");
    assert.equal(await device.fetch("t"), undefined);
    assert.deepEqual([await device.labels(), await device.clear(), await device.has("t")], [[], false, false]);
    await device.put("t", 21.5);
    await device.put("null", null);
    await device.put("map", new Map([["a", new Set([1n])]]), { ttlMs: 60_000 });
    assert.equal(await device.fetch("t"), 21.5);
    assert.equal(await device.fetch("null"), null);
    assert.deepEqual(await device.fetch("map"), new Map([["a", new Set([1n])]]));
    assert.deepEqual((await device.labels()).sort(), ["map", "null", "t"]);
    assert.equal(await device.delete("t", "none"), 1);
    assert.equal((await device.usage()).labels, 2);
    assert.equal(await device.clear(), true);
    assert.deepEqual(await device.usage(), {
      bytes: 0,
      bytesMax: undefined,
      labels: 0,
      allBytes: 0,
      allBytesMax: undefined,
    });
  });
});

test("no id reaches the memory of another, and no key of a user is a device's", async () => {
  await withHive({}, async (db) => {
    const ids = ["a", "a/b", "a%2Fb", "a:b", "*", "a*", "ä", " ", "A", "..", "$device:a"];
    for (const id of ids) await db.device(id).put("who", id);
    for (const id of ids) assert.equal(await db.device(id).fetch("who"), id);
    assert.equal((await Array.fromAsync(db.scan({ match: "$device:*" }))).length, ids.length);
    await db.table("a").set("who", "a table");
    assert.equal(await db.device("a").fetch("who"), "a");
    assert.equal(await db.table("$device:a%2Fb").get("who"), "a/b", "every door reads it");
    for (const id of ["", "x".repeat(129)]) {
      await assert.rejects(db.device(id).put("l", 1), code("INVALID_ARGUMENT"));
    }
  });
});

test("only the commands of devices write their memory", async () => {
  await withHive({}, async (db, hive) => {
    await db.device("a").put("l", "x");
    await using resp = await RespClient.connect({ port: hive.port });
    for (const call of [
      "SET $device:a x",
      "HSET $device:a l y",
      "HSET $device:new l y",
      "DEL $device:a",
      "DEL b $device:a",
      "MSET k v $device:b v",
      "RENAME $device:a b",
      "RENAME k $device:b",
      "COPY k $session:a:b",
      "EXPIRE $device:a 10",
      "SUNIONSTORE $device:b s",
      "SORT k STORE $device:b",
      "LMOVE k $device:b LEFT LEFT",
      "RESTORE $device:b 0 x",
    ]) {
      const reply = await resp.call(...call.split(" "));
      assert.match(reply.bytes.toString(), /NOPERM the key in argument \d is the memory of a device/, call);
    }
    assert.equal((await resp.call("HGET", "$device:a", "l")).value, "x");
    assert.equal((await resp.call("COPY", "$device:a", "copy")).value, 1, "reading is for whoever has the grant");
    assert.equal(await db.device("a").fetch("l"), "x");
  });
});

type Capped = { db: Client; ids: readonly string[]; cap: number; steps: number; refusal: RegExp };

/** Puts and deletes at random, and holds the figures to a model's at every step. */
async function fillAtRandom({ db, ids, cap, steps, refusal }: Capped): Promise<void> {
  // With an owner an entry's header has 24 bytes, of a key with a container 28; a field's has 16.
  const bytesOf = (labels: Map<string, number>): number =>
    [...labels].reduce((sum, [label, bytes]) => sum + entryBytes(16, label.length, bytes), 0);
  const devices: { id: string; model: Map<string, number>; base: number }[] = [];
  for (const id of ids) {
    // Unpacked from the first label on that is too long for a packed table; it stays so until it is empty.
    const model = new Map<string, number>([["first", 5000]]);
    await db.device(id).put("first", Buffer.alloc(5000));
    const base = (await db.device(id).usage()).bytes - bytesOf(model);
    assert.ok(base >= entryBytes(24, `$device:${id}`.length, 0) && base <= 64, `${base} bytes of the key itself`);
    devices.push({ id, model, base });
  }
  const all = (): number => devices.reduce((sum, { model, base }) => sum + base + bytesOf(model), 0);
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  let refused = 0;
  for (let step = 0; step < steps; step++) {
    const { id, model, base } = devices[random(devices.length)]!;
    const device = db.device(id);
    const label = `label ${random(40)}`;
    const had = model.get(label);
    if (random(5) === 0) {
      assert.equal(await device.delete(label), model.delete(label) ? 1 : 0);
    } else {
      const bytes = [10, 1000, 50_000, 1_000_000][random(4)]! - random(10);
      model.set(label, bytes);
      const put = device.put(label, Buffer.alloc(bytes, 1));
      // A smaller value may always take the place of a larger one.
      if (all() <= cap || (had ?? 0) >= bytes) await put;
      else {
        await assert.rejects(put, (error) => code("QUOTA")(error) && refusal.test(String(error)));
        refused++;
        if (had === undefined) model.delete(label);
        else model.set(label, had);
      }
    }
    const usage = await device.usage();
    assert.equal(usage.bytes, base + bytesOf(model), `after step ${step}`);
    assert.equal(usage.allBytes, all());
    assert.ok(all() <= cap);
    assert.equal(usage.labels, model.size);
  }
  assert.ok(refused > steps / 20, `${refused} puts were refused`);
  for (const { id, model } of devices) {
    for (const [label, bytes] of model) assert.equal((await db.device(id).fetch<Uint8Array>(label))!.length, bytes);
  }
}

test("the bytes of a device are a model's at every step, and never more than its cap", async () => {
  const cap = 3_000_000;
  await withHive({ deviceBytesMax: cap }, async (db) => {
    await fillAtRandom({ db, ids: ["d"], cap, steps: 400, refusal: /of the 3000000 that device d may have/ });
  });
});

test("so they are under the quota of the device's token, and under the cap of all devices", async () => {
  const cap = 3_000_000;
  await using hive = await Hive.start({ port: 0, tokens: true });
  const { token } = await hive.tokens.create({ grants: ["all"], device: "d", quotas: { bytes: cap } });
  await using db = await connect(`hive://127.0.0.1:${hive.port}`, { token });
  await fillAtRandom({ db, ids: ["d"], cap, steps: 200, refusal: /of the 3000000 that device d may have/ });
  await withHive({ devicesBytesMax: cap }, async (all) => {
    const refusal = /of the 3000000 that all devices may have/;
    await fillAtRandom({ db: all, ids: ["d", "e", "f"], cap, steps: 200, refusal });
  });
});

test("the cap of all devices counts them together, names what is exceeded, and lets others be", async () => {
  await withHive({ devicesBytesMax: 3000 }, async (db) => {
    await db.device("a").put("l", Buffer.alloc(1000));
    await db.device("b").put("l", Buffer.alloc(1000));
    await assert.rejects(db.device("c").put("l", Buffer.alloc(1000)), (error) => {
      assert.ok(isHiveError(error));
      assert.match(error.message, /bytes: this would make \d+ of the 3000 that all devices may have/);
      return error.code === "QUOTA";
    });
    assert.equal(await db.device("c").has("l"), false);
    assert.equal(await db.exists("$device:c"), false, "nothing was changed");
    await db.table("t").set("l", Buffer.alloc(5000));
    await db.device("a").clear();
    await db.device("c").put("l", Buffer.alloc(1000));
    const { allBytes, allBytesMax } = await db.device("c").usage();
    assert.deepEqual([allBytes < 3000, allBytes > 2000, allBytesMax], [true, true, 3000]);
    await db.send(["FLUSHALL"]);
    assert.equal((await db.device("c").usage()).allBytes, 0);
    await db.device("c").put("l", Buffer.alloc(2000));
  });
});

test("a token of a device reaches its memory and sessions, and nothing else; its quotas are the device's", async () => {
  await using hive = await Hive.start({ port: 0, tokens: true });
  const { token } = await hive.tokens.create({
    grants: ["all"],
    device: "d/1",
    quotas: { bytes: 4000, keys: 3 },
  });
  await using admin = await connect(hive);
  await admin.device("d/1").put("seen", 1);
  await admin.put("k", 1);
  await using db = await connect(`hive://127.0.0.1:${hive.port}`, { token });
  const own = db.device("d/1");
  assert.equal(await own.fetch("seen"), 1);
  await own.put("mine", "x");
  await own.put("third", "x");
  await assert.rejects(own.put("fourth", "x"), code("QUOTA"), "labels");
  await assert.rejects(own.put("mine", Buffer.alloc(4000)), code("QUOTA"), "bytes");
  const session = await db.session("d/1");
  await session.put("l", 1);
  await session.close();
  const refused: (() => Promise<unknown>)[] = [
    () => db.device("d").fetch("l"),
    () => db.device("d/12").put("l", 1),
    () => db.session("d"),
    () => db.get("k"),
    () => db.put("k", 2),
    () => db.send(["FLUSHALL"]),
    () => db.send(["HSET", "$device:d%2F1", "l", 1]),
    () => db.send(["CONFIG", "GET", "*"]),
  ];
  for (const call of refused) await assert.rejects(call, code("NO_PERMISSION"), String(call));
  assert.equal(await db.table("$device:d%2F1").get("mine"), "x");
});

test("a token with a quota does not pass it by in the memory of devices that are not its own", async () => {
  await using hive = await Hive.start({ port: 0, tokens: true });
  await using admin = await connect(hive);
  await admin.device("d").put("there", Buffer.alloc(100));
  for (const quotas of [{ bytes: 10_000 }, { keys: 10 }]) {
    const { token } = await hive.tokens.create({ grants: ["all"], quotas });
    await using db = await connect(`hive://127.0.0.1:${hive.port}`, { token });
    const before = (await admin.device("d").usage()).allBytes;
    for (const growing of [
      () => db.device("d").put("new", 1),
      () => db.device("new").put("new", 1),
      () => db.device("d").put("there", Buffer.alloc(1000)),
      () => db.session("d"),
    ]) {
      await assert.rejects(growing(), (error) => {
        assert.match(String(error), /bytes: the quota of this token is for keys of its own/);
        return code("QUOTA")(error);
      });
    }
    assert.equal((await admin.device("d").usage()).allBytes, before, "nothing was changed");
    await db.put("own", 1);
    await db.device("d").put("there", Buffer.alloc(100, 1));
    assert.equal((await db.device("d").fetch<Uint8Array>("there"))!.length, 100, "what takes no more is written");
    await db.delete("own");
  }
  await using rate = await connect(`hive://127.0.0.1:${hive.port}`, {
    token: (await hive.tokens.create({ grants: ["all"], quotas: { callsPerSecond: 100 } })).token,
  });
  await rate.device("d").put("new", 1);
});

test("a device's token with a quota of keys has as many labels in each place, and as many sessions", async () => {
  await using hive = await Hive.start({ port: 0, tokens: true });
  const { token } = await hive.tokens.create({ grants: ["all"], device: "d", quotas: { keys: 3 } });
  await using db = await connect(`hive://127.0.0.1:${hive.port}`, { token });
  await db.device("d").put("l", 1);
  const sessions = [];
  for (let i = 0; i < 3; i++) sessions.push(await db.session("d"));
  for (let i = 0; i < 3; i++) await sessions[0]!.put(`l${i}`, 1);
  await assert.rejects(sessions[0]!.put("l3", 1), code("QUOTA"));
  await assert.rejects(db.session("d"), (error) => {
    assert.match(String(error), /keys: this would make 5 of the 4 places/);
    return code("QUOTA")(error);
  });
  await sessions[1]!.put("l", 1);
  await sessions[2]!.close();
  await (await db.session("d")).put("l", 1);
});
