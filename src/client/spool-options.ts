// What a spool may be told, and what it tells (spool.ts).

import { type ErrorCode, HiveError } from "../base/errors.ts";

export type SpoolOptions = {
  /** What the readings may take that the spool keeps: on the disk and in memory, about. At least 16 KiB. */
  bytesMax: number;
  /** A reading that could not be sent within so many milliseconds is dropped. Default: none is. */
  ageMsMax?: number | undefined;
  /**
   * What a put does when the spool is full: drop what has waited longest, or reject with OVERLOADED. What was sent and has no
   * answer yet is never dropped: where that is all, the put rejects. Default: "drop-oldest".
   */
  full?: "drop-oldest" | "refuse" | undefined;
  /**
   * How long a reading is kept: until the hive has it in memory, or until a snapshot of the hive holds it. Then a hive
   * that is killed and comes back from an older snapshot is sent the rest again. Default: "acknowledged".
   */
  keepUntil?: "acknowledged" | "stored" | undefined;
  /** A folder of its own in which the readings outlive this process. Without it they are in memory alone. In Node. */
  dir?: string | undefined;
  /**
   * What was put reaches the disk within so many milliseconds, whatever happens to the machine; 0: before put() resolves.
   * The death of this process loses nothing that put() has resolved for, in any case. Default 1,000.
   */
  syncMs?: number | undefined;
};

export type SpoolSettings = {
  bytesMax: number;
  ageMsMax: number;
  full: "drop-oldest" | "refuse";
  keepUntil: "acknowledged" | "stored";
  dir: string | undefined;
  syncMs: number;
};

/** Why a reading was not stored. */
export type SpoolFailure = { code: ErrorCode; message: string; device: string; sequence: number };

/**
 * Readings, counted since the spool was made: with `dir` over all processes that had it.
 * accepted = acknowledged + dropped + refused + waiting.
 */
export type SpoolStats = {
  /** For which put() has resolved, or will at once. */
  accepted: number;
  /** Which the hive has, each once. */
  acknowledged: number;
  /** Which were given up: too old, or the spool was full. */
  dropped: number;
  /** Which the hive would not take: a cap of the device, a limit; and the last of them. */
  refused: number;
  lastRefusal: SpoolFailure | undefined;
  /** Which are to be sent, or may have been and have no answer. */
  waiting: number;
  waitingBytes: number;
  /** Milliseconds that the first of them has waited; 0 where none does. */
  waitingMs: number;
  /** Of keepUntil "stored": acknowledged, kept, and in no snapshot yet; and those that were let go before, for want of room. */
  unstored: number;
  unstoredBytes: number;
  letGo: number;
  /** Files of the folder of which a part could not be read, and was passed over. */
  damaged: number;
  /** Why nothing is sent although there is a connection: it is tried again. */
  lastFailure: SpoolFailure | undefined;
};

const BYTES_MIN = 16 * 1024;

/** @throws {HiveError} REFUSED_SETTING */
export function spoolSettings(options: SpoolOptions): SpoolSettings {
  const { bytesMax, ageMsMax = Number.POSITIVE_INFINITY, full = "drop-oldest", dir } = options;
  const { keepUntil = "acknowledged", syncMs = 1_000 } = options;
  requireThat(bytesMax >= BYTES_MIN && Number.isFinite(bytesMax), "bytesMax", `bytes from ${BYTES_MIN} on`, bytesMax);
  requireThat(ageMsMax > 0, "ageMsMax", "milliseconds above 0", ageMsMax);
  requireThat(syncMs >= 0 && Number.isFinite(syncMs), "syncMs", "milliseconds from 0 on", syncMs);
  requireThat(["drop-oldest", "refuse"].includes(full), "full", "drop-oldest or refuse", full);
  requireThat(["acknowledged", "stored"].includes(keepUntil), "keepUntil", "acknowledged or stored", keepUntil);
  requireThat(dir === undefined || (typeof dir === "string" && dir !== ""), "dir", "the path of a folder", dir);
  return { bytesMax, ageMsMax, full, keepUntil, dir, syncMs };
}

function requireThat(fits: boolean, name: string, expected: string, got: unknown): void {
  if (!fits) throw new HiveError("REFUSED_SETTING", `spool.${name}: expected ${expected}, got ${String(got)}`);
}
