// Quotas of bytes and keys: exact, whoever writes, and a call that would exceed one leaves no trace.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TokenQuotas } from "../../src/engine/token-records.ts";
import { type Token, TokenRegistry } from "../../src/engine/tokens.ts";
import { Random } from "../differential/random.ts";
import { checkStore } from "../kit/store-invariants.ts";
import { startWire, type Wire, type WireClient } from "../kit/wire-calls.ts";

type Setup = Wire & {
  tokens: TokenRegistry;
  admin: WireClient;
  /** A connection of a new token that may read and write everything, and the token. */
  enter: (quotas: TokenQuotas) => { client: WireClient; token: Token };
  usage: (token: Token) => { bytes: number; keys: number };
};

function setup(maxMemoryBytes?: number): Setup {
  const tokens = new TokenRegistry({ single: "the-one-and-only-token" });
  const wire = startWire({ tokens, ...(maxMemoryBytes === undefined ? {} : { store: { maxMemoryBytes } }) });
  const admin = wire.connect();
  admin.call("AUTH", "the-one-and-only-token");
  const enter = (quotas: TokenQuotas): { client: WireClient; token: Token } => {
    const { token: text } = tokens.create({ grants: ["read", "write"], quotas }, 1000);
    const client = wire.connect();
    assert.equal(client.call("AUTH", text), "+OK\r\n");
    return { client, token: tokens.verify(Buffer.from(text), 1000)! };
  };
  return { ...wire, tokens, admin, enter, usage: ({ owner }) => wire.store.memory.totals.of(owner) };
}

test("a string takes its header, owner, name and value of its token's bytes, to the byte", () => {
  const { enter, usage } = setup();
  // 16 header + 8 owner + 1 name + 23 value = 48.
  const { client, token } = enter({ bytes: 48 });
  assert.equal(client.call("SET", "k", "x".repeat(23)), "+OK\r\n");
  assert.deepEqual(usage(token), { bytes: 48, keys: 1 });
  assert.equal(
    client.call("APPEND", "k", "x"),
    "-QUOTA bytes: this call would make 56 of the 48 that this token may have\r\n",
  );
  assert.equal(client.call("STRLEN", "k"), ":23\r\n");
  assert.equal(client.call("SET", "k", "y".repeat(23)), "+OK\r\n", "a replacement counts the difference");
  assert.equal(client.call("SET", "k", "short"), "+OK\r\n");
  assert.equal(
    client.call("SET", "l", ""),
    "-QUOTA bytes: this call would make 64 of the 48 that this token may have\r\n",
  );
  assert.equal(client.call("DEL", "k"), ":1\r\n");
  assert.equal(client.call("SET", "l", "x".repeat(23)), "+OK\r\n", "what was deleted is given back");
});

test("keys are counted: made, renamed, replaced, deleted and run out", () => {
  const { enter, usage, advance } = setup();
  const { client, token } = enter({ keys: 2 });
  assert.equal(client.call("MSET", "a", "1", "b", "2"), "+OK\r\n");
  assert.equal(
    client.call("SADD", "c", "m"),
    "-QUOTA keys: this call would make 3 of the 2 that this token may have\r\n",
  );
  assert.equal(
    client.call("MSET", "a", "9", "c", "3"),
    "-QUOTA keys: this call would make 3 of the 2 that this token may have\r\n",
  );
  assert.equal(client.call("GET", "a"), "$1\r\n1\r\n", "all or none");
  assert.equal(client.call("RENAME", "a", "b"), "+OK\r\n");
  assert.equal(usage(token).keys, 1);
  assert.equal(client.call("SET", "d", "1", "PX", "100"), "+OK\r\n");
  advance(100);
  assert.equal(client.call("SET", "e", "1"), "+OK\r\n", "one that has run out is given back");
  assert.equal(client.call("COPY", "b", "e", "REPLACE"), ":1\r\n");
  assert.equal(usage(token).keys, 2);
});

test("tables and sets count with their fields, packed or not, and no part of a refused call stays", () => {
  const { enter, usage, store, admin } = setup();
  const { client, token } = enter({ bytes: 20_000 });
  const fields = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => [`field ${from + i}`, "x".repeat(50)]).flat();
  assert.equal(client.call("HSET", "t", ...fields(0, 40)), ":40\r\n");
  assert.equal(client.call("HSET", "t", ...fields(40, 100)), ":100\r\n");
  const before = usage(token);
  const whole = contents(client, "t");
  assert.match(client.call("HSET", "t", "field 0", "changed", ...fields(200, 400)), /^-QUOTA bytes: /);
  assert.deepEqual(usage(token), before);
  assert.ok(contents(client, "t") === whole);
  admin.call("SADD", "big", ...Array.from({ length: 2000 }, (_, i) => `member ${i}`));
  assert.match(client.call("SUNIONSTORE", "copy", "big"), /^-QUOTA bytes: /);
  assert.match(client.call("COPY", "big", "copy"), /^-QUOTA bytes: /);
  assert.match(client.call("SUNIONSTORE", "t", "big"), /^-QUOTA bytes: /, "the old value is still there");
  assert.ok(contents(client, "t") === whole);
  assert.equal(client.call("EXISTS", "copy"), ":0\r\n");
  checkStore(store);
  assert.equal(client.call("DEL", "t"), ":1\r\n");
  assert.deepEqual(usage(token), { bytes: 0, keys: 0 });
});

test("a key belongs to who made it: what others add counts for him, and his quota is theirs to keep", () => {
  const { enter, usage, admin } = setup();
  const one = enter({ bytes: 200 });
  const two = enter({ bytes: 10_000 });
  one.client.call("SET", "mine", "x");
  assert.match(
    two.client.call("SET", "mine", "x".repeat(500)),
    /^-QUOTA bytes: a key of this call belongs to a token that may not have more\r\n/,
  );
  assert.equal(two.client.call("SET", "mine", "x".repeat(100)), "+OK\r\n");
  assert.deepEqual([usage(one.token).keys, usage(two.token).keys], [1, 0]);
  admin.call("SET", "mine", "x".repeat(500));
  assert.ok(usage(one.token).bytes > 200, "a token without restrictions is not looked at");
  assert.match(one.client.call("SET", "other", "x"), /^-QUOTA/);
  assert.equal(one.client.call("SET", "mine", "x".repeat(400)), "+OK\r\n", "less than before is always allowed");
  admin.call("SET", "free", "x");
  assert.equal(two.client.call("APPEND", "free", "x".repeat(20_000)), ":20001\r\n", "nobody's key is nobody's quota");
});

test("inside a transaction each call stands or falls by itself", () => {
  const { enter } = setup();
  const { client } = enter({ keys: 1 });
  client.call("MULTI");
  for (const call of [
    ["SET", "a", "1"],
    ["SET", "b", "1"],
    ["INCR", "a"],
  ])
    client.call(...call);
  assert.equal(
    client.call("EXEC"),
    "*3\r\n+OK\r\n-QUOTA keys: this call would make 2 of the 1 that this token may have\r\n:2\r\n",
  );
});

test("a call that fails by itself keeps its error and changes nothing", () => {
  const { enter, usage, store } = setup();
  const { client, token } = enter({ bytes: 1000 });
  client.call("SET", "s", "text");
  const before = usage(token);
  assert.match(client.call("INCR", "s"), /^-ERR value is not an integer/);
  assert.match(client.call("HSET", "s", "f", "v"), /^-WRONGTYPE/);
  assert.deepEqual(usage(token), before);
  checkStore(store);
});

test("a call that memory runs out for in the middle leaves no trace either, and evicting goes on", () => {
  const { enter, usage, store, admin } = setup(4 * 1024 * 1024);
  const { client, token } = enter({ bytes: 100_000_000 });
  let keys = 0;
  while (client.call("SET", `key ${keys}`, "x".repeat(100_000)) === "+OK\r\n") keys++;
  assert.ok(keys > 10, `${keys}`);
  client.call("DEL", "key 0");
  const before = usage(token);
  const fields = Array.from({ length: 2000 }, (_, i) => [`field ${i}`, "x".repeat(200)]).flat();
  assert.match(client.call("HSET", "t", ...fields), /^-OOM/);
  assert.match(client.call("HSET", "key 1", ...fields), /^-WRONGTYPE/);
  assert.deepEqual(usage(token), before);
  assert.equal(client.call("EXISTS", "t"), ":0\r\n");
  checkStore(store);
  assert.equal(admin.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"), "+OK\r\n");
  for (let i = 0; i < 100; i++) assert.equal(client.call("SET", `other ${i}`, "x".repeat(100_000)), "+OK\r\n");
  assert.ok(usage(token).keys < 60, "what is evicted is given back");
  checkStore(store);
});

test("a copy of a large table that is refused is not noted field by field, and leaves nothing", () => {
  const { enter, usage, store, admin } = setup();
  const { client, token } = enter({ bytes: 1_000_000 });
  for (let i = 0; i < 100; i++) {
    admin.call("HSET", "big", ...Array.from({ length: 500 }, (_, j) => [`field ${i} ${j}`, "x"]).flat());
  }
  let notes = 0;
  const change = store.undo.change.bind(store.undo);
  store.undo.change = (...about) => {
    change(...about);
    notes = Math.max(notes, store.undo.size);
  };
  assert.match(client.call("COPY", "big", "mine"), /^-QUOTA bytes: this call would make \d+ of the 1000000/);
  assert.ok(notes < 100, `${notes} notes of 50,000 fields`);
  assert.deepEqual(usage(token), { bytes: 0, keys: 0 });
  assert.equal(client.call("EXISTS", "mine"), ":0\r\n");
  assert.equal(client.call("HLEN", "big"), ":50000\r\n");
  while (store.hasWork) store.work(() => false);
  checkStore(store);
});

test("a quota that is set later counts from then on, and one that is taken away no more", () => {
  const { enter, usage, tokens } = setup();
  const { client, token } = enter({ keys: 5 });
  client.call("SET", "a", "1");
  const change = (quotas: TokenQuotas): void =>
    tokens.replaceAll(
      tokens.records.map((record) => ({ ...record, quotas })),
      tokens.nextOwner,
    );
  change({ keys: 1 });
  assert.match(client.call("SET", "b", "1"), /^-QUOTA/);
  change({});
  assert.equal(client.call("SET", "b", "1"), "+OK\r\n");
  assert.equal(usage(token).keys, 1, "what was made without a quota is nobody's");
});

test("random calls of several tokens: quotas hold, refusals leave no trace, figures are those of the store", () => {
  const seed = Number(process.env["QUOTA_SEED"] ?? Date.now() % 1_000_000_007);
  const random = new Random(seed);
  const { enter, usage, store, admin, advance } = setup();
  const limits = [{ bytes: 3_000, keys: 6 }, { bytes: 900 }, { keys: 4 }];
  const users = limits.map((quotas) => enter(quotas));
  let refused = 0;
  for (let step = 0; step < 3_000; step++) {
    const { client } = random.pick(users);
    const call = draw(random);
    const before = random.chance(0.2) ? dump(admin) : undefined;
    const answer = client.call(...call);
    assert.doesNotMatch(answer, /^-NOPERM/);
    if (answer.startsWith("-QUOTA")) {
      refused++;
      if (before !== undefined) assert.deepEqual(dump(admin), before, `seed ${seed}, step ${step}: ${call.join(" ")}`);
    }
    for (const [index, { token }] of users.entries()) {
      const has = usage(token);
      for (const quota of ["bytes", "keys"] as const) {
        const max = limits[index]![quota] ?? Number.POSITIVE_INFINITY;
        assert.ok(has[quota] <= max, `seed ${seed}, step ${step}: ${has[quota]} ${quota} of ${max}`);
      }
    }
    if (step % 50 === 0) advance(random.below(200));
    if (step % 100 === 0) checkStore(store);
  }
  assert.ok(refused > 20, `seed ${seed}: ${refused} refusals`);
  admin.call("FLUSHALL");
  for (const { token } of users) assert.deepEqual(usage(token), { bytes: 0, keys: 0 });
  checkStore(store);
});

function draw(random: Random): string[] {
  const key = (): string => `key ${random.below(12)}`;
  const value = (): string => "v".repeat(random.below(random.pick([5, 60, 400])));
  const several = (make: () => string[]): string[] => Array.from({ length: random.between(1, 12) }, make).flat();
  return random.pick<() => string[]>([
    () => ["SET", key(), value()],
    () => ["SET", key(), value(), "PX", `${random.between(1, 300)}`],
    () => ["APPEND", key(), value()],
    () => ["MSET", ...several(() => [key(), value()])],
    () => ["HSET", key(), ...several(() => [`f${random.below(90)}`, value()])],
    () => ["HSET", key(), ...several(() => [`f${random.below(90)}`, value()])],
    () => ["SADD", key(), ...several(() => [value()])],
    () => ["HDEL", key(), `f${random.below(90)}`],
    () => ["SMOVE", key(), key(), value()],
    () => ["SUNIONSTORE", key(), key(), key()],
    () => ["COPY", key(), key(), "REPLACE"],
    () => ["RENAME", key(), key()],
    () => ["DEL", key(), key()],
    () => ["PEXPIRE", key(), `${random.between(1, 300)}`],
    () => ["HPEXPIRE", key(), `${random.between(1, 300)}`, "FIELDS", "1", `f${random.below(90)}`],
    () => ["SETRANGE", key(), `${random.below(500)}`, value()],
    () => ["GETDEL", key()],
  ])();
}

/** What is in every key, its deadline too. */
function dump(admin: WireClient): string[] {
  return Array.from({ length: 12 }, (_, i) => {
    const key = `key ${i}`;
    return [admin.call("TYPE", key), contents(admin, key), admin.call("PEXPIRETIME", key)].join();
  });
}

function contents(admin: WireClient, key: string): string {
  const type = admin.call("TYPE", key);
  if (type === "+string\r\n") return admin.call("GET", key);
  const all = type === "+hash\r\n" ? admin.call("HGETALL", key) : admin.call("SMEMBERS", key);
  return all.split("\r\n").toSorted().join(" ");
}
