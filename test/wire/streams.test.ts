// Streams: credit on both ends, without a connection. Bytes are what a test says they are.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CREDIT_MAX, ElementSink, ElementSource } from "../../src/wire/streams.ts";

type Ends = { source: ElementSource<number>; grants: number[]; stops: number };

function openSource(windowBytes: number, granted = true): Ends {
  const grants: number[] = [];
  const ends = { grants, stops: 0 } as Ends;
  ends.source = new ElementSource<number>({
    windowBytes,
    granted,
    grant: (bytes) => void grants.push(bytes),
    stop: () => void ends.stops++,
  });
  return ends;
}

const unexpected = (): never => assert.fail("decoded although nobody may read it");

test("elements are read in order, whether they wait for the reader or the reader for them", async () => {
  const { source } = openSource(100);
  source.push(1, () => 1);
  const early = [source.next(), source.next()];
  source.push(1, () => 2);
  source.push(1, () => 3);
  source.finish();
  assert.deepEqual(await Promise.all(early), [
    { value: 1, done: false },
    { value: 2, done: false },
  ]);
  assert.deepEqual(await Array.fromAsync(source), [3]);
  assert.deepEqual(await source.next(), { value: undefined, done: true });
});

test("credit is given when half of the window is consumed, and not before", async () => {
  const { source, grants } = openSource(100);
  for (const bytes of [30, 30, 30]) source.push(bytes, () => bytes);
  assert.equal(source.queuedBytes, 90);
  await source.next();
  assert.deepEqual(grants, []);
  await source.next();
  assert.deepEqual(grants, [60]);
});

test("an element without credit is a mistake of the sender, and is not even decoded", () => {
  const { source } = openSource(10);
  source.push(9, () => 1);
  source.push(500, () => 2);
  assert.throws(() => source.push(1, unexpected), { code: "BAD_FRAME" });
  assert.throws(() => openSource(10, false).source.push(1, unexpected), { code: "BAD_FRAME" });
});

test("credit counts although the reader is quick", async () => {
  const { source, grants } = openSource(10);
  const reading = source.next();
  source.push(4, () => 1);
  await reading;
  source.push(6, () => 2);
  assert.deepEqual(grants, [], "4 of 10 are consumed");
  assert.throws(() => source.push(1, unexpected), { code: "BAD_FRAME" });
});

test("a source that was not granted gives its window to the first reader", async () => {
  const { source, grants } = openSource(50, false);
  const first = source.next();
  void source.next();
  assert.deepEqual(grants, [50]);
  source.push(1, () => 7);
  assert.equal((await first).value, 7);
});

test("whoever leaves early stops the sender, and what comes after is not decoded", async () => {
  const ends = openSource(100);
  ends.source.push(1, () => 1);
  for await (const value of ends.source) {
    assert.equal(value, 1);
    break;
  }
  assert.equal(ends.stops, 1);
  ends.source.push(1, unexpected);
  await ends.source.return();
  assert.equal(ends.stops, 1);
});

test("an error is told once, behind what had arrived", async () => {
  const { source } = openSource(100);
  source.push(1, () => 1);
  source.finish(new Error("lost"));
  source.finish(new Error("again"));
  assert.equal((await source.next()).value, 1);
  await assert.rejects(source.next(), /lost/);
  assert.equal((await source.next()).done, true);

  const { source: waiting } = openSource(100);
  const reads = [waiting.next(), waiting.next()];
  waiting.finish(new Error("lost"));
  await assert.rejects(reads[0]!, /lost/);
  assert.equal((await reads[1]!).done, true);
});

test("a sink without credit sends nothing until it has some", async () => {
  const sent: unknown[] = [];
  const sink = new ElementSink({ creditBytes: 0, write: (value) => sent.push(value) && 10 });
  const first = sink.send("a");
  assert.deepEqual(sent, []);
  assert.throws(() => sink.send("b"), /before the last one was out/);
  sink.grant(5);
  await first;
  assert.deepEqual(sent, ["a"], "an element overdraws");
  const second = sink.send("b");
  sink.grant(5);
  await Promise.resolve();
  assert.deepEqual(sent, ["a"], "5 of it are still owed");
  sink.grant(1);
  await second;
  assert.deepEqual(sent, ["a", "b"]);
});

test("a sink that is closed lets its sender go on, and sends nothing", async () => {
  const sent: unknown[] = [];
  const sink = new ElementSink({ creditBytes: 0, write: (value) => sent.push(value) });
  const waiting = sink.send("a");
  sink.close();
  await waiting;
  assert.equal(sink.closed, true);
  assert.equal(sink.send("b"), undefined);
  assert.deepEqual(sent, []);
});

test("an element that cannot be encoded fails its send, now or later, and takes no credit", async () => {
  let broken = true;
  const write = (): number => {
    if (broken) throw new Error("cannot");
    return 1;
  };
  const sink = new ElementSink({ creditBytes: 1, write });
  assert.throws(() => sink.send("a"), /cannot/);
  broken = false;
  assert.equal(sink.send("a"), undefined);
  broken = true;
  const later = sink.send("b")!;
  sink.grant(1);
  await assert.rejects(later, /cannot/);
});

test("credit has an end", () => {
  const sink = new ElementSink({ creditBytes: CREDIT_MAX, write: () => 1 });
  assert.throws(() => sink.grant(1), { code: "BAD_FRAME" });
  assert.throws(() => new ElementSink({ creditBytes: CREDIT_MAX + 1, write: () => 1 }), { code: "BAD_FRAME" });
});

test("any sizes arrive in order, and what waits is never more than the window and one element", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
  const run = fc.asyncProperty(sizes, fc.integer({ min: 1, max: 50 }), fc.boolean(), async (sent, window, granted) => {
    const source: ElementSource<number> = new ElementSource<number>({
      windowBytes: window,
      granted,
      grant: (bytes) => sink.grant(bytes),
      stop: () => sink.close(),
    });
    let most = 0;
    const write = (value: unknown): number => {
      source.push(value as number, () => value as number);
      most = Math.max(most, source.queuedBytes);
      return value as number;
    };
    const sink = new ElementSink({ creditBytes: granted ? window : 0, write });
    const sending = (async () => {
      for (const size of sent) await sink.send(size);
      source.finish();
    })();
    assert.deepEqual(await Array.fromAsync(source), sent);
    await sending;
    assert.ok(most < window + 40, `${most} bytes waited`);
  });
  await fc.assert(run, { numRuns: 200 });
});
