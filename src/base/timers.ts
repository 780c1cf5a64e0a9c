// Timers: waiting, as a thing that is handed in.
//
//   systemTimers ─┐
//                 ├─▶ whoever waits ──▶ timers.after(ms, run) ──▶ cancel()
//   ManualTimers ─┘
//
// What waits (deadlines, back-off, heartbeats) takes Timers instead of calling setTimeout, so a test
// lets a minute pass in no time and in a known order. They use no module of a platform.

/** Calls the timer off. Doing so twice, or after it ran, is fine. */
export type Cancel = () => void;

export interface Timers {
  /** Milliseconds, with a fraction, since an arbitrary start. Never goes back. */
  monotonicMs(): number;
  /**
   * Runs `run` once, `afterMs` from now or a little later.
   * @param keepsAlive Whether the process may not end before that. Without it, it may.
   */
  after(afterMs: number, run: () => void, keepsAlive?: boolean): Cancel;
}

/** setTimeout takes no more than this. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** The platform's. */
export const systemTimers: Timers = {
  monotonicMs: () => performance.now(),
  after(afterMs, run, keepsAlive = false) {
    const timer: unknown = setTimeout(run, Math.min(Math.max(afterMs, 0), TIMEOUT_MS_MAX));
    // Node's timers are objects that keep the process alive unless told otherwise, a browser's are numbers.
    if (!keepsAlive && typeof timer === "object") (timer as { unref?(): void }).unref?.();
    return () => clearTimeout(timer as Parameters<typeof clearTimeout>[0]);
  },
};

type Waiting = { atMs: number; run: () => void };

/** Timers that stand still until they are told to move. */
export class ManualTimers implements Timers {
  #nowMs = 0;
  readonly #waiting = new Set<Waiting>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** How many timers wait. */
  get size(): number {
    return this.#waiting.size;
  }

  after(afterMs: number, run: () => void): Cancel {
    const waiting = { atMs: this.#nowMs + Math.max(afterMs, 0), run };
    this.#waiting.add(waiting);
    return () => void this.#waiting.delete(waiting);
  }

  /** Lets `byMs` pass: what falls due runs in order, each at its own time. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      let next: Waiting | undefined;
      for (const waiting of this.#waiting) {
        if (waiting.atMs <= untilMs && (next === undefined || waiting.atMs < next.atMs)) next = waiting;
      }
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }
}
