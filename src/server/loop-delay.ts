// LoopDelay: how late the event loop comes to what is due, without anything on the way of a call.
//
//   libuv's timer, every 10 ms ──▶ Node's histogram ──every 10 s──▶ the figures of INFO, and a new window
//
// Node's monitor records the time between two of its timers in C++, so a window of 10 s has 1000 samples; what
// the timer was set to is taken off. Its 100 wake-ups a second cost up to 1 % of a slow processor, so it only
// runs while there are calls, and for some seconds after the last: a hive that idles is not woken. A delay
// that is shorter than the 10 ms and falls between two timers is not seen.

import { type ELDHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { LoopFigures, LoopMeter } from "../engine/health.ts";

const RESOLUTION_MS = 10;
const WINDOW_MS = 10_000;
/** Without a call for so long nothing is measured. */
const IDLE_MS = 5_000;
const NANOSECONDS = 1e6;

export class LoopDelay implements LoopMeter {
  readonly #histogram: ELDHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #utilization = performance.eventLoopUtilization();
  #measuring = false;
  #windowBeganMs = 0;
  #calls = 0;
  #lastCallMs = 0;
  #nowMs = 0;
  /** Of the last window that has ended. */
  #ended: LoopFigures | undefined = undefined;
  #peakMs = 0;

  /** Time passes: `calls` were made since the start. */
  beat(monotonicMs: number, calls: number): void {
    this.#nowMs = monotonicMs;
    if (calls !== this.#calls) {
      this.#calls = calls;
      this.#lastCallMs = monotonicMs;
      if (!this.#measuring) this.#begin(monotonicMs);
    }
    if (!this.#measuring) return;
    const isIdle = monotonicMs - this.#lastCallMs >= IDLE_MS;
    if (!isIdle && monotonicMs - this.#windowBeganMs < WINDOW_MS) return;
    this.#ended = this.#figures();
    this.#peakMs = this.#ended.peakMs;
    if (isIdle) this.#stop();
    else this.#begin(monotonicMs);
  }

  /** Of the last window that has ended; before the first of what there is. */
  read(): LoopFigures {
    const now = this.#figures();
    return this.#ended === undefined ? now : { ...this.#ended, peakMs: now.peakMs };
  }

  reset(): void {
    this.#peakMs = 0;
    this.#ended = undefined;
    if (this.#measuring) this.#begin(this.#nowMs);
  }

  close(): void {
    this.#stop();
  }

  /** A new window. The histogram is emptied: time in which nothing was measured is no delay. */
  #begin(monotonicMs: number): void {
    this.#histogram.reset();
    if (!this.#measuring) this.#histogram.enable();
    this.#measuring = true;
    this.#windowBeganMs = monotonicMs;
    this.#utilization = performance.eventLoopUtilization();
  }

  #stop(): void {
    this.#measuring = false;
    this.#histogram.disable();
    this.#histogram.reset();
  }

  #figures(): LoopFigures {
    const histogram = this.#histogram;
    const late = (nanoseconds: number): number =>
      histogram.count === 0 ? 0 : Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS);
    const maxMs = late(histogram.max);
    return {
      windowMs: Math.max(0, this.#nowMs - this.#windowBeganMs),
      p50Ms: late(histogram.percentile(50)),
      p99Ms: late(histogram.percentile(99)),
      p999Ms: late(histogram.percentile(99.9)),
      maxMs,
      peakMs: Math.max(this.#peakMs, maxMs),
      busy: performance.eventLoopUtilization(this.#utilization).utilization,
    };
  }
}
