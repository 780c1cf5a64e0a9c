// SharedFolder: where one hive keeps the files that it shares, from its start to its end.
//
//   /dev/shm/memhive-<16 hex>/      mode 0700          lock     held by flock as long as the hive lives
//                                                      <segment>.<generation>     mode 0600
//
// A hive that was killed leaves its folder behind. The next one that starts finds the lock free and removes it:
// a number of a process would say less, since numbers are used again.

import { randomBytes } from "node:crypto";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { HiveError } from "../base/errors.ts";
import type { Libc } from "./libc.ts";

export const SHARED_PLACE = "/dev/shm";
const PREFIX = "memhive-";
const LOCK = "lock";
const TMPFS = 0x01021994;
const MIB = 1024 * 1024;
/** What a hive without a limit of memory has to find at its start. */
const FREE_BYTES_MIN: number = 16 * MIB;
/** A folder without a lock is being made, or its maker died while it made it. */
const MAKING_MS_MAX = 10_000;

export class SharedFolder {
  readonly path: string;
  readonly place: string;
  readonly #lock: number;

  private constructor(place: string, path: string, lock: number) {
    this.place = place;
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes a folder in `place`, which has to be a tmpfs with enough room. Removes what dead hives of this user left there.
   * @param maxMemoryBytes What the hive's data may take; 0 where there is no limit.
   * @throws {HiveError} REFUSED_SETTING, which names what is there and what is needed: nothing was written.
   */
  static open(libc: Libc, place: string, maxMemoryBytes: number): SharedFolder {
    if (!isTmpfs(place)) {
      throw refused(`${place} is no tmpfs: memory is shared in one (mount one, and name it by sharedFolder)`);
    }
    removeLeftOvers(libc, place);
    const needed = bytesNeeded(maxMemoryBytes);
    const free = freeBytes(place);
    if (free < needed) {
      const why = maxMemoryBytes === 0 ? "at least" : `for maxMemoryBytes ${maxMemoryBytes}`;
      throw refused(`${place} has ${mebibytes(free)} free and ${mebibytes(needed)} are needed ${why}: ${MORE_ROOM}`);
    }
    const path = join(place, `${PREFIX}${randomBytes(8).toString("hex")}`);
    let lock = -1;
    try {
      mkdirSync(path, { mode: 0o700 });
      // It is locked before it has its name, so that nobody takes it for a left-over.
      const making = join(path, `${LOCK}.new`);
      lock = openSync(making, "wx", 0o600);
      if (!libc.lock(lock)) throw new Error("the system has no flock there");
      renameSync(making, join(path, LOCK));
      return new SharedFolder(place, path, lock);
    } catch (cause) {
      if (lock >= 0) closeSync(lock);
      rmSync(path, { recursive: true, force: true });
      throw refused(`cannot make ${path}: ${(cause as Error).message}`, cause);
    }
  }

  /** What is free in the file system. */
  get freeBytes(): number {
    return freeBytes(this.place);
  }

  /** Removes it with all that is in it. */
  close(): void {
    rmSync(this.path, { recursive: true, force: true });
    closeSync(this.#lock);
  }
}

export const MORE_ROOM = "give it more (docker run --shm-size, or mount -o remount,size=…)";

/** Room for the data, for what the compactor takes beside it and for the gaps until it has closed them. */
function bytesNeeded(maxMemoryBytes: number): number {
  return maxMemoryBytes === 0 ? FREE_BYTES_MIN : maxMemoryBytes + maxMemoryBytes / 4 + FREE_BYTES_MIN;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(bytes < 10 * MIB ? 1 : 0)} MiB`;
}

function freeBytes(place: string): number {
  const { bavail, blocks, bsize } = statfsSync(place);
  // Mounted with size=0 it has no limit of its own.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}

function isTmpfs(place: string): boolean {
  try {
    return statfsSync(place).type === TMPFS;
  } catch {
    return false;
  }
}

function removeLeftOvers(libc: Libc, place: string): void {
  for (const name of readdirSync(place)) {
    if (!name.startsWith(PREFIX)) continue;
    try {
      if (isLeftOver(libc, join(place, name))) rmSync(join(place, name), { recursive: true, force: true });
    } catch {
      // Another hive that starts removes it at this moment, or it is none of ours.
    }
  }
}

/** Whether a folder belongs to a hive of this user that is dead. @throws {Error} It cannot be told. */
function isLeftOver(libc: Libc, path: string): boolean {
  const folder = lstatSync(path);
  if (!folder.isDirectory() || folder.uid !== process.geteuid!()) return false;
  const lockPath = join(path, LOCK);
  if (statSync(lockPath, { throwIfNoEntry: false }) === undefined) return Date.now() - folder.mtimeMs > MAKING_MS_MAX;
  const lock = openSync(lockPath, "r");
  try {
    return libc.lock(lock);
  } finally {
    closeSync(lock);
  }
}

function refused(message: string, cause?: unknown): HiveError {
  return new HiveError("REFUSED_SETTING", `shared: ${message}`, { cause });
}
