// Terminal: the whole screen of a terminal for as long as something is shown, and as it was afterwards.
//
//   open() ──▶ other screen, no cursor, keys at once ──▶ draw(lines) … ──▶ close() ──▶ as before
//
// close() also runs when the process ends in any way that it can notice, so that a shell never comes back
// without a cursor or without echo.

import type { ReadStream, WriteStream } from "node:tty";

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const END_OF_LINE = "\x1b[K";
const REST_OF_SCREEN = "\x1b[J";
const CONTROL_C = "\x03";

export type TerminalParts = {
  input: ReadStream;
  output: WriteStream;
  onKey(key: string): void;
  /** The size has changed: draw anew. */
  onResize(): void;
  /** Ctrl+C, or a signal that ends: leave. */
  onStop(): void;
};

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export class Terminal {
  readonly #parts: TerminalParts;
  #open = false;
  readonly #onData = (data: Buffer): void => this.#key(data.toString());
  readonly #onExit = (): void => this.close();

  constructor(parts: TerminalParts) {
    this.#parts = parts;
  }

  /** A terminal that does not know its size has 0. */
  get columns(): number {
    return this.#parts.output.columns || 80;
  }

  get rows(): number {
    return this.#parts.output.rows || 24;
  }

  open(): void {
    const { input, output, onResize, onStop } = this.#parts;
    this.#open = true;
    input.setRawMode(true);
    input.resume();
    input.on("data", this.#onData);
    output.on("resize", onResize);
    for (const signal of SIGNALS) process.on(signal, onStop);
    // Back from Ctrl+Z of another shell: the screen is not ours any more.
    process.on("SIGCONT", onResize);
    process.on("exit", this.#onExit);
    output.write(ENTER);
  }

  /** Overwrites what is there, without a moment in which the screen is empty. */
  draw(lines: readonly string[]): void {
    if (this.#open)
      this.#parts.output.write(`${HOME}${lines.map((line) => line + END_OF_LINE).join("\r\n")}${REST_OF_SCREEN}`);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    const { input, output, onResize, onStop } = this.#parts;
    output.write(LEAVE);
    input.off("data", this.#onData);
    output.off("resize", onResize);
    for (const signal of SIGNALS) process.off(signal, onStop);
    process.off("SIGCONT", onResize);
    process.off("exit", this.#onExit);
    input.setRawMode(false);
    input.pause();
  }

  #key(text: string): void {
    if (text.includes(CONTROL_C)) this.#parts.onStop();
    else this.#parts.onKey(text);
  }
}
