// What a hive says of its snapshots.

export type SnapshotReport = {
  name: string;
  /** Bytes of the file. */
  bytes: number;
  keys: number;
  /** Fields and members of the large tables and sets: small ones lie in their key. */
  fields: number;
  /** The moment that it shows, in epoch milliseconds. */
  createdMs: number;
  durationMs: number;
};

export type SnapshotListing = { name: string; bytes: number; storedMs: number };

export type SnapshotStatus = {
  /** Where they are kept; empty for a hive that keeps none. */
  place: string;
  /** What is under way: "store", "check" and "restore" (both are a restore), or "" for nothing. */
  working: string;
  workName: string;
  workPercent: number;
  workKeys: number;
  workBytes: number;
  /** Bytes that wait for the disk. */
  backlogBytes: number;
  lastName: string;
  lastCreatedMs: number;
  lastBytes: number;
  lastKeys: number;
  lastDurationMs: number;
  /** Changes since the last one. */
  changes: number;
  stores: number;
  failures: number;
  lastFailure: string;
  lastFailureMs: number;
};
