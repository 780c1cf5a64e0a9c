// Silence: how long a client that promised heartbeats may say nothing, counted in beats of the door.

/** A client is cut off after so many of its heartbeats in silence. */
const SILENT_BEATS_MAX = 3;

export class Silence {
  /** Infinity: the client promised nothing. */
  #beatsMax = Number.POSITIVE_INFINITY;
  #beats = 0;

  /** The client sends something at least every `heartbeatMs`; the door looks every `beatMs`. */
  promised(heartbeatMs: number, beatMs: number): void {
    this.#beatsMax = Math.ceil((SILENT_BEATS_MAX * heartbeatMs) / beatMs);
  }

  get isPromised(): boolean {
    return this.#beatsMax < Number.POSITIVE_INFINITY;
  }

  heard(): void {
    this.#beats = 0;
  }

  /** Another beat without a word. Returns whether that is too many. */
  beat(): boolean {
    return ++this.#beats > this.#beatsMax;
  }
}
