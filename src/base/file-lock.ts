// File lock: one process at a time changes a file, or uses a folder.
//
//   withLock("tokens.json", change) ──▶ "tokens.json.lock" is created, with this process's id in it ──▶ change() ──▶ removed
//   hold("spool/lock")              ──▶ the same, until the function that is returned is called
//
// A lock whose process is gone is taken away: by a rename, which only one of several can do, to a name of
// their own, where it is looked at once more before it is thrown away. Where the system says when a process
// began (Linux), another one that has its id by now is told apart.

import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { HiveError } from "./errors.ts";

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
    held.delete(lock);
    rmSync(lock, { force: true });
  }
}

/** The locks that this process has. */
const held = new Set<string>();

/**
 * Takes a lock until the function that is returned is called.
 * @param lock Its path. @throws {HiveError} REFUSED_SETTING: another one has it, or it cannot be made.
 */
export function hold(lock: string): () => void {
  // Once more where a dead one's was taken away.
  if (!tryLock(lock) && !tryLock(lock)) {
    throw new HiveError("REFUSED_SETTING", `process ${holderOf(lock)} uses it already (see ${lock})`);
  }
  return () => {
    held.delete(lock);
    rmSync(lock, { force: true });
  };
}

function tryLock(lock: string): boolean {
  try {
    writeFileSync(lock, `${process.pid} ${beganOf(process.pid)}\n`, { flag: "wx", mode: 0o600 });
    held.add(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new HiveError("REFUSED_SETTING", `cannot lock ${lock}: ${(error as Error).message}`, { cause: error });
    }
  }
  const holder = holderOf(lock);
  if (holder !== 0 && !isHeld(lock, holder)) takeAway(lock, holder);
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

/** Whether who is in a lock still has it. One of our own id that we do not have is of a process before this one. */
function isHeld(lock: string, holder: number): boolean {
  if (holder === process.pid) return held.has(lock);
  const began = beganIn(lock);
  return isAlive(holder) && (began === "" || began === beganOf(holder));
}

/** When a process began, in ticks since the machine did (proc_pid_stat(5), field 22); "" where that is not known. */
function beganOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function beganIn(lock: string): string {
  try {
    return readFileSync(lock, "utf8").trim().split(" ")[1] ?? "";
  } catch {
    return "";
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
