// What a connection without a token may do, over both wires, on a hive as it is: little, and not for long.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Hive } from "../../src/server/hive.ts";
import { CALL, GOODBYE, PREAMBLE } from "../../src/wire/frame.ts";
import { callOf, failureOf, frameOf, helloOf, NativeClient } from "../kit/native-client.ts";
import { RespClient } from "../kit/resp-client.ts";

const TOKEN = "the-one-and-only-token";

test("RESP: 10 arguments, 16 KiB and some time, no MULTI; more after the token", async () => {
  await using hive = await Hive.start({ port: 0, token: TOKEN, limits: { authenticationTimeoutMs: 200 } });
  const { port } = hive;
  await using many = await RespClient.connect({ port });
  many.write("*11\r\n");
  assert.equal(
    (await many.readReply()).bytes.latin1Slice(),
    "-ERR Protocol error: unauthenticated multibulk length\r\n",
  );
  await many.closed;
  await using long = await RespClient.connect({ port });
  long.write("*2\r\n$4\r\nAUTH\r\n$16385\r\n");
  assert.equal((await long.readReply()).bytes.latin1Slice(), "-ERR Protocol error: unauthenticated bulk length\r\n");
  await long.closed;
  await using transaction = await RespClient.connect({ port });
  assert.equal((await transaction.call("MULTI")).bytes.latin1Slice(), "-NOAUTH Authentication required.\r\n");
  await using silent = await RespClient.connect({ port });
  await silent.call("HELLO");
  await silent.closed;
  await using friend = await RespClient.connect({ port });
  await friend.call("AUTH", TOKEN);
  assert.equal((await friend.call("SET", "k", "x".repeat(20_000))).value, "OK");
  await transaction.closed;
  assert.equal((await friend.call("PING")).value, "PONG", "a friend has all the time");
});

test("native: no call before the handshake, no frame above 16 KiB in it, and some time", async () => {
  await using hive = await Hive.start({ port: 0, token: TOKEN, limits: { authenticationTimeoutMs: 200 } });
  const { port } = hive;
  const say = async (bytes: Uint8Array): Promise<string> => {
    await using client = await NativeClient.connect({ port }, null);
    client.write(Buffer.concat([PREAMBLE, bytes]));
    const { code } = failureOf(await client.frame(({ kind }) => kind === GOODBYE));
    await client.closed;
    return code;
  };
  assert.equal(await say(helloOf({ heartbeatMs: 0 })), "NO_AUTH");
  assert.equal(await say(helloOf({ heartbeatMs: 0, token: "wrong" })), "WRONG_PASSWORD");
  assert.equal(await say(callOf(1, ["PING"])), "BAD_FRAME");
  assert.equal(
    await say(Buffer.concat([helloOf({ heartbeatMs: 0, token: "wronger" }), callOf(1, ["SET", "k", "v"])])),
    "WRONG_PASSWORD",
  );
  assert.equal(await say(helloOf({ heartbeatMs: 0, token: "x".repeat(17_000) })), "FRAME_TOO_BIG");
  assert.equal(await say(frameOf(CALL, 1, Buffer.alloc(17_000))), "FRAME_TOO_BIG");
  await using silent = await NativeClient.connect({ port }, null);
  silent.write(PREAMBLE);
  await silent.closed;
  await using friend = await NativeClient.connect({ port }, { heartbeatMs: 0, token: TOKEN });
  assert.equal(await friend.call("GET", "k"), undefined, "what came behind a wrong token has not run");
});

test("native: the second wrong token of an address waits, and so does what is behind it", async () => {
  await using hive = await Hive.start({ port: 0, token: TOKEN, limits: { authenticationDelayMs: 60 } });
  const { port } = hive;
  const wrong = async (): Promise<string> => {
    await using client = await NativeClient.connect({ port }, null);
    client.write(Buffer.concat([PREAMBLE, helloOf({ heartbeatMs: 0, token: "wrong" })]));
    return (await client.goodbye()).code;
  };
  assert.equal(await wrong(), "WRONG_PASSWORD");
  const fromMs = performance.now();
  await using friend = await NativeClient.connect({ port }, null);
  friend.write(Buffer.concat([PREAMBLE, helloOf({ heartbeatMs: 0, token: TOKEN }), callOf(1, ["ECHO", "hi"])]));
  assert.equal(await friend.answer(1), "hi");
  assert.ok(performance.now() - fromMs >= 50, "real time has to pass: a hive's own timers hold it back");
});

test("while a token waits for its turn, behind wrong ones of its address, its time is not up", async () => {
  const limits = { authenticationDelayMs: 150, authenticationDelayMsMax: 150, authenticationTimeoutMs: 100 };
  await using hive = await Hive.start({ port: 0, token: TOKEN, limits });
  const { port } = hive;
  const guess = async (): Promise<string> => {
    await using client = await RespClient.connect({ port });
    return (await client.call("AUTH", "wrong")).bytes.latin1Slice(0, 10);
  };
  const guesses = [await guess(), guess(), guess(), guess()];
  await using resp = await RespClient.connect({ port });
  await using native = await NativeClient.connect({ port }, null);
  native.write(Buffer.concat([PREAMBLE, helloOf({ heartbeatMs: 0, token: TOKEN }), callOf(1, ["ECHO", "hi"])]));
  assert.equal((await resp.call("AUTH", TOKEN)).value, "OK");
  assert.equal(await native.answer(1), "hi");
  assert.deepEqual(await Promise.all(guesses), new Array(4).fill("-WRONGPASS"));
});

test("who says nothing, or not all of a line, has no longer than any other stranger", async () => {
  await using hive = await Hive.start({ port: 0, token: TOKEN, limits: { authenticationTimeoutMs: 100 } });
  const { port } = hive;
  await using silent = await RespClient.connect({ port });
  await using slow = await RespClient.connect({ port });
  slow.write("AUTH");
  await silent.closed;
  await slow.closed;
});
