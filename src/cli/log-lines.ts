// Log lines: lines for operators on a stream that may be slow, or gone.
//
//   write(line) ──▶ line + "\n" ──▶ stream
//              └──▶ dropped and counted, while the stream holds more than it may or nobody reads it any more
//
// `memhive serve 2>&1 | head -1` closes the pipe after one line, and a pager reads when it likes. A hive
// must neither end nor grow because of that. The next line that goes out says how many did not.

import type { Writable } from "node:stream";

export type LogLinesOptions = {
  /** What may wait in the stream, in bytes. */
  bytesMax: number;
  /** The line that says how many were dropped before it, in the form of the others. */
  droppedLine(count: number): string;
};

export class LogLines {
  readonly #stream: Writable;
  readonly #options: LogLinesOptions;
  #dropped = 0;

  /** From now on an error of the stream is no reason to end. */
  constructor(stream: Writable, options: LogLinesOptions) {
    this.#stream = stream;
    this.#options = options;
    ignoreErrors(stream);
  }

  /** Lines that nobody has been told of yet. */
  get dropped(): number {
    return this.#dropped;
  }

  /** One line, without its end. */
  write(line: string): void {
    const stream = this.#stream;
    if (!stream.writable || stream.writableLength > this.#options.bytesMax) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      stream.write(`${this.#options.droppedLine(dropped)}\n`);
    }
    stream.write(`${line}\n`);
  }
}

/** Makes an error of `stream`, such as a reader that has gone, no reason to end. */
export function ignoreErrors(stream: Writable): void {
  stream.on("error", () => {});
}
