// Reader control: what a test and its reading worker tell each other, in a few shared words.

import { Worker } from "node:worker_threads";

/** Words of the control memory. */
export const STOP = 0;
/** Reads accepted, those that found a newer version than all before, and those given up. */
export const ACCEPTED = 1;
export const FRESH = 2;
export const TORN = 3;
/** Containers' entries accepted: packed ones, and fields of unpacked ones. */
export const PACKED = 4;
export const FIELDS = 5;
export const DEADLINES = 6;
export const WORDS = 8;

export type ReaderTask = {
  memory: SharedArrayBuffer;
  control: SharedArrayBuffer;
  seed: number;
  /** "any": whatever the names of a history hold. "steady": keys that are there all the time. */
  look: "any" | "steady";
};

export class Reading {
  readonly #control = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  readonly #worker: Worker;
  readonly #end: Promise<void>;

  constructor(task: Omit<ReaderTask, "control">) {
    const control = this.#control.buffer as SharedArrayBuffer;
    this.#worker = new Worker(new URL("./reader-worker.ts", import.meta.url), { workerData: { ...task, control } });
    this.#end = new Promise((resolve, reject) => {
      this.#worker.once("error", reject);
      this.#worker.once("exit", () => resolve());
    });
    this.#end.catch(() => {});
  }

  count(word: number): number {
    return Atomics.load(this.#control, word);
  }

  /** Whether the reader has ended by itself: what it read was wrong. */
  get failed(): boolean {
    return this.count(STOP) !== 0;
  }

  /** Ends the reader. @throws what it found wrong. */
  async stop(): Promise<void> {
    Atomics.store(this.#control, STOP, 1);
    await this.#end;
  }
}
