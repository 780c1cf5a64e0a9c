// Watchdog: names the command that blocks the hive: to operators afterwards, and by a thread while it blocks.
//
// Code in this process cannot be stopped, and nothing else of the hive runs meanwhile; a thread of its own can
// still say so.

import { Worker } from "node:worker_threads";
import { clockMs } from "./isolated-messages.ts";
import { WATCHED_BEGUN, WATCHED_BLOCKED, WATCHED_BYTES, WATCHED_COMMAND, watchedWords } from "./watched-words.ts";

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
  readonly #watched = watchedWords(new SharedArrayBuffer(WATCHED_BYTES));
  #worker: Worker | undefined = undefined;
  readonly #names = new Map<string, number>();
  #sinceMs = 0;
  #begun = 0;

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
        workerData: { shared: this.#watched.words.buffer, limitMs: this.#parts.limitMs },
      });
      this.#worker.unref();
    }
    this.#worker.postMessage([...this.#names.keys()]);
  }

  /** A command begins. Where there is a thread, it looks at the clock: two readings would cost as much as a small command. */
  begin(command: string): void {
    this.#begun = (this.#begun + 1) | 0;
    if (this.#worker === undefined) this.#sinceMs = this.#parts.monotonicMs();
    else {
      const { words } = this.#watched;
      Atomics.store(words, WATCHED_BEGUN, this.#begun);
      Atomics.store(words, WATCHED_COMMAND, this.#names.get(command) ?? 0);
    }
  }

  /** It has ended. */
  end(command: string): void {
    let milliseconds: number;
    if (this.#worker === undefined) milliseconds = this.#parts.monotonicMs() - this.#sinceMs;
    else {
      const { words, times } = this.#watched;
      Atomics.store(words, WATCHED_COMMAND, 0);
      if (Atomics.load(words, WATCHED_BLOCKED) !== this.#begun) return;
      milliseconds = clockMs() - times[0]!;
    }
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
