// What a hive may do wrong, and what a client makes of it: each ends in its own code, and memory stays within bounds.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallSpec } from "../../src/client/call.ts";
import type { Connection } from "../../src/client/connection.ts";
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

test("garbage instead of a handshake is BAD_FRAME", async () => {
  for (const garbage of [
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    "-ERR unknown command\r\n",
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00",
  ]) {
    const fake = new FakeHive();
    const connection = fake.client();
    await fake.turn();
    fake.sendBytes(Buffer.from(garbage));
    assert.equal((await failure(connection.ready)).code, "BAD_FRAME");
  }
});

test("no handshake in time is CONNECTION_LOST", async () => {
  const fake = new FakeHive();
  const connection = fake.client({ connectTimeoutMs: 300 });
  await fake.turn();
  fake.timers.advance(300);
  const error = await failure(connection.ready);
  assert.deepEqual([error.code, /connectTimeoutMs/.test(error.message)], ["CONNECTION_LOST", true]);
});

test("garbage later is BAD_FRAME, a frame above the limit FRAME_TOO_BIG, an end inside a frame CONNECTION_LOST", async () => {
  const cases: [string, (fake: FakeHive) => void][] = [
    ["BAD_FRAME", (fake) => fake.sendBytes(Buffer.from("+OK\r\n+OK\r\n"))],
    ["FRAME_TOO_BIG", (fake) => fake.sendBytes(Buffer.from("8700000001ffffffff", "hex"))],
    [
      "CONNECTION_LOST",
      (fake) => {
        fake.sendBytes(Buffer.from("870000000100000006", "hex"));
        fake.close();
      },
    ],
  ];
  for (const [code, act] of cases) {
    const { fake, connection } = await ready({ reconnect: false });
    const write = failure(connection.call(WRITE, ["k", "v"], undefined));
    await fake.turn();
    act(fake);
    const error = await write;
    assert.deepEqual([error.code, error.sent], [code, true]);
    if (code === "CONNECTION_LOST") assert.match(error.message, /in the middle of a frame/);
    assert.notEqual(fake.transport.state, "open", "the connection is not used any more");
    assert.deepEqual(connection.open, { calls: 0, bytes: 0 });
  }
});

test("an answer that cannot be read rejects its own call alone", async () => {
  const { fake, connection } = await ready();
  const bad = failure(connection.call(READ, ["bytes"], undefined));
  const good = connection.call(READ, ["text"], undefined);
  await fake.turn();
  const [one, two] = fake.frames();
  fake.answer(one!.id, (writer) => writer.bulk(Uint8Array.of(0xff), 0, 1));
  fake.answer(two!.id, (writer) => writer.text("fine"));
  assert.equal((await bad).code, "NOT_TEXT");
  assert.equal(await good, "fine");
});

test("a read is not asked again of a hive whose answers are no frames", async () => {
  const { fake, connection } = await ready();
  const read = failure(connection.call(READ, ["k"], undefined));
  await fake.turn();
  fake.sendBytes(Buffer.from("+OK\r\n+OK\r\n"));
  const error = await read;
  assert.deepEqual([error.code, error.sent], ["BAD_FRAME", true]);
});

test("calls that run out while there is no connection leave no memory behind", async () => {
  const { fake, connection } = await ready({ queue: { bytes: 4_000_000, ageMs: 1e9 }, timeoutMs: 100 });
  fake.reachable = false;
  fake.close();
  const before = process.memoryUsage().arrayBuffers;
  for (let round = 0; round < 100; round++) {
    const calls = [1, 2].map(() => failure(connection.call(WRITE, ["k", "x".repeat(900_000)], undefined)));
    await fake.turn();
    fake.timers.advance(120);
    for (const error of await Promise.all(calls)) assert.deepEqual([error.code, error.sent], ["DEADLINE", false]);
    await fake.turn();
  }
  globalThis.gc?.();
  assert.ok(process.memoryUsage().arrayBuffers - before < 60_000_000, "180 MB went through");
  await connection.close(0);
});

test("closing twice is one closing, and no call is taken meanwhile", async () => {
  const { fake, connection } = await ready({ heartbeatMs: 0 });
  const last = connection.call(READ, ["k"], undefined);
  await fake.turn();
  const closings = [connection.close(5_000), connection.close(5_000)];
  assert.equal((await failure(connection.call(READ, ["k"], undefined))).code, "HIVE_CLOSED");
  fake.answer(fake.frames()[0]!.id, (writer) => writer.text("v"));
  assert.equal(await last, "v");
  await Promise.all(closings);
  assert.equal(fake.timers.size, 0);
});

test("a deadline that is no number is refused", async () => {
  const { connection } = await ready();
  for (const timeoutMs of [Number.NaN, -1]) {
    const error = await failure(connection.call(READ, ["k"], { timeoutMs }));
    assert.deepEqual([error.code, error.sent], ["INVALID_ARGUMENT", false]);
  }
});
