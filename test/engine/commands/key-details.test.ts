// OBJECT and MEMORY: the words and figures that clients and tools ask for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../../../src/wire/value.ts";
import { type Calls, startCalls } from "../../kit/calls.ts";

function encodingOf({ call }: Calls, ...filling: string[]): unknown {
  call("DEL", "k");
  call(filling[0]!, "k", ...filling.slice(1));
  return call("OBJECT", "ENCODING", "k");
}

test("OBJECT ENCODING says what Redis would by its default thresholds", () => {
  const calls = startCalls();
  const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);
  const pairs = (count: number): string[] => numbers(count).flatMap((text) => [text, text]);
  assert.equal(encodingOf(calls, "SET", "123"), "int");
  assert.equal(encodingOf(calls, "SET", "-9223372036854775808"), "int");
  assert.equal(encodingOf(calls, "SET", "9223372036854775808"), "embstr");
  assert.equal(encodingOf(calls, "SET", "01"), "embstr");
  assert.equal(encodingOf(calls, "SET", "v".repeat(44)), "embstr");
  assert.equal(encodingOf(calls, "SET", "v".repeat(45)), "raw");
  assert.equal(encodingOf(calls, "HSET", "f", "v".repeat(64)), "listpack");
  assert.equal(encodingOf(calls, "HSET", "f", "v".repeat(65)), "hashtable");
  assert.equal(encodingOf(calls, "HSET", ...pairs(128)), "listpack");
  assert.equal(encodingOf(calls, "HSET", ...pairs(129)), "hashtable");
  assert.equal(encodingOf(calls, "SADD", ...numbers(512)), "intset");
  assert.equal(encodingOf(calls, "SADD", ...numbers(513)), "hashtable");
  assert.equal(encodingOf(calls, "SADD", "a", "1"), "listpack");
  assert.equal(encodingOf(calls, "SADD", "v".repeat(65)), "hashtable");
  calls.call("SET", "value", { bytes: encode(7), kind: 3 });
  assert.equal(calls.call("OBJECT", "ENCODING", "value"), "int");
  calls.call("HEXPIRE", "t", "10", "FIELDS", "1", "f");
  assert.equal(calls.call("OBJECT", "ENCODING", "none"), null);
});

test("OBJECT IDLETIME counts the seconds since the last access, and is none itself", () => {
  const { call, advance } = startCalls();
  call("SET", "k", "v");
  advance(3000);
  assert.equal(call("OBJECT", "IDLETIME", "k"), 3);
  assert.equal(call("OBJECT", "IDLETIME", "k"), 3);
  call("TOUCH", "k");
  assert.equal(call("OBJECT", "IDLETIME", "k"), 0);
  assert.equal(call("OBJECT", "IDLETIME", "none"), null);
  assert.match(String(call("OBJECT", "FREQ", "k")), /^-ERR An LFU maxmemory policy is not selected/);
});

test("OBJECT FREQ counts under an LFU policy", () => {
  const { call, store } = startCalls({ maxMemoryBytes: 2 ** 30, maxMemoryPolicy: "allkeys-lfu" });
  call("SET", "k", "v");
  assert.equal(typeof call("OBJECT", "FREQ", "k"), "number");
  assert.match(String(call("OBJECT", "IDLETIME", "k")), /^-ERR An LFU maxmemory policy is selected/);
  const payload = Buffer.from(call("DUMP", "k") as string, "latin1");
  call("RESTORE", "restored", "0", payload, "FREQ", "200");
  assert.equal(call("OBJECT", "FREQ", "restored"), 200);
  assert.equal(store.eviction.policy, "allkeys-lfu");
});

test("OBJECT REFCOUNT, and what is no subcommand", () => {
  const { call } = startCalls();
  call("SET", "k", "v");
  assert.equal(call("OBJECT", "REFCOUNT", "k"), 1);
  assert.equal(call("OBJECT", "REFCOUNT", "none"), null);
  assert.equal(call("OBJECT"), "-ERR wrong number of arguments for 'object' command");
  assert.equal(call("OBJECT", "FREQ"), "-ERR wrong number of arguments for 'object|freq' command");
  assert.match(String(call("OBJECT", "NOSUCH")), /^-ERR unknown subcommand 'NOSUCH'/);
  assert.ok((call("OBJECT", "HELP") as string[]).includes("ENCODING key"));
});

test("MEMORY USAGE grows with what a key holds", () => {
  const { call } = startCalls();
  call("SET", "k", "v");
  const small = call("MEMORY", "USAGE", "k") as number;
  call("SET", "k", "v".repeat(10_000));
  assert.ok((call("MEMORY", "USAGE", "k", "SAMPLES", "0") as number) > small + 9_000);
  for (let i = 0; i < 1000; i++) call("HSET", "t", `f${i}`, "v".repeat(20));
  const bytes = call("MEMORY", "USAGE", "t") as number;
  assert.ok(bytes > 40_000 && bytes < 100_000, `${bytes}`);
  assert.equal(call("MEMORY", "USAGE", "none"), null);
  assert.equal(call("MEMORY", "USAGE", "k", "SAMPLES"), "-ERR syntax error");
  assert.equal(call("MEMORY", "USAGE", "k", "SAMPLES", "-1"), "-ERR syntax error");
  assert.equal(call("MEMORY", "USAGE", "k", "SAMPLES", "x"), "-ERR value is not an integer or out of range");
});

test("MEMORY STATS, DOCTOR, PURGE and HELP answer", () => {
  const { call } = startCalls();
  call("SET", "k", "v");
  const stats = call("MEMORY", "STATS") as (string | number)[];
  assert.equal(stats[stats.indexOf("keys.count") + 1], 1);
  assert.equal(call("MEMORY", "DOCTOR"), "No memory issue was found.");
  assert.equal(call("MEMORY", "PURGE"), "OK");
  assert.ok((call("MEMORY", "HELP") as string[]).includes("USAGE key [SAMPLES count]"));
});
