// LoopDelay: how late the event loop comes to what is due, without anything on the way of a call.
//
//   libuv's timer, every 10 ms ──▶ Node's histogram ──every 10 s──▶ the figures of INFO, and a new window
//
// Node's monitor records the time between two of its timers in C++, so a window of 10 s has 1000 samples; what
// the timer was set to is taken off. It costs 100 wake-ups a second (0.1 to 0.2 % of a processor, measured
// idle) and wakes no JavaScript. A delay that is shorter than the 10 ms and falls between two timers is
// not seen.

import { type ELDHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { LoopFigures, LoopMeter } from "../engine/health.ts";

const RESOLUTION_MS = 10;
const WINDOW_MS = 10_000;
const NANOSECONDS = 1e6;

export class LoopDelay implements LoopMeter {
  readonly #histogram: ELDHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #utilization = performance.eventLoopUtilization();
  #windowBeganMs: number;
  /** Of the last window that is whole. */
  #whole: LoopFigures | undefined = undefined;
  #peakMs = 0;

  /** @param monotonicMs Now, of a clock that only goes forward: the one that beat() is called with. */
  constructor(monotonicMs: number) {
    this.#windowBeganMs = monotonicMs;
    this.#histogram.enable();
  }

  /** Time passes. */
  beat(monotonicMs: number): void {
    if (monotonicMs - this.#windowBeganMs < WINDOW_MS) return;
    this.#whole = this.#figures(monotonicMs - this.#windowBeganMs);
    this.#peakMs = this.#whole.peakMs;
    this.#windowBeganMs = monotonicMs;
    this.#utilization = performance.eventLoopUtilization();
    this.#histogram.reset();
  }

  /** Of the last whole window; in the first one of what there is of it. */
  read(): LoopFigures {
    const now = this.#figures(WINDOW_MS);
    return this.#whole === undefined ? now : { ...this.#whole, peakMs: now.peakMs };
  }

  reset(): void {
    this.#peakMs = 0;
    this.#whole = undefined;
    this.#histogram.reset();
    this.#utilization = performance.eventLoopUtilization();
  }

  close(): void {
    this.#histogram.disable();
  }

  #figures(windowMs: number): LoopFigures {
    const histogram = this.#histogram;
    const late = (nanoseconds: number): number =>
      histogram.count === 0 ? 0 : Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS);
    const maxMs = late(histogram.max);
    return {
      windowMs,
      p50Ms: late(histogram.percentile(50)),
      p99Ms: late(histogram.percentile(99)),
      p999Ms: late(histogram.percentile(99.9)),
      maxMs,
      peakMs: Math.max(this.#peakMs, maxMs),
      busy: performance.eventLoopUtilization(this.#utilization).utilization,
    };
  }
}
