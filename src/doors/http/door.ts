// HttpDoor: HTTP/1.1, for scripts, probes, browsers and Prometheus.
//
//   exchange ──▶ HttpSession ──▶ whose page is it? who asks? ──▶ a page ──▶ runner.run(context, args, tree) ──▶ answer
//
// Read on in session.ts; then fields.ts, calls.ts, xml-rpc.ts, open-api.ts. HTTP itself is net/http/.

import type { HttpHandler, HttpLine } from "../../base/http-exchange.ts";
import { HttpSession } from "./session.ts";
import { type HttpDoorOptions, HttpShared } from "./shared.ts";

export class HttpDoor {
  readonly #shared: HttpShared;

  constructor(options: HttpDoorOptions) {
    this.#shared = new HttpShared(options);
  }

  /** What answers the requests of a connection. */
  open(line: HttpLine): HttpHandler {
    return new HttpSession(this.#shared, line);
  }

  /** The connections themselves are ended by whoever opened them. */
  close(): void {
    this.#shared.closed = true;
  }
}
