// Persistence: what commands may ask of whoever keeps the hive's state, and a hive without one.
//
//   SAVE, BGSAVE, LASTSAVE, SNAPSHOT, INFO, SHUTDOWN ──▶ services.persistence ──▶ server/snapshots.ts
//
// The engine knows neither files nor formats.

import { HiveError } from "../base/errors.ts";

/** A snapshot that was stored or restored. */
export type SnapshotReport = {
  name: string;
  bytes: number;
  keys: number;
  fields: number;
  /** The moment that it shows, in epoch milliseconds. */
  createdMs: number;
  durationMs: number;
};

export type SnapshotListing = { name: string; bytes: number; storedMs: number };

/** Work under way; `progress` from 0 to 1. */
export type SnapshotWork = {
  kind: "store" | "check" | "restore";
  name: string;
  progress: number;
  keys: number;
  /** Keys that there are to store; 0 where that is not known. */
  keysTotal: number;
  bytes: number;
  /** Bytes that wait for the disk. */
  backlogBytes: number;
  startedMs: number;
};

export type SnapshotFailure = { kind: "store" | "restore"; message: string; atMs: number };

export type PersistenceStatus = {
  /** "the folder /var/lib/memhive"; empty for a hive that keeps no snapshots. */
  place: string;
  work: SnapshotWork | undefined;
  /** The last one that was stored, or restored from at the start. */
  last: SnapshotReport | undefined;
  /** Until the same succeeds. */
  lastFailure: SnapshotFailure | undefined;
  /** Changes since the moment that `last` shows, or since the start. */
  changes: number;
  stores: number;
  failures: number;
};

/** How durable the memory is, read with every answer to a spool. */
export type Durability = {
  /** The highest version of an entry that a snapshot holds, of those that this run made or began with; 0 for none. */
  storedVersion: number;
  /** How often another content took the place of the memory's, by a restore. */
  restores: number;
};

export interface Persistence {
  readonly durability: Durability;
  /** @throws {HiveError} UNSUPPORTED where there is no place for snapshots */
  requirePlace(): void;
  status(): PersistenceStatus;
  /** The newest first. @throws {HiveError} SNAPSHOT_FAILED, UNSUPPORTED */
  list(): Promise<readonly SnapshotListing[]>;
  /**
   * Stores the hive as it is when the promise's work begins. @param name Without it one by the time.
   * @throws {HiveError} SNAPSHOT_FAILED, INVALID_ARGUMENT, UNSUPPORTED
   */
  store(name?: string): Promise<SnapshotReport>;
  /** Puts the content of a snapshot in the place of everything. @throws {HiveError} NO_SNAPSHOT, BAD_SNAPSHOT, SNAPSHOT_FAILED, OUT_OF_MEMORY, UNSUPPORTED */
  restore(name: string): Promise<SnapshotReport>;
  /** @throws {HiveError} NO_SNAPSHOT, SNAPSHOT_FAILED, UNSUPPORTED */
  remove(name: string): Promise<void>;
}

const REFUSAL = "this hive keeps no snapshots: start it with --snapshots FOLDER (snapshots: { folder } when embedded)";

/** A hive that keeps nothing. @param changes How many there were since the start. */
export function noPersistence(changes: () => number): Persistence {
  return {
    durability: { storedVersion: 0, restores: 0 },
    requirePlace() {
      throw new HiveError("UNSUPPORTED", REFUSAL);
    },
    status: () => ({
      place: "",
      work: undefined,
      last: undefined,
      lastFailure: undefined,
      changes: changes(),
      stores: 0,
      failures: 0,
    }),
    list: refuse,
    store: refuse,
    restore: refuse,
    remove: refuse,
  };
}

async function refuse(): Promise<never> {
  throw new HiveError("UNSUPPORTED", REFUSAL);
}
