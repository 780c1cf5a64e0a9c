// A progress bar on a terminal: one line that is written over, and is gone at the end.
//
//   store  ██████████░░░░░░░░░░  51 %  auto-20261126T031811412Z

const WIDTH = 20;
/** Between two drawings. */
const DRAW_MS = 50;

export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  #drawnMs = Number.NEGATIVE_INFINITY;

  /** Draws nothing where the stream is no terminal. */
  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** @param share From 0 to 1. */
  show(what: string, share: number, name: string): void {
    const nowMs = performance.now();
    if (!this.#stream.isTTY || nowMs - this.#drawnMs < DRAW_MS) return;
    this.#drawnMs = nowMs;
    const full = Math.round(Math.min(Math.max(share, 0), 1) * WIDTH);
    const bar = "█".repeat(full) + "░".repeat(WIDTH - full);
    this.#stream.write(`\r\x1b[K${what.padEnd(8)}${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${name}`);
  }

  /** Takes it away. */
  end(): void {
    if (this.#stream.isTTY && this.#drawnMs > 0) this.#stream.write("\r\x1b[K");
  }
}
