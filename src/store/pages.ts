// Pages: blocks of any size out of the segments.
//
//   alloc(bytes) ──▶ size class ──▶ a page with a free block ──▶ free list, else the next untouched block
//
// A page holds blocks of one size; classes are 8 bytes apart up to 128 and then an eighth of their
// size, so at most 12 % of a block is lost. Larger classes take spans of several pages, blocks above
// 128 KiB a run of their own, blocks above a segment a segment of their own.
//
// What is known of a page stands in arrays by page number, not in the page: buckets stay aligned and a
// page can be judged without touching it. Which pages are free is known in page-runs.ts. The compactor
// marks pages as evacuating: no new blocks there.

import { HiveError } from "../base/errors.ts";
import {
  PAGE_BYTES,
  PAGE_SHIFT,
  PAGES_PER_SEGMENT,
  SEGMENT_BYTES,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  UNIT_SHIFT,
} from "./layout.ts";
import { PageRuns } from "./page-runs.ts";
import type { Segments } from "./segments.ts";
import { CLASS_BYTES, CLASS_COUNT, CLASS_PAGES, classOf, LARGEST_CLASS } from "./size-classes.ts";

const FREE = 0;
const INNER = 254; // not the first page of its span
const RUN = 255; // the first page of a run that is one block
/** Pages of one span of every class: what blocks of unknown sizes may cost beside their bytes. */
const SPANS: number = CLASS_PAGES.reduce((sum, pages) => sum + pages, 0);

type VisitSpan = (page: number, pages: number, used: number, room: number, bytes: number) => void;

export class Pages {
  /** Pages in use, of 64 KiB: what `maxMemory` limits. */
  inUse = 0;
  /** Bytes of the blocks handed out, rounded up to their classes. */
  blockBytes = 0;
  /** inUse may not grow above this number of pages, and the compactor's overdraft. */
  max: number = Number.MAX_SAFE_INTEGER;
  overdraft = 0;
  readonly runs: PageRuns;
  /** By page number: size class + 1, or one of the marks above. */
  #kind: Uint8Array = new Uint8Array(0);
  /** By page number: blocks in use; for a run, its pages. */
  #used: Int32Array = new Int32Array(0);
  /** By page number: the first free block; 0 when there is none. */
  #free: Int32Array = new Int32Array(0);
  /** By page number: blocks ever handed out, in order; those behind are untouched memory. */
  #bump: Int32Array = new Int32Array(0);
  /** By page number: neighbours in its class's list of pages that have room. */
  #next: Int32Array = new Int32Array(0);
  #previous: Int32Array = new Int32Array(0);
  /** By page number, for inner pages: how far back their span begins. */
  #back: Uint8Array = new Uint8Array(0);
  /** By page number: 1 when the compactor empties it. */
  #evacuating: Uint8Array = new Uint8Array(0);
  /** By class: the first page with room; -1 when there is none. */
  readonly #room: Int32Array = new Int32Array(CLASS_COUNT).fill(-1);
  readonly #segments: Segments;

  constructor(segments: Segments) {
    this.#segments = segments;
    this.runs = new PageRuns(segments);
  }

  /** Page 0, for the header: opens the first segment. */
  openHeader(): void {
    this.runs.openFirst();
    this.#growArrays();
    this.inUse++;
    this.#kind[0] = RUN;
    this.#used[0] = 1;
  }

  /** Bytes of the open segments. */
  get openBytes(): number {
    return this.runs.openBytes;
  }

  /**
   * A block of at least `bytes` bytes, its contents undefined.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  alloc(bytes: number): number {
    if (bytes > LARGEST_CLASS) return this.#allocRun(bytes);
    const sizeClass = classOf(bytes);
    let page = this.#room[sizeClass]!;
    if (page < 0) page = this.#openSpan(sizeClass);
    const size = CLASS_BYTES[sizeClass]!;
    const spanBytes = CLASS_PAGES[sizeClass]! * PAGE_BYTES;
    let ref = this.#free[page]!;
    if (ref !== 0) {
      const words = this.#segments.words[ref >>> SEGMENT_SHIFT]!;
      this.#free[page] = words[((ref & SEGMENT_MASK) << 1) + 1]!;
    } else {
      const index = this.#bump[page]!;
      this.#bump[page] = index + 1;
      ref = ((page << PAGE_SHIFT) + ((index * size) >>> UNIT_SHIFT)) | 0;
    }
    this.#used[page]!++;
    this.blockBytes += size;
    if (this.#free[page] === 0 && (this.#bump[page]! + 1) * size > spanBytes) this.#unlist(page, sizeClass);
    return ref;
  }

  /** Gives a block back. Its first two words are overwritten. */
  free(ref: number): void {
    const inner = ref >>> PAGE_SHIFT;
    const page = this.#kind[inner] === INNER ? inner - this.#back[inner]! : inner;
    const kind = this.#kind[page]!;
    if (kind === RUN) return this.#freeRun(page);
    const sizeClass = kind - 1;
    const size = CLASS_BYTES[sizeClass]!;
    const wasFull = this.#free[page] === 0 && (this.#bump[page]! + 1) * size > CLASS_PAGES[sizeClass]! * PAGE_BYTES;
    const words = this.#segments.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    words[at] = 0;
    words[at + 1] = this.#free[page]!;
    this.#free[page] = ref;
    this.blockBytes -= size;
    const used = --this.#used[page]!;
    const evacuating = this.#evacuating[page] === 1;
    if (used === 0 && (evacuating || !this.#alone(page, sizeClass))) {
      if (!wasFull && !evacuating) this.#unlist(page, sizeClass);
      this.#releasePages(page, CLASS_PAGES[sizeClass]!);
    } else if (wasFull && !evacuating) {
      this.#list(page, sizeClass);
    }
  }

  /** Bytes of the block behind `ref`: at least what was asked for. */
  sizeOf(ref: number): number {
    const inner = ref >>> PAGE_SHIFT;
    const page = this.#kind[inner] === INNER ? inner - this.#back[inner]! : inner;
    const kind = this.#kind[page]!;
    return kind === RUN ? this.#used[page]! * PAGE_BYTES : CLASS_BYTES[kind - 1]!;
  }

  /** Whether the block of `ref` is a good home for `bytes` bytes: large enough, and not twice too large. */
  fits(ref: number, bytes: number): boolean {
    const size = this.sizeOf(ref);
    return bytes <= size && (bytes > size >> 1 || size <= 64);
  }

  /** Whether `bytes` more bytes can be had without reaching `max`, whatever their classes. */
  hasRoom(bytes: number): boolean {
    return (this.max - this.inUse - SPANS) * PAGE_BYTES > bytes * 2 + (1 << 20);
  }

  /** Whether the compactor is emptying the page of `ref`. */
  isEvacuating(ref: number): boolean {
    return this.#evacuating[ref >>> PAGE_SHIFT] === 1;
  }

  /** Gives back the pages that were kept though nothing is in them: memory is short. */
  releaseEmpty(): void {
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      let page = this.#room[sizeClass]!;
      for (let looks = 0; page >= 0 && looks < 4; looks++) {
        const next = this.#next[page]!;
        if (this.#used[page] === 0) this.#releaseSpan(page, sizeClass);
        page = next;
      }
    }
  }

  /**
   * Calls back for every span of blocks and every run but the header: its first page, its pages, blocks
   * in use, blocks it has room for, bytes in use. Segments that are one block are left out.
   */
  eachSpan(visit: VisitSpan, from: number = 1, to: number = this.#kind.length): void {
    for (let page = from; page < Math.min(to, this.#kind.length); page++) {
      const kind = this.#kind[page]!;
      if (kind === FREE || kind === INNER) continue;
      if (kind === RUN) {
        const pages = this.#used[page]!;
        if (pages <= PAGES_PER_SEGMENT) visit(page, pages, 1, 1, pages * PAGE_BYTES);
        continue;
      }
      const pages = CLASS_PAGES[kind - 1]!;
      const size = CLASS_BYTES[kind - 1]!;
      visit(page, pages, this.#used[page]!, Math.floor((pages * PAGE_BYTES) / size), this.#used[page]! * size);
    }
  }

  /** No new blocks in the span that begins at `page`, until it is empty or unmarked. Returns whether anything lies there. */
  evacuate(page: number): boolean {
    if (this.#evacuating[page] === 1) return true;
    const isRun = this.#kind[page] === RUN;
    const sizeClass = this.#kind[page]! - 1;
    if (!isRun && this.#used[page] === 0) {
      // Kept for its class though nothing is in it: nobody would come by to free it.
      this.#releaseSpan(page, sizeClass);
      return false;
    }
    if (!isRun && this.#hasFree(page, sizeClass)) this.#unlist(page, sizeClass);
    this.#evacuating.fill(1, page, page + (isRun ? 1 : CLASS_PAGES[sizeClass]!));
    return true;
  }

  /** Takes the marks back from what could not be emptied, of the pages `from` to `to` - 1. */
  endEvacuation(from: number = 0, to: number = this.#kind.length): void {
    for (let page = from; page < Math.min(to, this.#kind.length); page++) {
      if (this.#evacuating[page] === 0) continue;
      this.#evacuating[page] = 0;
      const sizeClass = this.#kind[page]! - 1;
      if (sizeClass >= 0 && sizeClass < CLASS_COUNT && this.#hasFree(page, sizeClass)) this.#list(page, sizeClass);
    }
  }

  #hasFree(page: number, sizeClass: number): boolean {
    if (this.#free[page] !== 0) return true;
    return (this.#bump[page]! + 1) * CLASS_BYTES[sizeClass]! <= CLASS_PAGES[sizeClass]! * PAGE_BYTES;
  }

  #alone(page: number, sizeClass: number): boolean {
    if (CLASS_PAGES[sizeClass] !== 1) return false;
    const room = this.#room[sizeClass]!;
    return room === -1 || (room === page && this.#next[page] === -1);
  }

  #list(page: number, sizeClass: number): void {
    const first = this.#room[sizeClass]!;
    this.#next[page] = first;
    this.#previous[page] = -1;
    if (first >= 0) this.#previous[first] = page;
    this.#room[sizeClass] = page;
  }

  #unlist(page: number, sizeClass: number): void {
    const next = this.#next[page]!;
    const previous = this.#previous[page]!;
    if (previous >= 0) this.#next[previous] = next;
    else this.#room[sizeClass] = next;
    if (next >= 0) this.#previous[next] = previous;
  }

  #openSpan(sizeClass: number): number {
    const pages = CLASS_PAGES[sizeClass]!;
    const page = this.#takePages(pages);
    this.#kind[page] = sizeClass + 1;
    this.#used[page] = 0;
    this.#free[page] = 0;
    this.#bump[page] = 0;
    this.#markInner(page, pages);
    this.#list(page, sizeClass);
    return page;
  }

  #allocRun(bytes: number): number {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const page = this.#takePages(pages);
    this.#kind[page] = RUN;
    this.#used[page] = pages;
    if (bytes <= SEGMENT_BYTES) this.#markInner(page, pages);
    this.blockBytes += pages * PAGE_BYTES;
    return (page << PAGE_SHIFT) | 0;
  }

  #markInner(page: number, pages: number): void {
    for (let i = 1; i < pages; i++) {
      this.#kind[page + i] = INNER;
      this.#back[page + i] = i;
    }
  }

  #freeRun(page: number): void {
    const pages = this.#used[page]!;
    this.blockBytes -= pages * PAGE_BYTES;
    this.#releasePages(page, pages);
  }

  #takePages(count: number): number {
    this.#checkLimit(count);
    const page = this.#takeRun(count);
    this.#growArrays();
    this.inUse += count;
    return page;
  }

  #takeRun(count: number): number {
    if (count > PAGES_PER_SEGMENT) return this.runs.takeSegment(count);
    try {
      return this.runs.take(count);
    } catch {
      this.releaseEmpty();
      return this.runs.take(count);
    }
  }

  #checkLimit(pages: number): void {
    if (this.inUse + pages > this.max + this.overdraft) this.releaseEmpty();
    if (this.inUse + pages <= this.max + this.overdraft) return;
    throw new HiveError("OUT_OF_MEMORY", "command not allowed when used memory > 'maxmemory'.");
  }

  #releaseSpan(page: number, sizeClass: number): void {
    this.#unlist(page, sizeClass);
    this.#releasePages(page, CLASS_PAGES[sizeClass]!);
  }

  #releasePages(page: number, count: number): void {
    // Of a segment that is one block only the first page is known.
    const known = count > PAGES_PER_SEGMENT ? 1 : count;
    this.#kind.fill(FREE, page, page + known);
    this.#evacuating.fill(0, page, page + known);
    this.inUse -= count;
    this.runs.give(page, count);
  }

  #growArrays(): void {
    const pages = this.runs.segmentCount * PAGES_PER_SEGMENT;
    if (pages <= this.#kind.length) return;
    const size = Math.max(pages, this.#kind.length * 2);
    this.#kind = grown(this.#kind, new Uint8Array(size));
    this.#used = grown(this.#used, new Int32Array(size));
    this.#free = grown(this.#free, new Int32Array(size));
    this.#bump = grown(this.#bump, new Int32Array(size));
    this.#next = grown(this.#next, new Int32Array(size));
    this.#previous = grown(this.#previous, new Int32Array(size));
    this.#back = grown(this.#back, new Uint8Array(size));
    this.#evacuating = grown(this.#evacuating, new Uint8Array(size));
  }
}

function grown<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
