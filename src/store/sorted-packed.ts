// Packed sorted sets: a small sorted set as records in order, the value of its key's own entry.
//
//   count u16 | records …           a record is named by its distance in bytes from the start of the value
//
// A change tells the funnel first, moves what stands between and writes the record in place where the entry's block
// has room. It gives the key's entry as it is then, which may have moved.

import type { Slice } from "./collections.ts";
import type { Keyspace } from "./keyspace.ts";
import { FLAG_SCRUB, KIND_VALUE, PACKED_HEADER, SORTED_BYTES_MAX, SORTED_RECORDS_MAX } from "./layout.ts";
import {
  eachRecord,
  endOfRecord,
  findRecord,
  type Member,
  moveRecords,
  placeFor,
  placeOfRank,
  rankOfPlace,
  recordBytes,
  SortedRecord,
  scoreOfRecord,
  writeRecord,
} from "./sorted-records.ts";
import type { VisitName } from "./walk.ts";

export class PackedSorted {
  readonly #keyspace: Keyspace;
  readonly #record = new SortedRecord();
  readonly #scratch: Buffer = Buffer.alloc(SORTED_BYTES_MAX);

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  count(key: number): number {
    const { entries } = this.#keyspace.memory;
    const bytes = entries.bytesOf(key);
    const start = entries.valueStart(key);
    return bytes[start]! | (bytes[start + 1]! << 8);
  }

  /** The handle of a member; 0 when there is none. */
  find(key: number, name: Uint8Array, start: number, length: number, kind: number): number {
    const { entries } = this.#keyspace.memory;
    const first = entries.valueStart(key);
    const end = first + entries.valueLength(key);
    const typed = kind === KIND_VALUE ? 1 : 0;
    const at = findRecord(entries.bytesOf(key), first + PACKED_HEADER, end, name, start, length, typed);
    return at < 0 ? 0 : at - first;
  }

  score(key: number, handle: number): number {
    const { entries } = this.#keyspace.memory;
    return scoreOfRecord(entries.bytesOf(key), entries.valueStart(key) + handle);
  }

  /** Where the name of a member lies. */
  name(key: number, handle: number, slice: Slice): Slice {
    const record = this.#read(key, handle);
    slice.bytes = record.bytes;
    slice.start = record.nameStart;
    slice.end = record.end;
    slice.kind = record.kind;
    return slice;
  }

  /** How many members are before the one of `handle`. */
  rank(key: number, handle: number): number {
    const { entries } = this.#keyspace.memory;
    const first = entries.valueStart(key);
    return rankOfPlace(entries.bytesOf(key), first + PACKED_HEADER, first + handle);
  }

  /** The handle of the member with this rank, which there is. */
  at(key: number, rank: number): number {
    const { entries } = this.#keyspace.memory;
    const first = entries.valueStart(key);
    return placeOfRank(entries.bytesOf(key), first + PACKED_HEADER, rank) - first;
  }

  /** How many records from the first on `isBelow` takes. */
  countFirst(key: number, isBelow: (record: SortedRecord) => boolean): number {
    const { entries } = this.#keyspace.memory;
    const bytes = entries.bytesOf(key);
    const end = entries.valueStart(key) + entries.valueLength(key);
    const record = this.#record;
    let count = 0;
    for (let at = entries.valueStart(key) + PACKED_HEADER; at < end && isBelow(record.read(bytes, at)); at = record.end)
      count++;
    return count;
  }

  /** Calls back with the handles of the records from rank `from` to `to`, or the other way round. */
  range(key: number, from: number, to: number, reverse: boolean, visit: (handle: number) => void): void {
    const { entries } = this.#keyspace.memory;
    const bytes = entries.bytesOf(key);
    const value = entries.valueStart(key);
    const first = placeOfRank(bytes, value + PACKED_HEADER, from);
    if (!reverse) {
      for (let at = first, rank = from; rank < to; rank++, at = endOfRecord(bytes, at)) visit(at - value);
      return;
    }
    const places: number[] = [];
    for (let at = first, rank = from; rank < to; rank++, at = endOfRecord(bytes, at)) places.push(at - value);
    for (let i = places.length - 1; i >= 0; i--) visit(places[i]!);
  }

  /** The same, with their names. */
  members(key: number, from: number, to: number, reverse: boolean, visit: VisitName): void {
    const { entries } = this.#keyspace.memory;
    const bytes = entries.bytesOf(key);
    const value = entries.valueStart(key);
    if (!reverse) {
      const first = placeOfRank(bytes, value + PACKED_HEADER, from);
      return eachRecord(bytes, first, to - from, value, visit);
    }
    this.range(key, from, to, true, (handle) => eachRecord(bytes, value + handle, 1, value, visit));
  }

  /**
   * Writes a member among the records, in the place of the one at `handle` where that is not 0. Returns the key's entry,
   * which may have moved; 0 where there is no room for it among records. @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  set(key: number, handle: number, member: Member): number {
    const { entries, funnel } = this.#keyspace.memory;
    const { name, start, length, score } = member;
    const gone = handle === 0 ? 0 : this.#sizeOf(key, handle);
    const size = recordBytes(score, length);
    const isFull = handle === 0 && this.count(key) >= SORTED_RECORDS_MAX;
    if (isFull || entries.valueLength(key) - gone + size > SORTED_BYTES_MAX) return 0;
    // A name that is there keeps the kind that it has.
    const kind = handle === 0 ? member.kind : this.#read(key, handle).kind;
    if (funnel.on) funnel.before("field-set", key, 0, name, start, length, kind);
    const first = entries.valueStart(key);
    const before = entries.valueLength(key);
    const after = before - gone + size;
    const count = this.count(key) + (handle === 0 ? 1 : 0);
    const old = first + handle;
    const place = placeFor(entries.bytesOf(key), first + PACKED_HEADER, first + before, old, member) - first;
    const from = handle === 0 ? place : handle;
    const target = this.#keyspace.beginWrite(key, after);
    const isCut = target !== key && after < before;
    // A shorter copy has lost its end: it is put together beside it.
    const bytes = isCut ? this.#scratch : entries.bytesOf(target);
    const value = isCut ? 0 : entries.valueStart(target);
    if (isCut) entries.bytesOf(key).copy(bytes, 0, first, first + before);
    const at = moveRecords(bytes, value + before, value + place, value + from, { gone, size });
    writeRecord(bytes, at, score, name, start, length, kind);
    bytes[value] = count & 255;
    bytes[value + 1] = count >> 8;
    if (isCut) {
      bytes.copy(entries.bytesOf(target), entries.valueStart(target), 0, after);
      if ((entries.head(key) & FLAG_SCRUB) !== 0) bytes.fill(0);
    }
    return this.#keyspace.endWrite(key, target, after);
  }

  /** Tells the funnel that the records from rank `from` to `to` go: of one its name, of several only the key. */
  tellCut(key: number, from: number, to: number): void {
    const { entries, funnel } = this.#keyspace.memory;
    if (to - from > 1) return funnel.before("field-delete", key);
    const bytes = entries.bytesOf(key);
    const first = entries.valueStart(key);
    const { nameStart, nameLength, kind } = this.#read(key, placeOfRank(bytes, first + PACKED_HEADER, from) - first);
    funnel.before("field-delete", key, 0, bytes, nameStart, nameLength, kind);
  }

  /** Takes the records from rank `from` to `to` out, which are not all. Returns the key's entry, which may have moved. */
  cut(key: number, from: number, to: number): number {
    const { entries } = this.#keyspace.memory;
    const bytes = entries.bytesOf(key);
    const first = entries.valueStart(key);
    const end = first + entries.valueLength(key);
    const count = this.count(key) - (to - from);
    const start = placeOfRank(bytes, first + PACKED_HEADER, from);
    const behind = placeOfRank(bytes, start, to - from);
    const after = end - first - (behind - start);
    const target = this.#keyspace.beginWrite(key, after);
    const next = entries.bytesOf(target);
    const value = entries.valueStart(target);
    // In place nothing comes before `start` but the number of records.
    if (target !== key) bytes.copy(next, value + PACKED_HEADER, first + PACKED_HEADER, start);
    bytes.copy(next, value + start - first, behind, end);
    next[value] = count & 255;
    next[value + 1] = count >> 8;
    return this.#keyspace.endWrite(key, target, after);
  }

  #sizeOf(key: number, handle: number): number {
    const { entries } = this.#keyspace.memory;
    const at = entries.valueStart(key) + handle;
    return endOfRecord(entries.bytesOf(key), at) - at;
  }

  #read(key: number, handle: number): SortedRecord {
    const { entries } = this.#keyspace.memory;
    return this.#record.read(entries.bytesOf(key), entries.valueStart(key) + handle);
  }
}
