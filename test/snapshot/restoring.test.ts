// Restoring into a store that has too little memory, that somebody watches, or that a snapshot means to harm.

import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import {
  BLOCK_END,
  BLOCK_RECORDS,
  encodeBlockHeader,
  encodeEnd,
  encodeHeader,
  HEADER_BYTES,
} from "../../src/snapshot/format.ts";
import { checkSnapshot, restoreSnapshot } from "../../src/snapshot/restore.ts";
import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { TYPE_TABLE } from "../../src/store/layout.ts";
import { Store } from "../../src/store/store.ts";
import { memorySource } from "../kit/memory-snapshots.ts";
import { SAMPLE_MS, sampleStore, takeSnapshot } from "../kit/snapshot-samples.ts";
import { imageOf } from "../kit/store-image.ts";
import { checkStore } from "../kit/store-invariants.ts";

const MIB = 1024 * 1024;

function put(store: Store, name: string, value: string): number {
  const [key, bytes] = [Buffer.from(name), Buffer.from(value)];
  return store.keys.put(key, 0, key.length, 0, bytes, 0, bytes.length, 0, NO_DEADLINE);
}

function tables(count: number, fields: number): Store {
  const store = new Store({ nowMs: SAMPLE_MS });
  for (let table = 0; table < count; table++) {
    const key = Buffer.from(`t${table}`);
    let ref = store.fields.create(TYPE_TABLE, key, 0, key.length, 0);
    for (let field = 0; field < fields; field++) {
      const [name, value] = [Buffer.from(`t${table}:${field}`), Buffer.from(`${field}`.padEnd(60))];
      ref = store.fields.set(ref, name, 0, name.length, 0, value, 0, value.length, 0);
    }
  }
  return store;
}

function restore(store: Store, bytes: Buffer): ReturnType<typeof restoreSnapshot> {
  return restoreSnapshot(memorySource(bytes), { store, limits: DEFAULT_LIMITS });
}

for (const [count, fields] of [
  [150, 500],
  [3, 30_000],
  [1_500, 70],
] as const) {
  test(`under a policy that evicts ${count} tables of ${fields} fields come as far as there is memory`, async () => {
    const from = tables(count, fields);
    const bytes = await takeSnapshot(from);
    from.close();
    const store = new Store({ nowMs: SAMPLE_MS, maxMemoryBytes: 4 * MIB, maxMemoryPolicy: "allkeys-lru" });
    const { keys } = await restore(store, bytes);
    assert.ok(keys < count, "something was evicted");
    assert.equal(keys, store.keys.count);
    const slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };
    for (let table = 0; table < count; table++) {
      const key = Buffer.from(`t${table}`);
      const ref = store.keys.find(key, 0, key.length);
      if (ref === 0) continue;
      store.fields.each(ref, (handle) => {
        const { bytes, start, end } = store.fields.name(ref, handle, slice);
        assert.ok(bytes.latin1Slice(start, end).startsWith(`t${table}:`), "no field of another table");
      });
    }
    while (store.work(() => false));
    checkStore(store);
    store.close();
  });
}

test("under a policy that evicts small keys come as far as there is memory", async () => {
  const from = new Store({ nowMs: SAMPLE_MS });
  for (let i = 0; i < 60_000; i++) put(from, `key:${i}`, "x".repeat(60));
  const bytes = await takeSnapshot(from);
  const store = new Store({ nowMs: SAMPLE_MS, maxMemoryBytes: 3 * MIB, maxMemoryPolicy: "allkeys-lru" });
  const { keys } = await restore(store, bytes);
  assert.ok(keys > 10_000 && keys < 60_000);
  assert.equal(keys, store.keys.count);
  checkStore(store);
});

test("a restore that memory ends takes nothing: neither versions nor containers", async () => {
  const from = tables(2_000, 70);
  from.memory.entries.version = 2 ** 40;
  put(from, "newest", "of all");
  const bytes = await takeSnapshot(from);
  const store = sampleStore(100);
  while (store.work(() => false));
  const before = imageOf(store);
  const { version } = store.memory.entries;
  for (let rooms = 0; rooms < 20; rooms++) {
    store.eviction.configure(store.usedBytes + rooms * 65536, "noeviction");
    await assert.rejects(restore(store, bytes), {
      code: "OUT_OF_MEMORY",
      message: /^test is not restored: there is too little memory/,
    });
    while (store.work(() => false));
    assert.equal(store.memory.entries.version, version);
    assert.deepEqual(imageOf(store), before);
    checkStore(store);
  }
});

test("whoever watches a key that was not there learns that it comes", async () => {
  const from = new Store({ nowMs: SAMPLE_MS });
  put(from, "comes", "now");
  const bytes = await takeSnapshot(from);
  const store = new Store({ nowMs: SAMPLE_MS });
  const told: string[] = [];
  store.memory.funnel.listen({
    change(kind, key, _entry, name, start, length) {
      told.push(`${kind} ${key} ${Buffer.from(name).toString("latin1", start, start + length)}`);
    },
  });
  await restore(store, bytes);
  assert.deepEqual(told, ["flush 0 ", "set 0 comes"]);
});

test("no number of restores uses the versions up", async () => {
  const store = sampleStore(1);
  store.memory.entries.version = 2 ** 48 - 2 ** 34;
  for (let i = 0; i < 20; i++) {
    const before = store.memory.entries.version;
    put(store, "again", "and again");
    await restore(store, await takeSnapshot(store));
    assert.ok(store.memory.entries.version > before + 1000);
  }
  assert.ok(store.memory.entries.version < 2 ** 48 - 2 ** 33);
});

/** A snapshot of these records, with all checksums right. */
function snapshotOf(records: Buffer[], counts: { keys: number; fields: number; containers: number }): Buffer {
  const raw = Buffer.concat(records);
  const block = (kind: number, number: number, bytes: Buffer): Buffer[] => [
    encodeBlockHeader({
      kind,
      stored: 0,
      flags: 0,
      number,
      storedBytes: bytes.length,
      rawBytes: bytes.length,
      crc: crc32(bytes),
    }),
    bytes,
  ];
  return Buffer.concat([
    encodeHeader({ createdMs: SAMPLE_MS, runId: "00".repeat(16), version: 9, keys: counts.keys }),
    ...block(BLOCK_RECORDS, 0, raw),
    ...block(BLOCK_END, 1, encodeEnd({ ...counts, rawBytes: raw.length })),
  ]);
}

const TABLE = Buffer.from([2, 4, 1, 5, 1, 0, 0, 0, 0, 0, 0x74]);
const FIELD = Buffer.from([15, 5, 7, 0, 1, 1, 2, 0, 0, 0, 0, 0, 0x66, 0x76]);
const MEMBER = Buffer.from([15, 5, 8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0x6d]);
const COUNTS = { keys: 1, fields: 1, containers: 1 };

test("what no hive writes is refused, however right its checksums are", async () => {
  const check = async (bytes: Buffer): Promise<string> => {
    const found = await checkSnapshot(memorySource(bytes), { limits: DEFAULT_LIMITS }).catch((error) => error.message);
    return typeof found === "string" ? found : "whole";
  };
  assert.equal(await check(snapshotOf([TABLE, FIELD], COUNTS)), "whole");
  assert.match(
    await check(snapshotOf([TABLE, MEMBER], COUNTS)),
    /a field, a member or a part of a list where it does not belong/,
  );
  const late = Buffer.from(FIELD);
  late.writeUInt32LE(10, 6);
  assert.match(await check(snapshotOf([TABLE, late], COUNTS)), /higher version than the snapshot/);
  for (const [at, value] of [
    [40, 2n ** 48n - 1n],
    [40, 2n ** 48n - 2n ** 32n],
    [16, 2n ** 53n],
    [16, 8_640_000_000_000_001n],
  ] as const) {
    const bytes = snapshotOf([TABLE, FIELD], COUNTS);
    bytes.writeBigUInt64LE(value, at);
    bytes.writeUInt32LE(0, 12);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES)), 12);
    assert.match(await check(bytes), /its header has numbers that no hive writes/);
  }
});
