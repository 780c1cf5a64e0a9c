// Segments: where the store's memory comes from.
//
// A provider opens and closes segments; the store only sees views of them. PlainSegments are
// ordinary buffers of this process. Mapped files for shared readers (mapping/) are the second implementer.

import { HEADER_CHANGES, HEADER_GENERATIONS, HEADER_SEGMENTS, SEGMENT_BYTES, SEGMENTS_MAX } from "./layout.ts";
import { close, open } from "./sequence.ts";

export interface SegmentProvider {
  /** Whether other processes may read the segments. */
  readonly shared: boolean;
  /**
   * `bytes` of zeroed memory (a multiple of the page size) at `offset` of `buffer`, aligned to 64
   * bytes where the provider can tell. Those behind what reserve() was told may not be touched.
   * @param generation Another number each time that segments are opened.
   * @throws {HiveError} OUT_OF_MEMORY
   */
  open(index: number, bytes: number, generation: number): { buffer: ArrayBuffer | SharedArrayBuffer; offset: number };
  /**
   * The first `bytes` of the open segment are about to be used. Never fewer than before.
   * @throws {HiveError} OUT_OF_MEMORY: the system has none, and what was reserved before stays so.
   */
  reserve(index: number, bytes: number): void;
  /** The segment is not used any more; its memory goes back to the system at once. */
  close(index: number, buffer: ArrayBuffer | SharedArrayBuffer): void;
}

// The C library puts a large buffer 16 bytes behind the start of an operating system page, so this
// offset makes buckets of 64 bytes fall on cache lines.
const CACHE_LINE = 64;
const ALLOCATOR_HEADER = 16;

export class PlainSegments implements SegmentProvider {
  readonly shared = false;

  open(_index: number, bytes: number): { buffer: ArrayBuffer; offset: number } {
    return { buffer: new ArrayBuffer(bytes + CACHE_LINE), offset: CACHE_LINE - ALLOCATOR_HEADER };
  }

  /** The system gives each page at its first touch. */
  reserve(): void {}

  close(_index: number, buffer: ArrayBuffer): void {
    // Detaching frees the memory now, not when the garbage collector comes by.
    buffer.transfer(0);
  }
}

const NO_WORDS = new Int32Array(0);
const NO_BYTES = Buffer.alloc(0);
const NO_DOUBLES = new Float64Array(0);

/** The open segments as views, by number. A closed segment's views are empty, so a stale ref reads nothing. */
export class Segments {
  /** Indexed by `ref >>> SEGMENT_SHIFT`; the word of a ref is `(ref & SEGMENT_MASK) << 1`. */
  readonly words: Int32Array[] = [];
  /** The same memory as bytes; the byte of a ref is `(ref & SEGMENT_MASK) << 3`. */
  readonly bytes: Buffer[] = [];
  /** The same memory as doubles; the double of a ref is `ref & SEGMENT_MASK`. */
  readonly doubles: Float64Array[] = [];
  readonly #provider: SegmentProvider;
  #generation = 0;
  /** Numbers that a block larger than a segment takes beside its own. */
  readonly #reserved = new Set<number>();
  readonly #buffers: (ArrayBuffer | SharedArrayBuffer | undefined)[] = [];

  constructor(provider: SegmentProvider) {
    this.#provider = provider;
  }

  get shared(): boolean {
    return this.#provider.shared;
  }

  isOpen(index: number): boolean {
    return this.#buffers[index] !== undefined;
  }

  /** The lowest number of `count` unused numbers in a row; -1 when the address space is full. */
  unused(count: number): number {
    let run = 0;
    for (let index = 0; index < SEGMENTS_MAX; index++) {
      run = this.#buffers[index] === undefined && !this.#reserved.has(index) ? run + 1 : 0;
      if (run === count) return index - count + 1;
    }
    return -1;
  }

  /** Opens segment `index`, and takes the numbers behind it when it is larger than a segment. */
  open(index: number, bytes: number = SEGMENT_BYTES): void {
    const generation = ++this.#generation;
    const { buffer, offset } = this.#provider.open(index, bytes, generation);
    for (let i = this.words.length; i <= index; i++) {
      this.words.push(NO_WORDS);
      this.bytes.push(NO_BYTES);
      this.doubles.push(NO_DOUBLES);
    }
    this.#buffers[index] = buffer;
    this.words[index] = new Int32Array(buffer, offset, bytes >> 2);
    this.bytes[index] = Buffer.from(buffer as ArrayBuffer, offset, bytes);
    this.doubles[index] = new Float64Array(buffer, offset, bytes >> 3);
    for (let i = 1; i * SEGMENT_BYTES < bytes; i++) this.#reserved.add(index + i);
    // For readers; before segment 0 is open there is no header to write to.
    this.words[0]![HEADER_SEGMENTS] = this.words.length;
    this.#tell(index, generation);
  }

  /** The first `bytes` of a segment are about to be used. @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  reserve(index: number, bytes: number): void {
    this.#provider.reserve(index, bytes);
  }

  /** Readers learn which file a segment is before a ref can lead them into it. */
  #tell(index: number, generation: number): void {
    const header = this.words[0]!;
    open(header, HEADER_CHANGES);
    header[HEADER_GENERATIONS + index] = generation;
    close(header, HEADER_CHANGES);
  }

  close(index: number): void {
    const buffer = this.#buffers[index];
    if (!buffer) return;
    const bytes = this.bytes[index]!.length;
    for (let i = 1; i * SEGMENT_BYTES < bytes; i++) this.#reserved.delete(index + i);
    this.#tell(index, 0);
    this.#buffers[index] = undefined;
    this.words[index] = NO_WORDS;
    this.bytes[index] = NO_BYTES;
    this.doubles[index] = NO_DOUBLES;
    this.#provider.close(index, buffer);
  }

  /** Gives everything back. */
  closeAll(): void {
    // The first one last: the others' ends are told in it.
    for (let index = this.#buffers.length - 1; index >= 0; index--) this.close(index);
  }
}
