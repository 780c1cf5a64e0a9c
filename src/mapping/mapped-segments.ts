// MappedSegments: the store's memory as files that other processes may map: the second provider of segments.
//
//   open(7, 16 MiB, generation 9) ──▶ <folder>/7.9, mapped           reserve(7, 3 MiB) ──▶ its pages, taken from the system
//
// A file grows by what is about to be used, by posix_fallocate, and never shrinks: touching a page that a full
// file system does not have would end the process, ours or a reader's. So memory that is short is found out
// here, as an error, before anything is changed.

import { closeSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HiveError } from "../base/errors.ts";
import { HUGE_PAGE_BYTES, type Libc, type MappedFile } from "./libc.ts";
import { MORE_ROOM, mebibytes, type SharedFolder } from "./shared-folder.ts";

/** A file grows by so much at once: about 0.7 ms. */
const STEP_BYTES: number = 1024 * 1024;

type Segment = {
  readonly path: string;
  readonly bytes: number;
  readonly file: MappedFile & { readonly address: bigint };
  /** -1 when it is reserved whole. */
  fd: number;
  reserved: number;
};

export class MappedSegments {
  readonly shared = true;
  readonly #libc: Libc;
  readonly #folder: SharedFolder;
  readonly #segments = new Map<number, Segment>();

  constructor(libc: Libc, folder: SharedFolder) {
    this.#libc = libc;
    this.#folder = folder;
  }

  /** @throws {HiveError} OUT_OF_MEMORY */
  open(index: number, bytes: number, generation: number): { buffer: ArrayBuffer; offset: number } {
    const path = join(this.#folder.path, `${index}.${generation}`);
    let fd: number;
    try {
      fd = openSync(path, "wx+", 0o600);
    } catch (cause) {
      throw new HiveError("OUT_OF_MEMORY", `no file for shared memory: ${(cause as Error).message}`, { cause });
    }
    try {
      const file = this.#libc.mapToWrite(fd, bytes);
      this.#segments.set(index, { path, bytes, file, fd, reserved: 0 });
      // The header is in the first one, and is written to from now on.
      if (index === 0) this.reserve(index, bytes);
      return { buffer: file.buffer, offset: 0 };
    } catch (cause) {
      const opened = this.#segments.get(index);
      if (opened !== undefined) this.close(index);
      else {
        closeSync(fd);
        rmSync(path, { force: true });
      }
      if (cause instanceof HiveError) throw cause;
      throw new HiveError("OUT_OF_MEMORY", `no shared memory: ${(cause as Error).message}`, { cause });
    }
  }

  /** @throws {HiveError} OUT_OF_MEMORY, which names what is free: nothing was changed. */
  reserve(index: number, bytes: number): void {
    const segment = this.#segments.get(index)!;
    const from = segment.reserved;
    if (bytes <= from) return;
    const to = Math.min(segment.bytes, Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
    const reserved = this.#libc.reserve(segment.fd, from, to - from);
    segment.reserved += reserved;
    if (from + reserved < to) {
      const { place, freeBytes } = this.#folder;
      const what = `${mebibytes(to - from)} more of shared memory are needed, and ${place} has ${mebibytes(freeBytes)} free`;
      throw new HiveError("OUT_OF_MEMORY", `${what}: ${MORE_ROOM}, or set a lower maxmemory with a policy that evicts`);
    }
    this.#settle(segment, from, to);
    if (to < segment.bytes) return;
    closeSync(segment.fd);
    segment.fd = -1;
  }

  /** Maps what was reserved: huge pages where they are whole, and single ones for the rest. */
  #settle({ file }: Segment, from: number, to: number): void {
    const start = Math.floor(from / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
    const end = Math.floor(to / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
    if (start < end) this.#libc.collapse(file.address + BigInt(start), end - start);
    const rest = Math.max(from, end);
    if (rest < to) this.#libc.populate(file.address + BigInt(rest), to - rest);
  }

  close(index: number): void {
    const segment = this.#segments.get(index)!;
    this.#segments.delete(index);
    rmSync(segment.path, { force: true });
    if (segment.fd >= 0) closeSync(segment.fd);
    segment.file.close();
  }
}
