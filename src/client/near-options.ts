// What is kept near a client may be told, and what it tells (near-reads.ts).

export type NearOptions = {
  /** Values that are kept at most, those that are missing too. The ones not read for long go. Default 10,000. */
  entriesMax?: number | undefined;
  /** Their bytes, as they are stored. Default 64 MiB. A larger one than an eighth of it is not kept. */
  bytesMax?: number | undefined;
  /** How long a value is kept at most. Default: as long as nothing is told of it. */
  ttlMs?: number | undefined;
};

export type NearState = {
  /** Whether values are kept now: false before the hive has agreed, and while there is no connection. */
  readonly on: boolean;
  readonly hits: number;
  readonly misses: number;
  readonly entries: number;
  readonly bytes: number;
};
