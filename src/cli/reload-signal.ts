// Reload signal: SIGHUP, which tells a hive to read its files again, and once told it that its terminal is gone.
//
//   SIGHUP ──▶ the terminal that there was is still there, or there never was one ──▶ reload()
//         └──▶ the terminal has been closed ──▶ hangUp()
//
// Daemons read their files again on SIGHUP, and whoever closes a terminal expects what runs in it to end.
// Both arrive as the same signal; a process without its terminal can no longer open /dev/tty.

import { closeSync, openSync } from "node:fs";

export type ReloadSignalOptions = {
  reload(): void;
  /** The terminal that the process had is gone. */
  hangUp(): void;
  /** Whether the process has a terminal now. */
  hasTerminal?(): boolean;
};

export class ReloadSignal {
  readonly #options: ReloadSignalOptions;
  readonly #hasTerminal: () => boolean;
  readonly #hadTerminal: boolean;
  readonly #onSignal = (): void => this.receive();

  constructor(options: ReloadSignalOptions) {
    this.#options = options;
    this.#hasTerminal = options.hasTerminal ?? canOpenTerminal;
    this.#hadTerminal = this.#hasTerminal();
  }

  /** Begins to listen; without it the system ends the process. */
  open(): void {
    process.on("SIGHUP", this.#onSignal);
  }

  close(): void {
    process.off("SIGHUP", this.#onSignal);
  }

  /** The signal came. */
  receive(): void {
    if (this.#hadTerminal && !this.#hasTerminal()) this.#options.hangUp();
    else this.#options.reload();
  }
}

function canOpenTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
