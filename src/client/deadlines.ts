// Deadlines: one timer for all calls of a connection, set to the soonest.
//
//   noteAt(deadline) ──▶ timer ──▶ table.advance(now) ──▶ onExpired(call) each ──▶ the next soonest

import type { Cancel, Timers } from "../base/timers.ts";
import type { CallTable } from "../wire/call-table.ts";
import type { ClientCall } from "./call.ts";

export class Deadlines {
  readonly #calls: CallTable<ClientCall>;
  readonly #timers: Timers;
  readonly #onExpired: (call: ClientCall) => void;
  #armed: { atMs: number; cancel: Cancel } | undefined = undefined;

  constructor(calls: CallTable<ClientCall>, timers: Timers, onExpired: (call: ClientCall) => void) {
    this.#calls = calls;
    this.#timers = timers;
    this.#onExpired = onExpired;
  }

  /** A call has this deadline, in monotonic milliseconds; Infinity for none. */
  noteAt(atMs: number): void {
    if (atMs === Number.POSITIVE_INFINITY || (this.#armed !== undefined && atMs >= this.#armed.atMs)) return;
    this.#armed?.cancel();
    const cancel = this.#timers.after(atMs - this.#timers.monotonicMs(), () => this.#expire());
    this.#armed = { atMs, cancel };
  }

  #expire(): void {
    this.#armed = undefined;
    for (const call of this.#calls.advance(this.#timers.monotonicMs())) this.#onExpired(call);
    const nextMs = this.#calls.nextMs();
    if (nextMs !== undefined) this.noteAt(nextMs);
  }

  close(): void {
    this.#armed?.cancel();
    this.#armed = undefined;
  }
}
