// RespDoor: Redis's wire, RESP2 and RESP3.
//
//   transport ──▶ RespConnection ──▶ RespReader ──▶ runner.run(context, args, reply) ──▶ scratch ──▶ transport
//
// Read on in connection.ts; the wire itself is in wire/resp-reader.ts and wire/resp-writer.ts.

import { ERRORS, HiveError, isHiveError } from "../../base/errors.ts";
import type { Receiver, Transport } from "../../base/transport.ts";
import { RespConnection } from "./connection.ts";
import { type RespDoorOptions, RespShared } from "./shared.ts";

export class RespDoor {
  readonly #shared: RespShared;
  readonly #connections = new Set<RespConnection>();
  #closed = false;

  constructor(options: RespDoorOptions) {
    this.#shared = new RespShared(options);
  }

  /** Takes over a connection; undefined where it is refused, after close() or by the engine: it is told and closed. */
  open(transport: Transport): Receiver | undefined {
    const onGone = (gone: RespConnection): void => void this.#connections.delete(gone);
    try {
      if (this.#closed) throw new HiveError("HIVE_CLOSED", "the hive is closing: no call of this connection ran");
      const connection = new RespConnection(this.#shared, { transport, onGone });
      this.#connections.add(connection);
      return connection;
    } catch (error) {
      if (!isHiveError(error)) throw error;
      this.#shared.onNotice(transport.address, error.message);
      transport.writeLatin1(`-${ERRORS[error.code].resp} ${error.message}\r\n`);
      transport.end();
      return undefined;
    }
  }

  /** No connection runs a further call; each ends when the call that waits, if any, has answered. No other opens. */
  close(): void {
    this.#closed = true;
    for (const connection of [...this.#connections]) connection.finish();
  }
}
