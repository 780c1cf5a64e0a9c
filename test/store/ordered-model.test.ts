// Lists and sorted sets against their model with everything on at once: snapshots are written beside, keys run out and
// are evicted, calls are taken back, memory fails, and a reader of shared memory looks at every key between two steps.
// STORE_RUNS=… makes it long, STORE_SEED=… repeats one.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { beat } from "../../src/store/header.ts";
import { KIND_VALUE, TYPE_LIST, TYPE_SET, TYPE_SORTED, TYPE_TABLE } from "../../src/store/layout.ts";
import type { SegmentProvider } from "../../src/store/segments.ts";
import { SharedReader } from "../../src/store/shared-reader.ts";
import { ABSENT, BUSY, FOUND, OTHER_TYPE } from "../../src/store/shared-reader-outcomes.ts";
import type { MappedSegment, SegmentSource } from "../../src/store/shared-reader-segments.ts";
import { Store } from "../../src/store/store.ts";
import { compareTaken, SnapshotHistory } from "../kit/snapshot-history.ts";
import { freshSeed } from "../kit/store-checks.ts";
import { drawField } from "../kit/store-draws.ts";
import type { Name } from "../kit/store-model.ts";
import type { Step } from "../kit/store-steps.ts";

const RUNS = Number(process.env["STORE_RUNS"] ?? 30);
const PAGE = 65536;

/** The store's memory, which a reader in this process sees as another process would. */
class OwnSegments implements SegmentProvider, SegmentSource {
  readonly shared = true;
  readonly #buffers = new Map<number, SharedArrayBuffer>();

  open(index: number, bytes: number): { buffer: SharedArrayBuffer; offset: number } {
    const buffer = new SharedArrayBuffer(bytes);
    this.#buffers.set(index, buffer);
    return { buffer, offset: 0 };
  }

  reserve(): void {}

  close(index: number): void {
    this.#buffers.delete(index);
  }

  map(index: number, _generation: number, bytesMin: number): MappedSegment | undefined {
    const buffer = this.#buffers.get(index);
    return buffer === undefined || buffer.byteLength < bytesMin ? undefined : { buffer, close() {} };
  }
}

class OrderedHistory extends SnapshotHistory {
  reads = 0;
  readonly #reader: SharedReader;

  constructor(store: Store, reader: SharedReader) {
    super(store);
    this.#reader = reader;
  }

  /** What has fields is a sorted set, most of the time. */
  override containerType(name: Name): number {
    return name.bytes.length % 4 === 0 ? super.containerType(name) : TYPE_SORTED;
  }

  override scan(step: Step): void {
    super.scan(step);
    this.#readAll(step);
  }

  override look(step: Step): void {
    super.look(step);
    this.#readAll(step);
  }

  /** A reader knows whether there is such a key, and that it is no string and no table: never anything else. */
  #readAll([, , x]: Step): void {
    beat(this.store.memory.segments.words[0]!, this.store.nowMs);
    const reader = this.#reader;
    // In the middle of a call that may be taken back a reader is told to ask.
    if (this.store.undo.armed) return assert.equal(reader.key(true), BUSY);
    for (const { name, type, deadlineMs } of this.model.keys.values()) {
      if (type !== TYPE_LIST && type !== TYPE_SORTED) continue;
      const isThere = this.model.look(name).ref !== 0;
      assert.equal(isThere, deadlineMs > this.store.nowMs);
      reader.catchUp();
      this.#take(name);
      assert.equal(reader.key(false), isThere ? FOUND : ABSENT, "whether there is one");
      this.#take(name);
      assert.equal(reader.key(true), isThere ? OTHER_TYPE : ABSENT, "it is no string");
      this.reads += 2;
      if (name.kind === KIND_VALUE) continue;
      for (const other of [TYPE_TABLE, TYPE_SET]) {
        this.#take(drawField(x));
        const outcome = reader.field(name.bytes.latin1Slice(), other, other === TYPE_TABLE);
        assert.equal(outcome, isThere ? OTHER_TYPE : ABSENT, "it is no table and no set");
        this.reads++;
      }
    }
  }

  #take({ bytes, kind }: Name): void {
    const { name } = this.#reader;
    name.room(bytes.length).set(bytes);
    name.taken(bytes.length, kind === KIND_VALUE ? 1 : 0);
  }
}

const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(99), fc.nat(0xfffff), fc.nat(0xfffff), fc.nat(0xfffff));

test("lists and sorted sets do what their model does, whatever else goes on", async (t) => {
  const seed = freshSeed();
  t.diagnostic(`STORE_SEED=${seed}`);
  const counts = new Map<string, number>();
  let [compared, reads, evicted] = [0, 0, 0];
  const history = fc.array(step, { maxLength: 400, size: "max" });
  await fc.assert(
    fc.asyncProperty(history, fc.nat(0xffff), fc.nat(1), async (steps, number, setting) => {
      const limit =
        setting === 0 ? { maxMemoryBytes: PAGE * (16 + (number % 3)), maxMemoryPolicy: "allkeys-lru" as const } : {};
      const provider = new OwnSegments();
      const store = new Store({ nowMs: 1 + number * 37, hashKey: Buffer.alloc(8, number), provider, ...limit });
      const reader = new SharedReader(provider, () => store.nowMs);
      const run = new OrderedHistory(store, reader);
      run.run(steps);
      for (const taken of run.taken) compared += await compareTaken(taken);
      for (const [name, count] of run.counts) counts.set(name, (counts.get(name) ?? 0) + count);
      evicted += store.keys.evicted;
      reads += run.reads;
      reader.close();
      store.close();
    }),
    { numRuns: RUNS, seed, interruptAfterTimeLimit: 300_000, endOnFailure: false },
  );
  for (const name of ["pushElements", "editList", "setField", "deleteFields", "undo", "fail", "expireKey", "rename"]) {
    assert.ok((counts.get(name) ?? 0) > 0, `${name} happened`);
  }
  t.diagnostic(`${compared} entries of snapshots, ${reads} reads of shared memory, ${evicted} keys evicted`);
  assert.ok(compared > RUNS && reads > RUNS && evicted > 0);
});
