// Sniffer: a connection's receiver until its first bytes have told which door it wants.
//
//   accept ──▶ Sniffer.receive() ──wire known──▶ doors[wire](transport) ──▶ door.receive(the same bytes) …
//
// Doors are a table, so another one is a row more. A wire without a door gets an answer in its own form
// and is closed. A connection that never tells its wire is closed too, after a while or with the listener:
// nothing has been promised to it.

import type { EndCause, Receiver, Transport } from "../base/transport.ts";
import { refusalOf, tryWire, type Wire } from "./first-bytes.ts";

/**
 * Opens a connection of one wire: what arrives goes to the receiver that it returns. Undefined where
 * the door did not let it in; then it has answered and called transport.end().
 */
export type Door = (transport: Transport) => Receiver | undefined;
export type Doors = Partial<Readonly<Record<Wire, Door>>>;

export type SnifferOptions = {
  doors: Doors;
  lineBytesMax: number;
  /** Closes a connection that has not told its wire by then. */
  timeoutMs: number;
  /** The connection has a door now, or was refused, or is gone. */
  onDecided(sniffer: Sniffer): void;
  /** A wire without a door was asked for. */
  onRefused(transport: Transport, wire: Wire): void;
};

export class Sniffer implements Receiver {
  readonly #transport: Transport;
  readonly #options: SnifferOptions;
  /** The beginning of a first line that is not whole yet; at most lineBytesMax and one read event. */
  #pending: Buffer | undefined = undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(transport: Transport, options: SnifferOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#timer = setTimeout(() => transport.destroy(), options.timeoutMs).unref();
  }

  receive(buffer: Buffer, start: number, end: number): void {
    const arrived = buffer.subarray(start, end);
    const pending = this.#pending;
    const bytes = pending === undefined ? arrived : Buffer.concat([pending, arrived]);
    const wire = tryWire(bytes, this.#options.lineBytesMax);
    if (wire === undefined) {
      this.#pending = pending === undefined ? Buffer.from(bytes) : bytes;
      return;
    }
    const receiver = this.#choose(wire);
    if (receiver === undefined) return;
    if (pending === undefined) receiver.receive(buffer, start, end);
    else receiver.receive(bytes, 0, bytes.length);
  }

  drained(): void {}

  /** No more bytes will tell: what there is of a line is for RESP, which leaves it unanswered. */
  finished(): void {
    this.#transport.end();
  }

  closed(_cause: EndCause): void {
    this.#decide();
  }

  /** The end of a connection without a door, at once: nobody waits for a reply. */
  destroy(): void {
    this.#transport.destroy();
  }

  #decide(): void {
    clearTimeout(this.#timer);
    this.#options.onDecided(this);
  }

  #choose(wire: Wire): Receiver | undefined {
    this.#decide();
    this.#pending = undefined;
    const door = this.#options.doors[wire];
    if (door === undefined) {
      this.#options.onRefused(this.#transport, wire);
      const refusal = refusalOf(wire);
      if (refusal !== "") this.#transport.writeLatin1(refusal);
      this.#transport.end();
      return undefined;
    }
    const receiver = door(this.#transport);
    if (receiver !== undefined) this.#transport.receiver = receiver;
    return receiver;
  }
}
