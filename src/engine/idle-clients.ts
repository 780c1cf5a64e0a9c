// IdleClients: connections that have said nothing for longer than the setting "timeout" are closed.

import type { Context } from "./context.ts";

/** Between two looks. */
const SWEEP_MS = 1_000;

export class IdleClients {
  readonly #clients: ReadonlyMap<number, Context>;
  /** Whether a connection waits for the hive, and not the hive for it. */
  readonly #isWaiting: (clientId: number) => boolean;
  #sweepAtMs = 0;

  constructor(clients: ReadonlyMap<number, Context>, isWaiting: (clientId: number) => boolean) {
    this.#clients = clients;
    this.#isWaiting = isWaiting;
  }

  /** Closes those that are idle for longer than `timeoutMs`. */
  tick(nowMs: number, timeoutMs: number): void {
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = nowMs + SWEEP_MS;
    for (const context of this.#clients.values()) {
      const { id, lastCallMs, peer } = context;
      // Who listens has nothing to say.
      if (nowMs - lastCallMs > timeoutMs && !context.listens && !this.#isWaiting(id)) peer.close("now");
    }
  }
}
