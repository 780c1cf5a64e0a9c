// What a client's connection promises, on a scripted hive and with time standing still.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallSpec } from "../../src/client/call.ts";
import type { Connection } from "../../src/client/connection.ts";
import { CANCEL, GOODBYE, PING, PONG, RESULT } from "../../src/wire/frame.ts";
import { decodeItem } from "../../src/wire/items.ts";
import { FakeHive, failure } from "../kit/fake-hive.ts";

const READ: CallSpec<unknown> = {
  words: ["GET"],
  form: "n",
  repeats: true,
  decode: (items, as) => decodeItem(items, as),
};
const WRITE: CallSpec<unknown> = { ...READ, words: ["SET"], form: "nv", repeats: false };

async function ready(options = {}): Promise<{ fake: FakeHive; connection: Connection }> {
  const fake = new FakeHive();
  const connection = fake.client(options);
  await fake.greet();
  await connection.ready;
  return { fake, connection };
}

test("the handshake says who dials, and resolves ready", async () => {
  const fake = new FakeHive();
  const connection = fake.client({ token: "s3cret", name: "worker" });
  assert.equal(connection.state, "connecting");
  const hello = await fake.greet();
  assert.deepEqual(hello, {
    ...{ token: "s3cret", name: "worker", library: "test", libraryVersion: "1", heartbeatMs: 5_000, features: [] },
  });
  await connection.ready;
  assert.equal(connection.state, "ready");
  assert.equal(connection.welcome?.runId, "run");
});

test("calls of one turn leave in one write, and answers find their calls in any order", async () => {
  const { fake, connection } = await ready();
  const before = fake.transport.writes;
  const answers = ["a", "b", "c"].map((key) => connection.call(READ, [key], undefined));
  await fake.turn();
  assert.equal(fake.transport.writes, before + 1);
  const calls = fake.frames();
  assert.deepEqual(
    calls.map(({ words }) => words),
    [
      ["GET", "a"],
      ["GET", "b"],
      ["GET", "c"],
    ],
  );
  for (const { id, words } of calls.toReversed()) fake.answer(id, (writer) => writer.text(`value of ${words[1]}`));
  assert.deepEqual(await Promise.all(answers), ["value of a", "value of b", "value of c"]);
  assert.deepEqual(connection.open, { calls: 0, bytes: 0 });
});

test("a call that the hive refuses rejects with its code and the call, which is not enumerable", async () => {
  const { fake, connection } = await ready();
  const call = failure(connection.call(READ, ["k"], undefined));
  await fake.turn();
  fake.answer(fake.frames()[0]!.id, (writer) => writer.error("WRONG_TYPE", "no string"));
  const error = await call;
  assert.deepEqual([error.code, error.message, error.sent], ["WRONG_TYPE", "no string", undefined]);
  assert.deepEqual(error.call, { name: "GET", key: "k" });
  assert.ok(!Object.keys(error).includes("call"));
});

test("a call without an answer rejects at its deadline, and tells the hive", async () => {
  const { fake, connection } = await ready({ heartbeatMs: 0 });
  const short = failure(connection.call(READ, ["k"], { timeoutMs: 100 }));
  const long = failure(connection.call(WRITE, ["k", "v"], undefined));
  await fake.turn();
  const [first] = fake.frames();
  fake.timers.advance(99);
  await fake.turn();
  assert.equal(connection.open.calls, 2);
  fake.timers.advance(10);
  const error = await short;
  assert.deepEqual([error.code, error.sent], ["DEADLINE", true]);
  await fake.turn();
  assert.deepEqual(fake.frames(), [{ kind: CANCEL, id: first!.id, words: [] }]);
  fake.answer(first!.id, (writer) => writer.text("too late"));
  fake.timers.advance(10_000);
  assert.equal((await long).code, "DEADLINE");
  assert.equal(connection.open.calls, 0);
});

test("a signal that ends before sending takes the call back; afterwards it cancels it", async () => {
  const { fake, connection } = await ready();
  const ended = failure(connection.call(WRITE, ["k", "v"], { signal: AbortSignal.abort("why") }));
  assert.deepEqual([(await ended).code, (await ended).sent], ["ABORTED", false]);

  const early = new AbortController();
  const taken = failure(connection.call(WRITE, ["taken", "v"], { signal: early.signal }));
  const kept = connection.call(READ, ["kept"], undefined);
  early.abort();
  assert.deepEqual([(await taken).code, (await taken).sent], ["ABORTED", false]);
  await fake.turn();
  const [only, ...more] = fake.frames();
  assert.deepEqual([only!.words, more], [["GET", "kept"], []], "what was taken back never goes out");
  fake.answer(only!.id, (writer) => writer.text("v"));
  assert.equal(await kept, "v");

  const late = new AbortController();
  const cancelled = failure(connection.call(WRITE, ["k", "v"], { signal: late.signal }));
  await fake.turn();
  const [sent] = fake.frames();
  late.abort();
  assert.deepEqual([(await cancelled).code, (await cancelled).sent], ["ABORTED", true]);
  await fake.turn();
  assert.deepEqual(fake.frames(), [{ kind: CANCEL, id: sent!.id, words: [] }]);
});

test("more calls, or bytes, than the queue allows are refused at once, and nothing of them is sent", async () => {
  const { fake, connection } = await ready({ queue: { calls: 3, bytes: 10_000 } });
  const held = Array.from({ length: 3 }, () => connection.call(READ, ["k"], undefined).catch(() => {}));
  const error = await failure(connection.call(READ, ["one more"], undefined));
  assert.deepEqual([error.code, error.sent], ["OVERLOADED", false]);
  await fake.turn();
  const calls = fake.frames();
  assert.equal(calls.length, 3);
  for (const { id } of calls) fake.answer(id, (writer) => writer.nil());
  await Promise.all(held);

  const big = connection.call(WRITE, ["k", "x".repeat(9_000)], undefined).catch(() => {});
  const bytes = await failure(connection.call(WRITE, ["k", "x".repeat(2_000)], undefined));
  assert.match(bytes.message, /queue\.bytes/);
  assert.ok(connection.open.bytes <= 10_000);
  await connection.close(0);
  await big;
});

test("what a hive does not read counts against the queue, although its calls are over", async () => {
  const { fake, connection } = await ready({ queue: { bytes: 10_000 }, heartbeatMs: 0 });
  const over = failure(connection.call(WRITE, ["k", "x".repeat(5_000)], { timeoutMs: 50 }));
  await fake.turn();
  fake.transport.pendingBytes = 5_000;
  fake.timers.advance(60);
  assert.equal((await over).code, "DEADLINE");
  assert.deepEqual(connection.open, { calls: 0, bytes: 0 });
  const error = await failure(connection.call(WRITE, ["k", "x".repeat(6_000)], undefined));
  assert.deepEqual([error.code, error.sent], ["OVERLOADED", false]);
  fake.transport.pendingBytes = 0;
  const fits = connection.call(WRITE, ["k", "x".repeat(6_000)], undefined);
  await fake.turn();
  fake.answer(fake.frames().at(-1)!.id, (writer) => writer.ok());
  assert.equal(await fits, "OK");
});

test("a client that a listener closes while it is reconnecting stays closed", async () => {
  const { fake, connection } = await ready();
  const { states } = fake;
  const push = states.push.bind(states);
  states.push = (...changes) => {
    if (changes[0]?.state === "reconnecting") void connection.close(0);
    return push(...changes);
  };
  fake.close();
  const { dials } = fake;
  fake.timers.advance(60_000);
  await fake.turn();
  assert.deepEqual([connection.state, fake.dials, fake.timers.size], ["closed", dials, 0]);
});

test("what was sent rejects with the connection, reads are sent again, and what was not sent goes out", async () => {
  const { fake, connection } = await ready();
  const read = connection.call(READ, ["read"], undefined);
  const write = failure(connection.call(WRITE, ["written", "v"], undefined));
  await fake.turn();
  fake.frames();
  fake.close();
  const error = await write;
  assert.deepEqual([error.code, error.sent], ["CONNECTION_LOST", true]);
  assert.match(error.message, /the peer closed the connection/);
  assert.equal(connection.state, "reconnecting");
  const waiting = connection.call(WRITE, ["waiting", "v"], undefined);
  fake.timers.advance(200);
  await fake.greet();
  await fake.turn();
  const calls = fake.frames();
  assert.deepEqual(
    calls.map(({ words }) => words),
    [
      ["GET", "read"],
      ["SET", "waiting", "v"],
    ],
  );
  for (const { id } of calls) fake.answer(id, (writer) => writer.text("done"));
  assert.deepEqual(await Promise.all([read, waiting]), ["done", "done"]);
  assert.deepEqual(
    fake.states.map(({ state }) => state),
    ["ready", "reconnecting", "ready"],
  );
});

test("a call that waits for a connection for too long rejects, and was not sent", async () => {
  const { fake, connection } = await ready({ queue: { ageMs: 1_000 }, timeoutMs: 60_000 });
  fake.reachable = false;
  fake.close();
  const waiting = failure(connection.call(WRITE, ["k", "v"], undefined));
  for (let i = 0; i < 30; i++) {
    fake.timers.advance(50);
    await fake.turn();
  }
  const error = await waiting;
  assert.deepEqual([error.code, error.sent], ["CONNECTION_LOST", false]);
  assert.match(error.message, /queue\.ageMs/);
});

test("attempts come after pauses that double, up to a bound", async () => {
  const { fake } = await ready({ reconnect: { minMs: 10, maxMs: 100 }, queue: { ageMs: 1e9 } });
  fake.reachable = false;
  fake.close();
  const pauses: number[] = [];
  let at = fake.timers.monotonicMs();
  for (let attempt = fake.dials; pauses.length < 6; ) {
    fake.timers.advance(1);
    await fake.turn();
    if (fake.dials === attempt) continue;
    attempt = fake.dials;
    pauses.push(fake.timers.monotonicMs() - at);
    at = fake.timers.monotonicMs();
  }
  assert.deepEqual(pauses, [10, 20, 40, 80, 100, 100]);
});

test("a first attempt that fails ends the client, unless it is told to wait", async () => {
  const fake = new FakeHive();
  fake.reachable = false;
  const error = await failure(fake.client().ready);
  assert.equal(error.code, "CONNECTION_LOST");
  const patient = fake.client({ waitMs: 1_000 });
  await fake.turn();
  fake.reachable = true;
  fake.timers.advance(100);
  await fake.greet();
  await patient.ready;
});

test("what the hive refuses for good is not tried again", async () => {
  for (const code of ["NO_AUTH", "WRONG_PASSWORD", "NO_PROTOCOL"] as const) {
    const fake = new FakeHive();
    const connection = fake.client({ waitMs: 60_000 });
    await fake.turn();
    fake.send((writer) => {
      writer.begin(GOODBYE, 0);
      writer.text(code);
      writer.text("not you");
      writer.finish();
    });
    assert.equal((await failure(connection.ready)).code, code);
    fake.timers.advance(60_000);
    assert.equal(fake.dials, 1);
    assert.equal((await failure(connection.call(READ, ["k"], undefined))).code, code);
  }
});

test("silence is noticed: PINGs go out, and without an answer the connection is lost", async () => {
  const { fake, connection } = await ready({ heartbeatMs: 1_000, timeoutMs: 60_000 });
  const write = failure(connection.call(WRITE, ["k", "v"], undefined));
  await fake.turn();
  fake.frames();
  for (let beat = 1; beat <= 2; beat++) {
    fake.timers.advance(1_000);
    await fake.turn();
    assert.ok(fake.frames().some(({ kind }) => kind === PING));
  }
  fake.send((writer) => writer.bare(PONG, 0));
  fake.timers.advance(3_000);
  await fake.turn();
  assert.equal(connection.state, "ready", "it was heard of");
  fake.timers.advance(1_000);
  const error = await write;
  assert.deepEqual([error.code, error.sent], ["CONNECTION_LOST", true]);
  assert.match(error.message, /silent/);
});

test("the hive's PING is answered", async () => {
  const { fake } = await ready();
  fake.frames();
  fake.send((writer) => writer.bare(PING, 7));
  await fake.turn();
  assert.deepEqual(fake.frames(), [{ kind: PONG, id: 7, words: [] }]);
});

test("close waits for answers as long as it is told to, then rejects what is left", async () => {
  const { fake, connection } = await ready({ heartbeatMs: 0 });
  const answered = connection.call(READ, ["a"], undefined);
  const left = failure(connection.call(READ, ["b"], undefined));
  await fake.turn();
  const [first] = fake.frames();
  const closing = connection.close(500);
  fake.answer(first!.id, (writer) => writer.text("in time"));
  assert.equal(await answered, "in time");
  fake.timers.advance(500);
  await closing;
  assert.equal((await left).code, "HIVE_CLOSED");
  assert.equal((await failure(connection.call(READ, ["c"], undefined))).code, "HIVE_CLOSED");
  assert.equal(connection.state, "closed");
  assert.equal(fake.timers.size, 0, "no timer is left");
});

test("a getter that makes a call while its value is encoded gets an error, and the value's call does not go out torn", async () => {
  const { fake, connection } = await ready();
  let inner: Promise<unknown> | undefined;
  const value = {
    get trap(): number {
      inner = failure(connection.call(READ, ["k"], undefined));
      return 1;
    },
  };
  const outer = connection.call(WRITE, ["k", value], undefined);
  await fake.turn();
  assert.equal(((await inner) as { code: string }).code, "BAD_VALUE");
  const [sent, ...more] = fake.frames();
  assert.deepEqual([sent!.words, more], [["SET", "k", { trap: 1 }], []]);
  fake.answer(sent!.id, (writer) => writer.ok());
  assert.equal(await outer, "OK");
});

test("a thousand results in one read event settle a thousand calls", async () => {
  const { fake, connection } = await ready();
  const answers = Array.from({ length: 1_000 }, (_, i) => connection.call(READ, [`k${i}`], undefined));
  await fake.turn();
  const calls = fake.frames();
  fake.send((writer) => {
    for (const { id, words } of calls) {
      writer.begin(RESULT, id);
      writer.text(String(words[1]));
      writer.finish();
    }
  });
  assert.deepEqual(
    await Promise.all(answers),
    calls.map(({ words }) => words[1]),
  );
});
