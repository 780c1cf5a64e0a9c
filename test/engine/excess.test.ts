// Excess: calls that ask for far too much fail as a whole, soon, and take nothing with them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { type Limits, limitsWith } from "../../src/base/limits.ts";
import { RespDoor } from "../../src/doors/resp/door.ts";
import { Args } from "../../src/engine/args.ts";
import type { Context, Peer } from "../../src/engine/context.ts";
import { DelayedEngine } from "../../src/engine/delayed-engine.ts";
import { LocalEngine } from "../../src/engine/local-engine.ts";
import { Store } from "../../src/store/store.ts";
import { RespWriter } from "../../src/wire/resp-writer.ts";
import { ScriptedTransport } from "../kit/scripted-transport.ts";

const SMALL: Partial<Limits> = { valueBytesMax: 100_000, outputBytesMax: 200_000, outputSoftBytesMax: 100_000 };
const PEER: Peer = {
  door: "resp",
  ordered: true,
  address: "",
  localAddress: "",
  inputBytes: 0,
  outputBytes: 0,
  close() {},
};

type Setup = {
  clock: ManualClock;
  engine: LocalEngine;
  context: Context;
  limits: Limits;
  call: (...words: string[]) => string;
};

function setup(changes: Partial<Limits> = {}): Setup {
  const clock = new ManualClock();
  const limits = limitsWith(changes);
  const engine = new LocalEngine({ store: new Store({ nowMs: clock.nowMs() }), clock, limits });
  const context = engine.open(PEER);
  const call = (...words: string[]): string => {
    const writer = new RespWriter(context, limits.outputBytesMax);
    engine.run(context, Args.of(...words), writer);
    return writer.buffer.latin1Slice(0, writer.length);
  };
  return { clock, engine, context, limits, call };
}

test("SPOP takes nothing where its reply gets too big, and else what it answers", () => {
  const { call } = setup(SMALL);
  for (let i = 0; i < 300; i++) call("SADD", "set", "m".repeat(1000) + i);
  assert.match(call("SPOP", "set", "250"), /^-ERR reply exceeds outputBytesMax/);
  assert.equal(call("SCARD", "set"), ":300\r\n");
  call("SADD", "packed", "a", "b", "c", "d", "e");
  for (const left of [3, 1]) {
    const popped = call("SPOP", "packed", "2").match(/^[a-e]$/gm)!;
    assert.equal(popped.length, 2);
    assert.equal(call("SCARD", "packed"), `:${left}\r\n`);
    assert.equal(call("SMISMEMBER", "packed", ...popped), "*2\r\n:0\r\n:0\r\n");
  }
});

test("EXEC runs every call although the replies get too big on the way", () => {
  const { call } = setup(SMALL);
  call("SET", "big", "x".repeat(90_000));
  call("MULTI");
  call("INCR", "first");
  for (let i = 0; i < 5; i++) call("GET", "big");
  for (let i = 0; i < 10_000; i++) call("PING");
  call("INCR", "last");
  assert.match(call("EXEC"), /^\*10007\r\n:1\r\n/);
  assert.equal(call("GET", "last"), "$1\r\n1\r\n");
});

test("CLIENT LIST ID with more ids than a reply has room for is refused", () => {
  const { call, context } = setup(SMALL);
  const many = new Array<string>(5000).fill(`${context.id}`);
  assert.match(call("CLIENT", "LIST", "ID", ...many), /^-ERR reply exceeds outputBytesMax/);
  assert.equal(call("CLIENT", "LIST", "ID", ...many.slice(0, 2)).match(/id=/g)!.length, 2);
});

test("an answer that comes later may be as large as the limit, and one that is larger is an error", async () => {
  const { clock, engine, limits } = setup({ ...SMALL, valueBytesMax: 2000 });
  const door = new RespDoor({ runner: engine, limits, onNotice() {} });
  for (const [times, expected] of [
    [98, /^\*98\r\n/],
    [109, /^-ERR reply exceeds/],
  ] as const) {
    const transport = new ScriptedTransport();
    transport.receiver = door.open(transport)!;
    transport.arrive(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2000\r\n${"v".repeat(2000)}\r\n`);
    transport.arrive("CLIENT PAUSE 1000\r\n");
    transport.take();
    transport.arrive(`MGET${" k".repeat(times)}\r\n`);
    clock.advance(2000);
    engine.tick();
    for (let i = 0; i < 10; i++) await null;
    assert.match(transport.take(), expected);
  }
});

test("WATCH refuses names longer than keys, and more bytes of names than the limit", () => {
  const { call, context } = setup({ keyBytesMax: 100, watchedBytesMax: 150 });
  assert.match(call("WATCH", "k".repeat(101)), /^-ERR key of 101 bytes exceeds keyBytesMax/);
  assert.equal(call("WATCH", "a".repeat(100), "a".repeat(100)), "+OK\r\n");
  assert.match(call("WATCH", "b".repeat(51)), /^-ERR more than watchedKeysMax .* or watchedBytesMax \(150\)/);
  assert.equal(context.transaction!.watched.size, 1);
  call("UNWATCH");
  assert.equal(call("WATCH", "b".repeat(51)), "+OK\r\n");
});

test("a queued call counts with what it takes beside its bytes", () => {
  const { call } = setup({ transactionBytesMax: 10_000 });
  call("MULTI");
  let queued = 0;
  while (call("PING") === "+QUEUED\r\n") queued++;
  assert.equal(queued, 16);
  assert.match(call("EXEC"), /^-EXECABORT/);
});

test("a cursor of a million digits is refused at once, zeros in front are not counted", () => {
  const { call } = setup();
  assert.equal(call("SCAN", "9".repeat(1_000_000)), "-ERR invalid cursor\r\n");
  assert.equal(call("SCAN", "0".repeat(1_000_000)), "*2\r\n$1\r\n0\r\n*0\r\n");
  assert.equal(call("SCAN", "18446744073709551616"), "-ERR invalid cursor\r\n");
});

test("a pattern above patternBytesMax is refused", () => {
  const { call } = setup();
  call("SADD", "set", "a");
  call("HSET", "table", "a", "b");
  const long = "*a".repeat(513);
  for (const words of [
    ["KEYS", long],
    ["SCAN", "0", "MATCH", long],
    ["SSCAN", "set", "0", "MATCH", long],
    ["HSCAN", "table", "0", "MATCH", long],
  ]) {
    assert.equal(call(...words), "-ERR pattern of 1026 bytes exceeds patternBytesMax (1024)\r\n");
  }
});

test("sets of large members are not remembered on the heap, and the result is the same", () => {
  const { call } = setup();
  for (let i = 0; i < 10; i++) call("SADD", `set ${i}`, `${"m".repeat(1_000_000)} ${i}`, `${i}`, ...bulks(i, 7));
  const keys = Array.from({ length: 10 }, (_, i) => `set ${i}`);
  assert.equal(call("SUNIONSTORE", "all", ...keys), ":90\r\n");
  assert.equal(call("SINTERCARD", "20", ...keys.concat(keys)), ":0\r\n");
  assert.equal(call("SDIFF", "all", ...keys), "*0\r\n");
});

function bulks(set: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${set} ${i} ${"b".repeat(999_000)}`);
}

test("a call that an engine delays does not run once its connection is closed", async () => {
  const { engine, limits } = setup();
  const delayed = new DelayedEngine(engine);
  const context = delayed.open(PEER);
  const later = delayed.run(context, Args.of("WATCH", "key"), new RespWriter(context, limits.outputBytesMax));
  delayed.close(context);
  await later;
  assert.equal(engine.watches.size, 0);
});
