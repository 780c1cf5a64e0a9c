// Publish and subscribe over sockets: byte for byte what redis-server sends, and what happens to slow readers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Hive } from "../../src/server/index.ts";
import { type RedisServer, startRedis } from "../kit/redis-server.ts";
import { RespClient } from "../kit/resp-client.ts";

let hive: Hive;
let redis: RedisServer;

before(async () => {
  hive = await Hive.start({ port: 0 });
  redis = await startRedis();
});
after(async () => {
  await hive.close();
  await redis.close();
});

type Step = { by: number; call: string; replies?: number; hears?: readonly [client: number, messages: number][] };

/** Runs the same steps on both, and compares every byte that comes. */
async function compare(clients: number, steps: readonly Step[]): Promise<void> {
  const run = async (address: Parameters<typeof RespClient.connect>[0]): Promise<string[]> => {
    const all = await Promise.all(Array.from({ length: clients }, () => RespClient.connect(address)));
    const seen: string[] = [];
    for (const { by, call, replies = 1, hears = [] } of steps) {
      all[by]!.send(call.split(" "));
      for (const { bytes } of await all[by]!.readReplies(replies))
        if (!call.startsWith("HELLO")) seen.push(`${by} ${call}: ${bytes.latin1Slice()}`);
      for (const [client, messages] of hears) {
        for (const { bytes } of await all[client]!.readReplies(messages))
          seen.push(`${client}: ${bytes.latin1Slice()}`);
      }
    }
    await Promise.all(all.map((client) => client.close()));
    return seen;
  };
  assert.deepEqual(await run({ port: hive.port! }), await run({ port: redis.port }));
}

for (const protocol of ["2", "3"]) {
  test(`RESP${protocol}: subscriptions, messages and their ends are redis-server's, byte for byte`, async () => {
    const hello = protocol === "3" ? [0, 1, 2].map((by) => ({ by, call: "HELLO 3", replies: 1 })) : [];
    const steps: Step[] = [
      { by: 0, call: "SUBSCRIBE news sport news", replies: 3 },
      { by: 1, call: "PSUBSCRIBE n* s?ort", replies: 2 },
      {
        by: 2,
        call: "PUBLISH news hello",
        hears: [
          [0, 1],
          [1, 1],
        ],
      },
      {
        by: 2,
        call: "PUBLISH sport goal",
        hears: [
          [0, 1],
          [1, 1],
        ],
      },
      { by: 2, call: "PUBLISH nobody x", hears: [[1, 1]] },
      { by: 2, call: "PUBLISH silence x" },
      { by: 2, call: "PUBSUB NUMPAT" },
      { by: 2, call: "PUBSUB NUMSUB news sport none" },
      { by: 2, call: "PUBSUB NUMSUB" },
      { by: 2, call: "PUBSUB CHANNELS ne*" },
      { by: 0, call: "PING" },
      { by: 0, call: "PING there" },
      ...(protocol === "2"
        ? [
            { by: 0, call: "GET k" },
            { by: 0, call: "MULTI" },
            { by: 0, call: "PUBLISH news x" },
          ]
        : [{ by: 0, call: "GET k" }]),
      { by: 0, call: "UNSUBSCRIBE sport" },
      { by: 0, call: "PSUBSCRIBE s*" },
      { by: 0, call: "SSUBSCRIBE shard", replies: 1 },
      { by: 2, call: "SPUBLISH shard there", hears: [[0, 1]] },
      { by: 2, call: "SPUBLISH news there" },
      { by: 2, call: "PUBSUB SHARDCHANNELS" },
      { by: 2, call: "PUBSUB SHARDNUMSUB shard none" },
      { by: 0, call: "SUNSUBSCRIBE" },
      { by: 0, call: "SUNSUBSCRIBE" },
      { by: 0, call: "UNSUBSCRIBE" },
      { by: 0, call: "UNSUBSCRIBE" },
      { by: 0, call: "PUNSUBSCRIBE" },
      { by: 0, call: "PUNSUBSCRIBE" },
      { by: 0, call: "UNSUBSCRIBE never" },
      { by: 0, call: "SET k v" },
      { by: 1, call: "RESET" },
      { by: 2, call: "PUBLISH news nobody" },
      { by: 1, call: "SET k v" },
      { by: 2, call: "SUBSCRIBE" },
      { by: 2, call: "PUBSUB NOPE" },
    ];
    await compare(3, [...hello, ...steps]);
  });
}

test("a connection of RESP3 that publishes to itself has the reply first", async () => {
  await using client = await RespClient.connect({ port: hive.port! });
  await client.call("HELLO", "3");
  await client.call("SUBSCRIBE", "own");
  client.send(["PUBLISH", "own", "x"]);
  const [reply, message] = await client.readReplies(2);
  assert.equal(reply!.bytes.latin1Slice(), ":1\r\n");
  assert.equal(message!.bytes.latin1Slice(), ">3\r\n$7\r\nmessage\r\n$3\r\nown\r\n$1\r\nx\r\n");
});

test("messages of a pipeline reach a subscriber whole and in order, large ones among small ones", async () => {
  await using listener = await RespClient.connect({ port: hive.port! });
  await using publisher = await RespClient.connect({ port: hive.port! });
  await listener.call("SUBSCRIBE", "all");
  const payloads = Array.from({ length: 2_000 }, (_, i) => `${i}:`.padEnd(i % 100 === 0 ? 50_000 : 8, "x"));
  publisher.sendAll(payloads.map((payload) => ["PUBLISH", "all", payload]));
  const heard = await listener.readReplies(payloads.length);
  assert.deepEqual(
    heard.map(({ value }) => String((value as unknown[])[2])),
    payloads,
  );
});

test("CLIENT LIST and KILL know who listens", async () => {
  await using listener = await RespClient.connect({ port: hive.port! });
  await using other = await RespClient.connect({ port: hive.port! });
  await listener.call("SUBSCRIBE", "a", "b");
  await listener.readReply();
  await listener.call("PSUBSCRIBE", "c*");
  await listener.call("SSUBSCRIBE", "d");
  const lines = String((await other.call("CLIENT", "LIST", "TYPE", "pubsub")).value)
    .trim()
    .split("\n");
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /flags=P db=0 sub=2 psub=1 ssub=1 /);
  assert.equal((await other.call("CLIENT", "KILL", "TYPE", "pubsub")).value, 1);
  await listener.closed;
  assert.equal((await other.call("PUBSUB", "CHANNELS")).bytes.latin1Slice(), "*0\r\n");
});

test("a subscriber that does not read is cut off at its limit, and told how many messages it lost", async () => {
  await using small = await Hive.start({ port: 0, limits: { subscriberBytesMax: 200_000 } });
  await using listener = await RespClient.connect({ port: small.port! });
  await using publisher = await RespClient.connect({ port: small.port! });
  await listener.call("SUBSCRIBE", "flood");
  listener.socket.pause();
  const payload = "x".repeat(100_000);
  const count = 200;
  publisher.sendAll(Array.from({ length: count }, () => ["PUBLISH", "flood", payload]));
  const received = (await publisher.readReplies(count)).reduce((sum, { value }) => sum + Number(value), 0);
  listener.socket.resume();
  let heard = 0;
  for (;;) {
    const { value, bytes } = await listener.readReply();
    if (Array.isArray(value)) heard++;
    else {
      const lost = Number(/^-BUSY (\d+) messages? w(?:as|ere) lost: /.exec(bytes.latin1Slice())![1]);
      assert.equal(heard + lost, received, "all that PUBLISH says was received");
      assert.ok(lost > 0);
      break;
    }
  }
  await listener.closed;
});
