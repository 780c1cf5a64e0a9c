// CLIENT TRACKING over sockets: byte for byte what redis-server sends, and in its order.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Hive } from "../../src/server/index.ts";
import { type RedisServer, startRedis } from "../kit/redis-server.ts";
import { RespClient } from "../kit/resp-client.ts";
import { type Address, runSteps } from "../kit/tracking-steps.ts";

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

async function compare(clients: number, steps: readonly string[]): Promise<string[][]> {
  const expected = await runSteps({ port: redis.port }, clients, steps);
  assert.deepEqual(await runSteps({ port: hive.port! }, clients, steps), expected);
  return expected;
}

test("modes, options and their errors are redis-server's", async () => {
  await compare(2, [
    "0 CLIENT TRACKINGINFO",
    "0 CLIENT GETREDIR",
    "0 HELLO 3",
    "0 CLIENT TRACKINGINFO",
    "0 CLIENT TRACKING",
    "0 CLIENT TRACKING maybe",
    "0 CLIENT TRACKING ON foo",
    "0 CLIENT TRACKING OFF foo",
    "0 CLIENT TRACKING ON PREFIX",
    "0 CLIENT TRACKING ON PREFIX a",
    "0 CLIENT TRACKING ON REDIRECT",
    "0 CLIENT TRACKING ON REDIRECT 0",
    "0 CLIENT TRACKING ON REDIRECT x",
    "0 CLIENT TRACKING ON REDIRECT 999999",
    "0 CLIENT TRACKING ON REDIRECT $1 REDIRECT $1",
    "0 CLIENT TRACKING ON BCAST OPTIN",
    "0 CLIENT TRACKING ON OPTIN OPTOUT",
    "0 CLIENT TRACKING ON BCAST PREFIX aa PREFIX a",
    "0 CLIENT CACHING YES",
    "0 CLIENT CACHING maybe",
    "0 CLIENT TRACKING ON BCAST PREFIX b PREFIX a",
    "0 CLIENT TRACKINGINFO",
    "0 CLIENT TRACKING ON BCAST PREFIX ab",
    "0 CLIENT TRACKING ON BCAST PREFIX a",
    "0 CLIENT TRACKING ON BCAST PREFIX c NOLOOP",
    "0 CLIENT TRACKINGINFO",
    "0 CLIENT TRACKING ON",
    "0 CLIENT TRACKING OFF",
    "0 CLIENT TRACKING OFF",
    "0 CLIENT TRACKING ON OPTIN NOLOOP REDIRECT $1",
    "0 CLIENT GETREDIR",
    "0 CLIENT TRACKINGINFO",
    "0 CLIENT CACHING NO",
    "0 CLIENT CACHING YES",
    "0 CLIENT TRACKINGINFO",
    "0 GET k",
    "0 CLIENT TRACKINGINFO",
    "0 CLIENT TRACKING ON OPTOUT",
    "0 CLIENT TRACKING ON BCAST",
    "0 CLIENT TRACKING ON",
    "0 CLIENT TRACKINGINFO",
    "0 CLIENT CACHING YES",
    "0 CLIENT CACHING NO",
    "0 CLIENT CACHING maybe",
    "0 CLIENT TRACKING ON OPTOUT",
    "0 CLIENT CACHING NO",
    "0 CLIENT TRACKINGINFO",
    "0 RESET",
    "0 CLIENT TRACKINGINFO",
  ]);
});

test("what is read is told once when it changes, behind the own reply, in MULTI behind EXEC's", async () => {
  const [, told] = await compare(3, [
    "0 HELLO 3",
    "1 HELLO 3",
    "0 CLIENT TRACKING ON",
    "1 CLIENT TRACKING ON NOLOOP",
    "0 GET a",
    "1 GET a",
    "2 SET a 1",
    "2 SET a 2",
    "1 GET a",
    "1 SET a 3",
    "0 GET a",
    "0 SET a 4",
    "0 SET a 5",
    "0 MGET a b c",
    "0 DEL a b c",
    "0 MSET a 1 b 2 c 3",
    "0 MGET a b c",
    "0 DEL c b a",
    "0 HSET h f 1",
    "0 HGET h f",
    "2 HSET h g 1",
    "0 HGET h f",
    "2 HSET h f 1",
    "0 HGET h f",
    "2 HDEL h nothing",
    "2 EXPIRE h 1000",
    "0 SMEMBERS s",
    "2 SADD s m",
    "0 SMEMBERS s",
    "2 SADD s m",
    "2 RENAME s t",
    "0 LRANGE l 0 -1",
    "2 RPUSH l 1",
    "0 ZSCORE z m",
    "2 ZADD z 1 m",
    "0 GET z",
    "2 ZADD z 1 m",
    "2 ZADD z 2 m",
    "0 STRLEN x",
    "0 EXISTS y",
    "0 TTL w",
    "2 MSET x 1 y 2 w 3",
    "0 GET x",
    "2 PERSIST x",
    "2 GETEX x EX 1000",
    "0 MULTI ; GET x ; SET x 1 ; GET x ; EXEC",
    "2 APPEND x 1",
    "0 GET x",
    "0 GET y",
    "0 RENAME x y",
    "0 GET y",
    "2 COPY y x",
    "2 COPY x y REPLACE",
    "0 GET y",
    "1 GET y",
    "2 FLUSHALL",
    "2 FLUSHALL",
    "0 FLUSHDB",
    "2 SET y 1",
    "0 GET y",
    "0 CLIENT TRACKING OFF",
    "0 CLIENT TRACKING ON",
    "2 SET y 2",
    "0 GET y",
    "0 RESET",
    "2 SET y 3",
  ]);
  assert.ok(told!.some((text) => text.includes("invalidate")));
});

test("OPTIN and OPTOUT ask before each call or transaction", async () => {
  await compare(2, [
    "0 HELLO 3",
    "0 CLIENT TRACKING ON OPTIN",
    "0 GET a",
    "1 SET a 1",
    "0 CLIENT CACHING YES",
    "0 GET a",
    "0 GET b",
    "1 MSET a 1 b 1",
    "0 CLIENT CACHING YES",
    "0 CLIENT GETNAME",
    "0 GET a",
    "1 SET a 1",
    "0 CLIENT CACHING YES",
    "0 MULTI ; GET a ; GET b ; EXEC",
    "0 GET c",
    "1 MSET a 1 b 1 c 1",
    "0 CLIENT TRACKING OFF",
    "0 CLIENT TRACKING ON OPTOUT",
    "0 GET a",
    "0 CLIENT CACHING NO",
    "0 GET b",
    "1 MSET a 1 b 1",
  ]);
});

test("broadcast tells all keys with a prefix, read or not, and NOLOOP not the own ones", async () => {
  const [first] = await compare(3, [
    "0 HELLO 3",
    "1 HELLO 3",
    "0 CLIENT TRACKING ON BCAST PREFIX u: PREFIX v",
    "1 CLIENT TRACKING ON BCAST NOLOOP",
    "2 SET u:1 1",
    "2 MSET u:2 1 u:1 2 v 3 w 4",
    "0 SET u:3 1",
    "1 SET u:3 2",
    "2 DEL u:1 w",
    "2 DEL nothing",
    "2 FLUSHALL",
    "0 CLIENT TRACKING OFF",
    "2 SET u:1 1",
  ]);
  assert.ok(first!.join("").includes("*2\r\n$3\r\nu:1\r\n$3\r\nu:2\r\n"));
});

test("RESP2 is told on the channel of another connection, and of one that has gone nothing", async () => {
  const [, told] = await compare(
    4,
    [
      "0 CLIENT TRACKING ON REDIRECT $1",
      "0 GET a",
      "2 SET a 1",
      "1 SUBSCRIBE __redis__:invalidate",
      "0 GET a",
      "2 SET a 2",
      "0 GET a",
      "0 SET a 3",
      "2 FLUSHALL",
      "2 HELLO 3",
      "2 CLIENT TRACKING ON REDIRECT $1",
      "2 GET a",
      "0 SET a 1",
      "0 CLIENT TRACKING OFF",
      "0 CLIENT TRACKING ON REDIRECT $3",
      "0 GET a",
      "2 GET a",
      "2 CLIENT TRACKING ON REDIRECT $3",
      "3 QUIT",
    ].slice(0, -1),
  );
  assert.equal(
    told!.filter((text) => text.includes("invalidate\r\n*1\r\n$1\r\na\r\n")).length,
    3,
    `told ${JSON.stringify(told)}`,
  );
});

test("a redirection to a connection that has gone is told on RESP3, and shown", async () => {
  const run = async (address: Address): Promise<string[]> => {
    await using tracker = await RespClient.connect(address);
    await using target = await RespClient.connect(address);
    await using writer = await RespClient.connect(address);
    await tracker.call("HELLO", "3");
    const id = String((await target.call("CLIENT", "ID")).value);
    await tracker.call("CLIENT", "TRACKING", "ON", "REDIRECT", id);
    await tracker.call("GET", "a");
    await writer.call("CLIENT", "KILL", "ID", id);
    await target.closed;
    await writer.call("SET", "a", "1");
    const replies = [await tracker.readReply(), await tracker.call("CLIENT", "TRACKINGINFO")];
    const flags = /flags=\S+/.exec(String((await tracker.call("CLIENT", "INFO")).value))![0].replace("U", "");
    return [...replies.map(({ bytes }) => bytes.latin1Slice().replaceAll(`:${id}\r\n`, ":id\r\n")), flags];
  };
  assert.deepEqual(await run({ port: hive.port! }), await run({ port: redis.port }));
});

test("keys that run out are told, and figures are in INFO", async () => {
  await using client = await RespClient.connect({ port: hive.port! });
  await client.call("HELLO", "3");
  await client.call("CLIENT", "TRACKING", "ON");
  await client.call("SET", "short", "1", "PX", "20");
  await client.call("GET", "short");
  const info = String((await client.call("INFO", "everything")).value);
  assert.match(info, /tracking_clients:1\r/);
  assert.match(info, /tracking_total_keys:\d+\r/);
  assert.equal((await client.readReply()).bytes.latin1Slice(), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$5\r\nshort\r\n");
});

test("tracking-table-max-keys makes the keys that were read first go, and they are told", async () => {
  await using client = await RespClient.connect({ port: hive.port! });
  await client.call("HELLO", "3");
  await client.call("CONFIG", "SET", "tracking-table-max-keys", "2");
  await client.call("CLIENT", "TRACKING", "ON");
  for (const key of ["a", "b", "c"]) await client.call("GET", key);
  assert.match((await client.readReply()).bytes.latin1Slice(), /invalidate\r\n\*1\r\n\$1\r\na\r\n$/);
  await client.call("CONFIG", "SET", "tracking-table-max-keys", "0");
});

const SEED = 20_241_126;
const CALLS = 2_500;

/** Calls of three clients, of which two track. What a call has told is compared as it was told, call by call. */
function drawSteps(): string[] {
  let seed = SEED;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 0x7fff_ffff;
    return seed % below;
  };
  const of = (prefix: string): string => `${prefix}${random(4)}`;
  const forms: (() => string)[] = [
    () => `GET ${of("s")}`,
    () => `MGET ${of("s")} ${of("s")}`,
    () => `GET ${of("s")}`,
    () => `STRLEN ${of("s")}`,
    () => `HGET ${of("h")} ${of("f")}`,
    () => `HLEN ${of("h")}`,
    () => `SCARD ${of("t")}`,
    () => `LRANGE ${of("l")} 0 -1`,
    () => `ZRANGE ${of("z")} 0 -1`,
    () => `TYPE ${of("s")}`,
    () => `TTL ${of("s")}`,
    () => `SET ${of("s")} 1`,
    () => `SET ${of("s")} 1 NX`,
    () => `SET ${of("s")} 1 EX 1000`,
    () => `INCR ${of("s")}`,
    () => `APPEND ${of("s")} 1`,
    () => `SETRANGE ${of("s")} 0 1`,
    () => `SETRANGE ${of("s")} 1 `.trim(),
    () => `GETDEL ${of("s")}`,
    () => `GETEX ${of("s")} PERSIST`,
    () => `MSET ${of("s")} 1 ${of("s")} 2`,
    () => `MSETNX ${of("s")} 1 ${of("s")} 2`,
    () => `DEL ${of("s")} ${of("h")}`,
    () => `UNLINK ${of("t")}`,
    () => `RENAME ${of("s")} ${of("s")}`,
    () => `RENAMENX ${of("s")} ${of("s")}`,
    () => `COPY ${of("s")} ${of("s")}`,
    () => `COPY ${of("h")} ${of("h")} REPLACE`,
    () => `EXPIRE ${of("s")} 1000`,
    () => `EXPIRE ${of("s")} -1`,
    () => `PERSIST ${of("s")}`,
    () => `HSET ${of("h")} ${of("f")} 1`,
    () => `HSETNX ${of("h")} ${of("f")} 1`,
    () => `HINCRBY ${of("h")} ${of("f")} 1`,
    () => `HDEL ${of("h")} ${of("f")}`,
    () => `SADD ${of("t")} ${of("m")}`,
    () => `SREM ${of("t")} ${of("m")}`,
    () => `SMOVE ${of("t")} ${of("t")} ${of("m")}`,
    () => `SINTERSTORE ${of("t")} ${of("t")} ${of("t")}`,
    () => `SUNIONSTORE ${of("t")} ${of("t")} ${of("t")}`,
    () => `RPUSH ${of("l")} 1`,
    () => `LPOP ${of("l")}`,
    () => `LSET ${of("l")} 0 1`,
    () => `LREM ${of("l")} 0 1`,
    // One that trims nothing is told by Redis alone.
    () => `RPUSH ${of("l")} 1 2 3 4 ; LTRIM ${of("l")} 9 9`,
    () => `LMOVE ${of("l")} ${of("l")} LEFT RIGHT`,
    () => `ZADD ${of("z")} ${random(3)} ${of("m")}`,
    () => `ZREM ${of("z")} ${of("m")}`,
    () => `ZPOPMIN ${of("z")}`,
    () => `ZUNIONSTORE ${of("z")} 2 ${of("z")} ${of("z")}`,
    () => `SORT ${of("l")} STORE ${of("l")}`,
    () => "FLUSHALL",
    () => "CLIENT TRACKING ON",
    () => "CLIENT TRACKINGINFO",
  ];
  return Array.from({ length: CALLS }, () => `${random(3)} ${forms[random(forms.length)]!()}`).filter(
    (step) => !step.startsWith("2 CLIENT"),
  );
}

test("over a seeded run each client is told what redis-server tells it", async () => {
  const steps = ["0 HELLO 3", "1 HELLO 3", "0 CLIENT TRACKING ON", "1 CLIENT TRACKING ON NOLOOP", ...drawSteps()];
  const sorted = (seen: string[][]): string[][] => seen.map(sortRuns);
  const expected = sorted(await runSteps({ port: redis.port }, 3, steps));
  const seen = sorted(await runSteps({ port: hive.port! }, 3, steps));
  for (const client of [0, 1, 2]) {
    for (let i = 0; i < expected[client]!.length; i++) {
      const [was, is] = [expected[client]![i], seen[client]![i]];
      assert.equal(
        is,
        was,
        `client ${client}, seed ${SEED}, after ${seen[client]!.slice(Math.max(0, i - 3), i).join(" | ")}`,
      );
    }
    assert.equal(seen[client]!.length, expected[client]!.length);
  }
  assert.ok(expected[1]!.filter((text) => text.includes("invalidate")).length > 100);
});

/** What one call told of several keys has no order that means anything: SMOVE's two sets, say. */
function sortRuns(seen: string[]): string[] {
  const sorted: string[] = [];
  let run: string[] = [];
  for (const text of [...seen, ""]) {
    if (text.startsWith(">2\r\n$10\r\ninvalidate")) run.push(text);
    else {
      sorted.push(...run.sort(), text);
      run = [];
    }
  }
  return sorted;
}
