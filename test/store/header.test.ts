// The header: what a process that maps the memory reads first.

import assert from "node:assert/strict";
import { test } from "node:test";
import { enter, leave, runId } from "../../src/store/header.ts";
import * as layout from "../../src/store/layout.ts";
import { SmallStore } from "../kit/small-store.ts";

test("the header has magic, version, the hash's key and a run id of its own", () => {
  const hashKey = Buffer.from([1, 2, 3, 4, 5, 6, 7, 0xff]);
  const words = new SmallStore({ hashKey }).store.memory.segments.words[0]!;
  assert.equal(words[layout.HEADER_MAGIC], layout.LAYOUT_MAGIC);
  assert.equal(words[layout.HEADER_VERSION], layout.LAYOUT_VERSION);
  assert.equal(words[layout.HEADER_KEY0], hashKey.readInt32LE(0));
  assert.equal(words[layout.HEADER_KEY1], hashKey.readInt32LE(4));
  assert.match(runId(words), /^[0-9a-f]{32}$/);
  assert.notEqual(runId(words), runId(new SmallStore().store.memory.segments.words[0]!));
});

test("the beat is the hive's time, beyond 32 bits too", () => {
  const { store } = new SmallStore({ nowMs: 1_800_000_000_123 });
  store.beat();
  const words = store.memory.segments.words[0]!;
  assert.equal(words[layout.HEADER_BEAT_HIGH]! * 2 ** 32 + (words[layout.HEADER_BEAT_LOW]! >>> 0), 1_800_000_000_123);
});

test("the header says how many segments there have been", () => {
  const small = new SmallStore();
  const words = small.store.memory.segments.words[0]!;
  assert.equal(words[layout.HEADER_SEGMENTS], 1);
  small.put("large", Buffer.alloc(17 * 1024 * 1024));
  assert.equal(words[layout.HEADER_SEGMENTS], 2);
});

test("busy nests", () => {
  const words = new SmallStore().store.memory.segments.words[0]!;
  enter(words);
  enter(words);
  leave(words);
  assert.equal(words[layout.HEADER_BUSY], 1);
  leave(words);
  assert.equal(words[layout.HEADER_BUSY], 0);
});

test("the root of the keyspace lies behind the header's own words", () => {
  assert.ok(layout.KEYSPACE_ROOT * 8 >= (layout.HEADER_KEY1 + 1) * 4);
});
