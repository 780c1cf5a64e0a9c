// Sniffer: a connection's receiver until its first bytes have told which door it wants.
//
//   accept ──▶ Sniffer.receive() ──wire known──▶ doors[wire](transport) ──▶ door.receive(the same bytes) …
//
//   0x16 ──▶ the handshake of TLS ──▶ the same once more, for what is inside
//
// Doors are a table, so another one is a row more. A wire without a door gets an answer in its own form
// and is closed. A connection that never tells its wire is closed too, after a while or with the listener:
// nothing has been promised to it.

import type { HiveError } from "../base/errors.ts";
import type { EndCause, Receiver, Transport } from "../base/transport.ts";
import { refusalOf, sayNo, tryWire, type Wire } from "./first-bytes.ts";

/**
 * Opens a connection of one wire: what arrives goes to the receiver that it returns. Undefined where
 * the door did not let it in; then it has answered and called transport.end().
 */
export type Door = (transport: Transport) => Receiver | undefined;
export type Doors = Partial<Readonly<Record<Wire, Door>>>;

/** What is told of a handshake of TLS, once. */
export type Handshake = {
  /** The bytes that it began with. */
  first: Buffer;
  /** What arrives from now on was encrypted. `refusal`: why the client is to be sent away, if it is. */
  onReady(refusal: HiveError | undefined): void;
  onFailed(reason: string): void;
};

export type SnifferTls = {
  /** A handshake that takes longer ends its connection. */
  timeoutMs: number;
  begin(transport: Transport, handshake: Handshake): void;
  onFailed(transport: Transport, reason: string): void;
};

export type SnifferOptions = {
  doors: Doors;
  /** How a door tells a connection that it is not let in, where the sniffer cannot say it itself. */
  refusals?: Partial<Readonly<Record<Wire, (transport: Transport, error: HiveError) => void>>>;
  /** TLS; without it there is none. */
  tls?: SnifferTls | undefined;
  /** Why a connection that is not encrypted is refused; undefined where it is not. */
  refusePlain?: (() => HiveError) | undefined;
  lineBytesMax: number;
  /** Closes a connection that has not told its wire by then. */
  timeoutMs: number;
  /** The connection has a door now, or was refused, or is gone. */
  onDecided(sniffer: Sniffer): void;
  /** A wire without a door was asked for, or the connection is refused whatever it asks for. */
  onRefused(transport: Transport, wire: Wire, error?: HiveError): void;
};

export class Sniffer implements Receiver {
  readonly #transport: Transport;
  readonly #options: SnifferOptions;
  /** The beginning of a first line that is not whole yet; at most lineBytesMax and one read event. */
  #pending: Buffer | undefined = undefined;
  readonly #timer: NodeJS.Timeout;
  /** Ends a handshake that takes too long. */
  #handshake: NodeJS.Timeout | undefined = undefined;
  /** Why it is not let in, once it is known which wire it is to be told in. */
  #refusal: HiveError | undefined = undefined;

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
    if (wire === "tls" && !this.#transport.encrypted && this.#options.tls !== undefined) {
      return this.#encrypt(this.#options.tls, Buffer.from(bytes));
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
    this.#endHandshake();
    this.#transport.destroy();
  }

  #encrypt({ timeoutMs, begin, onFailed }: SnifferTls, first: Buffer): void {
    const transport = this.#transport;
    this.#handshake = setTimeout(() => {
      onFailed(transport, `not done within tlsHandshakeTimeoutMs (${timeoutMs})`);
      this.destroy();
    }, timeoutMs).unref();
    begin(transport, {
      first,
      onReady: (refusal) => {
        this.#endHandshake();
        this.#refusal = refusal;
      },
      onFailed: (reason) => {
        // One that took too long, or was closed by the hive, has failed for that reason.
        if (this.#handshake !== undefined) onFailed(transport, reason);
        this.#endHandshake();
      },
    });
  }

  #endHandshake(): void {
    clearTimeout(this.#handshake);
    this.#handshake = undefined;
  }

  #decide(): void {
    clearTimeout(this.#timer);
    this.#endHandshake();
    this.#options.onDecided(this);
  }

  #choose(wire: Wire): Receiver | undefined {
    this.#decide();
    this.#pending = undefined;
    const { doors, refusePlain } = this.#options;
    const refusal = this.#refusal ?? (this.#transport.encrypted || wire === "tls" ? undefined : refusePlain?.());
    if (refusal !== undefined) return this.#refuse(wire, refusal);
    const door = doors[wire];
    if (door === undefined) {
      this.#options.onRefused(this.#transport, wire);
      return this.#answer(refusalOf(wire));
    }
    const receiver = door(this.#transport);
    if (receiver !== undefined) this.#transport.receiver = receiver;
    return receiver;
  }

  #refuse(wire: Wire, error: HiveError): undefined {
    const transport = this.#transport;
    this.#options.onRefused(transport, wire, error);
    const refuse = this.#options.refusals?.[wire];
    if (refuse === undefined) return this.#answer(sayNo(wire, error.message, "forbidden"));
    refuse(transport, error);
    return undefined;
  }

  #answer(text: string): undefined {
    if (text !== "") this.#transport.writeLatin1(text);
    this.#transport.end();
    return undefined;
  }
}
