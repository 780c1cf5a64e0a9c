// Watchdog: names the command that blocks the hive: to operators afterwards, and by a thread while it blocks.
//
// Code in this process cannot be stopped, and nothing else of the hive runs meanwhile; a thread of its own can
// still say so.

import { Worker } from "node:worker_threads";

export type WatchdogParts = {
  limitMs: number;
  /** Whether a thread says it on standard error while it lasts. */
  live: boolean;
  monotonicMs(): number;
  onBlocked(command: string, milliseconds: number): void;
};

export class Watchdog {
  count = 0;
  command = "";
  milliseconds = 0;
  readonly #parts: WatchdogParts;
  readonly #words = new Int32Array(new SharedArrayBuffer(8));
  #worker: Worker | undefined = undefined;
  readonly #names = new Map<string, number>();
  #sinceMs = 0;

  constructor(parts: WatchdogParts) {
    this.#parts = parts;
  }

  /** These commands may run. Starts the thread where there is to be one. */
  know(names: Iterable<string>): void {
    for (const name of names) if (!this.#names.has(name)) this.#names.set(name, this.#names.size + 1);
    if (!this.#parts.live) return;
    if (this.#worker === undefined) {
      const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
      this.#worker = new Worker(new URL(`./watchdog-thread.${extension}`, import.meta.url), {
        workerData: { shared: this.#words.buffer, limitMs: this.#parts.limitMs },
      });
      this.#worker.unref();
    }
    this.#worker.postMessage([...this.#names.keys()]);
  }

  /** A command begins. */
  begin(command: string): void {
    this.#sinceMs = this.#parts.monotonicMs();
    if (this.#worker === undefined) return;
    Atomics.add(this.#words, 1, 1);
    Atomics.store(this.#words, 0, this.#names.get(command) ?? 0);
  }

  /** It has ended. */
  end(command: string): void {
    if (this.#worker !== undefined) Atomics.store(this.#words, 0, 0);
    const milliseconds = this.#parts.monotonicMs() - this.#sinceMs;
    if (milliseconds < this.#parts.limitMs) return;
    this.count++;
    this.command = command;
    this.milliseconds = milliseconds;
    this.#parts.onBlocked(command, milliseconds);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}
