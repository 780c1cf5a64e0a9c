// Notices: lines for operators on a stream that may be slow, or gone.
//
//   write(message) ──▶ "2026-01-31T12:00:00.000Z message\n" ──▶ stream
//                 └──▶ dropped and counted, while the stream holds more than it may or nobody reads it any more
//
// `memhive serve 2>&1 | head -1` closes the pipe after one line, and a pager reads when it likes. A hive
// must neither end nor grow because of that. The next notice that goes out says how many did not.

import type { Writable } from "node:stream";

export type NoticesOptions = {
  /** What may wait in the stream, in bytes. */
  bytesMax: number;
  nowMs(): number;
};

export class Notices {
  readonly #stream: Writable;
  readonly #options: NoticesOptions;
  #dropped = 0;

  /** From now on an error of the stream is no reason to end. */
  constructor(stream: Writable, options: NoticesOptions) {
    this.#stream = stream;
    this.#options = options;
    ignoreErrors(stream);
  }

  /** Notices that nobody has been told of yet. */
  get dropped(): number {
    return this.#dropped;
  }

  write(message: string): void {
    const stream = this.#stream;
    if (!stream.writable || stream.writableLength > this.#options.bytesMax) {
      this.#dropped++;
      return;
    }
    const time = new Date(this.#options.nowMs()).toISOString();
    if (this.#dropped > 0) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      stream.write(`${time} dropped before this: ${dropped} notices, since nobody read them\n`);
    }
    stream.write(`${time} ${message}\n`);
  }
}

/** Makes an error of `stream`, such as a reader that has gone, no reason to end. */
export function ignoreErrors(stream: Writable): void {
  stream.on("error", () => {});
}
