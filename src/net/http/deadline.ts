// Deadline: the one time limit that a connection is under, moved several times for each request.
//
// Timers of Node cost a microsecond to set; most are moved on before they are due. So one that is there already
// goes on, and is looked at again when its time has come.

export class Deadline {
  #timer: NodeJS.Timeout | undefined = undefined;
  /** When the timer goes off, and when it is meant to. */
  #firesAtMs = Number.POSITIVE_INFINITY;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #onDue: () => void = () => {};

  /** From now on there is this much time; then `onDue` is called, once. */
  set(delayMs: number, onDue: () => void): void {
    const nowMs = performance.now();
    this.#dueAtMs = nowMs + delayMs;
    this.#onDue = onDue;
    if (this.#firesAtMs > this.#dueAtMs) this.#start(delayMs, nowMs);
  }

  /** There is no limit. */
  clear(): void {
    this.#dueAtMs = Number.POSITIVE_INFINITY;
  }

  /** It is not used any more. */
  end(): void {
    this.clear();
    clearTimeout(this.#timer);
    this.#firesAtMs = Number.POSITIVE_INFINITY;
  }

  #start(delayMs: number, nowMs: number): void {
    clearTimeout(this.#timer);
    this.#firesAtMs = nowMs + delayMs;
    this.#timer = setTimeout(this.#look, delayMs).unref();
  }

  readonly #look = (): void => {
    this.#firesAtMs = Number.POSITIVE_INFINITY;
    if (this.#dueAtMs === Number.POSITIVE_INFINITY) return;
    const nowMs = performance.now();
    if (nowMs < this.#dueAtMs) return this.#start(Math.ceil(this.#dueAtMs - nowMs), nowMs);
    this.clear();
    this.#onDue();
  };
}
