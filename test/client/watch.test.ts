// The change feed through the client, over hives with real sockets.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { type Change, type Client, connect, type Watch } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { failure } from "../kit/fake-hive.ts";

let hive: Hive;
let db: Client;

before(async () => {
  hive = await Hive.start({ port: 0 });
  db = await connect(`hive://127.0.0.1:${hive.port}`);
});
after(async () => {
  await db.close();
  await hive.close();
});

/** The next changes, without their positions. */
async function take(watch: Watch, count: number): Promise<object[]> {
  const changes: object[] = [];
  while (changes.length < count) {
    const { position: _, ...change } = (await watch.next()).value!;
    changes.push(change);
  }
  return changes;
}

test("what is done to keys and fields is told, with their types", async () => {
  await using watch = db.watch("typed:*");
  await watch.ready;
  const table = db.table<unknown, string | number>("typed:table");
  await db.put("typed:a", { n: 1 });
  await db.put("other", 1);
  await table.set("ada", 1);
  await table.set(7, 2);
  await table.delete(7);
  await db.rename("typed:a", "typed:b");
  await db.put(new Uint8Array([...Buffer.from("typed:"), 255]), 1);
  await db.put("typed:b", { last: [1] }, { ttlMs: 5 });
  assert.deepEqual(await take(watch, 8), [
    { kind: "set", key: "typed:a" },
    { kind: "set", key: "typed:table", field: "ada" },
    { kind: "set", key: "typed:table", field: 7 },
    { kind: "deleted", key: "typed:table", field: 7 },
    { kind: "renamed", key: "typed:a", to: "typed:b" },
    { kind: "set", key: new Uint8Array([...Buffer.from("typed:"), 255]) },
    { kind: "set", key: "typed:b" },
    { kind: "expired", key: "typed:b", value: { last: [1] } },
  ]);
  await db.send(["FLUSHALL"]);
  assert.deepEqual((await take(watch, 1)).at(-1), { kind: "flushed" });
});

test("a lost connection costs nothing: it goes on from its position by itself", async () => {
  await using listener = await connect(`hive://127.0.0.1:${hive.port}`, { reconnect: { minMs: 1, maxMs: 2 } });
  await using watch = listener.watch("cut:*");
  await watch.ready;
  const seen: unknown[] = [];
  for (let round = 0; round < 10; round++) {
    await db.put("cut:before", round);
    await db.send(["CLIENT", "KILL", "ID", String(listener.connectionId)]);
    await db.delete("cut:before");
    seen.push(...(await take(watch, 2)));
    await listener.ping();
  }
  const each = [
    { kind: "set", key: "cut:before" },
    { kind: "deleted", key: "cut:before" },
  ];
  assert.deepEqual(seen, Array.from({ length: 10 }, () => each).flat());
});

test("a position is good for another client, later", async () => {
  let position: string | undefined;
  {
    await using first = await connect(hive);
    for await (const change of watching(first, "later:*", () => db.put("later:1", 1))) {
      position = change.position;
      break;
    }
  }
  await db.put("later:2", 1);
  await using second = await connect(hive);
  await using watch = second.watch("later:*", { since: position });
  await db.put("later:3", 1);
  assert.deepEqual(await take(watch, 2), [
    { kind: "set", key: "later:2" },
    { kind: "set", key: "later:3" },
  ]);
});

async function* watching(client: Client, pattern: string, begin: () => Promise<unknown>): AsyncGenerator<Change> {
  await using watch = client.watch(pattern);
  await watch.ready;
  await begin();
  yield* watch;
}

test("a restart of the hive, and a snapshot that comes back, are gaps", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-feed-"));
  try {
    const unix = join(folder, "hive.sock");
    const options = { port: false, unix, snapshots: { folder: join(folder, "snapshots") } } as const;
    const first = await Hive.start(options);
    await using client = await connect(`unix:${unix}`, { reconnect: { minMs: 1, maxMs: 5 } });
    await using watch = client.watch("*");
    await watch.ready;
    await client.put("a", 1);
    assert.deepEqual(await take(watch, 1), [{ kind: "set", key: "a" }]);
    await first.close();
    await using second = await Hive.start(options);
    assert.deepEqual(await take(watch, 1), [{ kind: "gap", why: "restarted" }]);
    await client.put("b", 1);
    assert.deepEqual(await take(watch, 1), [{ kind: "set", key: "b" }]);
    const { name } = await client.snapshot.store();
    await client.snapshot.restore(name);
    await client.put("c", 1);
    assert.deepEqual(await take(watch, 2), [
      { kind: "gap", why: "restored" },
      { kind: "set", key: "c" },
    ]);
    assert.ok(second.address);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a loop that is left, a signal that ends and a hive that closes end it", async () => {
  const own = await Hive.start({ port: 0 });
  const client = await connect(`hive://127.0.0.1:${own.port}`, { reconnect: false });
  const abort = new AbortController();
  const [one, two, three] = [client.watch("*"), client.watch("*", { signal: abort.signal }), client.watch("*")];
  await Promise.all([one.ready, two.ready, three.ready]);
  assert.equal(own.engine.feed.watchers, 3);
  await client.put("a", 1);
  for await (const change of one) {
    assert.equal(change.kind, "set");
    break;
  }
  abort.abort();
  assert.deepEqual(await two.return(), { done: true, value: undefined });
  await client.ping();
  assert.equal(own.engine.feed.watchers, 1);
  await own.close();
  await assert.rejects(async () => {
    for await (const _ of three);
  });
  await client.close();
});

test("what is no position, and a hive that notes nothing, are told at once", async () => {
  const watch = db.watch("*", { since: "yesterday" });
  assert.equal((await failure(watch.ready)).code, "INVALID_ARGUMENT");
  assert.equal((await watch.next().catch((error) => error)).code, "INVALID_ARGUMENT");
  assert.equal((await failure(db.send(["FEED", "$", "*"]))).code, "UNSUPPORTED");
  await using never = await Hive.start({ port: 0, feed: { keep: "never" } });
  await using client = await connect(never);
  assert.equal((await failure(client.watch("*").next())).code, "UNSUPPORTED");
});

test("a token watches what it may read, and nothing else", async () => {
  await using guarded = await Hive.start({ port: 0, tokens: true });
  const { token } = await guarded.tokens.create({ grants: ["read:users:*"] });
  await using owner = await connect(guarded);
  await using reader = await connect(`hive://127.0.0.1:${guarded.port}`, { token });
  for (const patterns of ["*", "user*", "users*", ["users:*", "other"]]) {
    assert.equal((await failure(reader.watch(patterns).next())).code, "NO_PERMISSION");
  }
  await using watch = reader.watch(["users:*", "users:1*"]);
  await watch.ready;
  await owner.put("other", 1);
  await owner.rename("other", "users:1");
  await owner.rename("users:1", "hidden");
  await owner.put("users:2", 1);
  assert.deepEqual(await take(watch, 3), [
    { kind: "set", key: "users:1" },
    { kind: "deleted", key: "users:1" },
    { kind: "set", key: "users:2" },
  ]);
});

test("keyspace notifications can be set before the hive starts", async () => {
  await using own = await Hive.start({ port: 0, keyspaceEvents: "KEA" });
  await using client = await connect(own);
  assert.deepEqual(
    await client.send(["CONFIG", "GET", "notify-keyspace-events"]),
    new Map([["notify-keyspace-events", "AKE"]]),
  );
  await using messages = client.subscribe("__keyevent@0__:set");
  await messages.ready;
  await client.put("k", 1);
  assert.equal((await messages.next()).value!.value, "k");
  const error = await failure(Hive.start({ port: 0, keyspaceEvents: "?" }));
  assert.equal(error.code, "REFUSED_SETTING");
});

test("who only listens is not idle, whatever the setting timeout says", async () => {
  const clock = new ManualClock();
  await using own = await Hive.start({ port: 0, clock });
  await using owner = await connect(own);
  const options = { reconnect: false } as const;
  const [watcher, listener, idle] = [
    await connect(`hive://127.0.0.1:${own.port}`, options),
    await connect(`hive://127.0.0.1:${own.port}`, options),
    await connect(`hive://127.0.0.1:${own.port}`, options),
  ];
  await owner.watch("none").ready;
  const [watch, messages] = [watcher.watch("*"), listener.subscribe("news")];
  await Promise.all([watch.ready, messages.ready]);
  await owner.send(["CONFIG", "SET", "timeout", "10"]);
  const closed = new Promise((resolve) => idle.addEventListener("state", resolve));
  clock.advance(60_000);
  await owner.put("a", 1);
  await owner.publish("news", 1);
  assert.deepEqual(await take(watch, 1), [{ kind: "set", key: "a" }]);
  assert.equal((await messages.next()).value!.value, 1);
  await closed;
  await Promise.all([watcher.close(), listener.close(), idle.close()]);
});
