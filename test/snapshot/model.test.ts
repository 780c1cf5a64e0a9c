// Snapshots against the moment that they show: random histories go on while one is written in steps, and
// what comes back from it is what was there at its beginning. STORE_RUNS=… makes it long, STORE_SEED=… repeats one.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { restoreSnapshot } from "../../src/snapshot/restore.ts";
import { SnapshotWriting } from "../../src/snapshot/writing.ts";
import { Store } from "../../src/store/store.ts";
import { MemorySink, memorySource } from "../kit/memory-snapshots.ts";
import { freshSeed } from "../kit/store-checks.ts";
import { StoreHistory } from "../kit/store-history.ts";
import { imageOf, type StoreImage } from "../kit/store-image.ts";
import { checkStore } from "../kit/store-invariants.ts";
import type { Step } from "../kit/store-steps.ts";

const RUNS = Number(process.env["STORE_RUNS"] ?? 120);
const PAGE = 65536;
/** The histories give any bytes any kind. */
const ANYTHING = { check() {} };

type Taken = { sink: MemorySink; image: StoreImage; fromMs: number; untilMs: number; finished: Promise<unknown> };

/** A history that writes snapshots beside: its "work" begins one, its "scan" and "pass" go on with it. */
class SnapshotHistory extends StoreHistory {
  readonly taken: Taken[] = [];
  #writing: SnapshotWriting | undefined = undefined;
  readonly #store2: Store;

  constructor(store: Store) {
    super(store, { checkEvery: Number.MAX_SAFE_INTEGER });
    this.#store2 = store;
  }

  override value(number: number, name: Parameters<StoreHistory["value"]>[1]): Buffer {
    return super.value(number, name).subarray(0, 140_000);
  }

  #begin(): void {
    const store = this.#store2;
    const sink = new MemorySink();
    const image = imageOf(store);
    const writing = new SnapshotWriting({
      store,
      sink,
      runId: "00".repeat(16),
      backlogBytesMax: Number.MAX_SAFE_INTEGER,
      onHeld() {},
      onReleased() {},
      onWork() {},
    });
    this.#writing = writing;
    this.taken.push({ sink, image, fromMs: store.nowMs, untilMs: store.nowMs, finished: writing.finished });
  }

  /** Some steps of the walk, whatever the sink has taken. */
  #goOn(buckets: number): void {
    if (this.#writing === undefined) return;
    const taken = this.taken.at(-1)!;
    taken.untilMs = Math.max(taken.untilMs, this.#store2.nowMs);
    if (!this.#writing.step(buckets)) this.#writing = undefined;
  }

  override work(step: Step): void {
    if (this.#writing === undefined && this.taken.length < 3) this.#begin();
    super.work(step);
  }

  override scan(step: Step): void {
    this.#goOn(1 + (step[2] % 6));
    super.scan(step);
  }

  override pass(step: Step): void {
    this.#goOn(1 + (step[1] % 3));
    super.pass(step);
    this.#goOn(0);
  }

  /** Time that goes back would make what has run out whole again. */
  override goBack(step: Step): void {
    if (this.#writing === undefined) super.goBack(step);
  }

  override settle(): void {
    while (this.#writing !== undefined) this.#goOn(64);
    super.settle();
  }
}

const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(99), fc.nat(0xfffff), fc.nat(0xfffff), fc.nat(0xfffff));

test("what a snapshot gives back is what was there when it began", async (t) => {
  const seed = freshSeed();
  t.diagnostic(`STORE_SEED=${seed}`);
  let compared = 0;
  const history = fc.array(step, { maxLength: 500, size: "max" });
  await fc.assert(
    fc.asyncProperty(history, fc.nat(0xffff), fc.nat(3), async (steps, number, setting) => {
      const limit = setting === 0 ? { maxMemoryBytes: PAGE * 64, maxMemoryPolicy: "allkeys-lru" as const } : {};
      const store = new Store({ nowMs: 1 + number * 37, hashKey: Buffer.alloc(8, number), ...limit });
      const run = new SnapshotHistory(store);
      run.run(steps);
      for (const taken of run.taken) compared += await compare(taken);
      store.close();
    }),
    { numRuns: RUNS, seed, interruptAfterTimeLimit: 300_000, endOnFailure: false },
  );
  assert.ok(compared > RUNS, `${compared} entries were compared`);
});

/** Restores a snapshot and compares. Returns how many entries there were. */
async function compare({ sink, image, fromMs, untilMs, finished }: Taken): Promise<number> {
  await finished;
  assert.ok(sink.committed);
  const store = new Store({ nowMs: fromMs });
  await restoreSnapshot(memorySource(sink.bytes), { store, limits: DEFAULT_LIMITS, content: ANYTHING });
  checkStore(store);
  const back = imageOf(store);
  for (const [name, entry] of image) {
    const found = back.get(name);
    // What ran out while the snapshot was written may or may not be in it; and a table goes with its fields.
    if (found === undefined) assert.ok(mayBeMissing(image, name, untilMs), `${name} is missing`);
    else assert.deepEqual(found, entry, name);
  }
  for (const name of back.keys()) assert.ok(image.has(name), `${name} was not there`);
  store.close();
  return image.size;
}

function mayBeMissing(image: StoreImage, name: string, untilMs: number): boolean {
  if (image.get(name)!.deadlineMs <= untilMs) return true;
  if (name.startsWith("f:"))
    return [...image].some(([key, { deadlineMs }]) => deadlineMs <= untilMs && name.startsWith(`f:${key}/`));
  const fields = [...image].filter(([field]) => field.startsWith(`f:${name}/`));
  return image.get(name)!.value === undefined && fields.every(([, { deadlineMs }]) => deadlineMs <= untilMs);
}
