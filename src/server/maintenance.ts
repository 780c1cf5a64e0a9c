// Maintenance: the hive's own work, in slices between the clients' calls.
//
//   every 100 ms: the clock is read, what has run out goes, the header's beat is written
//   every 10 ms:  the clock is read, while sessions are open: their bytes are gone within 100 ms behind their end
//   while a worker has work: one slice of at most 0.5 ms per turn of the event loop, the workers in turn
//
// A slice per turn means that under load every read event comes at least once between two slices, and
// an idle hive works them off as fast as it can. Its timer never keeps the process alive.

/** Milliseconds between two beats; readers of shared memory take a hive for gone after ten of them. */
const BEAT_MS = 100;
/** Between two looks at the clock while there are secrets that may run out. */
const LOOK_MS = 10;
/** Milliseconds of one slice. The last step of a slice may take some tens of microseconds more. */
const SLICE_MS = 0.5;
/** Of one that is urgent: under load the hive gives most of its time to it. */
const URGENT_SLICE_MS = 2;

/** Something that can be done in slices: the store, a snapshot being written. */
export interface Worker {
  readonly hasWork: boolean;
  /** Milliseconds of one slice of it, where it wants shorter ones. */
  readonly sliceMs?: number;
  /** What there is to do cannot wait. */
  readonly isUrgent?: boolean;
  /** Works until `until()`, asked every 10 to 50 µs, says that the slice is over. Returns whether there is more to do. */
  work(until: () => boolean): boolean;
}

export type MaintenanceParts = {
  workers: readonly Worker[];
  /** Every 100 ms. */
  beat(): void;
  /** Whether something may run out that has to go at once. */
  isPressed?(): boolean;
  /** The clock is to be read. */
  look?(): void;
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
  /** While it is pressed. */
  #looks: NodeJS.Timeout | undefined = undefined;
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
    if (this.#looks === undefined && this.#parts.isPressed?.()) {
      this.#looks = setInterval(() => this.#look(), LOOK_MS);
      this.#looks.unref();
    }
    if (this.#workers.some(({ hasWork }) => hasWork)) this.wake();
  }

  #look(): void {
    if (!this.#parts.isPressed?.()) {
      clearInterval(this.#looks);
      this.#looks = undefined;
      return;
    }
    this.#parts.look?.();
    if (this.#workers.some(({ hasWork }) => hasWork)) this.wake();
  }

  #schedule(): void {
    this.#slice = setImmediate(() => {
      this.#slice = undefined;
      for (let tries = this.#workers.length; tries > 0; tries--) {
        const worker = this.#workers[this.#turn++ % this.#workers.length]!;
        if (!worker.hasWork) continue;
        this.#endMs = this.#parts.monotonicMs() + (worker.isUrgent ? URGENT_SLICE_MS : (worker.sliceMs ?? SLICE_MS));
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
    clearInterval(this.#looks);
    if (this.#slice) clearImmediate(this.#slice);
  }
}
