// HttpDoors: what a hive needs to speak HTTP, put together when somebody first does.

import type { Limits } from "../base/limits.ts";
import type { Receiver, Transport } from "../base/transport.ts";
import { VERSION } from "../base/version.ts";
import type { WaitingBytes } from "../base/waiting-bytes.ts";
import { HttpDoor } from "../doors/http/door.ts";
import type { QuotaFigures } from "../doors/http/metrics.ts";
import type { LocalEngine } from "../engine/local-engine.ts";
import type { TokenRegistry } from "../engine/tokens.ts";
import { HttpServer } from "../net/http/server.ts";

/** Who may call from web pages, and by which names. */
export type HttpOptions = {
  /** Origins whose pages may call, "https://app.example". Default: none. */
  origins?: readonly string[];
  /** Names that the hive is called by, without a port, where no token is needed. Addresses and localhost are known. */
  hosts?: readonly string[];
};

export type HttpDoorsParts = {
  engine: LocalEngine;
  limits: Limits;
  waiting: WaitingBytes;
  http: HttpOptions;
  /** Of the hive, where it has tokens. */
  tokens: TokenRegistry | undefined;
  openNative(transport: Transport): Receiver | undefined;
  onNotice(address: string, message: string): void;
};

export class HttpDoors {
  readonly #door: HttpDoor;
  readonly #server: HttpServer;

  constructor({ engine, limits, waiting, http, tokens, openNative, onNotice }: HttpDoorsParts) {
    this.#door = new HttpDoor({
      runner: engine,
      limits,
      version: VERSION,
      origins: http.origins ?? [],
      hosts: (http.hosts ?? []).map((host) => host.toLowerCase()),
      notReady() {
        const { work } = engine.persistence.status();
        return work?.kind === "restore" ? `it restores the snapshot ${work.name}` : undefined;
      },
      openSocket: openNative,
      quotas: () => (tokens === undefined ? [] : quotaFigures(tokens, engine)),
      onNotice,
    });
    this.#server = new HttpServer({ limits, waiting, onNotice });
  }

  open(transport: Transport): Receiver {
    return this.#server.open(transport, (line) => this.#door.open(line));
  }

  /** Requests that are served get their answers, no others are. */
  close(): void {
    this.#door.close();
    this.#server.close();
  }
}

function quotaFigures(tokens: TokenRegistry, { store }: LocalEngine): QuotaFigures[] {
  return tokens.records
    .filter(({ quotas }) => Object.keys(quotas).length > 0)
    .map(({ id, owner, quotas }) => ({
      token: id,
      used: { ...store.memory.totals.of(owner), connections: tokens.ownedBy(owner)?.connections ?? 0 },
      max: { ...quotas } as Record<string, number>,
    }));
}
