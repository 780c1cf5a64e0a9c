// SnapshotWriting: one snapshot, from the moment that it shows to its last byte in the sink.
//
//   begin ──▶ epoch ──▶ work() in slices ──▶ records ──▶ blocks ──▶ sink ──▶ commit
//                └ pre-images of what changes meanwhile go the same way, ahead of the walk
//
// The walk stops while the sink is behind; pre-images cannot, so above backlogBytesMax writers are to be
// held back until it has caught up. The store is not changed, and nothing of it is copied but what is in
// the blocks under way.

import type { Epoch } from "../store/epoch.ts";
import type { Store } from "../store/store.ts";
import { BlockPipe } from "./block-pipe.ts";
import { type Counts, encodeHeader, type SnapshotHeader } from "./format.ts";
import { RecordWriter } from "./record-writer.ts";
import type { SnapshotSink } from "./sink.ts";

/** The walk waits while so much is not with the sink yet, and a quarter of what pre-images may take. */
const WALK_AHEAD_BYTES: number = 4 * 1024 * 1024;
/** Buckets between two looks at the clock, and raw bytes: about 10 µs. */
const STEP = 4;
const STEP_BYTES: number = 32 * 1024;

export type WritingParts = {
  store: Store;
  sink: SnapshotSink;
  runId: string;
  /** Whether secrets are in it: sessions of devices. */
  withSecrets?: boolean;
  /** Pre-images that may wait for the sink. */
  backlogBytesMax: number;
  /** More wait than that: writers are to be held back until onReleased(). */
  onHeld(): void;
  onReleased(): void;
  /** There is work again, or it is over: work() is to be called. */
  onWork(): void;
};

export type Written = Counts & { bytes: number; header: SnapshotHeader };

export class SnapshotWriting {
  /** Shorter than what frees memory may take: a store lasts longer, and comes with more turns of the loop. */
  readonly sliceMs = 0.2;
  readonly header: SnapshotHeader;
  /** Resolves when it is committed. Rejects with what failed; then nothing is left of it. */
  readonly finished: Promise<Written>;
  readonly #parts: WritingParts;
  readonly #epoch: Epoch;
  readonly #writer: RecordWriter;
  readonly #pipe: BlockPipe;
  readonly #resolve: (written: Written) => void;
  readonly #reject: (error: unknown) => void;
  readonly #aheadBytes: number;
  #held = false;
  #walked = false;

  /** The snapshot shows the store as it is at this moment. */
  constructor(parts: WritingParts) {
    this.#parts = parts;
    this.#aheadBytes = Math.min(WALK_AHEAD_BYTES, parts.backlogBytesMax / 4);
    const { promise, resolve, reject } = Promise.withResolvers<Written>();
    this.finished = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    const { memory } = parts.store;
    this.#pipe = new BlockPipe(parts.sink, () => this.#progressed());
    this.#writer = new RecordWriter(
      memory,
      (raw, continues) => {
        this.#pipe.push(raw, continues);
        this.#look();
      },
      () => this.#pipe.buffer(),
    );
    this.#epoch = parts.store.beginEpoch(this.#writer, parts.withSecrets);
    this.header = {
      createdMs: memory.nowMs,
      runId: parts.runId,
      version: this.#epoch.version,
      keys: this.#epoch.keys,
    };
    this.#pipe.begin(encodeHeader(this.header));
  }

  /** How much of the keys was walked, from 0 to 1. */
  get progress(): number {
    return this.#epoch.progress;
  }

  get counts(): Readonly<Counts> {
    return this.#writer.counts;
  }

  get writtenBytes(): number {
    return this.#pipe.writtenBytes;
  }

  /** Raw bytes that the sink has not taken yet. */
  get backlogBytes(): number {
    return this.#pipe.pendingBytes;
  }

  /** Whether work() has something to do now. */
  get hasWork(): boolean {
    return !this.#walked && this.#pipe.pendingBytes < this.#aheadBytes;
  }

  /** Walks until `until()` says that the slice is over. Returns whether there is more to do now. */
  work(until: () => boolean): boolean {
    while (this.hasWork && !until()) if (!this.step(STEP, STEP_BYTES)) return false;
    return this.hasWork;
  }

  /** Walks over so many buckets, or as many as make so many raw bytes, whatever the sink has taken. Returns whether there are more. */
  step(buckets: number, bytes: number = Number.POSITIVE_INFINITY): boolean {
    const end = this.#writer.rawBytes + bytes;
    for (let i = 0; i < buckets && !this.#walked && this.#writer.rawBytes < end; i++) {
      if (this.#epoch.step()) continue;
      this.#walked = true;
      void this.#finish();
    }
    return !this.#walked;
  }

  async #finish(): Promise<void> {
    const { sink } = this.#parts;
    this.#epoch.end();
    try {
      this.#writer.finish();
      await this.#pipe.finish(this.#writer.counts);
      await sink.commit();
      this.#release();
      this.#resolve({ ...this.#writer.counts, bytes: this.#pipe.writtenBytes, header: this.header });
    } catch (error) {
      await this.#fail(error);
    }
  }

  async #fail(error: unknown): Promise<void> {
    this.#walked = true;
    this.#pipe.failure ??= error;
    this.#epoch.end();
    this.#release();
    await this.#pipe.settled();
    this.#pipe.close();
    await this.#parts.sink.abort();
    this.#reject(error);
  }

  /** Whether writers are to wait. */
  #look(): void {
    if (this.#held || this.#pipe.pendingBytes <= this.#parts.backlogBytesMax) return;
    this.#held = true;
    this.#parts.onHeld();
  }

  #release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#parts.onReleased();
  }

  #progressed(): void {
    if (this.#pipe.failure !== undefined && !this.#walked) return void this.#fail(this.#pipe.failure);
    if (this.#pipe.pendingBytes <= this.#parts.backlogBytesMax / 2) this.#release();
    if (this.hasWork) this.#parts.onWork();
  }
}
