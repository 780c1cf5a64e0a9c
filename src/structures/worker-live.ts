// Worker live: an instance in the worker of isolated structures, and what a session needs of the worker.

import type { Request, StateMade } from "./isolated-messages.ts";
import type { Kept, KeptClass } from "./kept-class.ts";
import type { Placement, Structure } from "./structure.ts";

/** Who is told of the first change of an instance in a call. */
export interface Touched {
  touch(live: WorkerLive): void;
}

export type WorkerLive = Kept & {
  readonly kept: KeptClass;
  /** The key's bytes, one character each. */
  readonly key: string;
  /** Of the key's entry, as the hive last said; -1 where nobody else sees it. */
  version: number;
  /** The call that it is in; undefined between calls. */
  session: Touched | undefined;
  readonly placement: Placement;
  readonly name: string;
  readonly partsMax: number;
};

export interface LiveKeeper {
  /** Instances that are good where the hive names their version. */
  readonly lives: Map<string, WorkerLive>;
  /** Asks the hive and waits for its answer. @throws {HiveError} what it answers with */
  ask(request: Request): unknown;
  /** What is looked at of a class once. @throws {HiveError} INVALID_ARGUMENT */
  keptOf(cls: new () => Structure): KeptClass;
  /** An instance of the state that the hive sent; without one, empty. */
  make(kept: KeptClass, key: string, sent?: { version: number; bytes: Uint8Array }): WorkerLive;
  encoded(live: WorkerLive): StateMade;
}
