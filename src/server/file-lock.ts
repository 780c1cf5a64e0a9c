// File lock: one process at a time changes a file.
//
//   withLock("tokens.json", change) ──▶ "tokens.json.lock" is created, with this process's id in it ──▶ change() ──▶ removed
//
// A lock whose process is gone is taken away: by a rename, which only one of several can do, to a name of
// their own, where it is looked at once more before it is thrown away.

import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { HiveError } from "../base/errors.ts";

/** Between two tries. A change takes a few milliseconds. */
const RETRY_MS = 20;
const WAIT_MS_MAX = 5_000;

/**
 * Runs `change` while nobody else changes `path`.
 * @throws {HiveError} REFUSED_SETTING: somebody else did so for 5 s, or the lock cannot be made.
 */
export async function withLock<Result>(path: string, change: () => Result): Promise<Result> {
  const lock = `${path}.lock`;
  for (let waitedMs = 0; !tryLock(lock); waitedMs += RETRY_MS) {
    if (waitedMs >= WAIT_MS_MAX) {
      const message = `${path} is being changed by process ${holderOf(lock)} (see ${lock}): try again`;
      throw new HiveError("REFUSED_SETTING", message);
    }
    await wait(RETRY_MS);
  }
  try {
    return change();
  } finally {
    rmSync(lock, { force: true });
  }
}

function tryLock(lock: string): boolean {
  try {
    writeFileSync(lock, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new HiveError("REFUSED_SETTING", `cannot lock ${lock}: ${(error as Error).message}`, { cause: error });
    }
  }
  const holder = holderOf(lock);
  if (holder !== 0 && !isAlive(holder)) takeAway(lock, holder);
  return false;
}

/** The process in a lock; 0 while it is not written yet, or gone. */
function holderOf(lock: string): number {
  try {
    return Number.parseInt(readFileSync(lock, "utf8"), 10) || 0;
  } catch {
    return 0;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function takeAway(lock: string, holder: number): void {
  const aside = `${lock}.${randomBytes(4).toString("hex")}`;
  try {
    renameSync(lock, aside);
    // Meanwhile it may have become another's, who still believes in it.
    if (holderOf(aside) !== holder) linkSync(aside, lock);
  } catch {
    // Somebody else was quicker.
  }
  rmSync(aside, { force: true });
}
