// Maintenance: the hive's own work, in slices between the clients' calls.
//
//   every 100 ms: the clock is read, what has run out goes, the header's beat is written
//   while a worker has work: one slice of at most 0.5 ms per turn of the event loop, the workers in turn
//
// A slice per turn means that under load every read event comes at least once between two slices, and
// an idle hive works them off as fast as it can. Its timer never keeps the process alive.

/** Milliseconds between two beats; readers of shared memory take a hive for gone after ten of them. */
const BEAT_MS = 100;
/** Milliseconds of one slice. The last step of a slice may take some tens of microseconds more. */
const SLICE_MS = 0.5;

/** Something that can be done in slices: the store, a snapshot being written. */
export interface Worker {
  readonly hasWork: boolean;
  /** Milliseconds of one slice of it, where it wants shorter ones. */
  readonly sliceMs?: number;
  /** Works until `until()`, asked every 10 to 50 µs, says that the slice is over. Returns whether there is more to do. */
  work(until: () => boolean): boolean;
}

export type MaintenanceParts = {
  workers: readonly Worker[];
  /** Every 100 ms. */
  beat(): void;
  /** Milliseconds of a clock that only goes forward. */
  monotonicMs(): number;
};

export class Maintenance {
  /** Ends the work: from then on wake() does nothing. */
  #closed = false;
  readonly #parts: MaintenanceParts;
  readonly #workers: Worker[];
  readonly #timer: NodeJS.Timeout;
  #slice: NodeJS.Immediate | undefined = undefined;
  #turn = 0;
  #endMs = 0;
  readonly #isOver = (): boolean => this.#parts.monotonicMs() >= this.#endMs;

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
    this.#workers = [...parts.workers];
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
    this.#timer.unref();
  }

  /** From here on this one has its turn too, until the function that is returned is called. */
  add(worker: Worker): () => void {
    this.#workers.push(worker);
    this.wake();
    return () => void this.#workers.splice(this.#workers.indexOf(worker), 1);
  }

  /** There may be work: it is looked for now and not only at the next beat. */
  wake(): void {
    if (this.#slice === undefined && !this.#closed) this.#schedule();
  }

  #beat(): void {
    this.#parts.beat();
    if (this.#workers.some(({ hasWork }) => hasWork)) this.wake();
  }

  #schedule(): void {
    this.#slice = setImmediate(() => {
      this.#slice = undefined;
      for (let tries = this.#workers.length; tries > 0; tries--) {
        const worker = this.#workers[this.#turn++ % this.#workers.length]!;
        if (!worker.hasWork) continue;
        this.#endMs = this.#parts.monotonicMs() + (worker.sliceMs ?? SLICE_MS);
        worker.work(this.#isOver);
        break;
      }
      if (this.#workers.some(({ hasWork }) => hasWork)) this.wake();
    });
  }

  /** Ends all work. What is left of it has no effect on what the hive answers. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#slice) clearImmediate(this.#slice);
  }
}
