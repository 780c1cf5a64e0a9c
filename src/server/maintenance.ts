// Maintenance: the hive's own work, in slices between the clients' calls.
//
//   every 100 ms: the clock is read, what has run out goes, the header's beat is written
//   while the store has work: one slice of at most 0.5 ms per turn of the event loop
//
// A slice per turn means that under load every read event comes at least once between two slices, and
// an idle hive works them off as fast as it can. Its timer never keeps the process alive.

import type { Store } from "../store/store.ts";

/** Milliseconds between two beats; readers of shared memory take a hive for gone after ten of them. */
const BEAT_MS = 100;
/** Milliseconds of one slice. The last step of a slice may take some tens of microseconds more. */
const SLICE_MS = 0.5;

export type MaintenanceParts = {
  store: Store;
  /** Reads the clock and lets time pass in the store. */
  tick(): void;
  /** Ten times a second: for what looks at how the hive is. */
  onBeat?(monotonicMs: number): void;
  /** Milliseconds of a clock that only goes forward. */
  monotonicMs(): number;
};

export class Maintenance {
  readonly #parts: MaintenanceParts;
  readonly #timer: NodeJS.Timeout;
  #slice: NodeJS.Immediate | undefined = undefined;
  #endMs = 0;
  readonly #isOver = (): boolean => this.#parts.monotonicMs() >= this.#endMs;

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
    this.#timer.unref();
  }

  #beat(): void {
    this.#parts.tick();
    this.#parts.store.beat();
    this.#parts.onBeat?.(this.#parts.monotonicMs());
    if (this.#slice === undefined && this.#parts.store.hasWork) this.#schedule();
  }

  #schedule(): void {
    this.#slice = setImmediate(() => {
      this.#slice = undefined;
      this.#endMs = this.#parts.monotonicMs() + SLICE_MS;
      if (this.#parts.store.work(this.#isOver)) this.#schedule();
    });
  }

  /** Ends all work. What is left of it has no effect on what the hive answers. */
  close(): void {
    clearInterval(this.#timer);
    if (this.#slice) clearImmediate(this.#slice);
  }
}
