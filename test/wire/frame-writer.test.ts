// FrameWriter: what is written, taken back, left and appended, and its limit.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ELEMENT, FAILURE, FrameReader, RESULT } from "../../src/wire/frame.ts";
import { FrameWriter } from "../../src/wire/frame-writer.ts";
import { decodeItem, ItemReader } from "../../src/wire/items.ts";
import { Scratch } from "../../src/wire/value.ts";

type Read = { kind: number; id: number; items: unknown[] };

function read(writer: FrameWriter): Read[] {
  const bytes = Buffer.from(writer.scratch.copy());
  const reader = new FrameReader(1 << 30);
  reader.feed(bytes, 0, bytes.length);
  const frames: Read[] = [];
  while (reader.next()) {
    const items = new ItemReader();
    items.reset(reader.bytes, reader.start, reader.end);
    const found: unknown[] = [];
    while (!items.done) found.push(decodeItem(items, "auto"));
    frames.push({ kind: reader.kind, id: reader.id, items: found });
  }
  assert.equal(reader.pendingBytes, 0);
  return frames;
}

test("texts and bytes of every size about the bounds of a head come back", () => {
  const writer = new FrameWriter(1 << 30);
  const sent: unknown[] = [];
  writer.begin(RESULT, 1);
  for (const size of [0, 1, 24, 25, 27, 28, 29, 85, 86, 254, 255, 256, 257, 21_846, 65_535, 65_536, 70_000]) {
    for (const value of ["x".repeat(size), "ü".repeat(size), "€".repeat(size), new Uint8Array(size).fill(255)]) {
      writer.any(value);
      writer.encoded(value);
      sent.push(value, value);
    }
  }
  writer.finish();
  assert.deepEqual(read(writer), [{ kind: RESULT, id: 1, items: sent }]);
});

test("any values come back, alone and in collections", () => {
  const value = fc.anything({ withMap: true, withSet: true, withDate: true, withBigInt: true, maxDepth: 2 });
  const scalar = fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.double(), fc.boolean(), fc.bigInt());
  const run = fc.property(fc.array(scalar, { maxLength: 20 }), value, (scalars, last) => {
    const writer = new FrameWriter(1 << 30);
    writer.begin(RESULT, 3);
    writer.array(scalars.length);
    for (const one of scalars) writer.any(one);
    let whole = true;
    try {
      writer.encoded(last);
    } catch {
      whole = false;
    }
    writer.finish();
    const [{ items }] = read(writer) as [Read];
    assert.equal(items.length, whole ? 2 : 1);
    const wanted = scalars.map((one) => (typeof one === "string" ? one.toWellFormed() : one));
    assert.deepEqual(items[0], wanted);
  });
  fc.assert(run, { numRuns: 300 });
});

test("a reply that is nothing but an error is a failure, and a result again when it is taken back", () => {
  const writer = new FrameWriter(1 << 30);
  writer.begin(RESULT, 1);
  const mark = writer.mark();
  writer.error("NO_KEY", "none");
  writer.finish();
  assert.deepEqual(read(writer)[0], { kind: FAILURE, id: 1, items: ["NO_KEY", "none"] });
  writer.rewind(mark);
  writer.integer(7);
  writer.finish();
  assert.deepEqual(read(writer)[0], { kind: RESULT, id: 1, items: [7] });
  writer.rewind(mark);
  writer.array(1);
  writer.error("NO_KEY", "none");
  writer.finish();
  const [frame] = read(writer);
  assert.equal(frame!.kind, RESULT);
  assert.equal((frame!.items[0] as { code: string }[])[0]!.code, "NO_KEY");
});

test("a call that answers later keeps its frame and its marks; the rest goes on", () => {
  const writer = new FrameWriter(1 << 30, new Scratch(32));
  writer.begin(RESULT, 1);
  writer.text("first");
  writer.finish();
  const from = writer.begin(RESULT, 3);
  const mark = writer.mark();
  writer.open("array");
  writer.text("half");
  const rest = writer.leave(from);
  rest.begin(RESULT, 5);
  rest.text("third");
  rest.finish();
  writer.rewind(mark);
  writer.text("x".repeat(1000));
  writer.finish();
  rest.append(writer);
  assert.deepEqual(
    read(rest).map(({ id, items }) => [id, String(items[0]).slice(0, 5)]),
    [
      [1, "first"],
      [5, "third"],
      [3, "xxxxx"],
    ],
  );
  assert.throws(() => rest.close(), /close\(\) without open\(\)/);
});

test("above its limit nothing is written, and an error still is", () => {
  const writer = new FrameWriter(1000, new Scratch(16));
  writer.begin(RESULT, 1);
  const mark = writer.mark();
  const bytes = new Uint8Array(1000);
  assert.throws(() => writer.bulk(bytes, 0, bytes.length), { code: "OUTPUT_TOO_BIG" });
  writer.rewind(mark);
  writer.error("OUTPUT_TOO_BIG", "m".repeat(100_000));
  writer.finish();
  const [frame] = read(writer);
  assert.deepEqual([frame!.kind, (frame!.items[1] as string).length], [FAILURE, 4096]);
});

test("what cannot be encoded leaves the frame as it was", () => {
  const writer = new FrameWriter(1000);
  writer.begin(ELEMENT, 1);
  writer.text("before");
  assert.throws(() => writer.any({ f: () => {} }), { code: "BAD_VALUE" });
  assert.throws(() => writer.name(null as never), { code: "BAD_VALUE" });
  writer.text("behind");
  writer.finish();
  assert.deepEqual(read(writer)[0]!.items, ["before", "behind"]);
  writer.begin(ELEMENT, 3);
  writer.text("gone");
  writer.abandon();
  assert.equal(read(writer).length, 1);
});
