// Keyspace notifications, byte for byte those of redis-server over a seeded run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Hive } from "../../src/server/index.ts";
import { startRedis } from "../kit/redis-server.ts";
import { RespClient } from "../kit/resp-client.ts";

const SEED = 20_240_607;
const CALLS = 6_000;
const LAST = "the end";

/** Every command that both have and whose outcome has no chance in it. */
function drawCalls(): string[][] {
  let seed = SEED;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 0x7fff_ffff;
    return seed % below;
  };
  const of = (prefix: string): string => `${prefix}${random(6)}`;
  const any = (): string => of(["s", "h", "t"][random(3)]!);
  const forms: (() => string[])[] = [
    () => ["SET", of("s"), "1"],
    () => ["SET", any(), "1", "EX", "1000"],
    () => ["SET", of("s"), "2", "NX"],
    () => ["SET", of("s"), "2", "XX", "GET"],
    () => ["SETNX", of("s"), "1"],
    () => ["SETEX", of("s"), "1000", "1"],
    () => ["PSETEX", of("s"), "1000000", "1"],
    () => ["GETSET", of("s"), "5"],
    () => ["GETDEL", of("s")],
    () => ["GETEX", of("s"), "EX", "1000"],
    () => ["GETEX", of("s"), "PERSIST"],
    () => ["GETEX", of("s")],
    () => ["GET", of("s")],
    () => ["MSET", of("s"), "1", of("s"), "2"],
    () => ["MSETNX", of("s"), "1", of("s"), "2"],
    () => ["APPEND", of("s"), "1"],
    () => ["SETRANGE", of("s"), "1", "7"],
    () => ["SETRANGE", of("s"), "1", ""],
    () => ["INCR", of("s")],
    () => ["DECRBY", of("s"), "3"],
    () => ["INCRBYFLOAT", of("s"), "1"],
    () => ["DEL", any(), any()],
    () => ["UNLINK", any()],
    () => ["RENAME", any(), any()],
    () => ["RENAMENX", any(), any()],
    () => ["COPY", any(), any()],
    () => ["COPY", any(), any(), "REPLACE"],
    () => ["EXPIRE", any(), "1000"],
    () => ["EXPIRE", any(), "-1"],
    () => ["PEXPIREAT", any(), "9999999999999"],
    () => ["PERSIST", any()],
    () => ["HSET", of("h"), of("f"), "1"],
    () => ["HSET", of("h"), of("f"), "1", of("f"), "2"],
    () => ["HSETNX", of("h"), of("f"), "1"],
    () => ["HINCRBY", of("h"), of("f"), "1"],
    () => ["HINCRBYFLOAT", of("h"), of("f"), "1"],
    () => ["HDEL", of("h"), of("f"), of("f")],
    () => ["HGET", of("h"), of("f")],
    () => ["SADD", of("t"), of("m"), of("m")],
    () => ["SREM", of("t"), of("m"), of("m")],
    () => ["SMOVE", of("t"), of("t"), of("m")],
    () => ["SPOP", of("t")],
    () => ["SPOP", of("t"), "100"],
    () => ["SINTERSTORE", of("t"), of("t"), of("t")],
    () => ["SUNIONSTORE", of("t"), of("t"), of("t")],
    () => ["SDIFFSTORE", of("t"), of("t"), of("t")],
    () => ["SMEMBERS", of("t")],
  ];
  // A member that SPOP takes is drawn by chance: its set goes on as whatever both agree on.
  return Array.from({ length: CALLS }, () => forms[random(forms.length)]!()).flatMap((call) =>
    call[0] === "SPOP" && call.length === 2 ? [call, ["DEL", call[1]!]] : [call],
  );
}

async function notificationsOf(port: number, letters: string, calls: readonly string[][]): Promise<string[]> {
  await using listener = await RespClient.connect({ port });
  await using caller = await RespClient.connect({ port });
  await caller.call("FLUSHALL");
  await caller.call("CONFIG", "SET", "notify-keyspace-events", letters);
  await listener.call("PSUBSCRIBE", "__key*__:*");
  await listener.call("SUBSCRIBE", LAST);
  caller.sendAll([...calls, ["PUBLISH", LAST, "x"]]);
  const replies = await caller.readReplies(calls.length + 1);
  assert.ok(replies.length > 0);
  const seen: string[] = [];
  for (;;) {
    const { bytes } = await listener.readReply();
    if (bytes.includes(LAST)) return seen;
    seen.push(bytes.latin1Slice());
  }
}

for (const letters of ["KEA", "Kg$", "Es", "KEAm"]) {
  test(`${letters}: what happens to keys is told as redis-server tells it, byte for byte, in its order`, async () => {
    await using redis = await startRedis();
    const hive = await Hive.start({ port: 0 });
    try {
      const calls = drawCalls();
      const expected = await notificationsOf(redis.port, letters, calls);
      const seen = await notificationsOf(hive.port!, letters, calls);
      for (let i = 0; i < Math.max(expected.length, seen.length); i++) {
        assert.equal(
          seen[i],
          expected[i],
          `notification ${i} of ${expected.length}, seed ${SEED}, after ${seen.slice(Math.max(0, i - 3), i)}`,
        );
      }
      assert.ok(expected.length > 100);
    } finally {
      await hive.close();
    }
  });
}
