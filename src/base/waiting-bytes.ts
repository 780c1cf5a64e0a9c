// WaitingBytes: what waits on all connections together, and who pays when it is too much.
//
//   an unfinished frame, a slow reader, a queue ──▶ weigh(connection) ──▶ total > max? ──▶ look at all that
//   hold much, anew ──▶ still too much: those that hold the most are cut off, until an eighth is free
//
// A limit for each connection does not bound a thousand of them. Counting every byte of every connection
// would cost each call something, so a connection is weighed only in the places where it is found to be
// behind, and what is read meanwhile is not told: the total is a bound, and it is counted anew when it
// gets too high. An eighth is freed at once, so that this happens once per eighth and not once per call.
//
// It must not know what a connection is, and reads no clock.

/** A connection that holds less is not counted: this much times connectionsMax comes on top. */
export const UNCOUNTED_BYTES: number = 16 * 1024;
/** The part of the limit that is free after connections were cut off. */
const FREED_PART = 1 / 8;

export interface Holder {
  /** What waits on it at this moment. */
  readonly waitingBytes: number;
  /** Ends it at once, with all that waits on it. `reason` is for operators. */
  cutOff(reason: string): void;
}

export class WaitingBytes {
  readonly #max: number;
  readonly #held = new Map<Holder, number>();
  #total = 0;

  /** @param max waitingBytesMax */
  constructor(max: number) {
    this.#max = max;
  }

  /** What the connections held when each was weighed last: at least as much as they hold now, by all that is known. */
  get total(): number {
    return this.#total;
  }

  /** Connections that are counted. */
  get size(): number {
    return this.#held.size;
  }

  /** Takes note of what waits on `holder`. It, or others, may be cut off before this returns. */
  weigh(holder: Holder): void {
    const bytes = holder.waitingBytes;
    if (bytes <= UNCOUNTED_BYTES) return this.forget(holder);
    this.#total += bytes - (this.#held.get(holder) ?? 0);
    this.#held.set(holder, bytes);
    if (this.#total > this.#max) this.#shed();
  }

  /** The connection has gone, or holds nothing any more. */
  forget(holder: Holder): void {
    const bytes = this.#held.get(holder);
    if (bytes === undefined) return;
    this.#held.delete(holder);
    this.#total -= bytes;
  }

  #shed(): void {
    this.#countAnew();
    const goal = this.#max * (1 - FREED_PART);
    if (this.#total <= goal) return;
    const heaviestFirst = [...this.#held].sort(([, one], [, other]) => other - one);
    for (const [holder, bytes] of heaviestFirst) {
      if (this.#total <= goal) return;
      // Cutting one off may have ended another.
      if (!this.#held.has(holder)) continue;
      this.forget(holder);
      holder.cutOff(
        `${bytes} bytes waited on it when all connections together exceeded waitingBytesMax (${this.#max})`,
      );
    }
  }

  #countAnew(): void {
    this.#total = 0;
    for (const holder of this.#held.keys()) {
      const bytes = holder.waitingBytes;
      if (bytes <= UNCOUNTED_BYTES) this.#held.delete(holder);
      else {
        this.#held.set(holder, bytes);
        this.#total += bytes;
      }
    }
  }
}
