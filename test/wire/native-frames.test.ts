// Frames of the vector file, written and read, whole and one byte at a time; and what is none.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { isHiveError } from "../../src/base/errors.ts";
import * as kinds from "../../src/wire/frame.ts";
import { FrameReader } from "../../src/wire/frame.ts";
import { FrameWriter } from "../../src/wire/frame-writer.ts";
import { decodeItem, ItemReader } from "../../src/wire/items.ts";
import { contentOf, type Notation, writeNotation } from "../kit/frame-notation.ts";

type Vector = { hex: string; kind: string; id: number; flags?: number; items: Notation[] };
type Broken = { hex: string; name: string; code: string };
const vectors: { valid: Vector[]; "other forms": Vector[]; broken: Broken[] } = JSON.parse(
  readFileSync(new URL("native-frames.json", import.meta.url), "utf8"),
);
const BODY_MAX = 1_000_000;

const kindOf = (name: string): number => (kinds as unknown as Record<string, number>)[name]!;

/** The items of the frame that a reader came to. */
function itemsOf(reader: FrameReader, skipped = 0): unknown[] {
  const items = new ItemReader();
  items.reset(reader.bytes, reader.start + skipped, reader.end);
  const found: unknown[] = [];
  while (!items.done) found.push(decodeItem(items, "auto"));
  return found;
}

/** Raw bytes that are UTF-8 are given as text. */
function asRead(item: Notation): unknown {
  const value = contentOf(item);
  if (typeof item === "string" || !("raw" in item)) return value;
  return Buffer.from(value as Uint8Array)
    .toString("utf8")
    .includes("\ufffd")
    ? value
    : Buffer.from(value as Uint8Array).toString();
}

test("each frame of the vectors is written as its bytes", () => {
  for (const { hex, kind, id, flags, items } of vectors.valid) {
    const writer = new FrameWriter(BODY_MAX);
    // A failure is a result that turned out to be nothing but an error.
    if (kind === "FAILURE") {
      writer.begin(kinds.RESULT, id);
      writer.error(items[0] as never, items[1] as string);
    } else {
      writer.begin(kindOf(kind), id);
      if (flags !== undefined) writer.uint8(flags);
      for (const item of items) writeNotation(writer, item);
    }
    writer.finish();
    assert.equal(Buffer.from(writer.scratch.copy()).toString("hex"), hex);
  }
});

test("each frame is read, whole and one byte at a time", () => {
  for (const { hex, kind, id, flags, items } of vectors.valid) {
    const bytes = Buffer.from(hex, "hex");
    for (const step of [bytes.length, 1, 5]) {
      const reader = new FrameReader(BODY_MAX);
      let found = false;
      for (let at = 0; at < bytes.length; at += step) {
        assert.equal(found, false, "a frame was found before its end");
        const end = Math.min(at + step, bytes.length);
        // What was received is overwritten as soon as the reader has settled.
        const chunk = Buffer.from(bytes.subarray(at, end));
        reader.feed(chunk, 0, chunk.length);
        found = reader.next();
        if (found) {
          assert.deepEqual([reader.kind, reader.id], [kindOf(kind), id]);
          assert.deepEqual(itemsOf(reader, flags === undefined ? 0 : 1), items.map(asRead));
        }
        reader.settle();
        chunk.fill(0x23);
      }
      assert.ok(found, hex);
      assert.equal(reader.pendingBytes, 0);
    }
  }
});

test("sizes may be written in a longer form than they need", () => {
  for (const { hex, items } of vectors["other forms"]) {
    const bytes = Buffer.from(hex, "hex");
    const reader = new FrameReader(BODY_MAX);
    reader.feed(bytes, 0, bytes.length);
    assert.ok(reader.next());
    assert.deepEqual(itemsOf(reader), items.map(contentOf));
  }
});

test("any frames, cut anywhere, are found in order and whole", () => {
  const frame = fc.record({ id: fc.integer({ min: 0, max: kinds.ID_MAX }), body: fc.uint8Array({ maxLength: 300 }) });
  const run = fc.property(
    fc.array(frame, { maxLength: 12 }),
    fc.array(fc.integer({ min: 1, max: 90 })),
    (sent, cuts) => {
      const writer = new FrameWriter(BODY_MAX);
      for (const { id, body } of sent) {
        writer.begin(kinds.PONG, id);
        for (const byte of body) writer.uint8(byte);
        writer.finish();
      }
      const bytes = Buffer.from(writer.scratch.copy());
      const reader = new FrameReader(BODY_MAX);
      const found: { id: number; body: Uint8Array }[] = [];
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const end = Math.min(bytes.length, at + (cuts[cut % cuts.length] ?? 7));
        const chunk = Buffer.from(bytes.subarray(at, end));
        reader.feed(chunk, 0, chunk.length);
        // Now and then whoever owns it has no time: frames wait in it.
        while (cut % 5 !== 4 && reader.next()) {
          found.push({ id: reader.id, body: new Uint8Array(reader.bytes.subarray(reader.start, reader.end)) });
        }
        reader.settle();
        chunk.fill(0x23);
        at = end;
      }
      while (reader.next())
        found.push({ id: reader.id, body: new Uint8Array(reader.bytes.subarray(reader.start, reader.end)) });
      assert.deepEqual(
        found.map(({ id, body }) => [id, ...body]),
        sent.map(({ id, body }) => [id, ...body]),
      );
    },
  );
  fc.assert(run, { numRuns: 300 });
});

test("a claim of a large frame takes no memory before its bytes come", () => {
  const header = Buffer.from("870000000107ffffff", "hex");
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 100 }, () => {
    const reader = new FrameReader(2 ** 31);
    reader.feed(header, 0, header.length);
    assert.equal(reader.next(), false);
    reader.settle();
    return reader;
  });
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024);
  assert.equal(readers[99]!.pendingBytes, header.length);
});

test("random bytes give frames or a HiveError, and nothing else", () => {
  let state = 77;
  const random = (below: number): number => (state = (state * 48271) % 0x7fffffff) % below;
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.alloc(4 + random(40));
    for (let i = 0; i < bytes.length; i++) bytes[i] = random(256);
    bytes[0] = 0x81 + random(14);
    if (random(2) === 0) bytes.writeUInt32BE(Math.max(0, bytes.length - 9), Math.min(5, bytes.length - 4));
    const reader = new FrameReader(1_000);
    reader.feed(bytes, 0, bytes.length);
    try {
      while (reader.next()) itemsOf(reader);
    } catch (error) {
      if (!isHiveError(error)) throw error;
      refused++;
    }
  }
  assert.ok(refused > 5_000, `${refused} refused`);
});
