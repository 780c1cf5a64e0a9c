// Copies: COPY, and DUMP with RESTORE, of every type, kind and size; what is broken is refused whole.

import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { TYPE_SET, TYPE_STRING, TYPE_TABLE } from "../../../src/store/layout.ts";
import { encode } from "../../../src/wire/value.ts";
import { type Calls, startCalls } from "../../kit/calls.ts";

const BAD_FORMAT = "-ERR Bad data format";
const BAD_CHECKSUM = "-ERR DUMP payload version or checksum are wrong";

/** Everything that can be kept: under a name each, with what shows that it is there. */
function fill({ call }: Calls): void {
  call("SET", "empty", "");
  call("SET", "raw", Buffer.from([0, 255, 13, 10]));
  call("SET", "value", { bytes: encode({ list: [1, 2n ** 70n, new Date(0)] }), kind: 3 });
  call("HSET", "table", "f", "v", "", "", { bytes: encode(7), kind: 3 }, { bytes: encode([true]), kind: 3 });
  for (let i = 0; i < 2000; i++) call("HSET", "big table", `f${i}`, `${i}`);
  call("HSET", "short lived", "stays", "1", "goes", "2");
  call("HPEXPIRE", "short lived", "5000", "FIELDS", "1", "goes");
  call("SADD", "set", "m", "", { bytes: encode(1), kind: 3 });
  for (let i = 0; i < 2000; i++) call("SADD", "big set", `m${i}`);
}

const NAMES = ["empty", "raw", "value", "table", "big table", "short lived", "set", "big set"];

/** What a key holds, in an order that is the same for equal contents. */
function contents({ call }: Calls, key: string): unknown {
  if (call("TYPE", key) === "string") return call("GET", key);
  if (call("TYPE", key) === "set") return (call("SMEMBERS", key) as string[]).sort();
  const flat = call("HGETALL", key) as string[];
  const pairs = flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : []));
  const deadlines = pairs.map(([name]) => call("HPEXPIRETIME", key, "FIELDS", "1", name!));
  return pairs.map((pair, i) => JSON.stringify([pair, deadlines[i]])).sort();
}

/** Bytes of a payload with the right footer. */
function sealed(body: Uint8Array): Buffer {
  const payload = Buffer.alloc(body.length + 6);
  payload.set(body);
  payload.writeUInt16LE(1, body.length);
  payload.writeUInt32LE(crc32(payload.subarray(0, body.length + 2)), body.length + 2);
  return payload;
}

function field(kinds: number, name: string, value?: string): Buffer {
  const length = (text: string): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(Buffer.byteLength(text));
    return bytes;
  };
  const parts = [Buffer.from([kinds]), length(name), Buffer.from(name)];
  return Buffer.concat(value === undefined ? parts : [...parts, length(value), Buffer.from(value)]);
}

test("COPY makes an independent copy of every type", () => {
  const calls = startCalls();
  const { call } = calls;
  fill(calls);
  for (const name of NAMES) {
    assert.equal(call("COPY", name, "copy"), 1, name);
    assert.deepEqual(contents(calls, "copy"), contents(calls, name), name);
    const before = contents(calls, name);
    call("DEL", "copy");
    assert.deepEqual(contents(calls, name), before, name);
  }
});

test("COPY leaves what is there unless told to replace it, and takes the deadline", () => {
  const calls = startCalls();
  const { call, store } = calls;
  fill(calls);
  call("EXPIRE", "table", "100");
  call("SET", "taken", "x");
  for (const name of ["raw", "table", "big set"]) {
    assert.equal(call("COPY", name, "taken"), name === "raw" ? 0 : 0);
    assert.equal(call("COPY", name, "taken", "REPLACE"), 1);
    assert.deepEqual(contents(calls, "taken"), contents(calls, name));
    assert.equal(call("TTL", "taken"), call("TTL", name));
  }
  const bytes = store.memory.totals.entryBytes;
  call("COPY", "big set", "again");
  call("DEL", "again");
  assert.equal(store.memory.totals.entryBytes, bytes);
  assert.equal(call("DBSIZE"), NAMES.length + 1, "nothing is left of the building of it");
});

test("COPY's errors", () => {
  const { call } = startCalls();
  call("SET", "k", "v");
  assert.equal(call("COPY", "none", "c"), 0);
  assert.equal(call("COPY", "k", "k"), "-ERR source and destination objects are the same");
  assert.equal(call("COPY", "k", "c", "DB"), "-ERR syntax error");
  assert.equal(call("COPY", "k", "c", "DB", "99"), "-ERR DB index is out of range");
  assert.equal(call("COPY", "k", "c", "DB", "x"), "-ERR value is not an integer or out of range");
  assert.equal(
    call("COPY", "k", "c", "DB", "99999999999"),
    "-ERR value is out of range, value must between -2147483648 and 2147483647",
  );
  assert.equal(call("COPY", "k", "c", "DB", "0", "replace"), 1);
});

test("DUMP and RESTORE give back every type, kind and deadline", () => {
  const calls = startCalls();
  const { call } = calls;
  fill(calls);
  for (const name of NAMES) {
    const payload = Buffer.from(call("DUMP", name) as string, "latin1");
    assert.equal(call("RESTORE", "copy", "0", payload), "OK", name);
    assert.deepEqual(contents(calls, "copy"), contents(calls, name), name);
    assert.deepEqual(call("DUMP", "copy"), call("COPY", "copy", "twin") && call("DUMP", "twin"));
    call("DEL", "copy", "twin");
  }
  assert.equal(call("DUMP", "none"), null);
});

test("RESTORE with a deadline, from now or from 1970", () => {
  const { call, store } = startCalls();
  call("SET", "k", "v");
  const payload = Buffer.from(call("DUMP", "k") as string, "latin1");
  assert.equal(call("RESTORE", "a", "5000", payload), "OK");
  assert.equal(call("PTTL", "a"), 5000);
  assert.equal(call("RESTORE", "a", `${store.nowMs + 10}`, payload, "REPLACE", "ABSTTL"), "OK");
  assert.equal(call("PTTL", "a"), 10);
  assert.equal(call("RESTORE", "a", "1", payload, "ABSTTL", "REPLACE"), "OK");
  assert.equal(call("EXISTS", "a"), 0, "it has run out already");
  assert.equal(call("RESTORE", "a", "9223372036854775807", payload), "OK");
  assert.equal(call("EXISTS", "a"), 0);
});

test("RESTORE drops fields that have run out, and the key with the last one", () => {
  const calls = startCalls();
  const { call, advance } = calls;
  fill(calls);
  const payload = Buffer.from(call("DUMP", "short lived") as string, "latin1");
  advance(5000);
  assert.equal(call("RESTORE", "copy", "0", payload), "OK");
  assert.deepEqual(call("HGETALL", "copy"), ["stays", "1"]);
  call("HSET", "t", "f", "v");
  call("HPEXPIRE", "t", "10", "FIELDS", "1", "f");
  const last = Buffer.from(call("DUMP", "t") as string, "latin1");
  advance(10);
  assert.equal(call("RESTORE", "copy", "0", last, "REPLACE"), "OK");
  assert.equal(call("EXISTS", "copy"), 0);
});

test("RESTORE's options and errors, in Redis's order", () => {
  const { call, advance } = startCalls();
  call("SET", "k", "v");
  const payload = Buffer.from(call("DUMP", "k") as string, "latin1");
  assert.equal(call("RESTORE", "k", "x", "junk", "FOO"), "-ERR syntax error");
  assert.equal(call("RESTORE", "k", "x", "junk"), "-BUSYKEY Target key name already exists.");
  assert.equal(call("RESTORE", "k", "x", "junk", "REPLACE"), "-ERR value is not an integer or out of range");
  assert.equal(call("RESTORE", "k", "-1", "junk", "REPLACE"), "-ERR Invalid TTL value, must be >= 0");
  assert.equal(call("RESTORE", "k", "0", "junk", "REPLACE"), BAD_CHECKSUM);
  assert.equal(call("RESTORE", "a", "0", payload, "IDLETIME", "-1"), "-ERR Invalid IDLETIME value, must be >= 0");
  assert.equal(call("RESTORE", "a", "0", payload, "FREQ", "256"), "-ERR Invalid FREQ value, must be >= 0 and <= 255");
  assert.equal(call("RESTORE", "a", "0", payload, "FREQ", "1", "IDLETIME", "1"), "-ERR syntax error");
  assert.equal(call("RESTORE", "a", "0", payload, "IDLETIME", "1000"), "OK");
  assert.equal(call("OBJECT", "IDLETIME", "a"), 1000);
  advance(2000);
  assert.equal(call("OBJECT", "IDLETIME", "a"), 1002);
});

test("a payload that was changed anywhere is refused", () => {
  const calls = startCalls();
  const { call } = calls;
  call("HSET", "t", "f", "v", "g", "w");
  const payload = Buffer.from(call("DUMP", "t") as string, "latin1");
  for (let at = 0; at < payload.length; at++) {
    const spoilt = Buffer.from(payload);
    spoilt[at]! ^= 1;
    assert.equal(call("RESTORE", "copy", "0", spoilt), BAD_CHECKSUM, `byte ${at}`);
    assert.equal(call("RESTORE", "copy", "0", payload.subarray(0, at)), BAD_CHECKSUM, `${at} bytes`);
  }
  assert.equal(call("EXISTS", "copy"), 0);
});

test("a made payload with a right checksum is refused whole", () => {
  const { call, store } = startCalls();
  call("SET", "copy", "before");
  const head = (type: number, count: number): Buffer => {
    const bytes = Buffer.from([type, 0, 0, 0, 0]);
    bytes.writeUInt32LE(count, 1);
    return bytes;
  };
  const bodies: Record<string, Buffer> = {
    "no type": Buffer.from([9, 0, 0, 0, 0, 0]),
    "an empty table": head(TYPE_TABLE, 0),
    "fewer fields than said": Buffer.concat([head(TYPE_TABLE, 2), field(0, "f", "v")]),
    "more fields than said": Buffer.concat([head(TYPE_TABLE, 1), field(0, "f", "v"), field(0, "g", "v")]),
    "a field twice": Buffer.concat([head(TYPE_TABLE, 2), field(0, "f", "v"), field(0, "f", "w")]),
    "a member twice": Buffer.concat([head(TYPE_SET, 2), field(0, "f"), field(0, "f")]),
    "a member with a kind of value": Buffer.concat([head(TYPE_SET, 1), field(4, "f")]),
    "an unknown flag": Buffer.concat([head(TYPE_SET, 1), field(32, "f")]),
    "a value that is none": Buffer.concat([head(TYPE_TABLE, 1), field(3 << 2, "f", "\x01\x02")]),
    "a name that is no scalar": Buffer.concat([head(TYPE_SET, 1), field(3, "\x90")]),
    "text that is no UTF-8": Buffer.concat([Buffer.from([TYPE_STRING, 1, 1, 0, 0, 0]), Buffer.from([0xff])]),
    "an unknown kind": Buffer.from([TYPE_STRING, 4, 0, 0, 0, 0]),
    "a string shorter than said": Buffer.from([TYPE_STRING, 0, 9, 0, 0, 0, 65]),
    "a name beyond the end": Buffer.concat([head(TYPE_SET, 1), Buffer.from([0, 255, 255, 255, 255, 65])]),
    "a deadline that is no number": Buffer.concat([
      head(TYPE_SET, 1),
      field(16, "f"),
      Buffer.from([0, 0, 0, 0, 0, 0, 0xf8, 0x7f]),
    ]),
    "something behind": Buffer.concat([head(TYPE_SET, 1), field(0, "f"), Buffer.from([0])]),
  };
  const { entryBytes } = store.memory.totals;
  for (const [what, body] of Object.entries(bodies)) {
    assert.equal(call("RESTORE", "copy", "0", sealed(body), "REPLACE"), BAD_FORMAT, what);
    assert.equal(call("GET", "copy"), "before", what);
    assert.equal(call("DBSIZE"), 1, what);
    assert.equal(store.memory.totals.entryBytes, entryBytes, what);
  }
});

test("no payload of noise is taken or does harm", () => {
  const { call } = startCalls();
  let seed = 3;
  const random = (below: number): number => (seed = (seed * 48271) % 0x7fffffff) % below;
  for (let round = 0; round < 3000; round++) {
    const body = Buffer.from(Array.from({ length: random(40) }, (_, i) => (i === 0 ? 1 + random(3) : random(8))));
    const answer = call("RESTORE", "copy", "0", sealed(body), "REPLACE");
    assert.ok(answer === "OK" || answer === BAD_FORMAT || answer === BAD_CHECKSUM, String(answer));
    if (answer === "OK") assert.equal(call("RESTORE", "again", "0", sealed(body), "REPLACE"), "OK");
  }
});

test("when memory runs out in the middle of a copy, all is as it was", () => {
  const { call, store } = startCalls({ maxMemoryBytes: 3 * 1024 * 1024 });
  let fields = 0;
  while (store.memory.totals.entryBytes < 1_700_000 && fields < 100_000)
    call("HSET", "t", `f${fields++}`, "v".repeat(50));
  call("SADD", "taken", "m");
  const { entryBytes } = store.memory.totals;
  assert.match(String(call("COPY", "t", "taken", "REPLACE")), /^-OOM/);
  assert.deepEqual(call("SMEMBERS", "taken"), ["m"]);
  assert.equal(call("HLEN", "t"), fields);
  assert.equal(call("DBSIZE"), 2);
  assert.equal(store.memory.totals.entryBytes, entryBytes);
});

test("COPY of a table whose fields have all run out makes no key", () => {
  const calls = startCalls({});
  const { call, store } = calls;
  store.activeExpiry = false;
  for (const replaces of [false, true]) {
    call("HSET", "from", "a", "1", "b", "2");
    call("HPEXPIRE", "from", "10", "FIELDS", "2", "a", "b");
    store.setNow(store.nowMs + 100);
    assert.equal(call("COPY", "from", "to", ...(replaces ? ["REPLACE"] : [])), 0);
    assert.equal(call("EXISTS", "to"), 0);
  }
});
