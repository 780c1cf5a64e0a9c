// NativeDoor: memhive's own wire (docs/protocol.md).
//
//   transport ──▶ NativeConnection ──▶ Link ──▶ runner.run(context, args, reply) ──▶ scratch ──▶ transport
//
// Read on in connection.ts; the wire itself is in wire/frame.ts, items.ts and link.ts.

import { latin1Slice } from "../../base/bytes.ts";
import { HiveError, isHiveError } from "../../base/errors.ts";
import type { Receiver, Transport } from "../../base/transport.ts";
import { NativeConnection } from "./connection.ts";
import { writeGoodbye } from "./outlet.ts";
import { type NativeDoorOptions, NativeShared } from "./shared.ts";

export class NativeDoor {
  readonly #shared: NativeShared;
  readonly #connections = new Set<NativeConnection>();
  readonly #beat: NodeJS.Timeout;
  #closed = false;

  constructor(options: NativeDoorOptions) {
    this.#shared = new NativeShared(options);
    this.#beat = setInterval(() => this.beat(), this.#shared.beatMs).unref();
  }

  /** Takes over a connection, `trusted` where its other end is this process, which then needs no token; undefined where it is refused, after close() or by the engine: it is told and closed. */
  open(transport: Transport, trusted: boolean = false): Receiver | undefined {
    const onGone = (gone: NativeConnection): void => void this.#connections.delete(gone);
    try {
      if (this.#closed) throw new HiveError("HIVE_CLOSED", "the hive is closing: no call of this connection ran");
      const connection = new NativeConnection(this.#shared, { transport, trusted, onGone });
      this.#connections.add(connection);
      return connection.receiver;
    } catch (error) {
      if (!isHiveError(error)) throw error;
      this.#shared.onNotice(transport.address, error.message);
      this.refuse(transport, error);
      return undefined;
    }
  }

  /** Tells a connection that it is not let in, and why, and ends it. */
  refuse(transport: Transport, error: HiveError): void {
    const { writer } = this.#shared;
    writeGoodbye(writer, error);
    transport.writeLatin1(latin1Slice!(writer.scratch.bytes, 0, writer.length));
    writer.clear();
    transport.end();
  }

  /** Half a heartbeat passes. Done by a timer of the door. */
  beat(): void {
    for (const connection of this.#connections) connection.beat();
  }

  /** No connection runs a further call; each ends when the calls that wait have answered. No other opens. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#beat);
    for (const connection of [...this.#connections]) connection.finish();
  }
}
