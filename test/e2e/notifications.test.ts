// Keyspace notifications, byte for byte those of redis-server over a seeded run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Hive } from "../../src/server/index.ts";
import { startRedis } from "../kit/redis-server.ts";
import { RespClient } from "../kit/resp-client.ts";

const SEED = 20_240_607;
const CALLS = 12_000;
const LAST = "the end";

/** Every command that both have and whose outcome has no chance in it. */
function drawCalls(): string[][] {
  let seed = SEED;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 0x7fff_ffff;
    return seed % below;
  };
  const of = (prefix: string): string => `${prefix}${random(6)}`;
  const any = (): string => of(["s", "h", "t", "l", "z"][random(5)]!);
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
    () => ["LPUSH", of("l"), of("e"), of("e")],
    () => ["RPUSH", of("l"), of("e")],
    () => ["LPUSHX", of("l"), of("e")],
    () => ["RPUSHX", of("l"), of("e")],
    () => ["LPOP", of("l")],
    () => ["RPOP", of("l")],
    () => ["LPOP", of("l"), `${random(4)}`],
    () => ["RPOP", of("l"), `${random(4)}`],
    () => ["LMPOP", "2", of("l"), of("l"), "LEFT", "COUNT", "2"],
    () => ["LMPOP", "1", of("l"), "RIGHT"],
    () => ["LMOVE", of("l"), of("l"), "LEFT", "LEFT"],
    () => ["LMOVE", of("l"), of("l"), "RIGHT", "LEFT"],
    () => ["RPOPLPUSH", of("l"), of("l")],
    () => ["LSET", of("l"), `${random(3)}`, of("e")],
    () => ["LINSERT", of("l"), "BEFORE", of("e"), of("e")],
    () => ["LREM", of("l"), `${random(5) - 2}`, of("e")],
    () => ["LTRIM", of("l"), `${random(3)}`, `${random(4) - 2}`],
    () => ["LRANGE", of("l"), "0", "-1"],
    () => ["LINDEX", of("l"), "0"],
    () => ["LPOS", of("l"), of("e")],
    () => ["BLPOP", of("l"), of("l"), "0.001"],
    () => ["BRPOP", of("l"), "0.001"],
    () => ["BLMOVE", of("l"), of("l"), "LEFT", "RIGHT", "0.001"],
    () => ["BRPOPLPUSH", of("l"), of("l"), "0.001"],
    () => ["BLMPOP", "0.001", "1", of("l"), "LEFT", "COUNT", "2"],
    () => ["ZADD", of("z"), `${random(9)}`, of("m"), `${random(9)}`, of("m")],
    () => ["ZADD", of("z"), "NX", `${random(9)}`, of("m")],
    () => ["ZADD", of("z"), "XX", "GT", "CH", `${random(9)}`, of("m")],
    () => ["ZADD", of("z"), "XX", "INCR", `${random(2)}`, of("m")],
    () => ["ZADD", of("z"), "nan", of("m")],
    () => ["ZINCRBY", of("z"), `${random(2)}`, of("m")],
    () => ["ZREM", of("z"), of("m"), of("m")],
    () => ["ZREMRANGEBYRANK", of("z"), "0", `${random(3) - 1}`],
    () => ["ZREMRANGEBYSCORE", of("z"), "(2", `${random(9)}`],
    () => ["ZREMRANGEBYLEX", of("z"), "-", "+"],
    () => ["ZPOPMIN", of("z")],
    () => ["ZPOPMAX", of("z"), `${random(4)}`],
    () => ["ZMPOP", "2", of("z"), of("z"), "MIN", "COUNT", "2"],
    () => ["BZPOPMIN", of("z"), of("z"), "0.001"],
    () => ["BZPOPMAX", of("z"), "0.001"],
    () => ["BZMPOP", "0.001", "1", of("z"), "MAX"],
    () => ["ZRANGESTORE", of("z"), of("z"), "0", `${random(4) - 1}`],
    () => ["ZUNIONSTORE", of("z"), "2", of("z"), of("t")],
    () => ["ZINTERSTORE", of("z"), "2", of("z"), of("z")],
    () => ["ZDIFFSTORE", of("z"), "2", of("z"), of("z")],
    () => ["ZUNION", "2", of("z"), of("z")],
    () => ["ZINTERCARD", "2", of("z"), of("z")],
    () => ["ZSCORE", of("z"), of("m")],
    () => ["ZRANK", of("z"), of("m")],
    () => ["ZRANGE", of("z"), "0", "-1"],
    () => ["ZCOUNT", of("z"), "0", "5"],
    () => ["SORT", of("l"), "ALPHA", "STORE", of("l")],
    () => ["SORT", of("z"), "ALPHA", "GET", "#", "GET", "h*->f1", "LIMIT", "0", "2", "STORE", of("l")],
    () => ["SORT_RO", of("t"), "ALPHA", "GET", "s*"],
  ];
  return Array.from({ length: CALLS }, () => forms[random(forms.length)]!()).flatMap((call) => {
    // A member that SPOP takes is drawn by chance: its set goes on as whatever both agree on.
    if (call[0] === "SPOP" && call.length === 2) return [call, ["DEL", call[1]!]];
    // What may wait finds what was put there just before, or what is in the way: nothing waits.
    const key = call.find((argument) => /^[lz]\d$/.test(argument))!;
    if (/^BZ/.test(call[0]!)) return [["ZADD", key, "1", "m0", "2", "m1"], call];
    return /^B/.test(call[0]!) ? [["RPUSH", key, "e0", "e1"], call] : [call];
  });
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

for (const letters of ["KEA", "Kg$", "Es", "KEAm", "Elz", "KEAn"]) {
  test(`${letters}: what happens to keys is told as redis-server tells it, byte for byte, in its order`, async () => {
    await using redis = await startRedis();
    const hive = await Hive.start({ port: 0 });
    try {
      // SMOVE makes the other set before it takes from the first, so that it can fail: a new key is told of first.
      const calls = drawCalls().filter(([name]) => name !== "SMOVE" || !letters.includes("n"));
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
