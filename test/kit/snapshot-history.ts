// Snapshot history: a store history that writes snapshots beside, and what comes back from one compared with the moment
// at which it began.

import assert from "node:assert/strict";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { restoreSnapshot } from "../../src/snapshot/restore.ts";
import { SnapshotWriting } from "../../src/snapshot/writing.ts";
import { Store } from "../../src/store/store.ts";
import { MemorySink, memorySource } from "./memory-snapshots.ts";
import { StoreHistory } from "./store-history.ts";
import { imageOf, type StoreImage } from "./store-image.ts";
import { checkStore } from "./store-invariants.ts";
import type { Step } from "./store-steps.ts";

/** The histories give any bytes any kind. */
const ANYTHING = { check() {} };

export type Taken = {
  sink: MemorySink;
  image: StoreImage;
  fromMs: number;
  untilMs: number;
  finished: Promise<unknown>;
};

/** A history that writes snapshots beside: its "work" begins one, its "scan" and "pass" go on with it. */
export class SnapshotHistory extends StoreHistory {
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

/** Restores a snapshot and compares. Returns how many entries there were. */
export async function compareTaken({ sink, image, fromMs, untilMs, finished }: Taken): Promise<number> {
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
