// Where snapshots go and come from: the seam for files now, and for objects in S3.
//
//   writer ──▶ SnapshotSink.write() … commit() | abort()        SnapshotSource.read() … close() ──▶ reader

/** A snapshot being written. It is not there for anybody before commit() has resolved. */
export interface SnapshotSink {
  /** Appends. The bytes are the sink's until the promise settles. One call at a time. @throws {HiveError} SNAPSHOT_FAILED */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** It is whole and lasts: resolves when a power cut cannot take it any more. @throws {HiveError} SNAPSHOT_FAILED */
  commit(): Promise<void>;
  /** Nothing is left of it. Never rejects; to be called after a write() or commit() that failed, too. */
  abort(): Promise<void>;
}

/** A snapshot being read, from its start to its end. */
export interface SnapshotSource {
  readonly name: string;
  /** Bytes of all of it. */
  readonly bytes: number;
  /** Up to `length` bytes from byte `at` on; fewer only at the end. @throws {HiveError} SNAPSHOT_FAILED */
  read(at: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

export type SnapshotInfo = {
  name: string;
  bytes: number;
  /** Epoch milliseconds at which it was completed. */
  storedMs: number;
};

/** A place that keeps snapshots by name. */
export interface SnapshotPlace {
  /** For people: "the folder /var/lib/memhive". */
  readonly title: string;
  /** The newest first. @throws {HiveError} SNAPSHOT_FAILED */
  list(): Promise<SnapshotInfo[]>;
  /** @throws {HiveError} SNAPSHOT_FAILED, INVALID_ARGUMENT for a name that is none */
  create(name: string): Promise<SnapshotSink>;
  /** @throws {HiveError} NO_SNAPSHOT, SNAPSHOT_FAILED, INVALID_ARGUMENT */
  open(name: string): Promise<SnapshotSource>;
  /** Gone, or never there. @throws {HiveError} SNAPSHOT_FAILED, INVALID_ARGUMENT */
  remove(name: string): Promise<void>;
  /**
   * Notes which snapshot the hive has ended with: then all sessions in it are open. Without a name there is none.
   * @throws {HiveError} SNAPSHOT_FAILED
   */
  noteLast(name: string | undefined): Promise<void>;
  /** What was noted last. */
  last(): Promise<string | undefined>;
}
