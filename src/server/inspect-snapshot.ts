// Looking into a snapshot's file without a hive: all of it is read and checked, nothing is restored.

import { DEFAULT_LIMITS } from "../base/limits.ts";
import { openSnapshotFile } from "../snapshot/folder.ts";
import { checkSnapshot, type Progress } from "../snapshot/restore.ts";

export type Inspection = {
  file: string;
  bytes: number;
  /** The moment that it shows, in epoch milliseconds. */
  createdMs: number;
  /** The hive that wrote it. */
  runId: string;
  keys: number;
  /** Fields and members of large tables and sets. */
  fields: number;
  /** Large tables and sets. */
  containers: number;
  /** Bytes before they were compressed. */
  rawBytes: number;
};

/** @throws {HiveError} NO_SNAPSHOT, BAD_SNAPSHOT with what is wrong, SNAPSHOT_FAILED */
export async function inspectSnapshot(file: string, onProgress?: (progress: Progress) => void): Promise<Inspection> {
  const source = await openSnapshotFile(file);
  try {
    // Every limit at its ceiling: another hive's settings may be higher than the defaults.
    const limits = { ...DEFAULT_LIMITS, valueBytesMax: 2 ** 29, valueDepthMax: 1000 };
    const { header, counts } = await checkSnapshot(source, { limits, ...(onProgress ? { onProgress } : {}) });
    const { createdMs, runId } = header;
    return { file, bytes: source.bytes, createdMs, runId, ...counts };
  } finally {
    await source.close();
  }
}
