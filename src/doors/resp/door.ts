// RespDoor: Redis's wire, RESP2 and RESP3.
//
//   transport ──▶ RespConnection ──▶ RespReader ──▶ runner.run(context, args, reply) ──▶ scratch ──▶ transport
//
// Read on in connection.ts; the wire itself is in wire/resp-reader.ts and wire/resp-writer.ts.

import { ERRORS, isHiveError } from "../../base/errors.ts";
import type { Receiver, Transport } from "../../base/transport.ts";
import { RespConnection } from "./connection.ts";
import { type RespDoorOptions, RespShared } from "./shared.ts";

export class RespDoor {
  readonly #shared: RespShared;
  readonly #connections = new Set<RespConnection>();

  constructor(options: RespDoorOptions) {
    this.#shared = new RespShared(options);
  }

  /** Takes over a connection; undefined where the engine refuses it, which is then told and closed. */
  open(transport: Transport): Receiver | undefined {
    const onGone = (gone: RespConnection): void => void this.#connections.delete(gone);
    try {
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

  /** No connection runs a further call; each ends when the call that waits, if any, has answered. */
  close(): void {
    for (const connection of [...this.#connections]) connection.finish();
  }
}
