// Libc: what shared memory needs of the C library that Node does not have: mmap, flock, posix_fallocate, madvise.
//
// It is called through koffi, an optional peer that comes with binaries for the usual platforms and is
// loaded on first use. Linux only: posix_fallocate on a tmpfs is what keeps a full one from being a SIGBUS.

import { HiveError } from "../base/errors.ts";

/** A file mapped into this process. */
export type MappedFile = {
  readonly buffer: ArrayBuffer;
  /** Unmaps it; `buffer` and all its views are empty from then on. */
  close(): void;
};

type Koffi = typeof import("koffi")["default"];
type Pointer = unknown;

// The numbers of Linux, the same on x64 and arm64.
const PROT_NONE = 0;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_POPULATE = 0x8000;
const MADV_POPULATE_WRITE = 23;
const MADV_COLLAPSE = 25;
const LOCK_EX = 2;
const LOCK_NB = 4;
const EINTR = 4;
/** So many bytes at once: a signal that comes meanwhile may undo all of them. */
const RESERVED_AT_ONCE: number = 256 * 1024;
const FAILED = 0xffffffffffffffffn;

/** What the system can map as one: aligned to it, memory costs fewer misses of the translation buffer. */
export const HUGE_PAGE_BYTES: number = 2 * 1024 * 1024;

export class Libc {
  readonly #koffi: Koffi;
  readonly #mmap: (
    at: Pointer,
    bytes: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ) => Pointer;
  readonly #munmap: (at: Pointer, bytes: number) => number;
  readonly #madvise: (at: Pointer, bytes: number, advice: number) => number;
  readonly #fallocate: (fd: number, offset: number, bytes: number) => number;
  readonly #flock: (fd: number, operation: number) => number;

  private constructor(koffi: Koffi) {
    const own = koffi.load(null);
    this.#koffi = koffi;
    this.#mmap = own.func("void *mmap(void *at, size_t bytes, int protection, int flags, int fd, int64_t offset)");
    this.#munmap = own.func("int munmap(void *at, size_t bytes)");
    this.#madvise = own.func("int madvise(void *at, size_t bytes, int advice)");
    this.#fallocate = own.func("int posix_fallocate(int fd, int64_t offset, int64_t bytes)");
    this.#flock = own.func("int flock(int fd, int operation)");
  }

  /** @throws {HiveError} UNSUPPORTED: another system than Linux, or no koffi; it says what to do. */
  static async load(): Promise<Libc> {
    if (process.platform !== "linux") {
      throw new HiveError("UNSUPPORTED", `memory is shared on Linux only, and this is ${process.platform}`);
    }
    let koffi: Koffi;
    try {
      koffi = (await import("koffi")).default;
    } catch (cause) {
      const absent = (cause as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
      const reason = absent ? "" : ` (${(cause as Error).message})`;
      throw new HiveError("UNSUPPORTED", `shared memory needs the package koffi: npm install koffi${reason}`, {
        cause,
      });
    }
    try {
      return new Libc(koffi);
    } catch (cause) {
      throw new HiveError("UNSUPPORTED", `this system's C library cannot be called: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** Maps the first `bytes` of a file, to be read; each page of it is there at once. @throws {Error} */
  mapToRead(fd: number, bytes: number): MappedFile {
    const at = this.#map(null, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd);
    try {
      return this.#view(at, at, bytes, bytes);
    } catch (error) {
      this.#munmap(at, bytes);
      throw error;
    }
  }

  /**
   * Maps `bytes` of a file, which may be shorter, to be read and written, where huge pages fit. What is behind the
   * end of the file may not be touched. @throws {Error}
   */
  mapToWrite(fd: number, bytes: number): MappedFile & { readonly address: bigint } {
    const room = bytes + HUGE_PAGE_BYTES;
    const wide = this.#map(null, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    const huge = BigInt(HUGE_PAGE_BYTES);
    const address = ((this.#koffi.address(wide) + huge - 1n) / huge) * huge;
    try {
      const at = this.#map(address, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd);
      return { ...this.#view(at, wide, bytes, room), address };
    } catch (error) {
      this.#munmap(wide, room);
      throw error;
    }
  }

  #map(at: Pointer, bytes: number, protection: number, flags: number, fd: number): Pointer {
    const mapped = this.#mmap(at, bytes, protection, flags, fd, 0);
    if (mapped !== null && this.#koffi.address(mapped) !== FAILED) return mapped;
    throw new Error(`mmap of ${bytes} bytes failed with errno ${this.#koffi.errno()}`);
  }

  /** @throws {Error} This runtime has no buffers of memory that is not its own. */
  #view(at: Pointer, room: Pointer, bytes: number, roomBytes: number): MappedFile {
    const buffer = this.#koffi.view(at, bytes);
    return {
      buffer,
      close: () => {
        // Views of a detached buffer are empty: nothing can reach what is unmapped.
        buffer.transfer(0);
        this.#munmap(room, roomBytes);
      },
    };
  }

  /** Gives a file its pages `offset` to `offset + bytes`, zeroed. Returns how many bytes of them it has then. */
  reserve(fd: number, offset: number, bytes: number): number {
    for (let done = 0; done < bytes; ) {
      const piece = Math.min(RESERVED_AT_ONCE, bytes - done);
      const error = this.#fallocate(fd, offset + done, piece);
      if (error === 0) done += piece;
      // A signal, such as a profiler's, may come between: it has to be asked again.
      else if (error !== EINTR) return done;
    }
    return bytes;
  }

  /** Puts reserved pages into the page table now, one by one, rather than at their first touch. May do nothing. */
  populate(address: bigint, bytes: number): void {
    this.#madvise(address, bytes, MADV_POPULATE_WRITE);
  }

  /** Makes reserved, aligned memory huge pages, where the system can: it copies them. May do nothing. */
  collapse(address: bigint, bytes: number): void {
    this.#madvise(address, bytes, MADV_COLLAPSE);
  }

  /** Takes a file's lock, which ends with this process or with `fd`. False when another process has it. */
  lock(fd: number): boolean {
    return this.#flock(fd, LOCK_EX | LOCK_NB) === 0;
  }
}
