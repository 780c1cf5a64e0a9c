// Limits of what one call may have: sizes, counts and depths.

import assert from "node:assert/strict";
import type { Limits } from "../../src/base/limits.ts";
import { type HiveCalls, Structure } from "../../src/structures/structure.ts";
import { limited, passed } from "../kit/limited-hive.ts";
import { codeOf } from "../kit/native-hive.ts";
import { type RespClient, RespError } from "../kit/resp-client.ts";
import { Ledger } from "../structures/isolated/ledger.ts";

/** The error that a call is answered with. */
export async function errorOf(client: RespClient, ...args: (string | Uint8Array)[]): Promise<string> {
  const { value } = await client.call(...args);
  assert.ok(value instanceof RespError, `an error was expected, and ${String(value)} came`);
  return value.message;
}

/** What a RESP connection says last before it ends. */
export async function lastWords(client: RespClient, bytes: string): Promise<string> {
  client.write(bytes);
  await client.closed;
  return client.unread().toString("latin1");
}

/** Of three keys that are read and tracked, the first is told as changed. */
async function requireOldestToGo(limits: Partial<Limits>): Promise<void> {
  await using hive = await limited(limits);
  await using client = await hive.resp();
  await client.call("HELLO", "3");
  await client.call("CLIENT", "TRACKING", "ON");
  for (const key of ["a", "b", "c"]) await client.call("GET", key);
  assert.equal((await client.readReply()).bytes.latin1Slice(), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n");
}

type Names =
  | "keyBytesMax"
  | "valueBytesMax"
  | "structureBytesMax"
  | "structurePartsMax"
  | "commandMsMax"
  | "isolatedBytesMax"
  | "isolatedCallsMax"
  | "isolatedPlaysMax"
  | "valueDepthMax"
  | "frameBytesMax"
  | "argumentsMax"
  | "inlineBytesMax"
  | "firstLineBytesMax"
  | "unauthenticatedArgumentsMax"
  | "unauthenticatedBytesMax"
  | "unknownInlineMax"
  | "connectionNameBytesMax"
  | "watchedKeysMax"
  | "watchedBytesMax"
  | "patternBytesMax"
  | "blockedCallsMax"
  | "blockedKeysMax"
  | "sortElementsMax"
  | "sortBytesMax"
  | "subscriptionsMax"
  | "subscribedBytesMax"
  | "subscribedPatternBytesMax"
  | "channelBytesMax"
  | "subscriberBytesMax"
  | "trackedKeysMax"
  | "trackedBytesMax"
  | "trackedPrefixesMax"
  | "transactionCallsMax"
  | "transactionBytesMax"
  | "slowlogEntriesMax"
  | "slowlogArgumentsMax"
  | "slowlogArgumentBytesMax";

export const INPUT_CASES: Readonly<Record<Names & keyof Limits, () => Promise<void>>> = {
  async keyBytesMax() {
    await using hive = await limited({ keyBytesMax: 10 });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "SET", "k".repeat(11), "v"), /key of 11 bytes exceeds keyBytesMax/);
    assert.match(await errorOf(client, "HSET", "t", "k".repeat(11), "v"), /exceeds keyBytesMax/);
    await using native = await hive.native();
    assert.equal(await codeOf(native.call("SADD", "s", "k".repeat(11))), "KEY_TOO_BIG");
  },

  async valueBytesMax() {
    await using hive = await limited({ valueBytesMax: 1000 });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "SET", "k", "v".repeat(1001)), /exceeds valueBytesMax/);
    await using native = await hive.native();
    assert.equal(await codeOf(native.call("SET", "k", "v".repeat(1001))), "VALUE_TOO_BIG");
  },

  async structureBytesMax() {
    await using hive = await limited({ structureBytesMax: 1000 }, { structures: ["fifo"] });
    await using client = await hive.resp();
    assert.equal((await client.call("FIFOADD", "k", "v".repeat(500))).value, "OK");
    assert.match(await errorOf(client, "FIFOADD", "k", "v".repeat(500)), /exceeds structureBytesMax \(1000 bytes\)/);
    assert.equal((await client.call("SIZE", "k")).value, 1);
    await using native = await hive.native();
    assert.equal(await codeOf(native.call("FIFOADD", "k", "v".repeat(500))), "VALUE_TOO_BIG");
  },

  async structurePartsMax() {
    class Lists extends Structure {
      static LISTS_PUSH(hive: HiveCalls, key: string, name: string): number {
        return hive.open(Lists, key).list(name).push(1);
      }
    }
    await using hive = await limited({ structurePartsMax: 2 }, { structures: [Lists] });
    await using client = await hive.resp();
    for (const name of ["a", "b", "a"]) await client.call("LISTS_PUSH", "k", name);
    assert.match(await errorOf(client, "LISTS_PUSH", "k", "c"), /more than structurePartsMax \(2\)/);
    assert.equal((await client.call("DBSIZE")).value, 3);
  },

  async commandMsMax() {
    class Slow extends Structure {
      static SLOWLY(): string {
        const endMs = performance.now() + 5;
        while (performance.now() < endMs);
        return "OK";
      }
    }
    await using hive = await limited({ commandMsMax: 2 }, { structures: [Slow] });
    await using client = await hive.resp();
    assert.equal((await client.call("SLOWLY")).value, "OK");
    assert.match(hive.notices.at(-1)!, /^SLOWLY blocked the hive for \d+ ms: more than commandMsMax \(2 ms\)/);
  },

  async isolatedBytesMax() {
    const limits = { isolatedBytesMax: 64 << 20, commandMsMax: 60_000 };
    await using hive = await limited(limits, { structures: [Ledger] });
    await using client = await hive.resp();
    for (const what of ["buffers", "one"]) {
      assert.match(
        await errorOf(client, "LEDGER_EAT", "k", what),
        /exceed isolatedBytesMax|more than isolatedBytesMax/,
      );
    }
    await using native = await hive.native();
    assert.equal(await codeOf(native.call("LEDGER_EAT", "k", "objects")), "STRUCTURE_MEMORY");
    assert.equal((await client.call("EXISTS", "k", "count")).value, 0);
  },

  async isolatedCallsMax() {
    await using hive = await limited({ isolatedCallsMax: 2 }, { structures: [Ledger] });
    await using native = await hive.native();
    const calls = [1, 2, 3].map(() => native.call("LEDGER_OPEN", "k").catch(({ code }) => code));
    assert.deepEqual(await Promise.all(calls), ["OK", "OK", "OVERLOADED"]);
  },

  async isolatedPlaysMax() {
    await using hive = await limited({ isolatedPlaysMax: 3 }, { structures: [Ledger] });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "LEDGER_BOTH", "k"), /more than isolatedPlaysMax \(3\) times/);
    assert.equal((await client.call("EXISTS", "k", "count", "log")).value, 0);
  },

  async valueDepthMax() {
    await using hive = await limited({ valueDepthMax: 3 });
    await using native = await hive.native();
    assert.equal(await native.call("SET", "k", [[[1]]]), "OK");
    assert.equal(await codeOf(native.call("SET", "k", [[[[1]]]])), "BAD_VALUE");
  },

  async frameBytesMax() {
    const limits = { frameBytesMax: 20_000, valueBytesMax: 10_000, keyBytesMax: 1000 };
    await using hive = await limited(limits);
    await using client = await hive.resp();
    const two = `*3\r\n$3\r\nDEL\r\n$15000\r\n${"k".repeat(15_000)}\r\n$15000\r\n`;
    assert.match(await lastWords(client, two), /arguments of 30003 bytes exceed frameBytesMax \(20000\)/);
    await using native = await hive.native();
    native.send("DEL", "k".repeat(20_000));
    assert.equal((await native.goodbye()).code, "FRAME_TOO_BIG");
  },

  async argumentsMax() {
    await using hive = await limited({ argumentsMax: 5 });
    await using client = await hive.resp();
    assert.match(await lastWords(client, "*6\r\n"), /invalid multibulk length/);
    await using native = await hive.native();
    assert.equal(await codeOf(native.call("DEL", "1", "2", "3", "4", "5")), "TOO_MANY_ARGUMENTS");
  },

  async inlineBytesMax() {
    await using hive = await limited({ inlineBytesMax: 100 });
    await using client = await hive.resp();
    await client.call("PING");
    assert.match(await lastWords(client, "x".repeat(101)), /too big inline request/);
  },

  async firstLineBytesMax() {
    await using hive = await limited({ firstLineBytesMax: 40 });
    await using web = await hive.resp();
    assert.match(await lastWords(web, "GET / HTTP/1.1\r\nno header\r\n\r\n"), /^HTTP\/1\.1 400/);
    await using long = await hive.resp();
    // Not HTTP any more, but a call of RESP's inline form, which looks too much like HTTP to be answered.
    assert.equal(await lastWords(long, `GET /${"a".repeat(40)} HTTP/1.1\r\n`), "");
    assert.match(hive.notices.at(-1)!, /possible cross-protocol attack/);
  },

  async unauthenticatedArgumentsMax() {
    await using hive = await limited({ unauthenticatedArgumentsMax: 4 }, { strangers: true });
    await using client = await hive.resp();
    assert.match(await lastWords(client, "*5\r\n"), /unauthenticated multibulk length/);
  },

  async unauthenticatedBytesMax() {
    await using hive = await limited({ unauthenticatedBytesMax: 100 }, { strangers: true });
    await using client = await hive.resp();
    assert.match(await lastWords(client, "*2\r\n$4\r\nAUTH\r\n$101\r\n"), /unauthenticated bulk length/);
    await using line = await hive.resp();
    assert.match(await lastWords(line, `"${"x".repeat(101)}`), /too big inline request/);
    await using native = await hive.native(null);
    native.write(Buffer.concat([Buffer.from("\xc1hive\x01\x81\0\0\0\0\0\0\0\x65", "latin1")]));
    assert.equal((await native.goodbye()).code, "FRAME_TOO_BIG");
  },

  async unknownInlineMax() {
    await using hive = await limited({ unknownInlineMax: 2 }, { strangers: true });
    await using client = await hive.resp();
    assert.match(
      await lastWords(client, "one\r\ntwo\r\nPING\r\n"),
      /unknown command 'one'.*unknown command 'two'[^+]*$/s,
    );
    assert.match(hive.notices.at(-1)!, /unknown inline commands: not RESP/);
  },

  async connectionNameBytesMax() {
    await using hive = await limited({ connectionNameBytesMax: 5 });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "CLIENT", "SETNAME", "sixsix"), /connectionNameBytesMax/);
  },

  async watchedKeysMax() {
    await using hive = await limited({ watchedKeysMax: 2 });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "WATCH", "a", "b", "c"), /watchedKeysMax \(2\)/);
  },

  async watchedBytesMax() {
    await using hive = await limited({ watchedBytesMax: 10 });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "WATCH", "k".repeat(11)), /watchedBytesMax \(10\)/);
  },

  async subscriptionsMax() {
    await using hive = await limited({ subscriptionsMax: 2 });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "SUBSCRIBE", "a", "b", "c"), /subscriptionsMax \(2\)/);
  },

  async subscribedBytesMax() {
    await using hive = await limited({ subscribedBytesMax: 10 });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "SUBSCRIBE", "k".repeat(11)), /subscribedBytesMax \(10\)/);
  },

  async subscribedPatternBytesMax() {
    await using hive = await limited({ subscribedPatternBytesMax: 10 });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "PSUBSCRIBE", "k*", "l".repeat(9)), /subscribedPatternBytesMax \(10\)/);
  },

  async channelBytesMax() {
    await using hive = await limited({ channelBytesMax: 30 });
    await using client = await hive.resp();
    for (const command of ["SUBSCRIBE", "SSUBSCRIBE"]) {
      assert.match(await errorOf(client, command, "c".repeat(31)), /31 bytes exceeds channelBytesMax \(30\)/);
    }
    for (const command of ["PUBLISH", "SPUBLISH"]) {
      assert.match(await errorOf(client, command, "c".repeat(31), "x"), /exceeds channelBytesMax/);
    }
    // A notification of a longer name reaches no pattern, and one of a shorter name does.
    await client.call("CONFIG", "SET", "notify-keyspace-events", "K$");
    await using listener = await hive.resp();
    await listener.call("PSUBSCRIBE", "*");
    await client.call("SET", "k".repeat(31), "v");
    await client.call("SET", "k", "v");
    assert.match((await listener.readReply()).bytes.latin1Slice(), /__keyspace@0__:k\r/);
  },

  async subscriberBytesMax() {
    await using hive = await limited({ subscriberBytesMax: 100 });
    await using client = await hive.resp();
    await using publisher = await hive.resp();
    await client.call("SUBSCRIBE", "a");
    await publisher.call("PUBLISH", "a", "x".repeat(101));
    assert.match(
      (await client.readReply()).bytes.latin1Slice(),
      /^-BUSY 1 message was lost: .*subscriberBytesMax \(100\)/,
    );
    await client.closed;
  },

  async trackedKeysMax() {
    await requireOldestToGo({ trackedKeysMax: 2 });
  },

  async trackedBytesMax() {
    await requireOldestToGo({ trackedBytesMax: 300 });
  },

  async trackedPrefixesMax() {
    await using hive = await limited({ trackedPrefixesMax: 1 });
    await using client = await hive.resp();
    const call = ["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a", "PREFIX", "b"];
    assert.match(await errorOf(client, ...call), /trackedPrefixesMax \(1\)/);
  },

  async patternBytesMax() {
    await using hive = await limited({ patternBytesMax: 10 });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "KEYS", "*a".repeat(6)), /exceeds patternBytesMax \(10\)/);
  },

  async blockedCallsMax() {
    await using hive = await limited({ blockedCallsMax: 1 });
    await using waiting = await hive.resp();
    waiting.send(["BLPOP", "a", "0"]);
    await using client = await hive.resp();
    await passed(async () => /blocked_clients:1/.test(String((await client.call("INFO", "clients")).value)));
    assert.match(await errorOf(client, "BLPOP", "a", "0"), /^BUSY blockedCallsMax \(1\)/);
  },

  async blockedKeysMax() {
    await using hive = await limited({ blockedKeysMax: 2 });
    await using client = await hive.resp();
    assert.match(await errorOf(client, "BLPOP", "a", "b", "c", "0"), /blockedKeysMax \(2\)/);
  },

  async sortElementsMax() {
    await using hive = await limited({ sortElementsMax: 3 });
    await using client = await hive.resp();
    await client.call("RPUSH", "l", "3", "1", "2");
    assert.equal((await client.call("SORT", "l", "STORE", "sorted")).value, 3);
    await client.call("RPUSH", "l", "4");
    assert.match(await errorOf(client, "SORT", "l"), /exceeds sortElementsMax \(3\)/);
  },

  async sortBytesMax() {
    await using hive = await limited({ sortBytesMax: 10 });
    await using client = await hive.resp();
    await client.call("SADD", "s", "12345", "123456");
    assert.match(await errorOf(client, "SORT", "s"), /exceeds sortBytesMax \(10\)/);
  },

  async transactionCallsMax() {
    await using hive = await limited({ transactionCallsMax: 2 });
    await using client = await hive.resp();
    for (const words of [["MULTI"], ["PING"], ["PING"]]) await client.call(...words);
    assert.match(await errorOf(client, "PING"), /transactionCallsMax \(2\)/);
    await using native = await hive.native();
    assert.equal(await codeOf(native.transact(["PING"], ["PING"], ["PING"])), "TRANSACTION_TOO_BIG");
  },

  async transactionBytesMax() {
    await using hive = await limited({ transactionBytesMax: 2000 });
    await using client = await hive.resp();
    await client.call("MULTI");
    assert.match(await errorOf(client, "SET", "k", "v".repeat(2000)), /transactionBytesMax \(2000\)/);
  },

  async slowlogEntriesMax() {
    await using hive = await limited({ slowlogEntriesMax: 3 });
    await using client = await hive.resp();
    await client.call("CONFIG", "SET", "slowlog-log-slower-than", "0");
    for (let i = 0; i < 10; i++) await client.call("PING");
    assert.equal((await client.call("SLOWLOG", "LEN")).value, 3);
  },

  async slowlogArgumentsMax() {
    assert.match(await slowest({ slowlogArgumentsMax: 4 }, "DEL", "1", "2", "3", "4", "5"), /3 more arguments/);
  },

  async slowlogArgumentBytesMax() {
    assert.match(await slowest({ slowlogArgumentBytesMax: 10 }, "DEL", "k".repeat(25)), /15 more bytes/);
  },
};

/** What the slow log keeps of a call, as JSON. */
async function slowest(limits: Partial<Limits>, ...words: string[]): Promise<string> {
  await using hive = await limited(limits);
  await using client = await hive.resp();
  await client.call("CONFIG", "SET", "slowlog-log-slower-than", "0");
  await client.call(...words);
  return JSON.stringify((await client.call("SLOWLOG", "GET", "10")).value);
}
