// HttpDoor: HTTP/1.1, for scripts, probes, browsers and Prometheus.
//
//   exchange ──▶ HttpSession ──▶ whose page is it? who asks? ──▶ a page ──▶ runner.run(context, args, tree) ──▶ answer
//
// Read on in session.ts; then tables.ts, calls.ts, open-api.ts. HTTP itself is net/http-server.ts.

import type { HttpHandler, HttpLine } from "../../base/http-exchange.ts";
import type { Limits } from "../../base/limits.ts";
import type { Receiver, Transport } from "../../base/transport.ts";
import type { Runner } from "../../engine/engine.ts";
import type { OriginOptions } from "./origin.ts";
import { HttpSession } from "./session.ts";

export type HttpDoorOptions = OriginOptions & {
  runner: Runner;
  limits: Limits;
  /** Of the package, for the description. */
  version: string;
  /** Why the hive is not to be sent calls now; undefined where it is. */
  notReady(): string | undefined;
  /** Opens the native protocol on a WebSocket; undefined where the door did not let it in, and has told it. */
  openSocket(transport: Transport): Receiver | undefined;
  /** One line for operators: why a connection was refused. */
  onNotice(address: string, message: string): void;
};

export class HttpDoor {
  readonly options: HttpDoorOptions;
  #closed = false;

  constructor(options: HttpDoorOptions) {
    this.options = options;
  }

  /** Whether the hive closes: no further request is served. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What answers the requests of a connection. */
  open(line: HttpLine): HttpHandler {
    return new HttpSession(this, line);
  }

  /** The connections themselves are ended by whoever opened them. */
  close(): void {
    this.#closed = true;
  }
}
