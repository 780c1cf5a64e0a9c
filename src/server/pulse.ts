// Pulse: what a hive looks at ten times a second to know how it is.
//
//   Maintenance ──beat──▶ Pulse ──▶ calls per second, peak of memory, "evictions began"
//
// A beat costs some tens of nanoseconds and no memory. Evictions are told of when they begin and again when
// none has happened for a while: one line each, however many keys go.

import type { Statistics } from "../engine/statistics.ts";
import type { Store } from "../store/store.ts";
import type { HiveEvents } from "./hive-events.ts";

/** Without an eviction for so long they have ended. */
const EVICTIONS_END_MS = 60_000;

export class Pulse {
  readonly #store: Store;
  readonly #statistics: Statistics;
  readonly #events: HiveEvents;
  #evicted = 0;
  /** When evictions began they had removed so many keys; undefined while there are none. */
  #evictedBefore: number | undefined = undefined;
  #lastEvictionMs = 0;

  constructor(parts: { store: Store; statistics: Statistics; events: HiveEvents }) {
    this.#store = parts.store;
    this.#statistics = parts.statistics;
    this.#events = parts.events;
  }

  /** @param monotonicMs Of a clock that only goes forward. */
  beat(monotonicMs: number): void {
    this.#statistics.beat(monotonicMs, this.#store.usedBytes);
    this.#watchEvictions(monotonicMs);
  }

  #watchEvictions(monotonicMs: number): void {
    const { evicted } = this.#store.keys;
    const { eviction, usedBytes } = this.#store;
    if (evicted > this.#evicted) {
      if (this.#evictedBefore === undefined) {
        this.#evictedBefore = this.#evicted;
        this.#events.evictionsBegan(usedBytes, eviction.maxMemoryBytes, eviction.policy);
      }
      this.#lastEvictionMs = monotonicMs;
    } else if (this.#evictedBefore !== undefined && monotonicMs - this.#lastEvictionMs >= EVICTIONS_END_MS) {
      this.#events.evictionsEnded(Math.max(0, evicted - this.#evictedBefore));
      this.#evictedBefore = undefined;
    }
    // CONFIG RESETSTAT sets the counter back.
    this.#evicted = evicted;
  }
}
