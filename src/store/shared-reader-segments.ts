// ReaderSegments: the segments of a hive in another process, mapped as they are needed.
//
//   ref ──▶ segment, generation in the header ──▶ source.map() ──▶ words and bytes          changed() ──▶ old ones go
//
// Whatever leads here may be nonsense (layout.ts: Shared readers), so a place is checked before it is read,
// and what is not mapped is just not there.

import {
  HEADER_CHANGES,
  HEADER_GENERATIONS,
  PAGE_BYTES,
  SEGMENT_BYTES,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  SEGMENTS_MAX,
} from "./layout.ts";

/** A segment's file as a reader sees it. */
export type MappedSegment = {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** Its views are empty afterwards. */
  close(): void;
};

/** Where a reader has segments from. */
export interface SegmentSource {
  /**
   * The first bytes of the segment, read-only, as far as they are reserved now: never above SEGMENT_BYTES.
   * Undefined where there is no such file (any more), or one of less than `bytesMin`.
   */
  map(segment: number, generation: number, bytesMin: number): MappedSegment | undefined;
}

type Known = { generation: number; mapped: MappedSegment };

const NO_WORDS = new Int32Array(0);
const NO_BYTES = Buffer.alloc(0);
/** Segment 0 is the first that is ever opened. */
const FIRST_GENERATION = 1;

export class ReaderSegments {
  /** Where at() found its place. */
  words: Int32Array = NO_WORDS;
  bytes: Buffer = NO_BYTES;
  readonly header: Int32Array;
  /** HEADER_CHANGES when the mapped ones were compared with the header last. */
  changes = 0;
  readonly #source: SegmentSource;
  readonly #words: Int32Array[] = new Array(SEGMENTS_MAX).fill(NO_WORDS);
  readonly #bytes: Buffer[] = new Array(SEGMENTS_MAX).fill(NO_BYTES);
  readonly #known = new Map<number, Known>();

  /** @throws {Error} There is no segment 0. Whether it is a hive's header is the caller's to look at. */
  constructor(source: SegmentSource) {
    this.#source = source;
    if (!this.#map(0, FIRST_GENERATION, PAGE_BYTES)) throw new Error("the hive's first segment is not there");
    this.header = this.#words[0]!;
  }

  /** HEADER_CHANGES as it is now. */
  get changesNow(): number {
    return Atomics.load(this.header, HEADER_CHANGES);
  }

  /** How many segments are mapped. */
  get count(): number {
    return this.#known.size;
  }

  /** The number of the word at `ref`, in `words`; -1 where fewer than `count` words can be read from there on. */
  at(ref: number, count: number): number {
    const segment = ref >>> SEGMENT_SHIFT;
    const at = (ref & SEGMENT_MASK) << 1;
    if (at + count > this.#words[segment]!.length && !this.#extend(segment, (at + count) * 4)) return -1;
    this.words = this.#words[segment]!;
    this.bytes = this.#bytes[segment]!;
    return at;
  }

  /** Segments were opened or closed: what is another file now, or none, is given up. False while that goes on. */
  catchUp(): boolean {
    const changes = this.changesNow;
    if (changes === this.changes) return true;
    if ((changes & 1) !== 0) return false;
    for (const [segment, { generation }] of this.#known) {
      if (segment !== 0 && this.header[HEADER_GENERATIONS + segment] !== generation) this.#close(segment);
    }
    this.changes = changes;
    return true;
  }

  /** Gives everything up: nothing can be read any more. */
  close(): void {
    for (const segment of this.#known.keys()) this.#close(segment);
  }

  #close(segment: number): void {
    const { mapped } = this.#known.get(segment)!;
    this.#known.delete(segment);
    this.#words[segment] = NO_WORDS;
    this.#bytes[segment] = NO_BYTES;
    this.words = NO_WORDS;
    this.bytes = NO_BYTES;
    mapped.close();
  }

  /** Maps what was not mapped, or has grown since. The first segment is whole from the start. */
  #extend(segment: number, bytes: number): boolean {
    const generation = this.header[HEADER_GENERATIONS + segment]!;
    if (segment === 0 || bytes > SEGMENT_BYTES || generation === 0) return false;
    try {
      return this.#map(segment, generation, bytes);
    } catch {
      // No more files or mappings may be had now: the hive is asked.
      return false;
    }
  }

  #map(segment: number, generation: number, bytesMin: number): boolean {
    const mapped = this.#source.map(segment, generation, bytesMin);
    if (mapped === undefined) return false;
    if (this.#known.has(segment)) this.#close(segment);
    this.#known.set(segment, { generation, mapped });
    this.#words[segment] = new Int32Array(mapped.buffer);
    this.#bytes[segment] = Buffer.from(mapped.buffer as ArrayBuffer);
    return true;
  }
}
