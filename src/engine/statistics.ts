// Statistics: what INFO counts over the whole hive.
//
//   engine, per call ──▶ counters            beat(), ten times a second ──▶ calls per second, peak of memory
//
// CONFIG RESETSTAT sets the counters back to 0, those of the commands and of the store too.

import type { ErrorCode } from "../base/errors.ts";
import type { Store } from "../store/store.ts";
import { noSessions, type SessionFigures } from "./session-figures.ts";

/** Beats that the rate is taken over: with ten a second 1.6 s, as in Redis. */
const SAMPLES = 16;

export class Statistics {
  connections = 0;
  refusedConnections = 0;
  calls = 0;
  /** Of sessions of devices: none where nobody has any. */
  sessions: () => SessionFigures = noSessions;
  errors = 0;
  /** Failed and refused calls by code. */
  readonly errorsByCode: Map<ErrorCode, number> = new Map();
  /** Most bytes of memory that were in use at once, looked at ten times a second. */
  peakBytes = 0;
  readonly #rates = new Float64Array(SAMPLES);
  #beats = 0;
  #lastMs = 0;
  #lastCalls = 0;

  countError(code: ErrorCode): void {
    this.errors++;
    this.errorsByCode.set(code, (this.errorsByCode.get(code) ?? 0) + 1);
  }

  /** @param monotonicMs Of a clock that only goes forward. */
  beat(monotonicMs: number, usedBytes: number): void {
    if (usedBytes > this.peakBytes) this.peakBytes = usedBytes;
    const passedMs = monotonicMs - this.#lastMs;
    if (passedMs <= 0) return;
    const calls = Math.max(0, this.calls - this.#lastCalls);
    if (this.#lastMs > 0) this.#rates[this.#beats++ % SAMPLES] = (calls * 1000) / passedMs;
    this.#lastMs = monotonicMs;
    this.#lastCalls = this.calls;
  }

  /** Calls per second lately, as the mean of the last beats. */
  get callsPerSecond(): number {
    const beats = Math.min(this.#beats, SAMPLES);
    let sum = 0;
    for (let i = 0; i < beats; i++) sum += this.#rates[i]!;
    return beats === 0 ? 0 : Math.round(sum / beats);
  }

  reset(store: Store, commands: Iterable<{ resetStatistics(): void }>): void {
    this.connections = 0;
    this.refusedConnections = 0;
    this.calls = 0;
    this.#lastCalls = 0;
    this.errors = 0;
    this.errorsByCode.clear();
    this.peakBytes = store.usedBytes;
    const { keys } = store;
    keys.hits = 0;
    keys.misses = 0;
    keys.expired = 0;
    keys.evicted = 0;
    store.expiredFields = 0;
    for (const command of commands) command.resetStatistics();
  }
}
