// Spin: looking for an answer without giving the processor away.
//
//   flush ──▶ begin() ──▶ setImmediate, again and again, until the answer or the time is up
//
// While an immediate waits, Node's loop polls its sockets without sleeping. A call over a unix socket
// is answered within 20 to 30 µs, which is what two wake-ups by the kernel would cost. It is done only
// while few calls are open: with many there is work to do anyway. Browsers have no setImmediate.

import type { Timers } from "../base/timers.ts";

/** With more calls than this there is no spinning. */
const CALLS_MAX = 4;

const immediate = (globalThis as { setImmediate?: (run: () => void) => unknown }).setImmediate;

export class Spin {
  readonly #spinMs: number;
  readonly #timers: Timers;
  #untilMs = 0;
  #spinning = false;
  #wanted = false;
  readonly #turn = (): void => this.#next();

  constructor(spinMs: number, timers: Timers) {
    this.#spinMs = immediate === undefined ? 0 : spinMs;
    this.#timers = timers;
  }

  /** Something was sent, and so many calls are open. */
  begin(openCalls: number): void {
    if (this.#spinMs === 0 || openCalls === 0 || openCalls > CALLS_MAX) return;
    this.#untilMs = this.#timers.monotonicMs() + this.#spinMs;
    this.#wanted = true;
    if (this.#spinning) return;
    this.#spinning = true;
    immediate!(this.#turn);
  }

  /** Something arrived, and so many calls are left. */
  answered(openCalls: number): void {
    if (openCalls === 0) this.#wanted = false;
  }

  end(): void {
    this.#wanted = false;
  }

  #next(): void {
    if (this.#wanted && this.#timers.monotonicMs() < this.#untilMs) immediate!(this.#turn);
    else this.#spinning = false;
  }
}
