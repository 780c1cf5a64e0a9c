// PageRuns: which pages of which segment are free, and which segments are open.
//
//   take(pages) ──▶ a run in an open segment ──▶ else in one that is being emptied ──▶ else a new segment
//
// The first segment is small: it holds the header, which cannot move, and so it is the one that never goes
// back. Memory that was never touched is not resident yet, so it is neither wasted nor cheap: the system
// zeroes it at the first touch, with huge pages 2 MiB at once, which may take longer than a whole slice of
// work. So while segments are being emptied, what was touched before is taken first.

import { HiveError } from "../base/errors.ts";
import { PAGE_BYTES, PAGES_PER_SEGMENT, SEGMENT_BYTES } from "./layout.ts";
import type { Segments } from "./segments.ts";

const FIRST_PAGES = 32; // 2 MiB
const SPARE_SEGMENTS = 1; // free ones, kept open for the next growth

export class PageRuns {
  /** Bytes of the open segments. */
  openBytes = 0;
  /** Of them those up to the last page that was ever in use, segment by segment: what may be resident. */
  touchedBytes = 0;
  /** By page number: 1 when it is in use or does not exist. */
  #taken: Uint8Array = new Uint8Array(0);
  /** By segment: free pages; -1 when the segment is not open or is one block. */
  readonly #freePages: number[] = [];
  /** By segment: pages up to the last one that was ever in use. */
  readonly #reach: number[] = [];
  /** Open segments with nothing in them, and how many of them are closed to new pages. */
  #freeSegments = 0;
  #emptied = 0;
  /** Segments that the compactor empties, the emptiest first. */
  readonly #closed = new Set<number>();
  readonly #segments: Segments;

  constructor(segments: Segments) {
    this.#segments = segments;
  }

  /** Opens the first segment and takes its first page. */
  openFirst(): void {
    this.#open(1, FIRST_PAGES * PAGE_BYTES);
    this.#freePages[0] = FIRST_PAGES;
    this.#taken.fill(1, FIRST_PAGES, PAGES_PER_SEGMENT);
    this.#claim(0, 0, 1);
  }

  /** Page numbers so far: all pages are below. */
  get pageCount(): number {
    return this.#freePages.length * PAGES_PER_SEGMENT;
  }

  get segmentCount(): number {
    return this.#freePages.length;
  }

  /** By segment: free pages, -1 where it is not open or one block. */
  freePagesOf(segment: number): number {
    return this.#freePages[segment] ?? -1;
  }

  /** By segment: bytes that may be resident. */
  touchedOf(segment: number): number {
    return (this.#reach[segment] ?? 0) * PAGE_BYTES;
  }

  /** The first of `count` free pages in a row. @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  take(count: number): number {
    if (this.#closed.size > 0) {
      const page = this.#takeTouched(count);
      if (page >= 0) return page;
    }
    for (let segment = 0; segment < this.#freePages.length; segment++) {
      if (this.#freePages[segment]! < count || this.#closed.has(segment)) continue;
      const page = this.#runIn(segment, count, PAGES_PER_SEGMENT);
      if (page >= 0) return this.#claimFresh(segment, page, count);
    }
    const segment = this.#open(1, SEGMENT_BYTES);
    this.#freePages[segment] = PAGES_PER_SEGMENT;
    this.#freeSegments++;
    return this.#claimFresh(segment, segment * PAGES_PER_SEGMENT, count);
  }

  /** Where the system has no more, what it gave before may still have room elsewhere. @throws {HiveError} OUT_OF_MEMORY */
  #claimFresh(segment: number, page: number, count: number): number {
    try {
      return this.#claim(segment, page, count);
    } catch (error) {
      const touched = this.#takeTouched(count);
      if (touched < 0) throw error;
      return touched;
    }
  }

  /** A run where there was one before; of the segments that are being emptied the fullest gives up first. */
  #takeTouched(count: number): number {
    for (let segment = 0; segment < this.#freePages.length; segment++) {
      if (this.#freePages[segment]! < count || this.#closed.has(segment)) continue;
      const page = this.#runIn(segment, count, this.#reach[segment]!);
      if (page >= 0) return this.#claim(segment, page, count);
    }
    const closed = [...this.#closed].reverse();
    // What is empty already goes back rather: it is taken only where no other has pages.
    for (const segment of [...closed.filter((other) => !this.#isFree(other)), ...closed]) {
      if (this.#freePages[segment]! < count) continue;
      const page = this.#runIn(segment, count, this.#reach[segment]!);
      if (page < 0) continue;
      if (this.#isFree(segment)) this.#emptied--;
      this.#closed.delete(segment);
      return this.#claim(segment, page, count);
    }
    return -1;
  }

  /** Takes a segment for one block above a segment's size. @throws {HiveError} OUT_OF_MEMORY */
  takeSegment(pages: number): number {
    const segment = this.#open(Math.ceil(pages / PAGES_PER_SEGMENT), pages * PAGE_BYTES);
    try {
      this.#segments.reserve(segment, pages * PAGE_BYTES);
    } catch (error) {
      this.openBytes -= pages * PAGE_BYTES;
      this.#segments.close(segment);
      throw error;
    }
    this.touchedBytes += pages * PAGE_BYTES;
    return segment * PAGES_PER_SEGMENT;
  }

  /** Gives back what take() or takeSegment() gave. */
  give(page: number, count: number): void {
    const segment = Math.floor(page / PAGES_PER_SEGMENT);
    if (count > PAGES_PER_SEGMENT) {
      this.openBytes -= count * PAGE_BYTES;
      this.touchedBytes -= count * PAGE_BYTES;
      return this.#segments.close(segment);
    }
    this.#taken.fill(0, page, page + count);
    this.#freePages[segment]! += count;
    if (!this.#isFree(segment)) return;
    this.#freeSegments++;
    if (this.#closed.has(segment)) this.#emptied++;
  }

  /** Bytes of the free segments that closeSurplus() will give back. */
  get surplusBytes(): number {
    return Math.max(this.#emptied, this.#freeSegments - SPARE_SEGMENTS) * SEGMENT_BYTES;
  }

  /** Gives one free segment back to the system, an emptied one first: that takes 0.3 to 2 ms. */
  closeSurplus(): void {
    let segment = this.#freePages.lastIndexOf(PAGES_PER_SEGMENT);
    if (this.#emptied > 0) {
      for (const other of this.#closed) if (this.#isFree(other)) segment = other;
      this.#closed.delete(segment);
      this.#emptied--;
    }
    this.#segments.close(segment);
    this.#freePages[segment] = -1;
    this.#freeSegments--;
    this.openBytes -= SEGMENT_BYTES;
    this.touchedBytes -= this.touchedOf(segment);
    this.#reach[segment] = 0;
  }

  /** No new pages are taken from this segment until reopen(), as long as others have some. */
  closeToNew(segment: number): void {
    if (this.#closed.has(segment)) return;
    this.#closed.add(segment);
    if (this.#isFree(segment)) this.#emptied++;
  }

  /** Takes closeToNew() back where something is left; what is empty stays closed until it is given back. */
  reopen(): void {
    for (const segment of this.#closed) if (!this.#isFree(segment)) this.#closed.delete(segment);
  }

  /** @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  #claim(segment: number, page: number, count: number): number {
    const reach = page + count - segment * PAGES_PER_SEGMENT;
    const grown = reach - this.#reach[segment]!;
    if (grown > 0) {
      this.#segments.reserve(segment, reach * PAGE_BYTES);
      this.touchedBytes += grown * PAGE_BYTES;
      this.#reach[segment] = reach;
    }
    if (this.#isFree(segment)) this.#freeSegments--;
    this.#freePages[segment]! -= count;
    this.#taken.fill(1, page, page + count);
    return page;
  }

  /** The first of `count` free pages in a row among the first `pages` of a segment; -1 where there are none. */
  #runIn(segment: number, count: number, pages: number): number {
    const end = segment * PAGES_PER_SEGMENT + pages;
    let run = 0;
    for (let page = segment * PAGES_PER_SEGMENT; page < end; page++) {
      run = this.#taken[page] === 0 ? run + 1 : 0;
      if (run === count) return page - count + 1;
    }
    return -1;
  }

  #isFree(segment: number): boolean {
    return this.#freePages[segment] === PAGES_PER_SEGMENT;
  }

  /** Opens a segment that takes `count` numbers. */
  #open(count: number, bytes: number): number {
    while (this.#segments.unused(count) < 0 && this.surplusBytes > 0) this.closeSurplus();
    const segment = this.#segments.unused(count);
    if (segment < 0) throw new HiveError("OUT_OF_MEMORY", "the hive's 32 GiB of address space are full");
    try {
      this.#segments.open(segment, bytes);
    } catch (cause) {
      if (cause instanceof HiveError) throw cause;
      throw new HiveError("OUT_OF_MEMORY", `the system gave no memory for a segment of ${bytes >> 20} MiB`, { cause });
    }
    this.openBytes += bytes;
    while (this.#freePages.length < segment + count) {
      this.#freePages.push(-1);
      this.#reach.push(0);
    }
    const pages = this.#freePages.length * PAGES_PER_SEGMENT;
    if (pages <= this.#taken.length) return segment;
    const taken = new Uint8Array(Math.max(pages, this.#taken.length * 2));
    taken.set(this.#taken);
    this.#taken = taken;
    return segment;
  }
}
