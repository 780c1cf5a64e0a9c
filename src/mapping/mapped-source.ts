// MappedSource: another process's hive's segments, mapped to be read.
//
//   <folder>/<segment>.<generation> ──▶ is it ours to read? ──▶ mapped as far as it is reserved now
//
// Only files of the same user are taken: whoever else could write one could show what is no hive's memory, or
// cut it off under the reader.

import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { join } from "node:path";
import { HiveError } from "../base/errors.ts";
import type { Libc, MappedFile } from "./libc.ts";

/** What of a segment a reader may need: a larger one is a value that is not read this way. */
const MAPPED_BYTES_MAX: number = 16 * 1024 * 1024;

export class MappedSource {
  readonly #libc: Libc;
  readonly #folder: string;

  /** @throws {HiveError} NO_PERMISSION: the folder is not one that only this user can have made. @throws {Error} There is none. */
  constructor(libc: Libc, folder: string) {
    const { uid, mode } = lstatSync(folder);
    // Before anything in it is opened: what a hostile hive names could be a pipe that opens never.
    if (uid !== process.geteuid!()) throw new HiveError("NO_PERMISSION", `${folder}: the hive runs as another user`);
    if ((mode & constants.S_IFMT) !== constants.S_IFDIR || (mode & 0o077) !== 0) {
      throw new HiveError("NO_PERMISSION", `${folder} is no folder of this user alone`);
    }
    this.#libc = libc;
    this.#folder = folder;
  }

  /**
   * Undefined where there is no such file any more, or where it is shorter.
   * @throws {HiveError} NO_PERMISSION @throws {Error} what the system says, where it has no more files or mappings.
   */
  map(segment: number, generation: number, bytesMin: number): MappedFile | undefined {
    const path = join(this.#folder, `${segment}.${generation}`);
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return undefined;
      if (code !== "EACCES" && code !== "EPERM") throw error;
      throw new HiveError("NO_PERMISSION", `${path} cannot be opened (${code}): the hive runs as another user`);
    }
    try {
      const stats = fstatSync(fd);
      const { uid, size } = stats;
      if (uid !== process.geteuid!() || !stats.isFile()) {
        throw new HiveError("NO_PERMISSION", `${path} is no file of this user`);
      }
      const bytes = Math.min(size, MAPPED_BYTES_MAX);
      return bytes < bytesMin ? undefined : this.#libc.mapToRead(fd, bytes);
    } finally {
      closeSync(fd);
    }
  }
}
