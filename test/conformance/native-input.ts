// What the native door makes of bad input: broken frames, hostile values, strangers. A part of native-door.ts.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ErrorCode } from "../../src/base/errors.ts";
import type { Runner } from "../../src/engine/engine.ts";
import { CREDIT, HELLO, PING, PREAMBLE, RESULT, WELCOME } from "../../src/wire/frame.ts";
import { callOf, Encoded, type Frame, frameOf, helloOf } from "../kit/native-client.ts";
import { codeOf, dial, ended, serve, until } from "../kit/native-hive.ts";

/** @param makeRunner Makes an engine with an empty store and the WAITING_ROWS. */
export function describeNativeInput(makeRunner: () => Runner): void {
  describeBadInput(makeRunner);
  describeValues(makeRunner);
  describeStrangers(makeRunner);
}

type Broken = { hex: string; name: string; code: ErrorCode };
const { broken }: { broken: Broken[] } = JSON.parse(
  readFileSync(new URL("../wire/native-frames.json", import.meta.url), "utf8"),
);

function describeBadInput(makeRunner: () => Runner): void {
  test("each broken frame ends the connection with its code, whole and one byte at a time", async () => {
    await using hive = await serve(makeRunner);
    for (const { hex, name, code } of broken) {
      for (const step of [1000, 1]) {
        await using client = await dial(hive);
        assert.equal(await client.call("PING"), "PONG");
        // What is shorter than a head is told to be broken with its last byte.
        const bytes = Buffer.concat([Buffer.from(hex, "hex"), Buffer.alloc(Math.max(0, 9 - hex.length / 2))]);
        for (let at = 0; at < bytes.length; at += step) client.write(bytes.subarray(at, at + step));
        assert.equal((await client.goodbye()).code, code, name);
        await client.closed;
        assert.deepEqual(client.frames, [], "nothing behind GOODBYE");
      }
    }
  });

  test("what is answered before a broken frame arrives, and what comes behind it does not count", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write(
      Buffer.concat([callOf(1, ["SET", "k", "v"]), frameOf(0x90, 0), callOf(3, ["SET", "k", "w"]), Buffer.alloc(5000)]),
    );
    assert.equal(await client.answer(1), "OK");
    assert.equal((await client.goodbye()).code, "BAD_FRAME");
    await client.closed;
    await using other = await dial(hive);
    assert.equal(await other.call("GET", "k"), "v");
  });

  test("behind a broken frame nothing is kept, though a call still runs", async () => {
    await using hive = await serve(makeRunner);
    await using other = await dial(hive);
    await using client = await dial(hive);
    await other.call("CLIENT", "PAUSE", "100000", "WRITE");
    client.write(Buffer.concat([callOf(1, ["SET", "k", "v"]), frameOf(0x90, 0)]));
    await until(() => hive.notices.length > 0);
    const noise = Buffer.alloc(1 << 20);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 40; i++) {
      client.write(noise);
      await until(() => client.socket.writableLength === 0);
    }
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 << 20);
    await other.call("CLIENT", "UNPAUSE");
    assert.equal(await client.answer(1), "OK");
    assert.equal((await client.goodbye()).code, "BAD_FRAME");
  });

  test("a call that waits for something ends when its connection breaks", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.send("TEST.WAIT");
    await until(() => ended.begun === 1);
    client.write(frameOf(0x90, 0));
    assert.equal((await client.goodbye()).code, "BAD_FRAME");
    assert.deepEqual(ended.reasons, ["CONNECTION_LOST"]);
  });

  test("the id of a call that waits is not taken twice", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write(Buffer.concat([callOf(1, ["TEST.WAIT"]), callOf(1, ["PING"])]));
    await until(() => hive.notices.length > 0);
    assert.match(hive.notices[0]!, /^BAD_FRAME: call 1 has no answer yet/);
  });

  test("credit that nobody can mean ends the connection", async () => {
    await using hive = await serve(makeRunner);
    const huge = Buffer.from("7fffffff", "hex");
    for (const bytes of [
      callOf(1, ["TEST.WAIT"], 0x8000_0000),
      Buffer.concat([callOf(1, ["TEST.WAIT"], 1000), frameOf(CREDIT, 1, huge)]),
      Buffer.concat([callOf(1, ["TEST.WAIT"], 1), callOf(1, ["TEST.WAIT"], 1)]),
    ]) {
      await using client = await dial(hive);
      const told = hive.notices.length;
      client.write(bytes);
      await until(() => hive.notices.length > told);
      assert.match(hive.notices.at(-1)!, /^BAD_FRAME/);
    }
  });
}

/** Values that no decoder is to meet, by name. */
const HOSTILE: Readonly<Record<string, string>> = {
  "a depth bomb": "91".repeat(5000) + "c0",
  "a depth bomb of maps": "81a161".repeat(5000) + "c0",
  "a record definition": "d47240",
  "a record": "d5724041",
  "bundled strings": "c70862000000000000000000",
  "a reference out of range": "92c0d40105",
  "a reference to what is not begun": "91d40101",
  "two values in one": "0102",
  "half a value": "92c0",
  "an unknown extension": "d46300",
  "a number in a longer form": "cc01",
  "a float32": "ca3f800000",
  "a claim of 2^32 items": "ddffffffff",
  "a claim of 2^32 pairs": "dfffffffff",
  "text that is none": "a1ff",
};

function describeValues(makeRunner: () => Runner): void {
  test("values that are hostile are refused, and change nothing of what lies beside them", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const good = { name: "ada", tags: new Set(["math"]) };
    for (const [name, hex] of Object.entries(HOSTILE)) {
      const value = new Encoded(3, hex);
      assert.equal(await codeOf(client.call("SET", "k", value)), "BAD_VALUE", name);
      assert.equal(await codeOf(client.call("HSET", "t", "before", good, "f", value, "g", good)), "BAD_VALUE", name);
      assert.equal(await codeOf(client.transact(["SET", "k", good], ["SET", "k", value])), "BAD_VALUE", name);
    }
    assert.equal(await client.call("EXISTS", "k", "t"), 0);
  });

  test("the same bytes that come as raw are stored, and what is beside them reads as it was", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const good = { name: "ada", shared: [1, 2] };
    const hostile = Object.values(HOSTILE).map((hex) => new Encoded(2, hex));
    for (const [i, bytes] of hostile.entries()) {
      await client.call("HSET", "t", `a${i}`, good, `b${i}`, bytes, `c${i}`, good);
    }
    const names = hostile.flatMap((_, i) => [`a${i}`, `b${i}`, `c${i}`]);
    const read = (await client.call("HMGET", "t", ...names)) as unknown[];
    for (const [i, { bytes }] of hostile.entries()) {
      assert.deepEqual(read[3 * i], good);
      assert.ok(Buffer.from(read[3 * i + 1] as Uint8Array).equals(bytes));
      assert.deepEqual(read[3 * i + 2], good);
    }
  });

  test("a stored value comes back as its bytes", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const hex = "82a46e616d65a3616461a4626f726ecd0717";
    assert.equal(await client.call("SET", "k", new Encoded(3, hex)), "OK");
    const id = client.send("GET", "k");
    const { body } = await client.frame((frame: Frame) => frame.id === id && frame.kind === RESULT);
    assert.equal(body.toString("hex"), `72${hex}`);
  });
}

function describeStrangers(makeRunner: () => Runner): void {
  test("without its token nobody gets in", async () => {
    await using hive = await serve(makeRunner, { strangers: true });
    for (const [hello, code] of [
      [{ heartbeatMs: 0 }, "NO_AUTH"],
      [{ heartbeatMs: 0, token: "wrong" }, "WRONG_PASSWORD"],
    ] as const) {
      await using client = await dial(hive, null);
      client.write(Buffer.concat([PREAMBLE, helloOf(hello), callOf(1, ["SET", "k", "v"])]));
      assert.equal((await client.goodbye()).code, code);
      await client.closed;
      assert.deepEqual(client.frames, []);
    }
  });

  test("before the handshake nothing else may come, and nothing large", async () => {
    await using hive = await serve(makeRunner);
    const wrong: [Uint8Array, ErrorCode][] = [
      [callOf(1, ["PING"]), "BAD_FRAME"],
      [frameOf(PING, 0), "BAD_FRAME"],
      [frameOf(HELLO, 0, Buffer.alloc(16_385)), "FRAME_TOO_BIG"],
      [frameOf(HELLO, 0), "BAD_FRAME"],
      [frameOf(HELLO, 0, Buffer.from("2161", "hex")), "BAD_FRAME"],
      [frameOf(HELLO, 0, Buffer.from("01ff", "hex")), "NOT_TEXT"],
      [helloOf([]), "BAD_FRAME"],
      [helloOf({}), "BAD_FRAME"],
      [helloOf({ heartbeatMs: -1 }), "BAD_FRAME"],
      [helloOf({ heartbeatMs: 1.5 }), "BAD_FRAME"],
      [helloOf({ heartbeatMs: 0, token: 7 }), "BAD_FRAME"],
      [helloOf({ heartbeatMs: 0, features: "all" }), "BAD_FRAME"],
      [Buffer.concat([helloOf({ heartbeatMs: 0 }), helloOf({ heartbeatMs: 0 })]), "BAD_FRAME"],
    ];
    for (const [bytes, code] of wrong) {
      await using client = await dial(hive, null);
      client.write(Buffer.concat([PREAMBLE, bytes]));
      assert.equal((await client.goodbye()).code, code, Buffer.from(bytes.subarray(0, 30)).toString("hex"));
      await client.closed;
    }
    await using later = await dial(hive, null);
    later.write(Buffer.concat([PREAMBLE.subarray(0, 5), Buffer.of(9), helloOf({ heartbeatMs: 0, more: [1] })]));
    await later.frame(({ kind }) => kind === WELCOME);
    for (const preamble of ["c16869766500", "c168697600", "c1c1c1c1c1c1"]) {
      await using client = await dial(hive, null);
      client.write(preamble);
      assert.equal((await client.goodbye()).code, "BAD_FRAME");
    }
  });

  test("a connection that does not finish its handshake in time is closed", async () => {
    await using hive = await serve(makeRunner, { limits: { authenticationTimeoutMs: 5 } });
    await using client = await dial(hive, null);
    client.write(PREAMBLE);
    await client.closed;
    assert.deepEqual(hive.notices, ["no handshake in time"]);
  });
}
