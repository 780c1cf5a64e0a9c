// StateEvent: what a client tells of its connection.

import type { HiveError } from "../base/errors.ts";
import type { ConnectionState } from "./connection-parts.ts";

/** The connection has another state. `cause` says why where something went wrong. */
export class StateEvent extends Event {
  readonly state: ConnectionState;
  readonly cause: HiveError | undefined;

  constructor(state: ConnectionState, cause: HiveError | undefined) {
    super("state");
    this.state = state;
    this.cause = cause;
  }
}
