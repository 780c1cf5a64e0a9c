// A pair of transports inside one process: what one end writes, the other receives.
//
//   const [near, far] = transportPair();      near.write(…) ──next turn of the loop──▶ far.receiver.receive(…)
//
// A client that is in the same process as its hive talks over it, through the same codec and the same
// door as over a socket. What is written in one turn arrives in the next, never within write(): so
// neither end runs inside the other, and a program that calls in a loop does not starve its sockets.

import { allocateBytes, copyBytes } from "./bytes.ts";
import type { EndCause, Receiver, Transport } from "./transport.ts";

const IDLE: Receiver = { receive() {}, drained() {}, finished() {}, closed() {} };

const soon: (run: () => void) => unknown =
  (globalThis as { setImmediate?: (run: () => void) => unknown }).setImmediate ?? ((run) => setTimeout(run, 0));

class PairTransport implements Transport {
  readonly address: string;
  readonly localAddress: string;
  /** Nobody is between the two ends. */
  readonly encrypted = true;
  receiver: Receiver = IDLE;
  peer!: PairTransport;
  /** What the other end has not received yet. */
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #scheduled = false;
  /** This end does not read. */
  #paused = false;
  #ended = false;
  #toldEnd = false;
  #closed = false;
  #wantsDrained = false;

  constructor(address: string, localAddress: string) {
    this.address = address;
    this.localAddress = localAddress;
  }

  get pendingBytes(): number {
    return this.#queuedBytes;
  }

  write(buffer: Uint8Array, length: number): boolean {
    if (this.#ended || this.#closed) return true;
    const copy = allocateBytes(length);
    copyBytes(buffer, 0, length, copy, 0);
    this.#send(copy);
    return true;
  }

  writeLatin1(text: string): void {
    if (this.#ended || this.#closed) return;
    const bytes = allocateBytes(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    this.#send(bytes);
  }

  awaitDrained(): void {
    this.#wantsDrained = true;
    this.#schedule();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.peer.#schedule();
  }

  end(): void {
    if (this.#ended || this.#closed) return;
    this.#ended = true;
    this.#paused = false;
    this.receiver = { ...IDLE, closed: closedOf(this.receiver) };
    this.peer.#schedule();
    this.#schedule();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#toldEnd = true;
    const { peer } = this;
    soon(() => {
      this.#close({ kind: "closed", message: "closed by this end" });
      peer.#close({ kind: "end", message: "the other end closed the connection" });
    });
    this.#ended = true;
    this.receiver = { ...IDLE, closed: closedOf(this.receiver) };
  }

  #send(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    soon(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const { peer } = this;
    while (this.#queue.length > 0 && !peer.#paused && !this.#closed) {
      const bytes = this.#queue.shift()!;
      this.#queuedBytes -= bytes.length;
      peer.receiver.receive(bytes, 0, bytes.length);
    }
    if (this.#queue.length > 0 || this.#closed) return;
    if (this.#wantsDrained) {
      this.#wantsDrained = false;
      this.receiver.drained();
    }
    // Who does not read does not hear of the end either, unless it has ended itself.
    if (!this.#ended || this.#toldEnd || (peer.#paused && !peer.#ended)) return;
    this.#toldEnd = true;
    if (peer.#ended) {
      this.#close({ kind: "closed", message: "closed by this end" });
      peer.#close({ kind: "end", message: "the other end closed the connection" });
    } else peer.receiver.finished();
  }

  #close(cause: EndCause): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    const { receiver } = this;
    this.receiver = IDLE;
    receiver.closed(cause);
  }
}

function closedOf(receiver: Receiver): Receiver["closed"] {
  return (cause) => receiver.closed(cause);
}

/** Two ends of one connection. The first is the dialing one; the names are what CLIENT LIST shows. */
export function transportPair(names: { near: string; far: string }): [near: Transport, far: Transport] {
  const near = new PairTransport(names.far, names.near);
  const far = new PairTransport(names.near, names.far);
  near.peer = far;
  far.peer = near;
  return [near, far];
}
