// CallPause: CLIENT PAUSE. Calls wait from now on, all of them or those that write.
//
//   begin(until, mode) ──▶ holds(call)? ──▶ ended ──▶ the calls go on, in order

/** The longest that a timer takes; for a longer pause it is set again. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export type PauseMode = "write" | "all";

export class CallPause {
  /** Resolves when the pause under way ends; undefined while there is none. */
  ended: Promise<void> | undefined = undefined;
  #end: (() => void) | undefined = undefined;
  #untilMs = 0;
  #mode: PauseMode = "write";
  #timer: NodeJS.Timeout | undefined = undefined;
  readonly #nowMs: () => number;
  /** Reads the clock, and calls tick(). */
  readonly #look: () => void;

  constructor(parts: { nowMs(): number; look(): void }) {
    this.#nowMs = parts.nowMs;
    this.#look = parts.look;
  }

  /** Whether a call waits. Only asked while there is a pause. */
  holds(writes: boolean): boolean {
    return this.#mode === "all" || writes;
  }

  /** Of two pauses the longer and stricter counts. */
  begin(untilMs: number, mode: PauseMode): void {
    clearTimeout(this.#timer);
    if (this.ended === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.ended = promise;
      this.#end = resolve;
      this.#untilMs = untilMs;
      this.#mode = mode;
    } else {
      this.#untilMs = Math.max(this.#untilMs, untilMs);
      if (mode === "all") this.#mode = "all";
    }
    this.#wake();
  }

  /** Time has passed. */
  tick(nowMs: number): void {
    if (this.ended !== undefined && this.#untilMs <= nowMs) this.end();
  }

  end(): void {
    const end = this.#end;
    this.ended = undefined;
    this.#end = undefined;
    clearTimeout(this.#timer);
    end?.();
  }

  #wake(): void {
    const afterMs = Math.min(Math.max(this.#untilMs - this.#nowMs() + 1, 1), TIMER_MS_MAX);
    this.#timer = setTimeout(() => {
      this.#look();
      if (this.ended !== undefined) this.#wake();
    }, afterMs).unref();
  }
}
