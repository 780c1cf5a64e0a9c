// Stop signals: what ends a hive, in order at first and at once for whoever is impatient.
//
//   SIGTERM, SIGINT ──▶ stop()          again, after half a second ──▶ giveUp()
//
// Ctrl+C under npm arrives twice: the terminal sends it to all processes of the group, and npm passes
// its own on. So what follows within half a second is the same wish once more.

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
/** Longer than npm needs to pass a signal on, shorter than a person needs to lose patience. */
export const SAME_WISH_MS = 500;

export type StopSignalsOptions = {
  stop(): void;
  giveUp(): void;
  monotonicMs(): number;
};

export class StopSignals {
  readonly #options: StopSignalsOptions;
  #stoppedAtMs: number | undefined = undefined;
  readonly #onSignal = (): void => this.receive();

  constructor(options: StopSignalsOptions) {
    this.#options = options;
  }

  /** Begins to listen; without it the system ends the process. */
  open(): void {
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  /** A signal came. */
  receive(): void {
    const nowMs = this.#options.monotonicMs();
    if (this.#stoppedAtMs === undefined) {
      this.#stoppedAtMs = nowMs;
      this.#options.stop();
    } else if (nowMs - this.#stoppedAtMs >= SAME_WISH_MS) this.#options.giveUp();
  }
}
