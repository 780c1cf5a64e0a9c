// A store under a policy that evicts: what is evicted is given back although the snapshot reads it, so that no
// more is evicted than without one, and the snapshot has it all the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { restoreSnapshot } from "../../src/snapshot/restore.ts";
import { SnapshotWriting } from "../../src/snapshot/writing.ts";
import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { TYPE_TABLE } from "../../src/store/layout.ts";
import { Store } from "../../src/store/store.ts";
import { MemorySink, memorySource } from "../kit/memory-snapshots.ts";
import { SAMPLE_MS } from "../kit/snapshot-samples.ts";
import { imageOf } from "../kit/store-image.ts";
import { checkStore } from "../kit/store-invariants.ts";

const MIB = 1024 * 1024;

function tableUntilFull(store: Store, bytes: number): void {
  for (let table = 0; store.usedBytes < bytes; table++) {
    const key = Buffer.from(`t${table}`);
    let ref = store.fields.create(TYPE_TABLE, key, 0, key.length, 0);
    for (let field = 0; field < 300; field++) {
      const [name, value] = [Buffer.from(`f${field}`), Buffer.alloc(60, `${table}`)];
      ref = store.fields.set(ref, name, 0, name.length, 0, value, 0, value.length, 0);
    }
  }
}

/** Writes as many small keys as calls do, and works between them. */
function write(store: Store, count: number, between: () => void): void {
  for (let i = 0; i < count; i++) {
    assert.ok(store.eviction.makeRoom());
    const [key, value] = [Buffer.from(`k${i}`), Buffer.alloc(200, `${i}`)];
    store.keys.put(key, 0, key.length, 0, value, 0, value.length, 0, NO_DEADLINE);
    if (i % 100 !== 0) continue;
    while (store.work(() => false));
    between();
  }
}

for (const steps of [0, 3]) {
  test(`tables are evicted no faster while a store goes on by ${steps} buckets`, async () => {
    const evicted: number[] = [];
    for (const stores of [false, true]) {
      const store = new Store({ nowMs: SAMPLE_MS, maxMemoryBytes: 8 * MIB, maxMemoryPolicy: "allkeys-lru" });
      tableUntilFull(store, 7.5 * MIB);
      const before = imageOf(store);
      const sink = new MemorySink();
      const backlogBytesMax = Number.MAX_SAFE_INTEGER;
      const calls = { onHeld() {}, onReleased() {}, onWork() {} };
      const writing = stores
        ? new SnapshotWriting({ store, sink, runId: "00".repeat(16), backlogBytesMax, ...calls })
        : undefined;
      write(store, 20_000, () => writing?.step(steps));
      evicted.push(store.keys.evicted);
      if (writing !== undefined) {
        while (writing.step(64));
        await writing.finished;
        const back = new Store({ nowMs: SAMPLE_MS });
        await restoreSnapshot(memorySource(sink.bytes), { store: back, limits: DEFAULT_LIMITS });
        assert.deepEqual(imageOf(back), before);
        back.close();
      }
      while (store.work(() => false));
      checkStore(store);
      store.close();
    }
    const [without, beside] = evicted;
    assert.ok(without! > 0 && beside! < without! * 2 + 50, `${beside} instead of ${without}`);
  });
}

test("a keyspace that was emptied is given back when memory is short", async () => {
  const store = new Store({ nowMs: SAMPLE_MS, maxMemoryBytes: 8 * MIB, maxMemoryPolicy: "allkeys-lru" });
  tableUntilFull(store, 7.5 * MIB);
  const before = imageOf(store);
  const sink = new MemorySink();
  const backlogBytesMax = Number.MAX_SAFE_INTEGER;
  const calls = { onHeld() {}, onReleased() {}, onWork() {} };
  const writing = new SnapshotWriting({ store, sink, runId: "00".repeat(16), backlogBytesMax, ...calls });
  store.keys.clear();
  write(store, 20_000, () => {});
  assert.ok(store.keys.evicted < 100, `${store.keys.evicted} evicted`);
  while (writing.step(64));
  await writing.finished;
  const back = new Store({ nowMs: SAMPLE_MS });
  await restoreSnapshot(memorySource(sink.bytes), { store: back, limits: DEFAULT_LIMITS });
  assert.deepEqual(imageOf(back), before);
});
