// Sorted sets: members with a score, in the order of their scores and then of their names.
//
//   key's entry ──▶ records in it, in order  (≤ 128 records, ≤ 8,000 bytes)      sorted-packed.ts, sorted-records.ts
//              └──▶ root ──▶ index ──▶ an entry per member, its value the score
//                        └──▶ tree over them                                      sorted-tree.ts
//
// A member is named by a handle, as a field is (collections.ts), and by its rank, which counts from 0 at
// the lowest score. Ranges are ranks `from` to `to`, without `to`. −0 is 0 and no score is not-a-number:
// callers see to that.

import { tooBig } from "../base/errors.ts";
import type { Slice } from "./collections.ts";
import type { Keyspace } from "./keyspace.ts";
import {
  FLAG_SCRUB,
  KEY_KIND_SHIFT,
  KIND_VALUE,
  PACKED_HEADER,
  PAGE_SHIFT,
  SORTED_ROOT_BYTES,
  TYPE_FIELD,
  TYPE_SORTED,
} from "./layout.ts";
import type { Memory } from "./memory.ts";
import { PACKED_EMPTY } from "./packed.ts";
import { NO_DEADLINE, type Placement } from "./placement.ts";
import { LEAF_CELLS } from "./sorted-nodes.ts";
import { PackedSorted } from "./sorted-packed.ts";
import { type Member, SortedRecord } from "./sorted-records.ts";
import { eachEntry, eachName, scanEntries, type VisitName } from "./walk.ts";

const FIRST_REF: number = 1 << PAGE_SHIFT;
const SCORE_BYTES = 8;

export class SortedSets {
  /** What the last set() did: whether the member is new. */
  created = false;
  readonly #keyspace: Keyspace;
  readonly #memory: Memory;
  readonly #packed: PackedSorted;
  readonly #placement: Placement;
  #refs: Int32Array | undefined = undefined;
  readonly #scoreBytes: Buffer = Buffer.alloc(SCORE_BYTES);

  constructor(keyspace: Keyspace, placement: Placement) {
    this.#keyspace = keyspace;
    this.#memory = keyspace.memory;
    this.#placement = placement;
    this.#packed = new PackedSorted(keyspace);
  }

  /** A new empty sorted set under a name that no key has. The caller adds a member at once. */
  create(name: Uint8Array, start: number, length: number, kind: number): number {
    return this.#keyspace.create(TYPE_SORTED, name, start, length, kind, PACKED_EMPTY);
  }

  count(key: number): number {
    const root = this.#memory.entries.rootOf(key);
    if (root !== 0) return this.#memory.index.count(root);
    return this.#packed.count(key);
  }

  /** The handle of a member; 0 when there is none. */
  find(key: number, name: Uint8Array, start: number, length: number, kind: number = 0): number {
    const root = this.#memory.entries.rootOf(key);
    return root !== 0
      ? this.#findIn(root, name, start, length, kind)
      : this.#packed.find(key, name, start, length, kind);
  }

  score(key: number, handle: number): number {
    return isPlace(handle) ? this.#packed.score(key, handle) : this.#memory.entries.score(handle);
  }

  /** Where the name of a member lies. */
  name(key: number, handle: number, slice: Slice): Slice {
    if (isPlace(handle)) return this.#packed.name(key, handle, slice);
    const { entries } = this.#memory;
    slice.bytes = entries.bytesOf(handle);
    slice.start = entries.keyStart(handle);
    slice.end = slice.start + entries.keyLength(handle);
    slice.kind = entries.keyKind(handle);
    return slice;
  }

  /**
   * Gives a member a score, and says in `created` whether it is new. Returns the key's entry, which may have moved.
   * @throws {HiveError} KEY_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
   */
  set(key: number, name: Uint8Array, start: number, length: number, kind: number, score: number): number {
    const handle = this.find(key, name, start, length, kind);
    this.created = handle === 0;
    if (handle !== 0 && this.score(key, handle) === score) return key;
    return this.setAt(key, handle, name, start, length, kind, score);
  }

  /**
   * The same for a member that was looked for: `handle` is what find() gave, and the score is another one.
   * @throws {HiveError} KEY_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
   */
  setAt(
    key: number,
    handle: number,
    name: Uint8Array,
    start: number,
    length: number,
    kind: number,
    value: number,
  ): number {
    const score = value + 0; // -0 becomes 0
    const { keyBytesMax } = this.#keyspace;
    if (length > keyBytesMax) throw tooBig("KEY_TOO_BIG", "member", length, "keyBytesMax", keyBytesMax);
    const { entries, funnel, containers } = this.#memory;
    let root = entries.rootOf(key);
    if (root !== 0) {
      this.#setEntry(key, root, handle, { score, name, start, length, kind });
      return key;
    }
    const member = { score, name, start, length, kind };
    const packed = this.#packed.set(key, handle, member);
    if (packed !== 0) return packed;
    if (funnel.on) funnel.before("set", key);
    root = this.#spread(key);
    try {
      this.#setEntry(key, root, this.#findIn(root, name, start, length, kind), member);
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

  /** Gives every record an entry of its own. Returns their root, which is not the key's yet. */
  #spread(key: number): number {
    const { entries, containers } = this.#memory;
    const root = containers.create(SORTED_ROOT_BYTES);
    containers.setAccount(root, this.#memory.accountOf(key));
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
    if (funnel.on) this.#packed.tellCut(key, from, to);
    return this.#packed.cut(key, from, to);
  }

  /** How many members are before the one of `handle`. */
  rank(key: number, handle: number): number {
    const { entries, tree } = this.#memory;
    const root = entries.rootOf(key);
    if (root !== 0) return tree.rank(root, handle, entries.score(handle));
    return this.#packed.rank(key, handle);
  }

  /** The handle of the member with this rank, which there is. */
  at(key: number, rank: number): number {
    const { entries, tree } = this.#memory;
    const root = entries.rootOf(key);
    if (root !== 0) return tree.at(root, rank);
    return this.#packed.at(key, rank);
  }

  /** How many members have a lower score, or where `inclusive` the same one. */
  countBelow(key: number, score: number, inclusive: boolean): number {
    const { entries, tree } = this.#memory;
    const root = entries.rootOf(key);
    if (root !== 0) return tree.countBelow(root, score, inclusive);
    return this.#packed.countFirst(key, (record) => record.score < score || (inclusive && record.score === score));
  }

  /** How many members have a lower name, or where `inclusive` the same one; of a set whose scores are all the same. */
  countBelowName(key: number, bytes: Uint8Array, start: number, length: number, inclusive: boolean): number {
    const { entries, tree } = this.#memory;
    const root = entries.rootOf(key);
    if (root !== 0) return tree.countBelowName(root, bytes, start, length, inclusive);
    return this.#packed.countFirst(key, (record) => {
      const order = record.compareName(bytes, start, length, 0);
      return order < 0 || (inclusive && order === 0);
    });
  }

  /** Calls back for the members from rank `from` to `to`, or the other way round. The set may not change meanwhile. */
  range(key: number, from: number, to: number, reverse: boolean, visit: (handle: number) => void): void {
    const root = this.#memory.entries.rootOf(key);
    if (from >= to) return;
    if (root === 0) return this.#packed.range(key, from, to, reverse, visit);
    this.#eachLeaf(root, from, to, reverse, (refs, count) => {
      for (let i = 0; i < count; i++) visit(refs[i]!);
    });
  }

  /** The same, with their names. */
  members(key: number, from: number, to: number, reverse: boolean, visit: VisitName): void {
    const { entries } = this.#memory;
    const root = entries.rootOf(key);
    if (from >= to) return;
    if (root === 0) return this.#packed.members(key, from, to, reverse, visit);
    this.#eachLeaf(root, from, to, reverse, (refs, count) => eachName(entries, refs, count, visit));
  }

  /** Calls back with the entries from rank `from` to `to`, those of a leaf at a time, or the other way round. */
  #eachLeaf(
    root: number,
    from: number,
    to: number,
    reverse: boolean,
    visit: (refs: Int32Array, count: number) => void,
  ): void {
    const { tree } = this.#memory;
    const refs = this.#takeRefs();
    for (let left = to - from; left > 0; ) {
      let count = reverse ? tree.leafTo(root, from + left, refs) : tree.leafFrom(root, to - left, refs, left);
      if (reverse) {
        const first = Math.max(0, count - left);
        refs.subarray(first, count).reverse();
        refs.copyWithin(0, first, count);
        count -= first;
      }
      visit(refs, count);
      left -= count;
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
}

/** Whether a handle is a place among records, not an entry. */
function isPlace(handle: number): boolean {
  return handle >= 0 && handle < FIRST_REF;
}
