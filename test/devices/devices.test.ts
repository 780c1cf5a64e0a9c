// Devices: labels under reserved names, counted to the byte, capped, and apart from each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, connect, isHiveError } from "../../src/client/node.ts";
import { Hive, type HiveOptions } from "../../src/server/hive.ts";
import { fillAtRandom, ofDevice } from "../kit/device-model.ts";
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
      deviceLabels: 0,
      labelsMax: undefined,
      sessions: 0,
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

test("the bytes of a device are a model's at every step, and never more than its cap", async () => {
  const cap = 3_000_000;
  await withHive({ deviceBytesMax: cap }, async (db) => {
    await fillAtRandom({ db, ids: ["d"], cap, steps: 400, refusal: ofDevice });
  });
});

test("so are those of all devices under their cap", async () => {
  const cap = 3_000_000;
  await withHive({ devicesBytesMax: cap }, async (db) => {
    const refusal = (bytes: number) => `bytes: this would make ${bytes} of the 3000000 that all devices may have`;
    await fillAtRandom({ db, ids: ["d", "e", "f"], cap, steps: 200, refusal });
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
  await assert.rejects(session.put("fourth", 1), code("QUOTA"), "labels of its sessions are among them");
  await own.delete("third");
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
