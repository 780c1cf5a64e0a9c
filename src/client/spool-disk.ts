// SpoolDisk: the readings of a spool in a folder, so that they outlive the process.
//
//   folder   lock | 00000001.spool | 00000002.spool …      the last one is appended to
//   file     "memhive spool 1\n" | record | record …
//   record   payload bytes 4 | CRC-32 of the payload 4 | payload: one value, an array        little endian
//   payload  ["r", number, put at, device, label kind, label, value kind, value, TTL]         a reading
//            ["m", producer, last number, { … }]                                              marks, which count from there on
//
// Nothing is rewritten. Marks say which readings are still wanted: the last ones of the last file count, and each file
// begins with those of its time. A file goes when none of its readings is wanted by the marks that are on the disk: those
// of the process are ahead of them. What is behind the first record that is no good is cut off: a write that the end of
// the process, or of the machine, has torn, or zeros where a file system had made room for one.
//
// A write is handed to the system before put() resolves, and reaches the disk (fdatasync) within syncMs, or before where
// that is 0. Since a loss of power may take numbers that the hive has seen, a spool that is opened again goes on a
// million further on.

import { mkdirSync } from "node:fs";
import { type FileHandle, open, readdir, readFile, truncate, unlink } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { HiveError, isHiveError } from "../base/errors.ts";
import { hold } from "../base/file-lock.ts";
import type { Cancel, Timers } from "../base/timers.ts";
import { decode } from "../wire/value-decode.ts";
import { encode } from "../wire/value-encode.ts";
import type { OpenedSpool, SpoolKeeper, SpoolMarks } from "./spool-keeper.ts";
import type { Reading } from "./spool-readings.ts";

const MAGIC: Buffer = Buffer.from("memhive spool 1\n");
const HEAD_BYTES = 8;
/** Numbers that are passed over when a spool is opened again. */
const SEQUENCE_JUMP: number = 2 ** 20;
const FILE_BYTES_MIN: number = 64 * 1024;
const FILE_BYTES_MAX: number = 16 * 1024 * 1024;
const NAME = /^\d{8}\.spool$/;

/** A file that is there; the numbers of its readings, where it has any. */
type File = { path: string; first: number; last: number; bytes: number };

export type DiskParts = { dir: string; bytesMax: number; syncMs: number; timers: Timers };

export class SpoolDisk implements SpoolKeeper {
  readonly #parts: DiskParts;
  readonly #fileBytesMax: number;
  readonly #producer: string;
  readonly #release: () => void;
  readonly #files: File[];
  /** The owner's, which go on; and those that the disk has. */
  #marks: SpoolMarks;
  #written: SpoolMarks;
  #marksWaiting = false;
  /** Records that are not written yet. */
  #gathered: Buffer[] = [];
  #gatheredNumbers: number[] = [];
  #handle: FileHandle | undefined = undefined;
  #writing: Promise<void> | undefined = undefined;
  #next: Promise<void> | undefined = undefined;
  #sync: Cancel | undefined = undefined;
  /** Writes that were handed to the system, and those of them that are on the disk. */
  #writes = 0;
  #writesSynced = 0;
  #closed = false;

  private constructor(
    parts: DiskParts,
    { producer, files, marks, release }: { producer: string; files: File[]; marks: SpoolMarks; release: () => void },
  ) {
    this.#parts = parts;
    this.#fileBytesMax = Math.min(FILE_BYTES_MAX, Math.max(FILE_BYTES_MIN, parts.bytesMax / 8));
    this.#producer = producer;
    this.#files = files;
    this.#marks = marks;
    this.#written = { ...marks };
    this.#release = release;
  }

  /**
   * Opens a folder, and makes it where there is none. @param producer The name of the spool where it is a new one.
   * @throws {HiveError} REFUSED_SETTING: it cannot be used, or another process uses it
   */
  static async open(parts: DiskParts, fresh: { producer: string; marks: SpoolMarks }): Promise<OpenedSpool> {
    const { dir } = parts;
    let release: (() => void) | undefined;
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      release = hold(join(dir, "lock"));
      const found = await load(dir);
      const marks = found.marks ?? fresh.marks;
      const last = Math.max(marks.last, ...found.files.map((file) => file.last));
      if (last > 0) marks.last = last + SEQUENCE_JUMP;
      const producer = found.producer ?? fresh.producer;
      const disk = new SpoolDisk(parts, { producer, files: found.files, marks, release });
      disk.mark(marks);
      await disk.flush();
      return { keeper: disk, producer, marks, readings: found.readings, damaged: found.damaged };
    } catch (error) {
      release?.();
      const reason = error instanceof Error ? error.message : String(error);
      throw new HiveError("REFUSED_SETTING", `spool.dir ${dir}: ${reason}`, { cause: error });
    }
  }

  append(reading: Reading): void {
    const { sequence, atMs, device, label, value, ttlMs } = reading;
    const record = ["r", sequence, atMs, device, label.kind, label.bytes, value.kind, value.bytes, ttlMs];
    this.#gathered.push(recordOf(record));
    this.#gatheredNumbers.push(sequence);
  }

  mark(marks: SpoolMarks): void {
    this.#marks = marks;
    this.#marksWaiting = true;
  }

  /** One write at a time; what is gathered meanwhile goes with the next. */
  flush(): Promise<void> {
    this.#next ??= (this.#writing ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        this.#writing = this.#next;
        this.#next = undefined;
        return this.#write();
      });
    return this.#next;
  }

  async #write(): Promise<void> {
    if (this.#closed) throw new HiveError("HIVE_CLOSED", "this client is closed");
    const numbers = this.#gatheredNumbers;
    if (numbers.length === 0 && !this.#marksWaiting) return;
    const marks = { ...this.#marks };
    const bytes = Buffer.concat([this.#marksRecord(marks), ...this.#gathered]);
    this.#gathered = [];
    this.#gatheredNumbers = [];
    this.#marksWaiting = false;
    let before: File | undefined;
    try {
      const file = await this.#room(marks);
      before = { ...file };
      file.bytes += bytes.length;
      // Before, since a part may get there.
      if (numbers.length > 0) {
        if (file.first === 0) file.first = numbers[0]!;
        file.last = numbers.at(-1)!;
      }
      await this.#handle!.appendFile(bytes);
      const { syncMs, timers } = this.#parts;
      if (syncMs === 0) await this.#handle!.datasync();
      else {
        this.#writes++;
        this.#sync ??= timers.after(syncMs, () => void this.#syncNow());
      }
    } catch (error) {
      if (before !== undefined) await this.#takeBack(before);
      await this.#closeFile();
      this.#marksWaiting = true;
      throw diskFailure(this.#parts.dir, error);
    }
    this.#written = marks;
    await this.#prune();
  }

  /** None of a write that failed counts, so what has come of it goes: the next process would take it for kept. */
  async #takeBack(before: File): Promise<void> {
    // A disk that will not even do that says so no more often: nothing comes behind it, the file is closed.
    await this.#handle?.truncate(before.bytes).then(
      () => void Object.assign(this.#files.at(-1)!, before),
      () => {},
    );
  }

  /** The file to append to. */
  async #room(marks: SpoolMarks): Promise<File> {
    const last = this.#files.at(-1);
    if (this.#handle !== undefined && last!.bytes < this.#fileBytesMax) return last!;
    if (this.#handle === undefined && last !== undefined && !this.#closedOnce && last.bytes < this.#fileBytesMax) {
      this.#handle = await open(last.path, "a", 0o600);
      return last;
    }
    await this.#closeFile();
    const number = last === undefined ? 1 : Number.parseInt(last.path.slice(-14, -6), 10) + 1;
    const path = join(this.#parts.dir, `${String(number).padStart(8, "0")}.spool`);
    const handle = await open(path, "ax", 0o600);
    const head = Buffer.concat([MAGIC, this.#marksRecord(marks)]);
    try {
      await handle.appendFile(head);
      await syncFolder(this.#parts.dir);
    } catch (error) {
      // In its place the next try begins.
      await handle.close().catch(() => {});
      await unlink(path).catch(() => {});
      throw error;
    }
    this.#handle = handle;
    const file = { path, first: 0, last: 0, bytes: head.length };
    this.#files.push(file);
    return file;
  }

  /** Whether a file was closed: then it is not appended to again. */
  #closedOnce = false;

  async #closeFile(): Promise<void> {
    const handle = this.#handle;
    this.#closedOnce = true;
    this.#handle = undefined;
    this.#sync?.();
    this.#sync = undefined;
    if (handle === undefined) return;
    await handle.datasync().catch(() => {});
    await handle.close().catch(() => {});
  }

  /** Returns whether all that was written is on the disk. One that fails is told of by the next write. */
  async #syncNow(): Promise<boolean> {
    this.#sync?.();
    this.#sync = undefined;
    const writes = this.#writes;
    try {
      await this.#handle?.datasync();
    } catch {
      return false;
    }
    this.#writesSynced = Math.max(this.#writesSynced, writes);
    return true;
  }

  #marksRecord({ last, ...others }: SpoolMarks): Buffer {
    return recordOf(["m", this.#producer, last, others]);
  }

  /** Removes the files of which nothing is wanted, but for the last. */
  async #prune(): Promise<void> {
    const unwanted = this.#files.slice(0, -1).filter((file) => !isWanted(file, this.#written));
    if (unwanted.length === 0) return;
    // A file may be gone sooner than marks are there that were handed to the system before.
    if (this.#writesSynced < this.#writes && !(await this.#syncNow())) return;
    for (const file of unwanted) {
      this.#files.splice(this.#files.indexOf(file), 1);
      await unlink(file.path).catch(() => {});
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.flush().catch(() => {});
    this.#closed = true;
    await this.#closeFile();
    this.#release();
  }
}

function isWanted({ first, last }: File, { from, doubtTo, waitFrom }: SpoolMarks): boolean {
  if (first === 0 || last < from) return false;
  return first <= doubtTo || last >= waitFrom;
}

function recordOf(payload: readonly unknown[]): Buffer {
  const bytes = encode(payload);
  const record = Buffer.alloc(HEAD_BYTES + bytes.length);
  record.writeUInt32LE(bytes.length, 0);
  record.writeUInt32LE(crc32(bytes), 4);
  record.set(bytes, HEAD_BYTES);
  return record;
}

function diskFailure(dir: string, error: unknown): HiveError {
  if (isHiveError(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new HiveError("OVERLOADED", `the spool cannot write to ${dir}: ${reason}`, { cause: error });
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, "r");
  await folder.sync().catch(() => {});
  await folder.close();
}

type Loaded = {
  producer: string | undefined;
  marks: SpoolMarks | undefined;
  files: File[];
  /** All that can be read, in the order of their numbers. */
  readings: Reading[];
  /** Files, all but the last, of which the end could not be read. */
  damaged: number;
};

async function load(dir: string): Promise<Loaded> {
  const loaded: Loaded = { producer: undefined, marks: undefined, files: [], readings: [], damaged: 0 };
  const names = (await readdir(dir)).filter((name) => NAME.test(name)).sort();
  for (const name of names) {
    const path = join(dir, name);
    const bytes = await readFile(path);
    const file = { path, first: 0, last: 0, bytes: 0 };
    file.bytes = readRecords(bytes, file, loaded);
    loaded.files.push(file);
    if (file.bytes === bytes.length) continue;
    if (name !== names.at(-1)) loaded.damaged++;
    else if (file.bytes > 0) await truncate(path, file.bytes);
    else {
      // Not even its first bytes were written.
      loaded.files.pop();
      await unlink(path);
    }
  }
  return loaded;
}

/** Returns how many bytes are good. */
function readRecords(bytes: Buffer, file: File, loaded: Loaded): number {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return 0;
  let at = MAGIC.length;
  while (at + HEAD_BYTES <= bytes.length) {
    const start = at + HEAD_BYTES;
    const end = start + bytes.readUInt32LE(at);
    if (end > bytes.length) break;
    const payload = bytes.subarray(start, end);
    if (crc32(payload) !== bytes.readUInt32LE(at + 4) || !take(payload, file, loaded)) break;
    at = end;
  }
  return at;
}

/** Returns whether it is a record: zeros have a good sum too. */
function take(bytes: Buffer, file: File, loaded: Loaded): boolean {
  const payload = tryDecode(bytes);
  if (!Array.isArray(payload)) return false;
  if (payload[0] === "m") {
    const [, producer, last, others] = payload as [string, string, number, Omit<SpoolMarks, "last">];
    loaded.producer = producer;
    loaded.marks = { last, ...others };
    return true;
  }
  if (payload[0] !== "r") return false;
  const [, sequence, atMs, device, labelKind, label, valueKind, value, ttlMs] = payload as [
    ...[string, number, number, string, number, Uint8Array, number, Uint8Array, number],
  ];
  if (file.first === 0) file.first = sequence;
  file.last = sequence;
  const items = { label: { kind: labelKind, bytes: label }, value: { kind: valueKind, bytes: value } };
  loaded.readings.push({ sequence, atMs, device, ...items, ttlMs });
  return true;
}

function tryDecode(bytes: Buffer): unknown {
  try {
    return decode(bytes);
  } catch (error) {
    if (!isHiveError(error)) throw error;
    return undefined;
  }
}
