// Clients of Redis, unchanged, against a hive: redis-cli, ioredis, node-redis; RESP2 and RESP3.
//
// What they do by themselves on connecting (HELLO, CLIENT SETINFO, the ready check with INFO), their
// pipelines and automatic pipelines, MULTI and WATCH, their SCAN iterators, reconnecting and leaving.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { Hive } from "../../src/server/hive.ts";
import { installDebianPackages } from "../kit/debian-packages.ts";

const execute = promisify(execFile);
const noRedisCli = await installDebianPackages(["redis-tools"]);

let hive: Hive;

before(async () => {
  hive = await Hive.start({ port: 0 });
});

after(async () => {
  await hive.close();
});

// redis-cli

async function redisCli(...args: string[]): Promise<string> {
  const { stdout } = await execute("redis-cli", ["-p", String(hive.port), ...args]);
  return stdout.trimEnd();
}

/** What redis-cli prints for commands on its standard input. */
async function redisCliPipe(input: string, ...args: string[]): Promise<string> {
  const running = execute("redis-cli", ["-p", String(hive.port), ...args]);
  running.child.stdin!.end(input);
  return (await running).stdout.trimEnd();
}

test("redis-cli sends commands and shows their replies", { skip: noRedisCli }, async () => {
  assert.equal(await redisCli("HSET", "cli:users", "ada", "1815"), "1");
  assert.equal(await redisCli("--no-raw", "HGETALL", "cli:users"), '1) "ada"\n2) "1815"');
  assert.equal(await redisCli("-3", "--no-raw", "HGETALL", "cli:users"), '1# "ada" => "1815"');
  assert.equal(
    await redisCli("INCR", "cli:users"),
    "WRONGTYPE Operation against a key holding the wrong kind of value",
  );
  assert.match(await redisCli("INFO", "server"), /redis_version:7\.4\.0/);
});

test("redis-cli runs transactions that are typed at it", { skip: noRedisCli }, async () => {
  const output = await redisCliPipe("MULTI\nSET cli:a 1\nINCR cli:a\nEXEC\nSELECT 0\nSELECT 1\n");
  assert.deepEqual(output.split("\n"), ["OK", "QUEUED", "QUEUED", "OK", "2", "OK", "ERR DB index is out of range"]);
});

test("redis-cli --scan, --bigkeys, --pipe and HELP work", { skip: noRedisCli }, async () => {
  const keys = Array.from({ length: 300 }, (_, index) => `cli:scan:${index}`);
  const mass = await redisCliPipe(keys.map((key) => `SET ${key} x\r\n`).join(""), "--pipe");
  assert.match(mass, /errors: 0, replies: 300/);
  const scanned = await redisCli("--scan", "--pattern", "cli:scan:*");
  assert.deepEqual(scanned.split("\n").toSorted(), keys.toSorted());
  assert.match(await redisCli("--bigkeys"), /Biggest string found/i);
  assert.match(await redisCli("CLIENT", "HELP"), /CLIENT <subcommand>/);
  const hint = /SET\S* \S*key value \[NX\|XX\] \[GET\] \[EX seconds\|PX milliseconds\|/;
  assert.match(await redisCliPipe("help set\n"), hint, "from COMMAND DOCS");
});

test("redis-cli SHUTDOWN stops a hive", { skip: noRedisCli }, async () => {
  const own = await Hive.start({ port: 0 });
  const { stdout } = await execute("redis-cli", ["-p", String(own.port), "SHUTDOWN", "NOSAVE"]);
  assert.equal(stdout.trim(), "");
  await own.closed;
});

// ioredis

for (const enableAutoPipelining of [false, true]) {
  const form = enableAutoPipelining ? "ioredis with automatic pipelines" : "ioredis";

  test(`${form}: commands, pipelines, transactions`, async () => {
    const client = new Redis(hive.port, { enableAutoPipelining, connectionName: "worker" });
    try {
      const prefix = `io:${enableAutoPipelining}`;
      assert.equal(await client.set(`${prefix}:a`, "ä", "EX", 100), "OK");
      assert.deepEqual(await Promise.all([client.get(`${prefix}:a`), client.ttl(`${prefix}:a`)]), ["ä", 100]);
      assert.deepEqual(await client.getBuffer(`${prefix}:a`), Buffer.from("ä"));
      await client.hset(`${prefix}:t`, { one: 1, two: "zwei" });
      assert.deepEqual(await client.hgetall(`${prefix}:t`), { one: "1", two: "zwei" });
      const many = Array.from({ length: 1000 }, (_, index) => client.incrby(`${prefix}:n`, index));
      assert.equal((await Promise.all(many)).at(-1), 499_500);
      await assert.rejects(client.incr(`${prefix}:t`), /WRONGTYPE/);

      const piped = await client.pipeline().set(`${prefix}:p`, 1).incr(`${prefix}:p`).hget(`${prefix}:p`, "f").exec();
      assert.deepEqual(piped?.slice(0, 2), [
        [null, "OK"],
        [null, 2],
      ]);
      assert.match(String(piped?.[2]?.[0]), /WRONGTYPE/);

      assert.deepEqual(await client.multi().incr(`${prefix}:p`).sadd(`${prefix}:s`, "m").exec(), [
        [null, 3],
        [null, 1],
      ]);
      assert.equal(await client.client("GETNAME"), "worker");
    } finally {
      client.disconnect();
    }
  });
}

test("ioredis: EXEC is nil after a watched key has changed", async () => {
  await using both = await ioredisPair();
  const [client, other] = both.clients;
  await client.watch("io:watched");
  await other.set("io:watched", "1");
  assert.equal(await client.multi().set("io:never", "1").exec(), null);
  assert.equal(await client.exists("io:never"), 0);
});

async function ioredisPair(): Promise<AsyncDisposable & { clients: [Redis, Redis] }> {
  const clients: [Redis, Redis] = [new Redis(hive.port), new Redis(hive.port)];
  return {
    clients,
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.quit();
    },
  };
}

test("ioredis: the SCAN streams return everything", async () => {
  const client = new Redis(hive.port);
  try {
    const names = Array.from({ length: 500 }, (_, index) => `io:scan:${index}`);
    await client.mset(Object.fromEntries(names.map((name) => [name, "x"])));
    await client.sadd("io:members", names);
    await client.hset("io:fields", Object.fromEntries(names.map((name) => [name, "x"])));
    const keys = await collected(client.scanStream({ match: "io:scan:*", count: 50 }));
    const members = await collected(client.sscanStream("io:members", { count: 50 }));
    const fields = await collected(client.hscanStream("io:fields", { count: 50 }));
    assert.deepEqual([...new Set(keys)].toSorted(), names.toSorted());
    assert.deepEqual([...new Set(members)].toSorted(), names.toSorted());
    assert.deepEqual([...new Set(fields)].toSorted(), [...names, "x"].toSorted());
  } finally {
    await client.quit();
  }
});

async function collected(stream: AsyncIterable<string[]>): Promise<string[]> {
  const all: string[] = [];
  for await (const page of stream) all.push(...page);
  return all;
}

test("ioredis: it comes back after its connection was killed, and leaves with QUIT", async () => {
  await using both = await ioredisPair();
  const [client, other] = both.clients;
  const id = await client.client("ID");
  const ready = once(client, "ready");
  assert.equal(await other.client("KILL", "ID", id), 1);
  await ready;
  assert.notEqual(await client.client("ID"), id);
  assert.equal(await client.ping(), "PONG");
});

// node-redis

type NodeRedis = ReturnType<typeof openClient>;

function openClient(protocol: 2 | 3) {
  return createClient({ socket: { port: hive.port, host: "127.0.0.1" }, RESP: protocol });
}

async function withNodeRedis(protocol: 2 | 3, body: (client: NodeRedis) => Promise<void>): Promise<void> {
  const client = openClient(protocol);
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  await client.connect();
  try {
    await body(client);
    assert.deepEqual(errors, []);
  } finally {
    await client.close();
  }
}

for (const protocol of [2, 3] as const) {
  const prefix = `node:${protocol}`;

  test(`node-redis, RESP${protocol}: commands and transactions`, async () => {
    await withNodeRedis(protocol, async (client) => {
      assert.equal(await client.set(`${prefix}:a`, "1", { EX: 100 }), "OK");
      assert.equal(await client.incrBy(`${prefix}:a`, 41), 42);
      assert.equal(await client.get(`${prefix}:missing`), null);
      await client.hSet(`${prefix}:t`, { one: "1", two: "zwei" });
      assert.deepEqual({ ...(await client.hGetAll(`${prefix}:t`)) }, { one: "1", two: "zwei" });
      await client.sAdd(`${prefix}:s`, ["x", "y"]);
      assert.deepEqual([...(await client.sMembers(`${prefix}:s`))].toSorted(), ["x", "y"]);
      assert.deepEqual(await client.mGet([`${prefix}:a`, `${prefix}:missing`]), ["42", null]);
      await assert.rejects(client.incr(`${prefix}:t`), /WRONGTYPE/);
      assert.deepEqual(await client.multi().incr(`${prefix}:a`).get(`${prefix}:a`).exec(), [43, "43"]);
      const together = await Promise.all(Array.from({ length: 200 }, () => client.incr(`${prefix}:n`)));
      assert.equal(together.at(-1), 200);
      assert.match(await client.info("server"), /redis_version:7\.4\.0/);
      assert.equal((await client.configGet("maxmemory-policy"))["maxmemory-policy"], "noeviction");
      assert.equal((await client.commandGetKeys(["MSET", "a", "1", "b", "2"])).join(), "a,b");
      const [facts] = await client.commandInfo(["get"]);
      assert.deepEqual([facts?.name, facts?.arity, facts?.firstKeyIndex], ["get", 2, 1]);
      assert.equal((await client.clientInfo()).id, await client.clientId());
    });
  });

  test(`node-redis, RESP${protocol}: the SCAN iterators return everything`, async () => {
    await withNodeRedis(protocol, async (client) => {
      const names = Array.from({ length: 500 }, (_, index) => `${prefix}:scan:${index}`);
      await client.mSet(names.map((name) => [name, "x"] as [string, string]));
      await client.sAdd(`${prefix}:members`, names);
      await client.hSet(`${prefix}:fields`, Object.fromEntries(names.map((name) => [name, "x"])));
      const keys = new Set<string>();
      for await (const page of client.scanIterator({ MATCH: `${prefix}:scan:*`, COUNT: 50 })) {
        for (const key of page) keys.add(key);
      }
      const members = new Set<string>();
      for await (const page of client.sScanIterator(`${prefix}:members`)) for (const name of page) members.add(name);
      const fields = new Set<string>();
      for await (const page of client.hScanIterator(`${prefix}:fields`))
        for (const { field } of page) fields.add(field);
      for (const found of [keys, members, fields]) assert.deepEqual([...found].toSorted(), names.toSorted());
    });
  });

  test(`node-redis, RESP${protocol}: WATCH, and a transaction that fails for it`, async () => {
    await withNodeRedis(protocol, async (client) => {
      await withNodeRedis(protocol, async (other) => {
        await client.watch(`${prefix}:watched`);
        await other.set(`${prefix}:watched`, "1");
        await assert.rejects(client.multi().set(`${prefix}:never`, "1").exec(), /watch/i);
        assert.equal(await client.exists(`${prefix}:never`), 0);
      });
    });
  });
}

test("node-redis: it comes back after its connection was killed", { timeout: 20_000 }, async () => {
  const client = openClient(3);
  client.on("error", () => {});
  await client.connect();
  try {
    const id = await client.clientId();
    const ready = new Promise<void>((resolve) => void client.once("ready", resolve));
    await client.sendCommand(["CLIENT", "KILL", "ID", String(id), "SKIPME", "no"]);
    await ready;
    assert.notEqual(await client.clientId(), id);
  } finally {
    client.destroy();
  }
});

test("node-redis: its client-side cache answers until another client writes", { timeout: 20_000 }, async () => {
  const { BasicClientSideCache } = await import("redis");
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 100, evictPolicy: "LRU" });
  const client = createClient({ socket: { host: "127.0.0.1", port: hive.port }, RESP: 3, clientSideCache: cache });
  const other = openClient(3);
  await Promise.all([client.connect(), other.connect()]);
  try {
    await other.set("csc:key", "one");
    assert.equal(await client.get("csc:key"), "one");
    assert.equal(await client.get("csc:key"), "one");
    assert.deepEqual([cache.stats().hitCount, cache.stats().missCount], [1, 1]);
    const invalidated = once(cache, "invalidate");
    await other.set("csc:key", "two");
    await invalidated;
    assert.equal(await client.get("csc:key"), "two");
    assert.equal(cache.stats().missCount, 2);
  } finally {
    client.destroy();
    other.destroy();
  }
});
