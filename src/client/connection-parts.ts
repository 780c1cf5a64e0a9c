// What a Connection is made of, and the states that it may be in.

import type { HiveError } from "../base/errors.ts";
import type { Timers } from "../base/timers.ts";
import type { CallSpec } from "./call.ts";
import type { Settings } from "./options.ts";
import type { Dial } from "./session.ts";

export type ConnectionState = "connecting" | "ready" | "reconnecting" | "closed";

export type ConnectionParts = {
  dial: Dial;
  /** What is dialed, for messages: never with a token in it. */
  address: string;
  settings: Settings;
  library: { name: string; version: string };
  timers: Timers;
  /** Whether some reads are answered from memory, and not in the order of the calls. */
  readsMemory?(): boolean;
  /** A call is made that may change something: before it is sent. */
  onWrite?(spec: CallSpec<unknown>, args: readonly unknown[]): void;
  /** From 0 to below 1. */
  random(): number;
  /** The state is another one now; `cause` is why, where something went wrong. */
  onState(state: ConnectionState, cause: HiveError | undefined): void;
};
