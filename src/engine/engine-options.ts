// EngineOptions: what a LocalEngine is made of.

import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Timers } from "../base/timers.ts";
import type { Store } from "../store/store.ts";
import type { FeedKeep } from "./change-feed.ts";
import type { Row } from "./row.ts";
import type { TokenRegistry } from "./tokens.ts";

export type EngineOptions = {
  store: Store;
  clock: Clock;
  limits?: Limits;
  log?: Log;
  /** Commands beside the built-in ones. */
  rows?: readonly Row[];
  /** Who may do what; without it everybody may do everything. */
  tokens?: TokenRegistry;
  timers?: Timers;
  /** When changes are noted for who watches. Default: "watched". */
  feed?: FeedKeep;
  /** One line for operators: a wrong token, one that was revoked. */
  onNotice?: (message: string) => void;
  /** What SHUTDOWN does; without it SHUTDOWN is refused. */
  onShutdown?: (snapshot: boolean | undefined) => void;
};
