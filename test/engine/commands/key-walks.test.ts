// All keys: patterns, cursors while keys come and go, picks, flushing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../../../src/wire/value.ts";
import { type Calls, startCalls } from "../../kit/calls.ts";

function scanAll({ call }: Calls, options: readonly string[], between: () => void = () => {}): string[] {
  const found: string[] = [];
  let cursor = "0";
  do {
    const [next, page] = call("SCAN", cursor, ...options) as [string, string[]];
    found.push(...page);
    cursor = next;
    between();
  } while (cursor !== "0");
  return found;
}

test("KEYS lists what matches, and nothing that has run out", () => {
  const { call, store } = startCalls();
  call("MSET", "one", "1", "two", "2", "three", "3", "", "4");
  assert.deepEqual((call("KEYS", "t*") as string[]).sort(), ["three", "two"]);
  assert.deepEqual((call("KEYS", "*") as string[]).sort(), ["", "one", "three", "two"]);
  assert.deepEqual(call("KEYS", "[o]?e"), ["one"]);
  call("PEXPIRE", "two", "5");
  store.memory.nowMs += 5;
  assert.deepEqual(call("KEYS", "t*"), ["three"]);
  assert.equal((call("SCAN", "0", "COUNT", "100") as [string, string[]])[1].length, 3);
});

test("SCAN with MATCH, COUNT and TYPE", () => {
  const calls = startCalls();
  for (let i = 0; i < 500; i++) calls.call("SET", `k${i}`, "v");
  for (let i = 0; i < 20; i++) calls.call("SADD", `s${i}`, "m");
  assert.equal(new Set(scanAll(calls, [])).size, 520);
  assert.equal(new Set(scanAll(calls, ["COUNT", "1"])).size, 520);
  assert.equal(scanAll(calls, ["MATCH", "k1*", "COUNT", "50"]).length, 111);
  assert.equal(scanAll(calls, ["type", "SET", "count", "100000"]).length, 20);
  assert.equal(scanAll(calls, ["TYPE", "nosuch"]).length, 0);
});

test("what is there from the first page to the last is found, while the keyspace grows and shrinks", () => {
  const calls = startCalls();
  const { call } = calls;
  for (let i = 0; i < 300; i++) call("SET", `stay${i}`, "v");
  let next = 0;
  const grown = scanAll(calls, ["COUNT", "5"], () => {
    for (let i = 0; i < 100; i++) call("SET", `come${next++}`, "v");
    if (next > 4000) for (let i = 0; i < 300; i++) call("DEL", `come${--next}`);
  });
  for (let i = 0; i < 300; i++) assert.ok(grown.includes(`stay${i}`), `stay${i} while growing`);
  const shrunk = scanAll(calls, ["COUNT", "5"], () => {
    for (let i = 0; i < 50 && next > 0; i++) call("DEL", `come${--next}`);
  });
  for (let i = 0; i < 300; i++) assert.ok(shrunk.includes(`stay${i}`), `stay${i} while shrinking`);
});

test("any number is a cursor, and what is none is refused", () => {
  const { call } = startCalls();
  call("SET", "k", "v");
  for (const cursor of ["", "1", "+5", "-1", "00", "4294967296", "18446744073709551615", "1\0x"]) {
    assert.ok(Array.isArray(call("SCAN", cursor)), JSON.stringify(cursor));
  }
  for (const cursor of ["abc", "1.5", " 0", "0 ", "-", "+", "18446744073709551616"]) {
    assert.equal(call("SCAN", cursor), "-ERR invalid cursor", JSON.stringify(cursor));
  }
  assert.equal(call("SCAN", "0", "COUNT", "0"), "-ERR syntax error");
  assert.equal(call("SCAN", "0", "NOVALUES"), "-ERR NOVALUES option can only be used in HSCAN");
  assert.equal(call("SCAN", "0", "COUNT", "x"), "-ERR value is not an integer or out of range");
  for (const options of [["COUNT"], ["MATCH"], ["FOO", "1"], ["MATCH", "*", "TYPE"]]) {
    assert.equal(call("SCAN", "0", ...options), "-ERR syntax error", options.join(" "));
  }
});

test("a key is text or bytes: a value is refused wherever a key stands", () => {
  const { call } = startCalls();
  const value = { bytes: encode(1815), kind: 3 };
  const refused = "-ERR a key is text or bytes, not a value";
  assert.equal(call("SET", value, "v"), refused);
  assert.equal(call("MSET", "k", "v", value, "v"), refused);
  assert.equal(call("RENAME", "k", value), refused);
  assert.equal(call("SINTERCARD", "2", "k", value), refused);
  assert.deepEqual(call("KEYS", "*"), []);
});

test("RANDOMKEY gives every key its turn", () => {
  const { call } = startCalls();
  assert.equal(call("RANDOMKEY"), null);
  call("MSET", "a", "1", "b", "1", "c", "1");
  const seen = new Set(Array.from({ length: 200 }, () => call("RANDOMKEY")));
  assert.deepEqual([...seen].sort(), ["a", "b", "c"]);
});

test("RANDOMKEY answers none that has run out, however many of those there are", () => {
  const { call, store } = startCalls();
  store.activeExpiry = false;
  for (let i = 0; i < 500; i++) call("SET", `k${i}`, "v", "PX", "10");
  call("SET", "stays", "v");
  store.setNow(store.nowMs + 10);
  for (let i = 0; i < 20; i++) assert.equal(call("RANDOMKEY"), "stays");
});

test("FLUSHALL and FLUSHDB empty the hive at once", () => {
  const { call, store } = startCalls();
  for (const flush of [["FLUSHALL"], ["FLUSHDB", "ASYNC"], ["flushall", "sync"]]) {
    call("SET", "k", "v");
    call("HSET", "t", "f", "v");
    assert.equal(call(...flush), "OK");
    assert.equal(call("DBSIZE"), 0);
    assert.equal(store.memory.totals.entryBytes, 0);
  }
  assert.equal(call("FLUSHALL", "NOW"), "-ERR syntax error");
  assert.equal(call("FLUSHDB", "SYNC", "SYNC"), "-ERR syntax error");
});
