// Packed: a small table or set as records in its key's own entry, as layout.ts draws them.
//
// A record is named by a handle: its distance in bytes from the start of the value, 2 to 4,098, which
// stays good until the container changes. All are searched in order: with at most 64 records in 4 KiB
// that is as fast as a hash, and it costs 5 bytes a record where an entry of its own costs 28.

import type { Entries } from "./entries.ts";
import { copyBytes } from "./entries.ts";
import type { ChangeKind, Funnel } from "./funnel.ts";
import { KIND_VALUE, PACKED_HEADER, RECORD_HEADER, TYPE_TABLE } from "./layout.ts";

/** The value of a container without records. */
export const PACKED_EMPTY: Uint8Array = new Uint8Array(PACKED_HEADER);

export class Packed {
  readonly #entries: Entries;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  count(key: number): number {
    return recordCount(this.#entries, key);
  }

  setCount(key: number, count: number): void {
    const bytes = this.#entries.bytesOf(key);
    const start = this.#entries.valueStart(key);
    bytes[start] = count & 255;
    bytes[start + 1] = count >> 8;
  }

  /** Tells the funnel that the record of `handle` changes or goes. */
  tell(funnel: Funnel, why: ChangeKind, key: number, handle: number): void {
    const bytes = this.#entries.bytesOf(key);
    const [start, length] = [this.nameStart(key, handle), this.nameLength(key, handle)];
    funnel.before(why, key, 0, bytes, start, length, this.nameKind(key, handle));
  }

  /** The handle of the record with this name; 0 when there is none. */
  find(key: number, name: Uint8Array, nameStart: number, nameLength: number, typed: number): number {
    const bytes = this.#entries.bytesOf(key);
    const start = this.#entries.valueStart(key);
    const end = start + this.#entries.valueLength(key);
    let at = start + PACKED_HEADER;
    while (at < end) {
      const length = bytes[at + 1]! | (bytes[at + 2]! << 8);
      if (length === nameLength && ((bytes[at]! & 3) === KIND_VALUE ? 1 : 0) === typed) {
        let i = 0;
        while (i < length && bytes[at + RECORD_HEADER + i] === name[nameStart + i]) i++;
        if (i === length) return at - start;
      }
      at += RECORD_HEADER + length + (bytes[at + 3]! | (bytes[at + 4]! << 8));
    }
    return 0;
  }

  /** The first record's handle, and the one behind `handle`; 0 at the end. */
  first(key: number): number {
    return this.#entries.valueLength(key) > PACKED_HEADER ? PACKED_HEADER : 0;
  }

  next(key: number, handle: number): number {
    const after = handle + this.bytesOf(key, handle);
    return after < this.#entries.valueLength(key) ? after : 0;
  }

  /** The handle of record number `index`, in order; 0 behind the last. */
  nth(key: number, index: number): number {
    let handle = this.first(key);
    for (let skip = index; skip > 0 && handle !== 0; skip--) handle = this.next(key, handle);
    return handle;
  }

  nameKind(key: number, handle: number): number {
    return this.#entries.bytesOf(key)[this.#at(key, handle)]! & 3;
  }

  valueKind(key: number, handle: number): number {
    return (this.#entries.bytesOf(key)[this.#at(key, handle)]! >> 2) & 3;
  }

  nameStart(key: number, handle: number): number {
    return this.#at(key, handle) + RECORD_HEADER;
  }

  nameLength(key: number, handle: number): number {
    const bytes = this.#entries.bytesOf(key);
    const at = this.#at(key, handle);
    return bytes[at + 1]! | (bytes[at + 2]! << 8);
  }

  valueStart(key: number, handle: number): number {
    return this.nameStart(key, handle) + this.nameLength(key, handle);
  }

  valueLength(key: number, handle: number): number {
    const bytes = this.#entries.bytesOf(key);
    const at = this.#at(key, handle);
    return bytes[at + 3]! | (bytes[at + 4]! << 8);
  }

  /** Bytes of the whole record. */
  bytesOf(key: number, handle: number): number {
    return RECORD_HEADER + this.nameLength(key, handle) + this.valueLength(key, handle);
  }

  /** Writes a record at `handle`, where the value has room for it. */
  write(
    key: number,
    handle: number,
    name: Uint8Array,
    nameStart: number,
    nameLength: number,
    nameKind: number,
    value: Uint8Array,
    start: number,
    length: number,
    kind: number,
  ): void {
    const bytes = this.#entries.bytesOf(key);
    const at = this.#at(key, handle);
    bytes[at] = nameKind | (kind << 2);
    bytes[at + 1] = nameLength & 255;
    bytes[at + 2] = nameLength >> 8;
    bytes[at + 3] = length & 255;
    bytes[at + 4] = length >> 8;
    copyBytes(name, nameStart, bytes, at + RECORD_HEADER, nameLength);
    copyBytes(value, start, bytes, at + RECORD_HEADER + nameLength, length);
  }

  /**
   * Gives a record another value, in `key` or in a copy of it (`target`), whose block has room for the
   * difference. The length of the whole is the caller's to set.
   */
  replaceValue(
    key: number,
    target: number,
    handle: number,
    value: Uint8Array,
    start: number,
    length: number,
    kind: number,
  ): void {
    const entries = this.#entries;
    const old = this.valueStart(key, handle);
    const after = old + this.valueLength(key, handle);
    const bytes = entries.bytesOf(target);
    const at = this.#at(target, handle);
    const next = at + old - this.#at(key, handle);
    if (target !== key || old + length !== after) this.#moveTail(key, after, bytes, next + length);
    bytes[at] = (bytes[at]! & 3) | (kind << 2);
    bytes[at + 3] = length & 255;
    bytes[at + 4] = length >> 8;
    copyBytes(value, start, bytes, next, length);
  }

  /** Closes the gap that a record leaves, in `key` or in a copy of it (`target`). The length is the caller's to set. */
  cut(key: number, target: number, handle: number): void {
    const after = this.#at(key, handle) + this.bytesOf(key, handle);
    this.#moveTail(key, after, this.#entries.bytesOf(target), this.#at(target, handle));
  }

  /** Moves what lies in the value of `key` from byte `from` of its segment on. */
  #moveTail(key: number, from: number, to: Buffer, at: number): void {
    const end = this.#entries.valueStart(key) + this.#entries.valueLength(key);
    if (from < end) this.#entries.bytesOf(key).copy(to, at, from, end);
  }

  #at(key: number, handle: number): number {
    return this.#entries.valueStart(key) + handle;
  }
}

function recordCount(entries: Entries, key: number): number {
  const bytes = entries.bytesOf(key);
  const start = entries.valueStart(key);
  return bytes[start]! | (bytes[start + 1]! << 8);
}

/** How many fields a key's own entry holds: those of a packed table. */
export function packedFields(entries: Entries, key: number): number {
  return entries.type(key) === TYPE_TABLE && entries.rootOf(key) === 0 ? recordCount(entries, key) : 0;
}
