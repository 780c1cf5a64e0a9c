// test/differential/tester.test.ts
// The tester tested: two copies of Redis never differ for it, and every lie of a server is found.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Args } from "./draw.ts";
import { describe } from "./findings.ts";
import { Generator } from "./generator.ts";
import { type Lie, startLiar } from "./liar.ts";
import { minimise } from "./minimiser.ts";
import { families } from "./rule.ts";
import { run } from "./run.ts";
import type { Group } from "./scenario.ts";
import { startReference, whyNoReference } from "./servers.ts";

const skip = await whyNoReference();
const SEED = 20_260_728;

test("two copies of Redis agree in every family, in RESP2 and RESP3, at every depth of pipelining", {
  skip,
}, async () => {
  await using one = await startReference();
  await using two = await startReference();
  for (const seed of [SEED, SEED + 1, SEED + 2, SEED + 7]) {
    const result = await run({ theirs: one.address, ours: two.address, seed, count: 3000, families });
    assert.deepEqual(result.findings.all.map(describe), [], `seed ${seed}`);
  }
});

/** A way to answer wrongly, and the mismatch by which it must be found. */
const lies: Readonly<Record<string, { lie: Lie; found: RegExp }>> = {
  "a word of an error": {
    lie: (reply) =>
      reply.replace("-WRONGTYPE Operation against a key holding", "-WRONGTYPE Operation on a key holding"),
    found: /: -WRONGTYPE Operation against .* against -WRONGTYPE Operation on/,
  },
  "a success instead of an error": {
    lie: (reply) => (reply.startsWith("-ERR value is not an integer") ? "+OK\r\n" : reply),
    found: /-ERR value is not an integer or out of range against \+OK/,
  },
  "an integer one too high": { lie: (reply) => (reply === ":2\r\n" ? ":3\r\n" : reply), found: /: other integer/ },
  "an empty text for null": {
    lie: (reply) => (/^(\$-1|_)\r\n$/.test(reply) ? "$0\r\n\r\n" : reply),
    found: /: (\$-1|_) \(null\) against bulk/,
  },
  "a value with one bit flipped": {
    lie: (reply) => reply.replace(/^\$6\r\nvalue/, "$6\r\nwalue"),
    found: /^(GET|GETSET|SET|GETEX|GETDEL|HGET|ECHO|PING|HRANDFIELD|EXEC): other bulk/,
  },
  "a member that is missing from a set": {
    lie: (reply) => reply.replace(/^([*~])5\r\n(?:\$\d+\r\n[^\r]*\r\n)(?=\$)/, "$14\r\n"),
    found: /^(SMEMBERS|SINTER|SUNION|SDIFF|HKEYS|HVALS|KEYS): other (array|set)/,
  },
  "a member twice": {
    lie: (reply) => reply.replace(/^([*~])3\r\n(\$\d+\r\n[^\r]*\r\n)\$\d+\r\n[^\r]*\r\n/, "$13\r\n$2$2"),
    found: /^(SMEMBERS|SINTER|SUNION|SDIFF|SRANDMEMBER|HRANDFIELD|SPOP|KEYS|HKEYS|MGET|HMGET): other (array|set)/,
  },
  // Two equal elements in a row are mostly random picks that may repeat, or values.
  "random picks among which one is no member": {
    lie: (reply) => reply.replace(/^(\*\d+\r\n(?:\$.*\r\n.*\r\n)*?)(\$\d+\r\n.*\r\n)\2/, "$1$2$$3\r\nno!\r\n"),
    found: /^(SRANDMEMBER|HRANDFIELD|ZRANDMEMBER|MGET|HMGET|LRANGE): other array/,
  },
  "another type of key": {
    lie: (reply) => reply.replace("+hash\r\n", "+table\r\n"),
    found: /^TYPE: (in EXEC, )?\+hash against \+table/,
  },
  "an expiry in the wrong unit": {
    lie: (reply) => reply.replace(/^:(\d{5,9})\r\n$/, ":$1000\r\n"),
    found: /^(TTL|EXPIRETIME): other integer/,
  },
  "an array for a map": {
    lie: (reply) => reply.replace(/^%(\d)\r\n/, (_, count) => `*${2 * Number(count)}\r\n`),
    found: /: map against array/,
  },
  "another order in a list of values": {
    lie: (reply) => reply.replace(/^(\*\d\r\n)(\$\d+\r\n[^\r]*\r\n)(\$\d+\r\n[^\r]*\r\n)/, "$1$3$2"),
    found: /^(MGET|HMGET): other array/,
  },
  "a transaction that was not aborted": {
    lie: (reply) => (/^(\*-1|_)\r\n$/.test(reply) ? "*0\r\n" : reply),
    found: /^EXEC: (\*-1|_) \(null\) against array/,
  },
  "a reply that never comes": { lie: (reply, index) => (index % 900 === 899 ? "" : reply), found: /^\(replies\)|: / },
  "a reply that comes twice": {
    lie: (reply, index) => (index % 900 === 899 ? reply + reply : reply),
    found: /^\(replies\)|: /,
  },
  "a connection that closes": {
    lie: (reply, index) => (index % 900 === 899 ? undefined : reply),
    found: /hive closed the connection/,
  },
  "bytes that are no reply": {
    lie: (reply, index) => (index % 900 === 899 ? `?${reply}` : reply),
    found: /hive broken frame/,
  },
};

test("every server that lies is found out", { skip }, async (context) => {
  await using one = await startReference();
  await using two = await startReference();
  for (const [name, { lie, found }] of Object.entries(lies)) {
    await context.test(name, async () => {
      await using liar = await startLiar(two.address, lie);
      const ours = { host: "127.0.0.1", port: liar.port };
      const result = await run({ theirs: one.address, ours, seed: SEED, count: 4000, families });
      const classes = result.findings.all.map(({ name, kind }) => `${name}: ${kind}`);
      assert.ok(
        classes.some((text) => found.test(text)),
        `expected ${found}, found ${classes.join("\n")}`,
      );
    });
  }
});

test("a mismatch is brought down to the commands that cause it", { skip }, async () => {
  await using one = await startReference();
  await using two = await startReference();
  await using liar = await startLiar(two.address, (reply) => reply.replace("+hash\r\n", "+table\r\n"));
  const servers = { theirs: one.address, ours: { host: "127.0.0.1", port: liar.port } };
  let groups: readonly Group[] = [];
  const result = await run({
    ...servers,
    seed: SEED,
    count: 3000,
    families,
    onFinding: (_, sent) => (groups = sent.slice()),
  });
  const [finding] = result.findings.all;
  assert.ok(finding !== undefined && groups.length > 100);

  const minimal = await minimise(finding, { ...servers, groups });
  assert.ok(minimal.length <= 4, minimal.join("\n"));
  assert.match(minimal.at(-1) ?? "", /^type /i);
});

test("a seed stands for one stream, and another seed for another", () => {
  const stream = (seed: number): string => {
    const generator = new Generator({ seed, families });
    return JSON.stringify(Array.from({ length: 2000 }, () => generator.next()));
  };
  assert.equal(stream(SEED), stream(SEED));
  assert.notEqual(stream(SEED), stream(SEED + 1));
});

test("no command of the stream sets an expiry that could run out while it is tested", () => {
  const generator = new Generator({ seed: SEED, families });
  for (let count = 0; count < 100_000; count++) {
    const group = generator.next();
    for (const args of "commands" in group ? group.commands : []) {
      for (const text of expiriesIn(args))
        assert.ok(!/^\d+$/.test(text) || text.length >= 6 || Number(text) === 0, args.join(" "));
    }
  }
});

/** The relative expiries that a command sets. */
function expiriesIn(args: Args): string[] {
  const name = (args[0] ?? "").toUpperCase();
  if (/^P?(EXPIRE|SETEX)$/.test(name)) return args.slice(2, 3);
  if (name !== "SET" && name !== "GETEX") return [];
  return args.filter((_, index) => index > (name === "SET" ? 3 : 2) && /^[EP]X$/i.test(args[index - 1] ?? ""));
}
