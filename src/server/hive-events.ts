// Hive events: everything a hive tells its operator, each in one place with its level, words and fields.
//
//   listener, doors, pulse, snapshots ──▶ HiveEvents ──▶ log.warn({ address, reason }, "connection ended by the hive")
//                                                    └──▶ onNotice("127.0.0.1:50123 the reason")
//
// Nothing here is said per call, no field holds a secret or what is stored, and none is made where the log
// does not want it. What a program reads are the fields; the words may be reworded in any release.

import type { Log } from "../base/log.ts";

/** What snapshots tell; `reason` is for people. */
export type SnapshotEvent =
  | { kind: "store-began"; name: string }
  | { kind: "stored"; name: string; keys: number; bytes: number; ms: number }
  | { kind: "store-failed"; name: string; reason: string }
  | { kind: "restore-began"; name: string; bytes: number }
  | { kind: "restored"; name: string; keys: number; bytes: number; ms: number }
  | { kind: "restore-failed"; name: string; reason: string }
  | { kind: "removed"; name: string }
  | { kind: "remove-failed"; reason: string };

export type HiveEventsParts = {
  log: Log;
  /** One line for whoever embeds the hive: why a connection was cut off or refused. */
  onNotice: ((message: string) => void) | undefined;
};

export class HiveEvents {
  readonly #log: Log;
  readonly #notice: (message: string) => void;

  constructor({ log, onNotice }: HiveEventsParts) {
    this.#log = log;
    this.#notice = onNotice ?? (() => {});
  }

  ready(addresses: readonly string[]): void {
    this.#log.info({ addresses: [...addresses] }, "ready");
  }

  /** A door cut a connection off or did not let it in. */
  connectionEnded(address: string, reason: string): void {
    this.#log.warn({ address, reason }, "connection ended by the hive");
    this.#notice(`${address} ${reason}`);
  }

  /** What tokens and authentication have to say: of whom, never with what. */
  notice(message: string): void {
    this.#log.warn({}, message);
    this.#notice(message);
  }

  /** Nobody here speaks what a connection asked for, or it may not ask: then `reason` says why. */
  wireRefused(address: string, wire: string, reason: string = `asked for ${wire}, and there is no such door`): void {
    this.#log.warn({ address, wire, reason }, "connection refused");
    this.#notice(`${address} ${reason}`);
  }

  handshakeFailed(address: string, reason: string): void {
    this.#log.warn({ address, reason }, "the handshake of TLS failed");
    this.#notice(`${address} the handshake of TLS failed: ${reason}`);
  }

  /** An address has as many connections as one may have. */
  crowded(address: string): void {
    this.#log.warn({ address }, "as many connections as connectionsPerAddressMax allows");
    this.#notice(`${address} has as many connections as connectionsPerAddressMax allows`);
  }

  cannotAccept(error: Error): void {
    this.#log.error({ reason: error.message }, "cannot accept connections");
    this.#notice(`cannot accept connections: ${error.message}`);
  }

  evictionsBegan(usedBytes: number, maxMemoryBytes: number, policy: string): void {
    this.#log.warn({ usedBytes, maxMemoryBytes, policy }, "evictions began: memory is used up");
  }

  evictionsEnded(evicted: number): void {
    this.#log.info({ evicted }, "evictions ended");
  }

  snapshot(event: SnapshotEvent): void {
    const { kind, ...fields } = event;
    const message = `snapshot ${kind.replace("-", " ")}`;
    if (kind.endsWith("-failed")) this.#log.error(fields, message);
    else this.#log.info(fields, message);
  }

  closing(connections: number): void {
    this.#log.info({ connections }, "closing: no new connections, last replies go out");
  }

  closed(): void {
    this.#log.info({}, "closed");
  }
}
