// List chunks: the parts of a long list, each an entry in the index of the list's container, under a number.
//
//   number ──▶ index ──▶ entry: previous | next | count, places | data … codes          (layout.ts draws it)
//
// Being entries, chunks are accounted, moved, freed in slices, scrubbed, put back by undo and kept for a
// snapshot as the fields of a table are. They refer to each other by number, so that a chunk may move.
// Everything here changes one chunk, which the funnel was told of by the caller.

import {
  CHUNK_HEADER,
  CHUNK_NAME_BYTES,
  FLAG_SCRUB,
  HEADER_BYTES,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  TYPE_CHUNK,
  UNIT_SHIFT,
} from "./layout.ts";
import { newRun, type Run, scrubGaps } from "./list-elements.ts";
import type { Memory } from "./memory.ts";
import { NO_DEADLINE, type Placement } from "./placement.ts";

/** The words of a chunk, behind the entry's header and its name. */
const FIRST_WORD: number = (HEADER_BYTES + CHUNK_NAME_BYTES) >> 2;
const PREVIOUS = 0;
const NEXT = 1;
const COUNT_START = 2;
const END_CODES = 3;
/** Places in a chunk are kept in 16 bits; one that is larger has one element. */
const PLACES_MAX = 0xffff;

/** Numbers whose hashes are remembered. */
const HASHES = 1024;

export class Chunks {
  /** The name that nameOf() made last. */
  readonly name: Buffer = Buffer.alloc(CHUNK_NAME_BYTES);
  readonly #memory: Memory;
  readonly #placement: Placement;
  readonly #run = newRun();
  readonly #hashed = new Int32Array(HASHES);
  readonly #hashes = new Int32Array(HASHES);

  constructor(memory: Memory, placement: Placement) {
    this.#memory = memory;
    this.#placement = placement;
  }

  /** The chunk with a number, which is there. The index stands at its bucket then. */
  find(root: number, id: number): number {
    return this.#memory.index.find(root, this.#hash(id), CHUNK_NAME_BYTES, 0);
  }

  /** The hash of a number, whose bytes stand in `keys` then. Those asked for last are remembered: it is half of a look-up. */
  #hash(id: number): number {
    const slot = id & (HASHES - 1);
    const { keys } = this.#memory;
    if (this.#hashed[slot] === id) {
      keys.words[0] = id;
      keys.words[1] = 0;
      return this.#hashes[slot]!;
    }
    const { name } = this;
    this.#nameOf(id);
    const hash = keys.hash(name, 0, CHUNK_NAME_BYTES, 0);
    this.#hashed[slot] = id;
    this.#hashes[slot] = hash;
    return hash;
  }

  #nameOf(id: number): void {
    const { name } = this;
    name[0] = id & 255;
    name[1] = (id >>> 8) & 255;
    name[2] = (id >>> 16) & 255;
    name[3] = id >>> 24;
  }

  /** A number as a name, good until the next call. */
  nameOf(id: number): Buffer {
    this.#nameOf(id);
    return this.name;
  }

  idOf(ref: number): number {
    return this.#memory.segments.words[ref >>> SEGMENT_SHIFT]![((ref & SEGMENT_MASK) << 1) + (HEADER_BYTES >> 2)]!;
  }

  previous(ref: number): number {
    return this.#get(ref, PREVIOUS);
  }

  next(ref: number): number {
    return this.#get(ref, NEXT);
  }

  count(ref: number): number {
    return this.#get(ref, COUNT_START) & PLACES_MAX;
  }

  /** Reads where the elements of a chunk are. */
  open(ref: number, run: Run): Run {
    const { entries } = this.#memory;
    const value = ((ref & SEGMENT_MASK) << UNIT_SHIFT) + HEADER_BYTES + CHUNK_NAME_BYTES;
    const end = value + entries.valueLength(ref);
    const countStart = this.#get(ref, COUNT_START);
    const endCodes = this.#get(ref, END_CODES);
    run.bytes = entries.bytesOf(ref);
    run.start = value + CHUNK_HEADER;
    run.end = end;
    run.count = countStart & PLACES_MAX;
    run.dataStart = value + (countStart >>> 16);
    run.dataEnd = endCodes === 0 ? end - 1 : value + (endCodes & PLACES_MAX);
    run.codesStart = endCodes === 0 ? end - 1 : value + (endCodes >>> 16);
    return run;
  }

  /** Writes where they are now. */
  close(ref: number, run: Run): void {
    const value = run.start - CHUNK_HEADER;
    const isLarge = run.end - value > PLACES_MAX;
    this.#set(ref, COUNT_START, run.count | ((run.dataStart - value) << 16));
    this.#set(ref, END_CODES, isLarge ? 0 : (run.dataEnd - value) | ((run.codesStart - value) << 16));
    if ((this.#memory.entries.head(ref) & FLAG_SCRUB) !== 0) scrubGaps(run);
  }

  /** From here to unlock() the chunk that find() has just found is being written. */
  lock(): void {
    this.#memory.index.lock();
  }

  /** Gives it the next version, too. */
  unlock(ref: number): void {
    this.#memory.entries.stamp(ref);
    this.#memory.index.unlock();
  }

  /** Gives a chunk other neighbours; undefined leaves one as it is. */
  link(root: number, id: number, links: { previous?: number; next?: number }): void {
    const ref = this.find(root, id);
    this.lock();
    if (links.previous !== undefined) this.#set(ref, PREVIOUS, links.previous);
    if (links.next !== undefined) this.#set(ref, NEXT, links.next);
    this.unlock(ref);
  }

  /**
   * A new chunk with room for `room` bytes, which `fill` fills before anybody can find it.
   * @param scrub FLAG_SCRUB of the list's key. @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  create(
    root: number,
    { id, room, scrub, previous, next }: { id: number; room: number; scrub: number; previous: number; next: number },
    fill: (run: Run) => void,
  ): number {
    const hash = this.#hash(id);
    this.#nameOf(id);
    const ref = this.#memory.entries.create(TYPE_CHUNK | scrub, this.name, 0, CHUNK_NAME_BYTES, CHUNK_HEADER + room);
    const run = this.#run;
    const value = ((ref & SEGMENT_MASK) << UNIT_SHIFT) + HEADER_BYTES + CHUNK_NAME_BYTES;
    run.bytes = this.#memory.entries.bytesOf(ref);
    run.start = value + CHUNK_HEADER;
    run.end = run.start + room;
    run.count = 0;
    run.dataStart = run.start;
    run.dataEnd = run.start;
    run.codesStart = run.end;
    fill(run);
    this.#set(ref, PREVIOUS, previous);
    this.#set(ref, NEXT, next);
    this.close(ref, run);
    this.#placement.place(root, hash, ref, NO_DEADLINE);
    return ref;
  }

  /**
   * A copy of a chunk with room for `room` bytes, which `change` changes, takes its place. Returns it.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  grow(root: number, ref: number, room: number, change: (run: Run) => void): number {
    const { entries } = this.#memory;
    const next = this.#placement.copy(ref, entries.head(ref), CHUNK_HEADER + room);
    // The copy has all that was there, at the places where it was: only the end of the room is another.
    const run = this.open(next, this.#run);
    change(run);
    this.close(next, run);
    this.#placement.exchange(root, this.#hash(this.idOf(next)), ref, next, NO_DEADLINE);
    return next;
  }

  remove(root: number, id: number): void {
    this.#placement.remove(root, this.find(root, id));
  }

  #get(ref: number, word: number): number {
    return this.#memory.segments.words[ref >>> SEGMENT_SHIFT]![((ref & SEGMENT_MASK) << 1) + FIRST_WORD + word]!;
  }

  #set(ref: number, word: number, value: number): void {
    this.#memory.segments.words[ref >>> SEGMENT_SHIFT]![((ref & SEGMENT_MASK) << 1) + FIRST_WORD + word] = value;
  }
}
