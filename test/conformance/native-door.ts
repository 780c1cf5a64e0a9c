// The native door's conformance suite: what a client may rely on, whatever engine stands behind.
//
//   describeNativeDoor("LocalEngine", () => new LocalEngine({ …, rows: WAITING_ROWS }));
//
// Over real sockets, with a client that shows exact frames. Every test has a hive of its own.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ErrorCode, isHiveError } from "../../src/base/errors.ts";
import type { Limits } from "../../src/base/limits.ts";
import type { Runner } from "../../src/engine/engine.ts";
import { CALL, CANCEL, CREDIT, ELEMENT, FAILURE, PING, PONG } from "../../src/wire/frame.ts";
import { callOf, Encoded, frameOf, transactionOf } from "../kit/native-client.ts";
import { codeOf, dial, ended, serve, turns, until } from "../kit/native-hive.ts";
import { describeNativeInput } from "./native-input.ts";

/** @param makeRunner Makes an engine with an empty store and the WAITING_ROWS. */
export function describeNativeDoor(name: string, makeRunner: () => Runner): void {
  describe(`the native door over ${name}`, () => {
    describeCalls(makeRunner);
    describeTransactions(makeRunner);
    describeCancel(makeRunner);
    describeEnds(makeRunner);
    describeNativeInput(makeRunner);
    describeSlowReaders(makeRunner);
  });
}

function describeCalls(makeRunner: () => Runner): void {
  test("2,000 calls in flight are each answered once, by their id", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const ids: number[] = [];
    const calls: Buffer[] = [];
    for (let i = 0; i < 2000; i++) {
      const id = client.nextId();
      ids.push(id);
      calls.push(callOf(id, i % 2 === 0 ? ["SET", `k${i}`, i] : ["GET", `k${i - 1}`]));
    }
    client.write(Buffer.concat(calls));
    for (const [i, id] of ids.entries()) assert.equal(await client.answer(id), i % 2 === 0 ? "OK" : i - 1);
    assert.deepEqual(client.frames, []);
  });

  test("calls that are split at any byte run once each", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const stream = Buffer.concat([
      callOf(1, ["SET", "key", Uint8Array.of(0, 13, 10, 255)]),
      callOf(3, ["APPEND", "key", "x"]),
      frameOf(PING, 9),
      callOf(5, ["GET", "key"]),
    ]);
    for (const byte of stream) client.write(Buffer.of(byte));
    assert.equal(await client.answer(1), "OK");
    assert.equal(await client.answer(3), 5);
    assert.deepEqual(await client.answer(5), Uint8Array.of(0, 13, 10, 255, 120));
    assert.equal((await client.frame(({ kind }) => kind === PONG)).id, 9);
  });

  test("a call that is wrong leaves the connection alive", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const codes: [ErrorCode, ...unknown[]][] = [
      ["WRONG_ARITY", "GET"],
      ["UNKNOWN_COMMAND", "NOSUCH", "a"],
      ["UNKNOWN_COMMAND", ""],
      ["UNSUPPORTED", "MULTI"],
      ["UNSUPPORTED", "CLIENT", "REPLY", "OFF"],
      ["BAD_VALUE", "SET", "k", new Encoded(1, "ff")],
      ["BAD_VALUE", "SET", "k", new Encoded(3, "")],
    ];
    for (const [code, ...args] of codes) assert.equal(await codeOf(client.call(...args)), code, args.join(" "));
    assert.equal(await client.call("SADD", "s", "a"), 1);
    assert.equal(await codeOf(client.call("GET", "s")), "WRONG_TYPE");
    assert.equal(await client.call("PING"), "PONG");
  });

  test("calls of a connection go on beside one that waits for a key", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    await using other = await dial(hive);
    const waiting = [client.call("BLPOP", "l", 0), client.call("BRPOP", "none", "l", 0)];
    assert.equal(await client.call("PING"), "PONG");
    assert.equal(await other.call("RPUSH", "l", "a", "b"), 2);
    assert.deepEqual(await Promise.all(waiting), [
      ["l", "a"],
      ["l", "b"],
    ]);
    assert.deepEqual(await client.transact(["BLPOP", "l", 0], ["RPUSH", "l", "c"]), [null, 1]);
  });

  test("a value of 8 MiB goes in and comes out, and others are served beside it", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    await using other = await dial(hive);
    const value = Uint8Array.from(Buffer.alloc(8 << 20, "0123456789abcdef"));
    const set = client.call("SET", "big", value);
    assert.equal(await other.call("PING"), "PONG");
    assert.equal(await set, "OK");
    const got = client.call("GET", "big");
    assert.equal(await other.call("PING"), "PONG");
    assert.ok(Buffer.from((await got) as Uint8Array).equals(value));
  });

  test("argumentsMax bounds one call, and frameBytesMax a frame", async () => {
    await using hive = await serve(makeRunner, {
      limits: { argumentsMax: 5, frameBytesMax: 20_000, valueBytesMax: 10_000, keyBytesMax: 1000 },
    });
    await using client = await dial(hive);
    assert.equal(await client.call("DEL", "a", "b", "c", "d"), 0);
    assert.equal(await codeOf(client.call("DEL", "a", "b", "c", "d", "e")), "TOO_MANY_ARGUMENTS");
    client.send("SET", "k", "v".repeat(20_000));
    assert.equal((await client.goodbye()).code, "FRAME_TOO_BIG");
    await client.closed;
  });

  test("what a connection calls itself is in CLIENT LIST, and nothing that could break a line of it", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive, { name: "a b\r\nid=9", library: "lib", libraryVersion: "1", heartbeatMs: 0 });
    const list = String(await client.call("CLIENT", "LIST"));
    assert.equal(list.trimEnd().split("\n").length, 1);
    assert.match(list, / name=a_b__id=9 /);
    assert.match(list, / lib-name=lib lib-ver=1/);
  });

  test("a stream that nothing is streamed on is answered at once, and takes no element", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write(callOf(1, ["PING"], 1000));
    assert.equal(await client.answer(1), "PONG");
    client.write(Buffer.concat([frameOf(ELEMENT, 1, Buffer.of(0x21, 0x61)), frameOf(CREDIT, 1, Buffer.alloc(4))]));
    assert.equal(await client.call("PING"), "PONG");
    client.write(Buffer.concat([callOf(11, ["TEST.WAIT"], 1000), frameOf(ELEMENT, 11, Buffer.of(0x21, 0x61))]));
    assert.equal((await client.goodbye()).code, "BAD_FRAME");
  });

  test("no more than openCallsMax calls wait, whether their answers are wanted or not", async () => {
    await using hive = await serve(makeRunner, { limits: { openCallsMax: 4 } });
    await using other = await dial(hive);
    await using client = await dial(hive);
    await other.call("CLIENT", "PAUSE", "100000", "WRITE");
    const ids = Array.from({ length: 4 }, () => client.send("SET", "k", "v"));
    client.write(Buffer.concat(ids.map((id) => frameOf(CANCEL, id))));
    const more = Array.from({ length: 3 }, () => client.send("INCR", "n"));
    const last = client.send("PING");
    await turns(50);
    assert.deepEqual(client.frames, [], "it reads no further frame");
    await other.call("CLIENT", "UNPAUSE");
    assert.deepEqual(await Promise.all(more.map((id) => client.answer(id))), [1, 2, 3]);
    assert.equal(await client.answer(last), "PONG");
  });

  test("what waits is bounded in bytes too: above openCallsBytesMax nothing more is read", async () => {
    await using hive = await serve(makeRunner, { limits: { openCallsBytesMax: 100_000 } });
    await using other = await dial(hive);
    await using client = await dial(hive);
    await other.call("CLIENT", "PAUSE", "100000", "WRITE");
    const ids = [1, 2].map((key) => client.send("SET", `k${key}`, "v".repeat(60_000)));
    const last = client.send("PING");
    await turns(50);
    assert.deepEqual(client.frames, [], "it reads no further frame");
    await other.call("CLIENT", "UNPAUSE");
    for (const id of ids) await client.answer(id);
    assert.equal(await client.answer(last), "PONG");
  });

  test("thousands of large answers that come in one turn all arrive", async () => {
    await using hive = await serve(makeRunner, { limits: { outputBytesMax: 64 << 20, outputSoftBytesMax: 64 << 20 } });
    await using other = await dial(hive);
    await using client = await dial(hive);
    await other.call("SET", "k", "v".repeat(60_000));
    await other.call("CLIENT", "PAUSE", "100000", "ALL");
    const ids = Array.from({ length: 900 }, () => client.send("GET", "k"));
    await turns(50);
    await other.call("CLIENT", "UNPAUSE");
    for (const id of ids) assert.equal(((await client.answer(id)) as string).length, 60_000);
  });
}

function describeTransactions(makeRunner: () => Runner): void {
  test("a transaction is answered as one, and what fails in it fails alone", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const [one, failed, two] = (await client.transact(["INCR", "n"], ["HGET", "n", "f"], ["INCR", "n"])) as unknown[];
    assert.deepEqual([one, two], [1, 2]);
    assert.ok(isHiveError(failed) && failed.code === "WRONG_TYPE");
    assert.deepEqual(await client.transact(), []);
  });

  test("a transaction with a call that is refused runs nothing", async () => {
    await using hive = await serve(makeRunner, { limits: { transactionCallsMax: 3 } });
    await using client = await dial(hive);
    assert.equal(await codeOf(client.transact(["INCR", "n"], ["NOSUCH"])), "EXEC_ABORT");
    assert.equal(await codeOf(client.transact(["INCR", "n"], ["GET"])), "EXEC_ABORT");
    assert.equal(await codeOf(client.transact(["INCR", "n"], ["SET", "k", new Encoded(1, "ff")])), "BAD_VALUE");
    const many = [1, 2, 3, 4].map(() => ["INCR", "n"]);
    assert.equal(await codeOf(client.transact(...many)), "TRANSACTION_TOO_BIG");
    assert.equal(await client.call("GET", "n"), undefined);
  });

  test("no other call comes in between", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const steps = [1, 2, 3, 4].map(() => ["INCR", "n"]);
    const frames = Array.from({ length: 50 }, (_, i) =>
      Buffer.concat([transactionOf(4 * i + 1, steps), callOf(4 * i + 3, ["INCR", "n"])]),
    );
    client.write(Buffer.concat(frames));
    for (let i = 0; i < 50; i++) {
      const [first, ...rest] = (await client.answer(4 * i + 1)) as number[];
      assert.deepEqual(rest, [first! + 1, first! + 2, first! + 3]);
    }
  });
}

function describeCancel(makeRunner: () => Runner): void {
  test("CANCEL ends the call that waits, and no other", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const ids = [1, 2, 3].map(() => client.send("TEST.WAIT"));
    await until(() => ended.begun === 3);
    client.write(frameOf(CANCEL, ids[1]!));
    await until(() => ended.reasons.length > 0);
    assert.equal(await client.call("PING"), "PONG");
    assert.deepEqual(ended.reasons, ["ABORTED"]);
    assert.deepEqual(client.frames, [], "a cancelled call has no answer");
    await client[Symbol.asyncDispose]();
    await until(() => ended.reasons.length === 3);
    assert.deepEqual(ended.reasons, ["ABORTED", "CONNECTION_LOST", "CONNECTION_LOST"]);
  });

  test("the id of a cancelled call may be used again, and gets its own answer only", async () => {
    await using hive = await serve(makeRunner);
    await using other = await dial(hive);
    await using client = await dial(hive);
    await other.call("CLIENT", "PAUSE", "100000", "WRITE");
    client.write(Buffer.concat([callOf(1, ["SET", "k", "v"]), frameOf(CANCEL, 1), callOf(1, ["INCR", "n"])]));
    await turns(20);
    await other.call("CLIENT", "UNPAUSE");
    assert.equal(await client.answer(1), 1);
    assert.equal(await client.call("PING"), "PONG");
    assert.deepEqual(client.frames, []);
  });

  test("CANCEL of what is not open is passed over", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write(Buffer.concat([frameOf(CANCEL, 7), frameOf(CANCEL, 0x7fff_ffff), callOf(1, ["PING"])]));
    assert.equal(await client.answer(1), "PONG");
  });
}

function describeEnds(makeRunner: () => Runner): void {
  test("QUIT is answered, then the hive says goodbye", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const id = client.send("QUIT");
    assert.equal(await client.answer(id), "OK");
    assert.equal((await client.goodbye()).code, "HIVE_CLOSED");
    await client.closed;
  });

  test("a client that ends after its calls gets all answers", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const ids = Array.from({ length: 500 }, () => client.nextId());
    client.socket.end(Buffer.concat([...ids.map((id) => callOf(id, ["PING"])), Buffer.of(CALL, 0, 0)]));
    for (const id of ids) assert.equal(await client.answer(id), "PONG");
    await client.closed;
  });

  test("a client that goes away in the middle of a frame leaves nothing behind", async () => {
    await using hive = await serve(makeRunner);
    const client = await dial(hive);
    client.write(callOf(1, ["SET", "k", "v".repeat(1000)]).subarray(0, 100));
    client.socket.resetAndDestroy();
    await client.closed;
    await using other = await dial(hive);
    assert.equal(await other.call("EXISTS", "k"), 0);
    await until(() => hive.connections.count === 1);
  });

  test("a client that another kills is closed", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    await using victim = await dial(hive);
    const id = await victim.call("CLIENT", "ID");
    assert.equal(await client.call("CLIENT", "KILL", "ID", String(id)), 1);
    await victim.closed;
    assert.equal(await client.call("PING"), "PONG");
    const own = client.send("CLIENT", "KILL", "ID", String(await client.call("CLIENT", "ID")), "SKIPME", "no");
    assert.equal(await client.answer(own), 1);
    await client.closed;
  });

  test("when the door closes, answers that are due still arrive, and then its reason", async () => {
    const hive = await serve(makeRunner);
    await using client = await dial(hive);
    await using pauser = await dial(hive);
    await pauser.call("CLIENT", "PAUSE", "30", "WRITE");
    const id = client.send("SET", "k", "v");
    await turns(20);
    const closing = hive[Symbol.asyncDispose]();
    assert.equal(await client.answer(id), "OK");
    assert.equal((await client.goodbye()).code, "HIVE_CLOSED");
    await client.closed;
    await closing;
    assert.equal(hive.connections.count, 0);
  });

  test("a client that promised heartbeats and is silent is cut off; one that did not is not", async () => {
    await using hive = await serve(makeRunner, { limits: { heartbeatMs: 10 } });
    await using quiet = await dial(hive);
    await using lively = await dial(hive, { heartbeatMs: 5 });
    await using dead = await dial(hive, { heartbeatMs: 5 });
    const beat = setInterval(() => lively.write(frameOf(PING, 0)), 3);
    try {
      await dead.closed;
      assert.deepEqual(hive.notices, ["the client has been silent for too long"]);
      assert.ok(dead.frames.some(({ kind }) => kind === PING));
      assert.equal(await lively.call("PING"), "PONG");
      assert.equal(await quiet.call("PING"), "PONG");
      assert.ok(!quiet.frames.some(({ kind }) => kind === PING));
    } finally {
      clearInterval(beat);
    }
  });
}

function describeSlowReaders(makeRunner: () => Runner): void {
  const limits: Partial<Limits> = { outputSoftBytesMax: 1 << 20, outputSoftTimeoutMs: 20 };

  test("a client that does not read is cut off, and the others do not notice", async () => {
    await using hive = await serve(makeRunner, { limits });
    await using other = await dial(hive);
    await other.call("SET", "k", "v".repeat(1 << 20));
    await using deaf = await dial(hive);
    deaf.socket.pause();
    for (let i = 0; i < 64; i++) deaf.send("GET", "k");
    while (hive.notices.length === 0) assert.equal(await other.call("PING"), "PONG");
    assert.match(hive.notices[0]!, /^read nothing of \d+ bytes for outputSoftTimeoutMs \(20\)$/);
    deaf.socket.resume();
    await deaf.closed;
  });

  test("a client that reads slowly gets everything, although it sends no more", async () => {
    await using hive = await serve(makeRunner, { limits: { ...limits, outputSoftTimeoutMs: 5000 } });
    await using client = await dial(hive);
    await client.call("SET", "k", "v".repeat(1 << 20));
    client.socket.pause();
    const ids = Array.from({ length: 32 }, () => client.send("GET", "k"));
    client.socket.end();
    await turns(100);
    client.socket.resume();
    for (const id of ids) assert.equal(((await client.answer(id)) as string).length, 1 << 20);
    assert.deepEqual(hive.notices, []);
  });

  test("a reply above outputBytesMax is a failure of its call", async () => {
    const small = { outputBytesMax: 400_000, outputSoftBytesMax: 400_000, valueBytesMax: 300_000 };
    await using hive = await serve(makeRunner, { limits: small });
    await using client = await dial(hive);
    await client.call("SET", "k", "v".repeat(300_000));
    const id = client.send("MGET", "k", "k", "k");
    const { kind } = await client.frame((frame) => frame.id === id);
    assert.equal(kind, FAILURE);
    assert.equal(await client.call("PING"), "PONG");
  });
}
