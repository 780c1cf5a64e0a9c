// Sorted sets: members with a score, in the order of their scores and then of their names.
//
//   key's entry ──▶ records in it, in order  (≤ 128 records, ≤ 8,000 bytes)      sorted-records.ts
//              └──▶ root ──▶ index ──▶ an entry per member, its value the score
//                        └──▶ tree over them                                      sorted-tree.ts
//
// A member is named by a handle, as a field is (collections.ts), and by its rank, which counts from 0 at
// the lowest score. Ranges are ranks `from` to `to`, without `to`. −0 is 0 and no score is not-a-number:
// callers see to that.

import type { Slice } from "./collections.ts";
import { type Keyspace, tooBig } from "./keyspace.ts";
import {
  FLAG_SCRUB,
  KEY_KIND_SHIFT,
  KIND_VALUE,
  PACKED_HEADER,
  PAGE_SHIFT,
  SORTED_BYTES_MAX,
  SORTED_RECORDS_MAX,
  SORTED_ROOT_BYTES,
  TYPE_FIELD,
  TYPE_SORTED,
} from "./layout.ts";
import type { Memory } from "./memory.ts";
import { PACKED_EMPTY } from "./packed.ts";
import { NO_DEADLINE, type Placement } from "./placement.ts";
import { LEAF_CELLS } from "./sorted-nodes.ts";
import { type Member, mergeRecord, recordBytes, SortedRecord } from "./sorted-records.ts";
import { eachEntry, scanEntries } from "./walk.ts";

const FIRST_REF: number = 1 << PAGE_SHIFT;
const SCORE_BYTES = 8;

export class SortedSets {
  /** What the last set() did: whether the member is new. */
  created = false;
  readonly #keyspace: Keyspace;
  readonly #memory: Memory;
  readonly #placement: Placement;
  #refs: Int32Array | undefined = undefined;
  readonly #record = new SortedRecord();
  readonly #scratch: Buffer = Buffer.alloc(SORTED_BYTES_MAX);
  readonly #scoreBytes: Buffer = Buffer.alloc(SCORE_BYTES);

  constructor(keyspace: Keyspace, placement: Placement) {
    this.#keyspace = keyspace;
    this.#memory = keyspace.memory;
    this.#placement = placement;
  }

  /** A new empty sorted set under a name that no key has. The caller adds a member at once. */
  create(name: Uint8Array, start: number, length: number, kind: number): number {
    return this.#keyspace.create(TYPE_SORTED, name, start, length, kind, PACKED_EMPTY);
  }

  count(key: number): number {
    const root = this.#memory.entries.rootOf(key);
    if (root !== 0) return this.#memory.index.count(root);
    const bytes = this.#memory.entries.bytesOf(key);
    const start = this.#memory.entries.valueStart(key);
    return bytes[start]! | (bytes[start + 1]! << 8);
  }

  /** The handle of a member; 0 when there is none. */
  find(key: number, name: Uint8Array, start: number, length: number, kind: number = 0): number {
    const { entries } = this.#memory;
    const typed = kind === KIND_VALUE ? 1 : 0;
    const root = entries.rootOf(key);
    if (root !== 0) return this.#findIn(root, name, start, length, kind);
    const bytes = entries.bytesOf(key);
    const first = entries.valueStart(key);
    const end = first + entries.valueLength(key);
    const record = this.#record;
    for (let at = first + PACKED_HEADER; at < end; at = record.end) {
      record.read(bytes, at);
      // Most names differ in their last byte.
      if (record.nameLength !== length || (length > 0 && bytes[record.end - 1] !== name[start + length - 1])) continue;
      if (record.compareName(name, start, length, typed) === 0) return at - first;
    }
    return 0;
  }

  score(key: number, handle: number): number {
    return isPlace(handle) ? this.#read(key, handle).score : this.#memory.entries.score(handle);
  }

  /** Where the name of a member lies. */
  name(key: number, handle: number, slice: Slice): Slice {
    const { entries } = this.#memory;
    if (isPlace(handle)) {
      const record = this.#read(key, handle);
      slice.bytes = record.bytes;
      slice.start = record.nameStart;
      slice.end = record.end;
      slice.kind = record.kind;
    } else {
      slice.bytes = entries.bytesOf(handle);
      slice.start = entries.keyStart(handle);
      slice.end = slice.start + entries.keyLength(handle);
      slice.kind = entries.keyKind(handle);
    }
    return slice;
  }

  /**
   * Gives a member a score, and says in `created` whether it is new. Returns the key's entry, which may have moved.
   * @throws {HiveError} KEY_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
   */
  set(key: number, name: Uint8Array, start: number, length: number, kind: number, value: number): number {
    const score = value + 0; // -0 becomes 0
    const { keyBytesMax } = this.#keyspace;
    if (length > keyBytesMax) throw tooBig("KEY_TOO_BIG", "member", length, "keyBytesMax", keyBytesMax);
    const { entries, funnel, containers } = this.#memory;
    const handle = this.find(key, name, start, length, kind);
    this.created = handle === 0;
    if (handle !== 0 && this.score(key, handle) === score) return key;
    let root = entries.rootOf(key);
    if (root !== 0) {
      this.#setEntry(key, root, handle, { score, name, start, length, kind });
      return key;
    }
    const old = handle === 0 ? 0 : this.#read(key, handle).end - entries.valueStart(key) - handle;
    const bytes = entries.valueLength(key) - old + recordBytes(score, length);
    if (bytes <= SORTED_BYTES_MAX && (handle !== 0 || this.count(key) < SORTED_RECORDS_MAX)) {
      return this.#setRecord(key, handle, name, start, length, kind, score);
    }
    if (funnel.on) funnel.before("set", key);
    root = this.#spread(key);
    try {
      this.#setEntry(key, root, this.#findIn(root, name, start, length, kind), { score, name, start, length, kind });
      // Last, since the key's entry moves: until then a full memory leaves the key as it was.
      return this.#keyspace.unpack(key, root);
    } catch (error) {
      containers.detach(root);
      throw error;
    }
  }

  #findIn(root: number, name: Uint8Array, start: number, length: number, kind: number): number {
    const { keys, index } = this.#memory;
    const typed = kind === KIND_VALUE ? 1 : 0;
    return index.find(root, keys.hash(name, start, length, typed), length, typed);
  }

  #setEntry(key: number, root: number, ref: number, member: Member): void {
    const { name, start, length, kind, score } = member;
    const { entries, funnel } = this.#memory;
    if (ref !== 0) {
      if (funnel.on) funnel.before("field-set", key, ref);
      this.#placement.setScore(root, ref, score);
    } else {
      if (funnel.on) funnel.before("field-set", key, 0, name, start, length, kind);
      this.#insert(root, entries.head(key) & FLAG_SCRUB, member);
    }
    entries.stamp(key);
  }

  #insert(root: number, scrub: number, { name, start, length, kind, score }: Member): void {
    const hash = this.#memory.keys.hash(name, start, length, kind === KIND_VALUE ? 1 : 0);
    const head = TYPE_FIELD | scrub | (kind << KEY_KIND_SHIFT);
    const bytes = this.#scoreBytes;
    bytes.writeDoubleLE(score);
    this.#placement.insert(root, hash, head, name, start, length, bytes, 0, SCORE_BYTES, NO_DEADLINE);
  }

  /** Writes a member among the records, in the place of the one at `handle` where that is not 0. */
  #setRecord(
    key: number,
    handle: number,
    name: Uint8Array,
    start: number,
    length: number,
    kind: number,
    score: number,
  ): number {
    const { entries, funnel } = this.#memory;
    // A name that is there keeps the kind that it has.
    const ownKind = handle === 0 ? kind : this.#read(key, handle).kind;
    if (funnel.on) funnel.before("field-set", key, 0, name, start, length, kind);
    const first = entries.valueStart(key);
    const end = first + entries.valueLength(key);
    const member = { score, name, start, length, kind: ownKind };
    const old = handle === 0 ? 0 : first + handle;
    const next = mergeRecord(entries.bytesOf(key), first + PACKED_HEADER, end, old, this.#scratch, member);
    return this.#write(key, next, this.count(key) + (handle === 0 ? 1 : 0));
  }

  /** Puts `length` bytes of the scratch in the place of the key's value. */
  #write(key: number, length: number, count: number): number {
    const { entries } = this.#memory;
    const scratch = this.#scratch;
    scratch[0] = count & 255;
    scratch[1] = count >> 8;
    const isSecret = (entries.head(key) & FLAG_SCRUB) !== 0;
    try {
      const target = this.#keyspace.beginWrite(key, length);
      scratch.copy(entries.bytesOf(target), entries.valueStart(target), 0, length);
      return this.#keyspace.endWrite(key, target, length);
    } finally {
      if (isSecret) scratch.fill(0);
    }
  }

  /** Gives every record an entry of its own. Returns their root, which is not the key's yet. */
  #spread(key: number): number {
    const { entries, containers } = this.#memory;
    const root = containers.create(SORTED_ROOT_BYTES);
    containers.setOwner(root, entries.ownerOf(key));
    const scrub = entries.head(key) & FLAG_SCRUB;
    const bytes = entries.bytesOf(key);
    const end = entries.valueStart(key) + entries.valueLength(key);
    const record = new SortedRecord();
    try {
      for (let at = entries.valueStart(key) + PACKED_HEADER; at < end; at = record.end) {
        const { nameStart, nameLength, kind, score } = record.read(bytes, at);
        this.#insert(root, scrub, { score, name: bytes, start: nameStart, length: nameLength, kind });
      }
      return root;
    } catch (error) {
      containers.detach(root);
      throw error;
    }
  }

  /** Removes a member. Returns the key's entry, which may have moved; 0 when that was its last one. */
  delete(key: number, handle: number): number {
    const { entries, funnel, index } = this.#memory;
    const root = entries.rootOf(key);
    if (root === 0) {
      const rank = this.rank(key, handle);
      return this.deleteRange(key, rank, rank + 1);
    }
    if (funnel.on) funnel.before("field-delete", key, handle);
    this.#placement.remove(root, handle);
    if (index.count(root) === 0) {
      this.#keyspace.remove(this.#memory.containers.keyOf(root));
      return 0;
    }
    entries.stamp(key);
    return key;
  }

  /** Removes the members from rank `from` to `to`. Returns the key's entry, which may have moved; 0 when none is left. */
  deleteRange(key: number, from: number, to: number): number {
    const { entries, funnel, tree } = this.#memory;
    if (from >= to) return key;
    if (from === 0 && to === this.count(key)) {
      this.#keyspace.remove(key);
      return 0;
    }
    const root = entries.rootOf(key);
    if (root !== 0) {
      let left = key;
      for (let i = from; i < to; i++) left = this.delete(left, tree.at(root, from));
      return left;
    }
    if (funnel.on && to - from > 1) funnel.before("field-delete", key);
    else if (funnel.on) {
      const { nameStart, nameLength, kind } = this.#read(key, this.at(key, from));
      funnel.before("field-delete", key, 0, entries.bytesOf(key), nameStart, nameLength, kind);
    }
    const count = this.count(key);
    const first = entries.valueStart(key);
    const start = first + this.at(key, from);
    const behind = to === count ? first + entries.valueLength(key) : first + this.at(key, to);
    const bytes = entries.bytesOf(key);
    let next = PACKED_HEADER + bytes.copy(this.#scratch, PACKED_HEADER, first + PACKED_HEADER, start);
    next += bytes.copy(this.#scratch, next, behind, first + entries.valueLength(key));
    return this.#write(key, next, count - (to - from));
  }

  /** How many members are before the one of `handle`. */
  rank(key: number, handle: number): number {
    const { entries, tree } = this.#memory;
    const root = entries.rootOf(key);
    if (root !== 0) return tree.rank(root, handle, entries.score(handle));
    let rank = 0;
    for (let at = PACKED_HEADER; at < handle; rank++) at = this.#read(key, at).end - entries.valueStart(key);
    return rank;
  }

  /** The handle of the member with this rank, which there is. */
  at(key: number, rank: number): number {
    const { entries, tree } = this.#memory;
    const root = entries.rootOf(key);
    if (root !== 0) return tree.at(root, rank);
    let at = PACKED_HEADER;
    for (let i = 0; i < rank; i++) at = this.#read(key, at).end - entries.valueStart(key);
    return at;
  }

  /** How many members have a lower score, or where `inclusive` the same one. */
  countBelow(key: number, score: number, inclusive: boolean): number {
    const { entries, tree } = this.#memory;
    const root = entries.rootOf(key);
    if (root !== 0) return tree.countBelow(root, score, inclusive);
    return this.#countRecords(key, (record) => record.score < score || (inclusive && record.score === score));
  }

  /** How many members have a lower name, or where `inclusive` the same one; of a set whose scores are all the same. */
  countBelowName(key: number, bytes: Uint8Array, start: number, length: number, inclusive: boolean): number {
    const { entries, tree } = this.#memory;
    const root = entries.rootOf(key);
    if (root !== 0) return tree.countBelowName(root, bytes, start, length, inclusive);
    return this.#countRecords(key, (record) => {
      const order = record.compareName(bytes, start, length, 0);
      return order < 0 || (inclusive && order === 0);
    });
  }

  #countRecords(key: number, isBelow: (record: SortedRecord) => boolean): number {
    const { entries } = this.#memory;
    const bytes = entries.bytesOf(key);
    const end = entries.valueStart(key) + entries.valueLength(key);
    const record = this.#record;
    let count = 0;
    for (let at = entries.valueStart(key) + PACKED_HEADER; at < end && isBelow(record.read(bytes, at)); at = record.end)
      count++;
    return count;
  }

  /** Calls back for the members from rank `from` to `to`, or the other way round. The set may not change meanwhile. */
  range(key: number, from: number, to: number, reverse: boolean, visit: (handle: number) => void): void {
    const root = this.#memory.entries.rootOf(key);
    if (from >= to) return;
    if (root !== 0 && !reverse) return this.#rangeForward(root, from, to, visit);
    if (root !== 0) return this.#rangeBackward(root, from, to, visit);
    const handles: number[] = [];
    let at = this.at(key, from);
    for (let rank = from; rank < to; rank++) {
      handles.push(at);
      at = this.#read(key, at).end - this.#memory.entries.valueStart(key);
    }
    if (reverse) handles.reverse();
    for (const handle of handles) visit(handle);
  }

  #rangeForward(root: number, from: number, to: number, visit: (handle: number) => void): void {
    const refs = this.#takeRefs();
    for (let rank = from; rank < to; ) {
      const count = this.#memory.tree.leafFrom(root, rank, refs, to - rank);
      for (let i = 0; i < count; i++) visit(refs[i]!);
      rank += count;
    }
    this.#refs = refs;
  }

  #rangeBackward(root: number, from: number, to: number, visit: (handle: number) => void): void {
    const refs = this.#takeRefs();
    for (let rank = to; rank > from; ) {
      const count = this.#memory.tree.leafTo(root, rank, refs);
      const first = Math.max(0, count - (rank - from));
      for (let i = count - 1; i >= first; i--) visit(refs[i]!);
      rank -= count - first;
    }
    this.#refs = refs;
  }

  /** Room for the refs of a leaf: a callback may walk another set, so whoever has it keeps it from the others. */
  #takeRefs(): Int32Array {
    const refs = this.#refs ?? new Int32Array(LEAF_CELLS);
    this.#refs = undefined;
    return refs;
  }

  /** Calls back for every member, in no particular order. The set may not change meanwhile. */
  each(key: number, visit: (handle: number) => void): void {
    const root = this.#memory.entries.rootOf(key);
    if (root !== 0) return eachEntry(this.#memory, root, visit);
    this.range(key, 0, this.count(key), false, visit);
  }

  /**
   * Calls back for the members of the buckets from `cursor` on, until `membersMin` were seen; a packed
   * set at once. Returns the next cursor; 0 at the end.
   */
  scan(key: number, cursor: number, membersMin: number, visit: (handle: number) => void): number {
    const root = this.#memory.entries.rootOf(key);
    if (root !== 0) return scanEntries(this.#memory, root, cursor, membersMin, visit);
    this.each(key, visit);
    return 0;
  }

  #read(key: number, handle: number): SortedRecord {
    const { entries } = this.#memory;
    return this.#record.read(entries.bytesOf(key), entries.valueStart(key) + handle);
  }
}

/** Whether a handle is a place among records, not an entry. */
function isPlace(handle: number): boolean {
  return handle >= 0 && handle < FIRST_REF;
}
