// SnapshotFolder: snapshots as files in one folder.
//
//   create(name) ──▶ .NAME.PID-N.part ──▶ write … fsync ──▶ its name is NAME.memhive ──▶ fsync of the folder
//
// The name is given by a link where the disk has links: unlike a rename, that never replaces what another hive
// has put there meanwhile. What was completed last has the latest time, whatever the machine's clock did.
//
// A name never leads out of the folder: it has no slash, and a link is not followed. What a process that
// was killed left behind is recognised by its name and removed at open().

import { constants } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { HiveError } from "../base/errors.ts";
import type { SnapshotInfo, SnapshotPlace, SnapshotSink, SnapshotSource } from "./sink.ts";

const EXTENSION = ".memhive";
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const PART = /^\.(.+)\.(\d+)-(\d+)\.part$/;
/** The name of the snapshot that the hive has ended with, where sessions are in it. */
const LAST = ".last";
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** The parts that this process writes now, in whatever folder: never left-overs. */
const writing = new Set<string>();
let parts = 0;

export class SnapshotFolder implements SnapshotPlace {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes the folder where there is none, and removes what killed processes left in it.
   * @throws {HiveError} SNAPSHOT_FAILED
   */
  static async open(path: string): Promise<SnapshotFolder> {
    const folder = new SnapshotFolder(resolve(path));
    try {
      const made = await mkdir(folder.path, { recursive: true, mode: FOLDER_MODE });
      if (made !== undefined) await syncMade(folder.path, made);
      for (const file of await readdir(folder.path)) {
        const part = PART.exec(file);
        if (part && !isWritten(join(folder.path, file), Number(part[2])))
          await rm(join(folder.path, file), { force: true });
      }
    } catch (error) {
      throw failure(`cannot use ${folder.title}`, error);
    }
    return folder;
  }

  get title(): string {
    return `the folder ${this.path}`;
  }

  async list(): Promise<SnapshotInfo[]> {
    const found: SnapshotInfo[] = [];
    try {
      for (const file of await readdir(this.path)) {
        if (!file.endsWith(EXTENSION) || !NAME.test(file.slice(0, -EXTENSION.length))) continue;
        const stats = await lstat(join(this.path, file)).catch(() => undefined);
        if (!stats?.isFile()) continue;
        found.push({ name: file.slice(0, -EXTENSION.length), bytes: stats.size, storedMs: stats.mtimeMs });
      }
    } catch (error) {
      throw failure(`cannot list ${this.title}`, error);
    }
    return found.sort((one, other) => other.storedMs - one.storedMs || (one.name < other.name ? 1 : -1));
  }

  async create(name: string): Promise<SnapshotSink> {
    const path = this.#pathOf(name);
    if ((await lstat(path).catch(() => undefined)) !== undefined) {
      throw new HiveError("INVALID_ARGUMENT", `there is a snapshot ${name} already: choose another name, or remove it`);
    }
    const part = join(this.path, `.${name}.${process.pid}-${++parts}.part`);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    writing.add(part);
    try {
      return new FileSink({ folder: this, name, part, path, file: await open(part, flags, FILE_MODE) });
    } catch (error) {
      writing.delete(part);
      throw failure(`cannot write to ${this.title}`, error);
    }
  }

  async open(name: string): Promise<SnapshotSource> {
    return openSnapshotFile(this.#pathOf(name), name);
  }

  async remove(name: string): Promise<void> {
    try {
      await rm(this.#pathOf(name), { force: true });
      await syncFolder(this.path);
    } catch (error) {
      throw failure(`cannot remove snapshot ${name}`, error);
    }
  }

  async noteLast(name: string | undefined): Promise<void> {
    const path = join(this.path, LAST);
    try {
      if (name === undefined) await rm(path, { force: true });
      else {
        const file = await open(path, "w", FILE_MODE);
        await file.writeFile(`${name}\n`);
        await file.sync();
        await file.close();
      }
      await syncFolder(this.path);
    } catch (error) {
      throw failure(`cannot write to ${this.title}`, error);
    }
  }

  async last(): Promise<string | undefined> {
    return (await readFile(join(this.path, LAST), "utf8").catch(() => undefined))?.trim();
  }

  #pathOf(name: string): string {
    if (NAME.test(name)) return join(this.path, name + EXTENSION);
    throw new HiveError(
      "INVALID_ARGUMENT",
      "a snapshot's name has 1 to 100 letters, digits, dots, dashes and underscores, and begins with a letter or digit",
    );
  }
}

/** A snapshot by its path: links are not followed. @throws {HiveError} NO_SNAPSHOT, SNAPSHOT_FAILED */
export async function openSnapshotFile(path: string, name: string = path): Promise<SnapshotSource> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new HiveError("NO_SNAPSHOT", `there is no snapshot ${name}`);
    throw failure(`cannot open snapshot ${name}`, error);
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new HiveError("SNAPSHOT_FAILED", `cannot open snapshot ${name}: it is no file`);
    return new FileSource(file, name, stats.size);
  } catch (error) {
    await file.close().catch(() => {});
    throw error instanceof HiveError ? error : failure(`cannot open snapshot ${name}`, error);
  }
}

class FileSource implements SnapshotSource {
  readonly name: string;
  readonly bytes: number;
  readonly #file: FileHandle;

  constructor(file: FileHandle, name: string, bytes: number) {
    this.#file = file;
    this.name = name;
    this.bytes = bytes;
  }

  async read(at: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.bytes - at)));
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const { bytesRead } = await this.#file.read(bytes, filled, bytes.length - filled, at + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
    } catch (error) {
      throw failure(`cannot read snapshot ${this.name}`, error);
    }
    return bytes.subarray(0, filled);
  }

  /** What was read is read, whether or not the disk can close it. */
  close(): Promise<void> {
    return this.#file.close().catch(() => {});
  }
}

type Paths = { folder: SnapshotFolder; name: string; part: string; path: string; file: FileHandle };

/** What link() says where the disk has no links. */
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL"]);

class FileSink implements SnapshotSink {
  readonly #paths: Paths;
  #open = true;
  /** It has its name, and is not known to keep it yet. */
  #named = false;

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    const { file, folder } = this.#paths;
    try {
      let bytes = 0;
      for (const chunk of chunks) bytes += chunk.length;
      const { bytesWritten } = await file.writev([...chunks]);
      if (bytesWritten === bytes) return;
      const rest = Buffer.concat(chunks as Uint8Array[]).subarray(bytesWritten);
      for (let at = 0; at < rest.length; ) at += (await file.write(rest, at)).bytesWritten;
    } catch (error) {
      throw failure(`cannot write to ${folder.title}`, error);
    }
  }

  async commit(): Promise<void> {
    const { file, folder, part } = this.#paths;
    try {
      await this.#makeNewest();
      await file.sync();
      await this.#close();
      await this.#giveName();
      await syncFolder(folder.path);
      this.#named = false;
      writing.delete(part);
    } catch (error) {
      if (error instanceof HiveError) throw error;
      throw failure(`cannot complete a snapshot in ${folder.title}`, error);
    }
  }

  /** A clock that was set back would make it older than those before: then its time is one behind theirs. */
  async #makeNewest(): Promise<void> {
    const { file, folder } = this.#paths;
    const newestMs = (await folder.list())[0]?.storedMs ?? 0;
    if ((await file.stat()).mtimeMs <= newestMs) await file.utimes(newestMs / 1000, (newestMs + 1) / 1000);
  }

  /** @throws {HiveError} SNAPSHOT_FAILED where another has it */
  async #giveName(): Promise<void> {
    const { folder, name, part, path } = this.#paths;
    try {
      await link(part, path);
      this.#named = true;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code === "EEXIST") {
        throw new HiveError(
          "SNAPSHOT_FAILED",
          `another hive has stored a snapshot ${name} in ${folder.title} meanwhile`,
        );
      }
      if (!NO_LINKS.has(code)) throw error;
      await rename(part, path);
      this.#named = true;
      return;
    }
    await rm(part, { force: true });
  }

  async abort(): Promise<void> {
    const { part, path } = this.#paths;
    await this.#close();
    await rm(part, { force: true }).catch(() => {});
    if (this.#named) await rm(path, { force: true }).catch(() => {});
    writing.delete(part);
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#paths.file.close().catch(() => {});
  }
}

/** Makes the folder's entries last. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes folders last that mkdir() has made, from `first` down to `path`, as far as this process may. */
async function syncMade(path: string, first: string): Promise<void> {
  for (let made = path; made.length >= first.length; made = dirname(made))
    await syncFolder(dirname(made)).catch(() => {});
}

/** Whether a process that runs is writing this part. */
function isWritten(path: string, pid: number): boolean {
  if (pid === process.pid) return writing.has(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: make room, or keep fewer snapshots",
  EDQUOT: "the disk quota is used up: make room, or keep fewer snapshots",
  EROFS: "the disk is read-only",
  EACCES: "no permission",
  EPERM: "no permission",
  ENOENT: "the folder is gone",
  ENOTDIR: "it is no folder",
  ELOOP: "it is a link",
  EISDIR: "it is a folder",
};

function failure(what: string, cause: unknown): HiveError {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  return new HiveError("SNAPSHOT_FAILED", `${what}: ${ADVICE[code] ?? message}`, { cause });
}
