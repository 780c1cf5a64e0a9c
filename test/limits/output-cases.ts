// Limits of what waits: replies that nobody reads, calls that have no answer yet, and all of it together.

import assert from "node:assert/strict";
import type { Limits } from "../../src/base/limits.ts";
import { PING, PONG } from "../../src/wire/frame.ts";
import { limited, passed } from "../kit/limited-hive.ts";
import { contentOf, frameOf } from "../kit/native-client.ts";
import { turns } from "../kit/native-hive.ts";
import { errorOf } from "./input-cases.ts";

const MIB = 1 << 20;

type Names =
  | "outputBytesMax"
  | "outputSoftBytesMax"
  | "outputSoftTimeoutMs"
  | "waitingBytesMax"
  | "openCallsMax"
  | "openCallsBytesMax";

/** A small soft limit, and a value that is more than the kernel takes. */
const SLOW: Partial<Limits> = { outputSoftBytesMax: MIB, valueBytesMax: 8 * MIB };

export const OUTPUT_CASES: Readonly<Record<Names & keyof Limits, () => Promise<void>>> = {
  async outputBytesMax() {
    const limits = { outputBytesMax: 2 * MIB, outputSoftBytesMax: MIB, valueBytesMax: MIB };
    await using hive = await limited(limits);
    await using client = await hive.resp();
    await client.call("SET", "k", "v".repeat(MIB));
    assert.match(await errorOf(client, "MGET", "k", "k", "k"), /reply exceeds outputBytesMax/);
    assert.equal((await client.call("PING")).value, "PONG", "the connection lives");
  },

  async outputSoftBytesMax() {
    await using hive = await limited(SLOW);
    await using client = await hive.resp();
    await client.call("SET", "k", "v".repeat(8 * MIB));
    await client.call("SET", "n", "0");
    client.socket.pause();
    client.sendAll([
      ["GET", "k"],
      ["GET", "k"],
      ["INCR", "n"],
    ]);
    const { peer } = [...hive.hive.engine.clients.values()][0]!;
    await passed(() => peer.outputBytes > MIB);
    await using other = await hive.resp();
    assert.equal((await other.call("GET", "n")).value, "0", "no further call has run");
    client.socket.resume();
    await client.readReplies(3);
    assert.equal((await other.call("GET", "n")).value, "1");
  },

  async outputSoftTimeoutMs() {
    await using hive = await limited({ ...SLOW, outputSoftTimeoutMs: 30 });
    await using client = await hive.resp();
    await client.call("SET", "k", "v".repeat(8 * MIB));
    client.socket.pause();
    client.sendAll([
      ["GET", "k"],
      ["GET", "k"],
    ]);
    await passed(() => hive.notices.length > 0);
    assert.match(hive.notices[0]!, /read nothing of \d+ bytes for outputSoftTimeoutMs \(30\)/);
    client.socket.resume();
    await client.closed;
  },

  async waitingBytesMax() {
    const limits = {
      frameBytesMax: 8 * MIB,
      outputBytesMax: 8 * MIB,
      outputSoftBytesMax: 4 * MIB,
      valueBytesMax: 4 * MIB,
    };
    await using hive = await limited({ ...limits, waitingBytesMax: 16 * MIB });
    await using beside = await hive.resp();
    await beside.call("SET", "k", "v".repeat(3 * MIB));
    // Each holds less than any limit of its own: an unfinished call, a queue, replies that are not read.
    const unfinished = await hive.resp();
    unfinished.write(`*2\r\n$4\r\nECHO\r\n$${7 * MIB}\r\n${"x".repeat(6 * MIB)}`);
    const native = await hive.native();
    native.write(Buffer.concat([Buffer.from("860000000100700000", "hex"), Buffer.alloc(5 * MIB)]));
    const queue = await hive.resp();
    queue.sendAll([["MULTI"], ["SET", "q", "v".repeat(2 * MIB)]]);
    await queue.readReplies(2);
    await passed(() => hive.hive.waitingBytes > 12 * MIB);
    assert.deepEqual(hive.notices, []);
    const reader = await hive.resp();
    reader.socket.pause();
    reader.sendAll(Array.from({ length: 3 }, () => ["GET", "k"]));
    await unfinished.closed;
    assert.match(
      hive.notices[0]!,
      /bytes waited on it when all connections together exceeded waitingBytesMax \(16777216\)/,
    );
    assert.equal(hive.notices.length, 1, "the one that held the most, and nobody else");
    assert.equal((await beside.call("PING")).value, "PONG");
    assert.equal((await queue.call("EXEC")).bytes.toString(), "*1\r\n+OK\r\n");
    reader.socket.resume();
    await reader.readReplies(3);
    for (const client of [reader, queue]) await client.close();
    native.socket.destroy();
    await native.closed;
    await passed(() => hive.hive.waitingBytes === 0);
  },

  async openCallsMax() {
    await using hive = await limited({ openCallsMax: 3 });
    await waitsAt(hive, ["PING"], 3);
  },

  async openCallsBytesMax() {
    await using hive = await limited({ openCallsBytesMax: 3000 });
    await waitsAt(hive, ["ECHO", "x".repeat(1000)], 3);
  },
};

/** Calls wait, and the one that is as many as may wait is the last that is read until they are answered. */
async function waitsAt(hive: Awaited<ReturnType<typeof limited>>, words: string[], most: number): Promise<void> {
  await using admin = await hive.resp();
  await using native = await hive.native();
  await admin.call("CLIENT", "PAUSE", "600000", "ALL");
  const ids = Array.from({ length: most - 1 }, () => native.send(...words));
  native.write(frameOf(PING, 7));
  await native.frame(({ kind }) => kind === PONG);
  ids.push(native.send(...words));
  native.write(frameOf(PING, 9));
  // Time enough to answer it, if it had been read.
  await turns(100);
  assert.deepEqual(native.frames, [], "nothing more is read while so much waits");
  await admin.call("CLIENT", "UNPAUSE");
  const answers = await Promise.all(ids.map((id) => native.frame((frame) => frame.id === id)));
  for (const answer of answers) assert.ok(contentOf(answer));
  await native.frame(({ kind, id }) => kind === PONG && id === 9);
}
