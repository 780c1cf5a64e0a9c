// How much of a store is one slice, where values are large: buckets are cut, and nothing is left out or comes twice.

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
import { generator } from "../kit/store-draws.ts";
import { imageOf } from "../kit/store-image.ts";

const TABLE = Buffer.from("table");

function put(store: Store, name: string, bytes: number): void {
  const key = Buffer.from(name);
  store.keys.put(key, 0, key.length, 0, Buffer.alloc(bytes, name), 0, bytes, 0, NO_DEADLINE);
}

function remove(store: Store, name: string): void {
  const ref = store.keys.find(Buffer.from(name), 0, name.length);
  if (ref !== 0) store.keys.remove(ref);
}

function setField(store: Store, name: string, bytes: number): void {
  const field = Buffer.from(name);
  const ref = store.keys.find(TABLE, 0, TABLE.length) || store.fields.create(TYPE_TABLE, TABLE, 0, TABLE.length, 0);
  store.fields.set(ref, field, 0, field.length, 0, Buffer.alloc(bytes, name), 0, bytes, 0);
}

function begin(store: Store): { writing: SnapshotWriting; sink: MemorySink } {
  const sink = new MemorySink();
  const backlogBytesMax = Number.MAX_SAFE_INTEGER;
  const parts = { store, sink, runId: "00".repeat(16), backlogBytesMax, onHeld() {}, onReleased() {}, onWork() {} };
  return { writing: new SnapshotWriting(parts), sink };
}

test("between two looks at the clock there are some tens of KiB, or one value", async () => {
  for (const bytes of [100, 10_000, 100_000, 1_000_000]) {
    const store = new Store({ nowMs: SAMPLE_MS });
    const count = Math.min(300, 60_000_000 / bytes);
    for (let i = 0; i < count; i++) put(store, `k${i}`, bytes);
    for (let i = 0; i < count; i++) setField(store, `f${i}`, bytes);
    const { writing } = begin(store);
    let most = 0;
    let over = false;
    void writing.finished.then(() => {
      over = true;
    });
    while (!over) {
      const before = writing.counts.keys + writing.counts.fields;
      let looks = 0;
      writing.work(() => ++looks > 1);
      most = Math.max(most, (writing.counts.keys + writing.counts.fields - before) * bytes);
      if (!writing.hasWork) await new Promise((resolve) => setImmediate(resolve));
    }
    const { keys, fields } = await writing.finished;
    assert.ok(most < 128 * 1024 + bytes * 2, `${most} bytes at once of values of ${bytes}`);
    assert.deepEqual({ keys, fields }, { keys: count + 1, fields: count }, "each once");
    store.close();
  }
});

test("a bucket that is cut shows one moment, whatever changes between its parts", async () => {
  const seed = Number(process.env["SNAPSHOT_SEED"] ?? Math.floor(Math.random() * 0x7fffffff));
  const below = generator(seed);
  for (let run = 0; run < 10; run++) {
    const store = new Store({ nowMs: SAMPLE_MS });
    for (let i = 0; i < 200; i++) put(store, `k${i}`, 10_000 + below(60_000));
    for (let i = 0; i < 200; i++) setField(store, `f${i}`, 10_000 + below(60_000));
    const before = imageOf(store);
    const { writing, sink } = begin(store);
    for (let step = 0; writing.step(1); step++) {
      // Many more, then few: the index grows and shrinks under the walk.
      const [add, keep] = run % 2 === 0 ? [step < 60, 60] : [false, 5];
      for (let i = below(8); i > 0; i--) {
        put(store, `k${below(300)}`, below(70_000));
        setField(store, `f${below(300)}`, below(70_000));
        if (add) for (let n = 0; n < 20; n++) put(store, `new${step}:${i}:${n}`, 10);
        else for (let n = 0; n < 10; n++) remove(store, `k${keep + below(300 - keep)}`);
      }
    }
    await writing.finished;
    const back = new Store({ nowMs: SAMPLE_MS });
    await restoreSnapshot(memorySource(sink.bytes), { store: back, limits: DEFAULT_LIMITS });
    assert.deepEqual(imageOf(back), before, `SNAPSHOT_SEED=${seed}, run ${run}`);
    store.close();
    back.close();
  }
});
