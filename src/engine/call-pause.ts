// CallPause: calls wait from now on, all of them or those that write.
//
//   begin(until, mode) by CLIENT PAUSE, hold(mode) by the hive itself ──▶ holds(call)?
//       ──▶ the pause is over and nothing holds ──▶ ended ──▶ the calls go on, in order

/** The longest that a timer takes; for a longer pause it is set again. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** What ends a pause, and what tells how long a restore still takes. */
const NEVER_PAUSED = new Set(["CLIENT UNPAUSE", "CLIENT PAUSE", "SNAPSHOT STATUS"]);

export type PauseMode = "write" | "all";

export class CallPause {
  /** Resolves when calls go on; undefined while none waits. */
  ended: Promise<void> | undefined = undefined;
  #resolve: (() => void) | undefined = undefined;
  /** The clients' pause; undefined while there is none. */
  #pause: { untilMs: number; mode: PauseMode } | undefined = undefined;
  readonly #held = new Set<{ mode: PauseMode }>();
  #timer: NodeJS.Timeout | undefined = undefined;
  readonly #nowMs: () => number;
  /** Reads the clock, and calls tick(). */
  readonly #look: () => void;

  constructor(parts: { nowMs(): number; look(): void }) {
    this.#nowMs = parts.nowMs;
    this.#look = parts.look;
  }

  /** Whether a call waits. Only asked while there is a reason to. */
  holds(command: string, writes: boolean): boolean {
    if (NEVER_PAUSED.has(command)) return false;
    if (writes || command === "EXEC" || this.#pause?.mode === "all") return true;
    for (const { mode } of this.#held) if (mode === "all") return true;
    return false;
  }

  /** The hive's own reason: calls wait until the function that it returns is called. */
  hold(mode: PauseMode): () => void {
    const reason = { mode };
    this.#held.add(reason);
    this.#open();
    return () => {
      this.#held.delete(reason);
      this.#closeIfOver();
    };
  }

  /** Of two pauses of clients the longer and stricter counts. */
  begin(untilMs: number, mode: PauseMode): void {
    clearTimeout(this.#timer);
    const before = this.#pause;
    this.#pause = {
      untilMs: Math.max(before?.untilMs ?? 0, untilMs),
      mode: before?.mode === "all" ? "all" : mode,
    };
    this.#open();
    this.#wake(this.#pause);
  }

  /** Time has passed. */
  tick(nowMs: number): void {
    if (this.#pause !== undefined && this.#pause.untilMs <= nowMs) this.end();
  }

  /** Ends the clients' pause. */
  end(): void {
    clearTimeout(this.#timer);
    this.#pause = undefined;
    this.#closeIfOver();
  }

  #open(): void {
    if (this.ended !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#resolve = resolve;
  }

  #closeIfOver(): void {
    if (this.#pause !== undefined || this.#held.size > 0) return;
    const resolve = this.#resolve;
    this.ended = undefined;
    this.#resolve = undefined;
    resolve?.();
  }

  #wake(pause: { untilMs: number }): void {
    const afterMs = Math.min(Math.max(pause.untilMs - this.#nowMs() + 1, 1), TIMER_MS_MAX);
    this.#timer = setTimeout(() => {
      this.#look();
      if (this.#pause !== undefined) this.#wake(this.#pause);
    }, afterMs).unref();
  }
}
