// Clock: where the time comes from.
//
//   systemClock ─┐
//                ├─▶ owner of a timer or a deadline ──▶ passes `nowMs` down as an argument
//   ManualClock ─┘
//
// Two times, because they answer two questions. `nowMs` is the date: it is what deadlines that outlive
// the process are kept in, and it jumps when the machine's clock is set. `monotonicMs` only ever goes
// forward: it is what durations are measured with. Code below the server takes times as arguments and
// knows neither; a test hands in a ManualClock and never waits.

/** A source of time. Both readings are milliseconds. */
export type Clock = {
  /** Whole milliseconds since the Unix epoch. May jump either way when the machine's clock is set. */
  nowMs(): number;
  /** Milliseconds, with a fraction, since an arbitrary start. Never goes back. */
  monotonicMs(): number;
};

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** A clock that stands still until it is told to move. For tests, of this project and of its users. */
export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;

  /** @param startMs What `nowMs` reads first. Whole milliseconds since the Unix epoch. */
  constructor(startMs = 1_000_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /**
   * Lets `byMs` pass on both readings.
   *
   * @throws {RangeError} `byMs` is negative or not whole: time that passes does not go back.
   */
  advance(byMs: number): void {
    if (!Number.isSafeInteger(byMs) || byMs < 0) {
      throw new RangeError(`a clock advances by whole milliseconds, 0 or more, got ${byMs}`);
    }
    this.#nowMs += byMs;
    this.#monotonicMs += byMs;
  }

  /** Sets the date, either way, as an operator or NTP does. The monotonic reading does not notice. */
  setDate(nowMs: number): void {
    this.#nowMs = nowMs;
  }
}
