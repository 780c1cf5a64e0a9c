// LateDoor: a door whose code is loaded with its first connection.
//
//   first connection ──▶ import() ──▶ meanwhile its bytes are kept, and no more are read ──▶ the door
//
// Most hives never see some wires, and pay for what they load with memory for as long as they run.

import type { EndCause, Receiver, Transport } from "../base/transport.ts";
import type { Door } from "../net/sniffer.ts";

/** Loads once, whatever the number of connections that wait for it. */
export function lateDoor(load: () => Promise<Door>): Door {
  let door: Door | undefined;
  let loading: Promise<Door> | undefined;
  return (transport) => {
    if (door !== undefined) return door(transport);
    loading ??= load();
    const early = new EarlyBytes(transport);
    // A rejection is our own bug, or a broken installation: it ends the process.
    void loading.then((loaded) => {
      door = loaded;
      early.handOver(loaded);
    });
    return early;
  };
}

/** What a connection sends before its door is there: one read event, since it is paused then. */
class EarlyBytes implements Receiver {
  readonly #transport: Transport;
  #bytes: Buffer[] = [];
  #finished = false;
  #gone = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  receive(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes.push(Buffer.from(buffer.subarray(start, end)));
    this.#transport.pause();
  }

  drained(): void {}

  finished(): void {
    this.#finished = true;
  }

  closed(_cause: EndCause): void {
    this.#gone = true;
  }

  handOver(door: Door): void {
    if (this.#gone) return;
    const receiver = door(this.#transport);
    if (receiver === undefined) return;
    this.#transport.receiver = receiver;
    this.#transport.resume();
    for (const bytes of this.#bytes) receiver.receive(bytes, 0, bytes.length);
    if (this.#finished) receiver.finished();
  }
}
