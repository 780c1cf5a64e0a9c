// Policy: what stands between a call and its row, in which order, and what becomes of failures.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { HiveError } from "../../src/base/errors.ts";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { Args } from "../../src/engine/args.ts";
import { type Context, GATE_AUTH, type Peer } from "../../src/engine/context.ts";
import { DelayedEngine } from "../../src/engine/delayed-engine.ts";
import { LocalEngine } from "../../src/engine/local-engine.ts";
import type { Row } from "../../src/engine/row.ts";
import { PAGE_BYTES } from "../../src/store/layout.ts";
import { Store } from "../../src/store/store.ts";
import { RespWriter } from "../../src/wire/resp-writer.ts";

const base = { family: "server", arity: -1, flags: [], permission: "none", summary: "For tests", syntax: "" } as const;

const ROWS: readonly Row[] = [
  {
    ...base,
    name: "TEAR",
    run: (_context, _args, reply) => {
      reply.array(3);
      reply.integer(1);
      throw new HiveError("OVERFLOW", "half-way");
    },
  },
  {
    ...base,
    name: "BUG",
    run: () => {
      throw new TypeError("a mistake of ours");
    },
  },
  {
    ...base,
    name: "LATER",
    flags: ["mayWait"],
    run: async (_context, args, reply) => {
      args.keep();
      await Promise.resolve();
      if (args.count > 1) throw new HiveError("DEADLINE", "too late");
      reply.ok();
    },
  },
];

type Setup = { engine: LocalEngine; store: Store; context: Context; call: (...words: string[]) => string; peer: Peer };

function setup(): Setup {
  const clock = new ManualClock();
  const store = new Store({ nowMs: clock.nowMs() });
  const engine = new LocalEngine({ store, clock, rows: ROWS });
  const peer: Peer = {
    door: "resp",
    ordered: true,
    address: "127.0.0.1:1",
    localAddress: "127.0.0.1:2",
    inputBytes: 0,
    outputBytes: 0,
    close() {},
  };
  const context = engine.open(peer);
  const call = (...words: string[]): string => {
    const writer = new RespWriter(context, DEFAULT_LIMITS.outputBytesMax);
    const later = engine.run(context, Args.of(...words), writer);
    return later === undefined ? writer.buffer.latin1Slice(0, writer.length) : "later";
  };
  return { engine, store, context, call, peer };
}

test("a command that fails half-way leaves one error and no torn reply", () => {
  assert.equal(setup().call("TEAR"), "-ERR half-way\r\n");
});

test("our own mistakes are not answered but thrown", () => {
  assert.throws(() => setup().call("BUG"), TypeError);
});

test("a call that answers later may fail later", async () => {
  const { engine, context } = setup();
  for (const [words, expected] of [
    [["LATER"], "+OK\r\n"],
    [["LATER", "fail"], "-ERR too late\r\n"],
  ] as const) {
    const writer = new RespWriter(context, DEFAULT_LIMITS.outputBytesMax);
    await engine.run(context, Args.of(...words), writer);
    assert.equal(writer.buffer.latin1Slice(0, writer.length), expected);
  }
});

test("the engine that answers every call later gives the same answers", async () => {
  const { engine, context } = setup();
  const delayed = new DelayedEngine(engine);
  const writer = new RespWriter(context, DEFAULT_LIMITS.outputBytesMax);
  for (const words of [["SET", "a", "1"], ["INCR", "a"], ["NOSUCH"], ["TEAR"], ["LATER"]]) {
    await delayed.run(context, Args.of(...words), writer);
  }
  assert.equal(
    writer.buffer.latin1Slice(0, writer.length),
    "+OK\r\n:2\r\n-ERR unknown command 'NOSUCH', with args beginning with: \r\n-ERR half-way\r\n+OK\r\n",
  );
});

test("before authentication only what is marked for it runs", () => {
  const { call, context } = setup();
  context.gate |= GATE_AUTH;
  assert.equal(call("GET", "a"), "-NOAUTH Authentication required.\r\n");
  assert.equal(call("MULTI"), "-NOAUTH Authentication required.\r\n");
  assert.match(call("HELLO", "3"), /^-NOAUTH HELLO must be called with the client already authenticated/);
  assert.match(call("GET"), /^-ERR wrong number of arguments/, "the number of arguments is looked at first");
  assert.match(call("NOSUCH"), /^-ERR unknown command/);
  assert.equal(call("QUIT"), "+OK\r\n");
});

test("an error quotes at most 128 bytes of the call", () => {
  const { call } = setup();
  const long = "x".repeat(200);
  assert.equal(
    call(long, "a", long, "never"),
    `-ERR unknown command '${"x".repeat(128)}', with args beginning with: 'a' '${"x".repeat(124)}' \r\n`,
  );
});

test("a call of several steps for which memory does not suffice changes nothing", () => {
  const { call, store } = setup();
  call("SET", "k0", "before");
  store.memory.pages.max = store.memory.pages.inUse + 2;
  const pairs = Array.from({ length: 400 }, (_, index) => [`k${index}`, "v".repeat(1000)]).flat();
  assert.ok(pairs.join("").length > 3 * PAGE_BYTES);
  assert.match(call("MSET", ...pairs), /^-OOM /);
  assert.equal(call("DBSIZE"), ":1\r\n");
  assert.equal(call("GET", "k0"), "$6\r\nbefore\r\n");
});

test("what a connection waited for ends with it", () => {
  const { engine, context, call } = setup();
  const { signal } = context;
  call("WATCH", "a");
  engine.close(context);
  engine.close(context);
  assert.equal(signal.aborted, true);
  assert.equal(engine.watches.size, 0);
  assert.equal(engine.clients.size, 0);
});

test("numbers of connections are never used twice", () => {
  const { engine, peer, context } = setup();
  const second = engine.open(peer);
  engine.close(second);
  assert.deepEqual([context.id, second.id, engine.open(peer).id], [1, 2, 3]);
});
