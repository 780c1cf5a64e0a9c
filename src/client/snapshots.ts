// Snapshots: what the hive keeps of itself on its disk.
//
//   client.snapshot.store() ──▶ SNAPSHOT STORE ──▶ { name, keys, bytes, … } when it is there

import type { Bound } from "./bound.ts";
import type { CallOptions } from "./call.ts";
import type { SnapshotListing, SnapshotReport, SnapshotStatus } from "./snapshot-facts.ts";
import * as spec from "./specs.ts";

/** Long work has no deadline unless it is given one. */
const UNTIMED: CallOptions = { timeoutMs: 0 };

export class SnapshotCalls {
  readonly #bound: Bound;

  /** Made by client.snapshot. */
  constructor(bound: Bound) {
    this.#bound = bound;
  }

  /**
   * Stores the hive as it is now. Resolves when the snapshot is on the disk; other calls go on meanwhile.
   * Without `timeoutMs` there is no deadline. @param name Without it the hive names it by the time.
   * @throws {HiveError} UNSUPPORTED: the hive keeps none; SNAPSHOT_FAILED, INVALID_ARGUMENT, NO_PERMISSION
   */
  store(name?: string, options?: CallOptions): Promise<SnapshotReport> {
    return this.#bound.call(spec.SNAPSHOT_STORE, name === undefined ? [] : [name], { ...UNTIMED, ...options });
  }

  /**
   * Puts what a snapshot holds in the place of everything. All other calls of the hive wait meanwhile.
   * @throws {HiveError} NO_SNAPSHOT, BAD_SNAPSHOT, SNAPSHOT_FAILED, OUT_OF_MEMORY: nothing was changed.
   */
  restore(name: string, options?: CallOptions): Promise<SnapshotReport> {
    return this.#bound.call(spec.SNAPSHOT_RESTORE, [name], { ...UNTIMED, ...options });
  }

  /** The newest first. @throws {HiveError} UNSUPPORTED, SNAPSHOT_FAILED */
  list(options?: CallOptions): Promise<SnapshotListing[]> {
    return this.#bound.call(spec.SNAPSHOT_LIST, [], options);
  }

  /** Resolves when it is gone. @throws {HiveError} NO_SNAPSHOT, SNAPSHOT_FAILED, UNSUPPORTED */
  remove(name: string, options?: CallOptions): Promise<void> {
    return this.#bound.call(spec.SNAPSHOT_REMOVE, [name], options);
  }

  /** What is under way, and how the last one went. Answered while a restore lets all others wait, too. */
  status(options?: CallOptions): Promise<SnapshotStatus> {
    return this.#bound.call(spec.SNAPSHOT_STATUS, [], options);
  }
}
