// HttpShared: what all connections of the HTTP door share.

import type { Limits } from "../../base/limits.ts";
import type { Receiver, Transport } from "../../base/transport.ts";
import type { Runner } from "../../engine/engine.ts";
import type { QuotaFigures } from "./metrics.ts";
import type { OriginOptions } from "./origin.ts";

export type HttpDoorOptions = OriginOptions & {
  runner: Runner;
  limits: Limits;
  /** Of the package, for the description. */
  version: string;
  /** Why the hive is not to be sent calls now; undefined where it is. */
  notReady(): string | undefined;
  /** Opens the native protocol on a WebSocket; undefined where the door did not let it in, and has told it. */
  openSocket(transport: Transport): Receiver | undefined;
  /** What tokens with quotas have, for /metrics. */
  quotas(): readonly QuotaFigures[];
  /** One line for operators: why a connection was refused. */
  onNotice(address: string, message: string): void;
};

export class HttpShared {
  readonly options: HttpDoorOptions;
  /** The hive closes: no further request is served. */
  closed = false;

  constructor(options: HttpDoorOptions) {
    this.options = options;
  }
}
