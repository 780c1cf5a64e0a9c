// The engine and its RESP door without sockets, for what is measured in this process.
//
//   const door = new BareDoor();
//   door.send(bytes);          // as if they had arrived in reads of 64 KiB; replies are counted and dropped

import { systemClock } from "../src/base/clock.ts";
import { DEFAULT_LIMITS } from "../src/base/limits.ts";
import type { Receiver, Transport } from "../src/base/transport.ts";
import { RespDoor } from "../src/doors/resp/door.ts";
import { LocalEngine } from "../src/engine/local-engine.ts";
import { Store } from "../src/store/store.ts";

const READ_BYTES = 64 * 1024;

/** A peer that reads everything at once. */
class Sink implements Transport {
  readonly address = "127.0.0.1:1";
  readonly localAddress = "127.0.0.1:4483";
  readonly encrypted = false;
  readonly pendingBytes = 0;
  receiver!: Receiver;
  bytes = 0;

  write(_buffer: Buffer, length: number): boolean {
    this.bytes += length;
    return true;
  }
  writeLatin1(text: string): void {
    this.bytes += text.length;
  }
  awaitDrained(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

export class BareDoor {
  readonly store: Store;
  readonly #sink = new Sink();

  constructor(store: Store = new Store({ nowMs: Date.now() })) {
    this.store = store;
    const runner = new LocalEngine({ store, clock: systemClock });
    const door = new RespDoor({ runner, limits: DEFAULT_LIMITS, onNotice: () => {} });
    this.#sink.receiver = door.open(this.#sink)!;
  }

  /** Runs all calls in `requests`. Returns how many bytes were answered. */
  send(requests: Buffer): number {
    const before = this.#sink.bytes;
    for (let at = 0; at < requests.length; at += READ_BYTES) {
      this.#sink.receiver.receive(requests, at, Math.min(requests.length, at + READ_BYTES));
    }
    return this.#sink.bytes - before;
  }

  close(): void {
    this.store.close();
  }
}

/** One call in RESP. */
export function encodeCall(...parts: readonly (string | Buffer)[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(`*${parts.length}\r\n`)];
  for (const part of parts) pieces.push(Buffer.from(`$${part.length}\r\n`), Buffer.from(part), Buffer.from("\r\n"));
  return Buffer.concat(pieces);
}
