// What every engine behind the native door does for FEED: a stream of changes, with the reader's credit.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Runner } from "../../src/engine/engine.ts";
import { CANCEL, CREDIT, ELEMENT, FAILURE } from "../../src/wire/frame.ts";
import { decodeItem, ItemReader } from "../../src/wire/items.ts";
import { callOf, type Frame, frameOf, type NativeClient } from "../kit/native-client.ts";
import { dial, serve } from "../kit/native-hive.ts";

const CALL_ID = 101;

function elementOf({ body }: Frame): unknown[] {
  const items = new ItemReader();
  items.reset(body, 0, body.length);
  return decodeItem(items, "auto") as unknown[];
}

async function next(client: NativeClient): Promise<unknown[]> {
  return elementOf(await client.frame(({ id, kind }) => id === CALL_ID && kind === ELEMENT));
}

function creditOf(bytes: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(bytes);
  return frameOf(CREDIT, CALL_ID, body);
}

export function describeNativeFeed(name: string, makeRunner: () => Runner): void {
  test(`${name}: FEED begins with the run and a number, then tells each change`, async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write(callOf(CALL_ID, ["FEED", "$", "a*", "b"], 10_000));
    const [run, number] = await next(client);
    assert.match(String(run), /^[0-9a-f]{32}$/);
    assert.equal(number, 0);
    await client.call("SET", "a1", "v");
    await client.call("SET", "other", "v");
    await client.call("HSET", "b", "f", "v");
    await client.call("RENAME", "a1", "other");
    await client.call("FLUSHALL");
    assert.deepEqual(await next(client), [1, "set", "a1"]);
    assert.deepEqual(await next(client), [3, "set", "b", "f"]);
    assert.deepEqual(await next(client), [4, "renamed", "a1", "other"]);
    assert.deepEqual(await next(client), [5, "flushed"]);
  });

  test(`${name}: FEED sends no more than it has credit for, and loses nothing by that`, async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write(callOf(CALL_ID, ["FEED", "$", "*"], 1));
    await next(client);
    for (let i = 1; i <= 5; i++) await client.call("SET", `k${i}`, "v");
    assert.equal(client.frames.filter(({ kind }) => kind === ELEMENT).length, 0);
    for (let i = 1; i <= 5; i++) {
      client.write(creditOf(i === 1 ? 100 : 1));
      assert.deepEqual(await next(client), [i, "set", `k${i}`]);
      if (i === 1) client.write(creditOf(1_000));
    }
  });

  test(`${name}: FEED ends with CANCEL, and goes on from a position`, async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write(callOf(CALL_ID, ["FEED", "$", "*"], 10_000));
    const [run] = await next(client);
    await client.call("SET", "a", "v");
    assert.deepEqual(await next(client), [1, "set", "a"]);
    client.write(frameOf(CANCEL, CALL_ID));
    await client.call("SET", "b", "v");
    client.write(callOf(CALL_ID, ["FEED", `${run}:1`, "*"], 10_000));
    assert.deepEqual(await next(client), [run, 1]);
    assert.deepEqual(await next(client), [2, "set", "b"]);
  });

  test(`${name}: FEED that is no stream, or from no position, fails, and the connection lives`, async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    await assert.rejects(client.call("FEED", "$", "*"), { code: "UNSUPPORTED" });
    client.write(callOf(CALL_ID, ["FEED", "nowhere", "*"], 10_000));
    await client.frame(({ id, kind }) => id === CALL_ID && kind === FAILURE);
    await assert.rejects(client.transact(["FEED", "$", "*"]), { code: "EXEC_ABORT" });
    assert.equal(await client.call("PING"), "PONG");
  });
}
