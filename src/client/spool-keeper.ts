// SpoolKeeper: where the readings of a spool are kept beside its memory: in a folder (spool-disk.ts), or nowhere.

import type { Timers } from "../base/timers.ts";
import type { SpoolSettings } from "./spool-options.ts";
import type { Reading } from "./spool-readings.ts";

/**
 * Which readings are wanted, by their numbers: those from `from` on up to `doubtTo`, and those from `waitFrom` on. Those
 * up to `ackTo` are acknowledged, and counted as such.
 */
export type SpoolMarks = {
  /** The highest number that was given. */
  last: number;
  from: number;
  ackTo: number;
  doubtTo: number;
  waitFrom: number;
  // As in SpoolStats.
  acknowledged: number;
  dropped: number;
  refused: number;
  letGo: number;
};

export interface SpoolKeeper {
  /** Gathers a reading for the next write. */
  append(reading: Reading): void;
  /** These count from the next write on. */
  mark(marks: SpoolMarks): void;
  /** Writes what was gathered. @throws {HiveError} OVERLOADED: the disk would not take it; none of it counts as written. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export type OpenedSpool = {
  /** Undefined: memory is all there is. */
  keeper: SpoolKeeper | undefined;
  producer: string;
  marks: SpoolMarks;
  /** What is there, wanted or not, in the order of its numbers. */
  readings: readonly Reading[];
  /** Files of which a part could not be read. */
  damaged: number;
};

/** Opens the folder of a spool. @throws {HiveError} REFUSED_SETTING */
export type OpenSpool = (
  settings: SpoolSettings & { dir: string },
  fresh: { producer: string; marks: SpoolMarks },
  timers: Timers,
) => Promise<OpenedSpool>;

export function freshMarks(): SpoolMarks {
  const numbers = { last: 0, from: 1, ackTo: 0, doubtTo: 0, waitFrom: 1 };
  return { ...numbers, acknowledged: 0, dropped: 0, refused: 0, letGo: 0 };
}

/** The name by which the hive knows a spool: nobody else has it. */
export function newProducer(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
