// What a client keeps in its own memory: it is what the hive has, until the hive says otherwise.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Client, connect, type NearOptions, type Table } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { failure } from "../kit/fake-hive.ts";
import { RespClient } from "../kit/resp-client.ts";

let hive: Hive;
let db: Client;
let other: Client;

before(async () => {
  hive = await Hive.start({ port: 0 });
  db = await connect(`hive://127.0.0.1:${hive.port}`);
  other = await connect(`hive://127.0.0.1:${hive.port}`);
});
after(async () => {
  await db.close();
  await other.close();
  await hive.close();
});

/** A table of which values are kept already. */
async function nearTable<Value = unknown>(name: string, near: NearOptions = {}, client = db): Promise<Table<Value>> {
  const table = client.table<Value>(name, { near });
  await table.get("none");
  while (!table.near!.on) await client.ping();
  return table;
}

/** What others have done by now is known to `client`: what was told comes before an answer. */
async function heard(client: Client): Promise<void> {
  await client.ping();
}

test("a value that was read is answered from memory, until somebody changes it, from whatever door", async () => {
  const users = await nearTable<{ n: number }>("users");
  await other.table("users").set("ada", { n: 1 });
  await heard(db);
  assert.deepEqual(await users.get("ada"), { n: 1 });
  const { hits } = users.near!;
  assert.deepEqual(await users.get("ada"), { n: 1 });
  assert.equal(await users.has("ada"), true);
  assert.equal(users.near!.hits, hits + 2);
  await other.table("users").set("ada", { n: 2 });
  await heard(db);
  assert.deepEqual(await users.get("ada"), { n: 2 });
  await using resp = await RespClient.connect({ port: hive.port! });
  await resp.call("HSET", "users", "ada", "text");
  await heard(db);
  assert.equal(await users.get("ada"), "text");
  await resp.call("DEL", "users");
  await heard(db);
  assert.equal(await users.get("ada"), undefined);
  assert.equal(await users.has("ada"), false);
});

test("one field's change leaves the others, in a large table", async () => {
  const large = await nearTable<string>("large");
  const fields = Array.from({ length: 1_000 }, (_, i) => `f${i}`);
  await other.table("large").setMany(fields.map((field) => [field, "x".repeat(100)] as const));
  await heard(db);
  for (const field of fields) await large.get(field);
  const { entries } = large.near!;
  await other.table("large").set("f7", "new");
  await other.table("large").delete("f8");
  await heard(db);
  assert.equal(large.near!.entries, entries - 2);
  assert.equal(await large.get("f7"), "new");
  assert.equal(await large.get("f8"), undefined);
});

test("fields of other types are other fields", async () => {
  const typed = db.table<string, string | number | boolean | bigint>("typed", { near: {} });
  while (!typed.near!.on) await typed.get("none");
  await other.table<string, string | number | boolean>("typed").setMany([
    [1, "number"],
    ["1", "text"],
    [true, "yes"],
  ]);
  for (const [key, value] of [
    [1, "number"],
    ["1", "text"],
    [true, "yes"],
  ] as const) {
    assert.equal(await typed.get(key), value);
    assert.equal(await typed.get(key), value);
  }
  await other.table<string, number>("typed").set(1, "changed");
  await heard(db);
  assert.equal(await typed.get(1), "changed");
  assert.equal(await typed.get("1"), "text");
});

test("whoever changes an object that it got changes nobody else's", async () => {
  const own = await nearTable<{ list: number[] }>("own");
  await own.set("a", { list: [1] });
  await own.get("a");
  const first = (await own.get("a"))!;
  first.list.push(2);
  assert.deepEqual(await own.get("a"), { list: [1] });
});

test("its own writes are read at once, by each of its ways to write", async () => {
  const mine = await nearTable("mine");
  const writes: (() => Promise<unknown>)[] = [
    () => mine.set("k", 1),
    () => mine.set("k", 2, { ttlMs: 100_000 }),
    () => mine.setMany({ k: 3 }),
    () => mine.increment("k"),
    () => mine.update("k", () => 5),
    () => mine.delete("k"),
    () => mine.setIfAbsent("k", 6),
    () => mine.clear(),
    () => db.send(["HSET", "mine", "k", 7]),
    () => db.call.HSET!("mine", "k", 8),
    () => db.multi().table("mine").set("k", 9).exec(),
    () => db.with({ timeoutMs: 1_000 }).table("mine").set("k", 10),
    () => db.rename("mine", "gone"),
    () => db.rename("gone", "mine"),
    () => db.delete("mine"),
  ].map((write) => write as () => Promise<unknown>);
  const plain = other.table("mine");
  for (const [i, write] of writes.entries()) {
    await mine.get("k");
    const written = write();
    // Not awaited: calls of one client are seen in their order.
    const value = await mine.get("k");
    await written;
    const now = await plain.get("k");
    if (![4].includes(i)) assert.deepEqual(value, now, `write ${i}`);
    assert.deepEqual(await mine.get("k"), now, `after write ${i}`);
  }
});

test("an answer under way when its change is told is not kept", async () => {
  const table = await nearTable<number>("races");
  const writer = other.table<number>("races");
  for (let n = 0; n < 200; n++) {
    const [value] = await Promise.all([table.get("k"), writer.set("k", n)]);
    assert.ok(value === undefined || value === n || value === n - 1);
    await heard(db);
    assert.equal(await table.get("k"), n);
  }
});

test("what runs out, is evicted by a flush or renamed away is not answered any more", async () => {
  const table = await nearTable<number>("ends");
  await table.set("k", 1, { ttlMs: 30 });
  assert.equal(await table.get("k"), 1);
  while ((await other.table("ends").has("k")) === true) await other.ping();
  await heard(db);
  assert.equal(await table.get("k"), undefined);
  await other.table("ends").set("k", 2);
  await heard(db);
  await table.get("k");
  await other.call.FLUSHALL!();
  await heard(db);
  assert.equal(await table.get("k"), undefined);
});

test("limits hold: entries, bytes and age", async () => {
  const small = await nearTable<string>("small", { entriesMax: 10 });
  for (let i = 0; i < 100; i++) await small.get(`f${i}`);
  assert.equal(small.near!.entries, 10);
  const bytes = await nearTable<string>("bytes", { bytesMax: 10_000 });
  await other.table("bytes").setMany(Array.from({ length: 30 }, (_, i) => [`f${i}`, "x".repeat(1_000)] as const));
  await heard(db);
  for (let i = 0; i < 30; i++) await bytes.get(`f${i}`);
  assert.ok(bytes.near!.bytes <= 10_000);
  const aged = await nearTable<string>("aged", { ttlMs: 0 });
  await aged.get("k");
  const { hits } = aged.near!;
  await aged.get("k");
  assert.equal(aged.near!.hits, hits);
  for (const near of [{ entriesMax: -1 }, { ttlMs: Number.NaN }]) {
    assert.throws(() => db.table("bad", { near }), { code: "REFUSED_SETTING" });
  }
});

test("plain keys are kept by prefix, and known by client.near", async () => {
  const client = await connect(`hive://127.0.0.1:${hive.port}`, { near: { prefix: "cfg:" } });
  try {
    await client.get("cfg:none");
    while (!client.near!.on) await client.ping();
    await other.put("cfg:a", { v: 1 });
    await other.put("else", 1);
    await heard(client);
    assert.deepEqual(await client.get("cfg:a"), { v: 1 });
    assert.deepEqual(await client.get("cfg:a"), { v: 1 });
    assert.equal(await client.exists("cfg:a"), true);
    await client.get("else");
    await client.get("else");
    assert.equal(client.near!.hits, 2);
    await other.put("cfg:a", { v: 2 });
    await heard(client);
    assert.deepEqual(await client.get("cfg:a"), { v: 2 });
    await client.put("cfg:a", 3);
    assert.equal(await client.get("cfg:a"), 3);
  } finally {
    await client.close();
  }
});

test("a lost connection empties it, and the next one fills it again", async () => {
  const client = await connect(`hive://127.0.0.1:${hive.port}`, { reconnect: { minMs: 1, maxMs: 1 } });
  try {
    const table = await nearTable<number>("lost", {}, client);
    await table.set("k", 1);
    await table.get("k");
    assert.ok(table.near!.entries > 0);
    const gone = new Promise((resolve) => client.addEventListener("state", resolve, { once: true }));
    await other.send(["CLIENT", "KILL", "ID", String(client.connectionId)]);
    await other.table("lost").set("k", 2);
    await gone;
    assert.equal(table.near!.entries, 0);
    assert.equal(table.near!.on, false);
    assert.equal(await table.get("k"), 2);
    while (!table.near!.on) await table.get("k");
    await table.get("k");
    const { hits } = table.near!;
    await table.get("k");
    assert.equal(table.near!.hits, hits + 1);
  } finally {
    await client.close();
  }
});

test("what fails is not kept, and bytes are asked for", async () => {
  const table = await nearTable("wrong");
  await other.put("wrong", "a string");
  await heard(db);
  assert.equal((await failure(table.get("k"))).code, "WRONG_TYPE");
  await other.delete("wrong");
  await heard(db);
  assert.equal(await table.get("k"), undefined);
});

const WRITERS = 4;
const FIELDS = 20;
const WRITES = 1_500;

test("with many writers no value is read that was told to be no more", { timeout: 120_000 }, async () => {
  const writers = await Promise.all(Array.from({ length: WRITERS }, () => connect(`hive://127.0.0.1:${hive.port}`)));
  const reader = await connect(`hive://127.0.0.1:${hive.port}`);
  const table = await nearTable<number>("load", {}, reader);
  // What is published is heard over the same connection: by then the write before it has been told.
  await using news = reader.subscribe<[string, number]>("written");
  await news.ready;
  const least = new Map<string, number>();
  let isOver = false;
  let reads = 0;
  const listening = (async () => {
    for await (const { value } of news) {
      if (value === null) return;
      const [field, n] = value;
      if ((least.get(field) ?? -1) < n) least.set(field, n);
    }
  })();
  const reading = (async () => {
    while (!isOver) {
      for (let i = 0; i < FIELDS && !isOver; i++) {
        const field = `w${reads % WRITERS}:f${i}`;
        const min = least.get(field) ?? -1;
        const value = (await table.get(field)) ?? -1;
        assert.ok(value >= min, `${field} is ${value}, and ${min} was written before`);
        // What was read may not go back either.
        least.set(field, Math.max(value, least.get(field) ?? -1));
        reads++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await Promise.all(
    writers.map(async (writer, w) => {
      const own = writer.table<number>("load");
      for (let n = 0; n < WRITES; n++) {
        const field = `w${w}:f${(n * 7) % FIELDS}`;
        void own.set(field, n);
        await writer.publish("written", [field, n]);
      }
    }),
  );
  isOver = true;
  await reading;
  await other.publish("written", null);
  await listening;
  for (let w = 0; w < WRITERS; w++) {
    for (let i = 0; i < FIELDS; i++) {
      const field = `w${w}:f${i}`;
      assert.equal(await table.get(field), await other.table("load").get(field));
    }
  }
  assert.ok(table.near!.hits > 0);
  await Promise.all([reader, ...writers].map((client) => client.close()));
});
