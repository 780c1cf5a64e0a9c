// Two transports of one process: order, ends, pauses, as sockets have them.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Transport } from "../../src/base/transport.ts";
import { transportPair } from "../../src/base/transport-pair.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** Writes down what a transport hears. */
function listen(transport: Transport): string[] {
  const log: string[] = [];
  transport.receiver = {
    receive: (bytes, start, end) => void log.push(Buffer.from(bytes).latin1Slice(start, end)),
    drained: () => void log.push("(drained)"),
    finished: () => void log.push("(finished)"),
    closed: ({ kind }) => void log.push(`(closed: ${kind})`),
  };
  return log;
}

function pair(): { near: Transport; far: Transport; nearLog: string[]; farLog: string[] } {
  const [near, far] = transportPair({ near: "process:1", far: "hive:0" });
  return { near, far, nearLog: listen(near), farLog: listen(far) };
}

test("what is written arrives in the next turn, in order, and is a copy", async () => {
  const { near, far, nearLog, farLog } = pair();
  assert.deepEqual([near.address, near.localAddress, far.address], ["hive:0", "process:1", "process:1"]);
  const bytes = Buffer.from("abcdef");
  assert.equal(near.write(bytes, 3), true);
  bytes.fill(0x23);
  near.writeLatin1("\xff");
  far.writeLatin1("back");
  assert.deepEqual([farLog, nearLog], [[], []]);
  assert.equal(near.pendingBytes, 4);
  await turn();
  assert.deepEqual([farLog, nearLog], [["abc", "\xff"], ["back"]]);
  assert.equal(near.pendingBytes, 0);
});

test("who does not read makes the other end wait", async () => {
  const { near, far, nearLog, farLog } = pair();
  far.pause();
  near.writeLatin1("abc");
  near.awaitDrained();
  near.end();
  await turns(3);
  assert.deepEqual([farLog, nearLog, near.pendingBytes], [[], [], 3]);
  far.resume();
  await turns(3);
  assert.deepEqual([farLog, nearLog], [["abc", "(finished)"], []]);
});

test("a pause does not let the end through, although nothing is pending", async () => {
  const { near, far, farLog } = pair();
  far.pause();
  near.end();
  await turns(3);
  assert.deepEqual(farLog, []);
  far.resume();
  await turns(3);
  assert.deepEqual(farLog, ["(finished)"]);
});

test("drained() comes once for each time that it was asked for", async () => {
  const { near, nearLog } = pair();
  near.writeLatin1("abc");
  near.awaitDrained();
  await turns(3);
  near.writeLatin1("abc");
  await turns(3);
  assert.deepEqual(nearLog, ["(drained)"]);
});

test("after both ends have ended both hear that it is closed", async () => {
  const { near, far, nearLog, farLog } = pair();
  near.writeLatin1("last");
  near.end();
  near.writeLatin1("too late");
  await turns(2);
  assert.deepEqual(farLog, ["last", "(finished)"]);
  far.writeLatin1("answer");
  far.end();
  await turns(3);
  assert.deepEqual(farLog, ["last", "(finished)", "(closed: closed)"]);
  assert.deepEqual(nearLog, ["(closed: end)"], "an end that has ended hears of nothing else");
  near.end();
  near.destroy();
  await turns(2);
  assert.equal(nearLog.length, 1);
});

test("destroy() loses what is pending and tells both", async () => {
  const { near, far, nearLog, farLog } = pair();
  near.writeLatin1("lost");
  far.writeLatin1("lost");
  near.destroy();
  near.destroy();
  near.writeLatin1("ignored");
  await turns(3);
  assert.deepEqual([nearLog, farLog], [["(closed: closed)"], ["(closed: end)"]]);
});

test("a paused end that ends or is destroyed still hears the last", async () => {
  for (const way of ["end", "destroy"] as const) {
    const { near, far, nearLog, farLog } = pair();
    far.pause();
    near.writeLatin1("unread");
    near.end();
    far[way]();
    await turns(4);
    assert.match(farLog.join(), /^\(closed: \w+\)$/, way);
    assert.match(nearLog.join(), /^\(closed: \w+\)$/, way);
  }
});

test("neither end runs inside the other, even when each answers what it reads", async () => {
  const [near, far] = transportPair({ near: "a:1", far: "b:1" });
  let depth = 0;
  let deepest = 0;
  let count = 0;
  for (const end of [near, far]) {
    listen(end);
    end.receiver.receive = () => {
      deepest = Math.max(deepest, ++depth);
      if (++count < 200) end.writeLatin1("ping");
      depth--;
    };
  }
  near.writeLatin1("ping");
  while (count < 200) await turn();
  assert.equal(deepest, 1);
});
