// Publish and subscribe through the client, over a hive in this process.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  type ChannelMessage,
  type Client,
  connect,
  type HiveError,
  isHiveError,
  type Subscription,
} from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { failure } from "../kit/fake-hive.ts";
import { RespClient } from "../kit/resp-client.ts";

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

async function take(subscription: Subscription, count: number): Promise<ChannelMessage[]> {
  const messages: ChannelMessage[] = [];
  while (messages.length < count) messages.push((await subscription.next()).value!);
  return messages;
}

test("what is published is what is heard, with its type, from every door", async () => {
  await using news = db.subscribe(["news", "sport"]);
  await news.ready;
  const values = ["text", 1, 2.5, { a: [1, null] }, new Uint8Array([1, 255]), new Map([["k", 1n]]), undefined];
  for (const value of values) assert.equal(await db.publish("news", value), 1);
  await using resp = await RespClient.connect({ port: hive.port! });
  await resp.call("PUBLISH", "sport", "goal");
  const heard = await take(news, values.length + 1);
  assert.deepEqual(
    heard.map(({ value }) => value),
    [...values, "goal"],
  );
  assert.deepEqual(heard.at(-1), { channel: "sport", value: "goal", afterGap: false });
  await resp.call("SUBSCRIBE", "numbers");
  await db.publish("numbers", { a: 1 });
  assert.deepEqual((await resp.readReply()).value, ["message", "numbers", '{"a":1}']);
});

test("patterns say which of them matched", async () => {
  await using all = db.subscribe(["user:*", "*:1"], { patterns: true });
  await all.ready;
  assert.equal(await db.publish("user:1", "x"), 2);
  const heard = await take(all, 2);
  assert.deepEqual(heard.map(({ pattern }) => pattern).sort(), ["*:1", "user:*"]);
});

test("a loop that is left, and a signal that ends, end the subscription in the hive", async () => {
  const abort = new AbortController();
  const [one, two] = [db.subscribe("ends"), db.subscribe("ends", { signal: abort.signal })];
  await Promise.all([one.ready, two.ready]);
  await db.publish("ends", 1);
  for await (const { value } of one) {
    assert.equal(value, 1);
    break;
  }
  assert.equal(await db.publish("ends", 2), 1);
  abort.abort();
  assert.equal(await db.publish("ends", 3), 0);
  assert.equal((await two.next()).done, true);
});

test("after a lost connection it goes on, and says that there may be a gap", async () => {
  await using listener = await connect(`hive://127.0.0.1:${hive.port}`, { reconnect: { minMs: 1, maxMs: 2 } });
  const gaps: HiveError[] = [];
  await using news = listener.subscribe("cut", { onGap: (cause) => gaps.push(cause) });
  await news.ready;
  for (let round = 0; round < 5; round++) {
    await db.publish("cut", round);
    assert.deepEqual((await news.next()).value, { channel: "cut", value: round, afterGap: round > 0 });
    const next = news.next();
    await db.send(["CLIENT", "KILL", "ID", String(listener.connectionId)]);
    while ((await db.publish("cut", "again")) === 0);
    assert.deepEqual((await next).value, { channel: "cut", value: "again", afterGap: true });
    assert.equal(gaps.length, round + 1);
    assert.equal(gaps.at(-1)!.code, "CONNECTION_LOST");
    const cut = news.next();
    await db.send(["CLIENT", "KILL", "ID", String(listener.connectionId)]);
    while ((await db.publish("cut", "again")) === 0);
    await cut;
    gaps.pop();
    // The next round's first message follows no gap.
    if (round === 0) break;
  }
});

test("a reader that is too slow is told how many messages it lost, and its connection lives on", async () => {
  await using small = await Hive.start({ port: 0, limits: { subscriberBytesMax: 100_000 } });
  await using listener = await connect(`hive://127.0.0.1:${small.port}`);
  await using publisher = await connect(small);
  const flood = listener.subscribe("flood");
  await flood.ready;
  const count = 100;
  const payload = new Uint8Array(20_000);
  for (let i = 0; i < count; i++) await publisher.publish("flood", payload);
  let heard = 0;
  const error = await failure(
    (async () => {
      for await (const _ of flood) heard++;
    })(),
  );
  assert.equal(error.code, "OVERLOADED");
  const lost = Number(/^(\d+) messages? w(?:as|ere) lost/.exec(error.message)![1]);
  assert.equal(heard + lost, count);
  assert.ok(lost > 0);
  assert.equal(await listener.ping(), "PONG");
});

test("a hive that closes and a client that closes do not wait for who listens", async () => {
  const own = await Hive.start({ port: 0 });
  const client = await connect(`hive://127.0.0.1:${own.port}`, { reconnect: false });
  const one = client.subscribe("a");
  await one.ready;
  await client.close();
  await assert.rejects(async () => {
    for await (const _ of one);
  });
  const other = await connect(`hive://127.0.0.1:${own.port}`, { reconnect: false });
  const two = other.subscribe("a");
  await two.ready;
  await own.close();
  await assert.rejects(async () => {
    for await (const _ of two);
  });
  await other.close();
});

test("a subscription that is refused leaves nothing behind that could end the hive", async () => {
  const hive = await Hive.start({ port: 0, limits: { subscriptionsMax: 2 } });
  try {
    const db = await connect(`hive://127.0.0.1:${hive.port}`);
    const refused = [
      db.subscribe(["a", "b", "c"]),
      db.subscribe("x".repeat(3000), { patterns: true }),
      db.subscribe("c".repeat(5000)),
    ];
    for (const { ready } of refused) await assert.rejects(ready, isHiveError);
    const abort = new AbortController();
    const waits = db.list("jobs").shift({ waitMs: 60_000, signal: abort.signal });
    abort.abort();
    await assert.rejects(waits, isHiveError);
    // All streams of a connection count together.
    await using first = db.subscribe(["a", "b"]);
    await first.ready;
    await assert.rejects(db.subscribe("c").ready, isHiveError);
    await db.close();
    await using other = await connect(hive);
    assert.equal(await other.send(["PING"]), "PONG");
  } finally {
    await hive.close();
  }
});

test("a subscription that comes while calls wait begins when they go on", async () => {
  await db.send(["CLIENT", "PAUSE", "60000", "ALL"]);
  await using news = db.subscribe("waited");
  await using changes = db.watch("waited:*");
  await db.send(["CLIENT", "UNPAUSE"]);
  await news.ready;
  await changes.ready;
  await db.publish("waited", 1);
  await db.put("waited:1", 1);
  assert.deepEqual([(await news.next()).value?.value, (await changes.next()).value?.kind], [1, "set"]);
});
