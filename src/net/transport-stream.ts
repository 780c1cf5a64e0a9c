// TransportStream: a Transport as a Duplex of Node, for node:http and ws, which take nothing else.
//
//   transport ──receive()──▶ push() ──▶ reader          writer ──▶ _write() ──▶ transport.write()
//
// Both directions have back pressure: a reader that is full pauses the transport, and a write is done when
// the transport has taken it over.

import { Duplex } from "node:stream";
import { LATIN1_BYTES_MAX, type Transport } from "../base/transport.ts";

/** Pieces of one write up to here leave together. */
const JOINED_BYTES_MAX = 64 * 1024;

type Done = (error?: Error | null) => void;

export class TransportStream extends Duplex {
  readonly #transport: Transport;
  #paused = false;
  #held = false;
  #writing: Done | undefined = undefined;

  constructor(transport: Transport) {
    super({ allowHalfOpen: true });
    this.#transport = transport;
  }

  // From the transport.

  /** Bytes `start` to `end` of `buffer` arrived. They are copied. */
  receive(buffer: Uint8Array, start: number, end: number): void {
    if (this.destroyed || this.readableEnded) return;
    if (!this.push(Buffer.from(buffer.subarray(start, end)))) this.#pause();
  }

  drained(): void {
    const done = this.#writing;
    this.#writing = undefined;
    done?.();
  }

  finished(): void {
    if (!this.destroyed) this.push(null);
  }

  gone(): void {
    this.destroy();
  }

  /** Whether nothing more is to be read for now, whatever the reader wants. */
  set held(held: boolean) {
    this.#held = held;
    if (held) this.#pause();
    else this.#resume();
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#transport.pause();
  }

  #resume(): void {
    if (!this.#paused || this.#held) return;
    this.#paused = false;
    this.#transport.resume();
  }

  // Of Duplex.

  override _read(): void {
    this.#resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (chunk.length <= LATIN1_BYTES_MAX) {
      // It leaves with this turn of the loop; only where more waits does somebody not read.
      const isBehind = this.#transport.pendingBytes > 0;
      this.#transport.writeLatin1(chunk.latin1Slice(0, chunk.length), true);
      if (!isBehind) return done();
    } else if (this.#transport.write(chunk, chunk.length)) return done();
    this.#writing = done;
    this.#transport.awaitDrained();
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: Done): void {
    const bytes = chunks.reduce((sum, { chunk }) => sum + chunk.length, 0);
    if (bytes <= JOINED_BYTES_MAX) return this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", done);
    let isOut = true;
    for (const { chunk } of chunks) isOut = this.#transport.write(chunk, chunk.length) && isOut;
    if (isOut) return done();
    this.#writing = done;
    this.#transport.awaitDrained();
  }

  override _final(done: Done): void {
    this.#transport.end();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    // What was ended in order still has to go out.
    if (!this.writableFinished) this.#transport.destroy();
    done(error);
  }
}
