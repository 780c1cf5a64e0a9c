// Collections: the fields of tables and the members of sets (a member is a field without a value).
//
//   key's entry ──▶ packed records in it  (≤ 64 records, ≤ 4 KiB, no field TTL)
//              └──▶ root ──▶ index ──▶ an entry per field
//
// A field is named by a handle, good until the next change of its container: in a packed container
// the place of the record (below 8,192), else the ref of its entry (never below 8,192, since page 0
// is the header). Whatever may move the key's entry returns the new ref.

import { tooBig } from "../base/errors.ts";
import { entryBytes } from "./entries.ts";
import type { Keyspace } from "./keyspace.ts";
import {
  FLAG_SCRUB,
  FLAG_TTL,
  KEY_KIND_SHIFT,
  KEY_OFFSET,
  KIND_VALUE,
  PACKED_BYTES_MAX,
  PACKED_RECORDS_MAX,
  PAGE_SHIFT,
  RECORD_HEADER,
  TYPE_FIELD,
  TYPE_MEMBER,
  TYPE_TABLE,
  VALUE_KIND_SHIFT,
} from "./layout.ts";
import type { Memory } from "./memory.ts";
import { PACKED_EMPTY, Packed } from "./packed.ts";
import { NO_DEADLINE, type Placement } from "./placement.ts";
import { eachEntry, scanEntries } from "./walk.ts";

/** Bytes somewhere: good until the next change of the store. */
export type Slice = { bytes: Buffer; start: number; end: number; kind: number };

const NO_VALUE = Buffer.alloc(0);
const FIRST_REF: number = 1 << PAGE_SHIFT;

export class Collections {
  /** What the last set() did: whether the field is new. */
  created = false;
  readonly #keyspace: Keyspace;
  readonly #memory: Memory;
  readonly #placement: Placement;
  readonly #packed: Packed;

  constructor(keyspace: Keyspace, placement: Placement) {
    this.#keyspace = keyspace;
    this.#memory = keyspace.memory;
    this.#placement = placement;
    this.#packed = new Packed(keyspace.memory.entries);
  }

  /** A new empty table or set under a name that no key has. The caller adds a field at once. */
  create(type: number, name: Uint8Array, start: number, length: number, kind: number): number {
    return this.#keyspace.create(type, name, start, length, kind, PACKED_EMPTY);
  }

  isPacked(key: number): boolean {
    return this.#memory.entries.rootOf(key) === 0;
  }

  /** Fields, those included that have run out within the current moment and are not removed yet. */
  count(key: number): number {
    const root = this.#memory.entries.rootOf(key);
    if (root === 0) return this.#packed.count(key);
    const { containers, wheel, index, nowMs } = this.#memory;
    if (containers.ttls(root) === 0 || !wheel.isBehind(nowMs)) return index.count(root);
    let live = 0;
    this.each(key, () => live++);
    return live;
  }

  /** Whether the container may hold typed names (encoded values) beside raw ones. */
  mayHaveTyped(key: number): boolean {
    const root = this.#memory.entries.rootOf(key);
    return root === 0 || this.#memory.containers.typed(root) > 0;
  }

  /** The handle of a field that is there and has not run out; 0 when there is none. */
  find(key: number, name: Uint8Array, start: number, length: number, kind: number = 0): number {
    const { entries, keys, index, nowMs } = this.#memory;
    const typed = kind === KIND_VALUE ? 1 : 0;
    const root = entries.rootOf(key);
    if (root === 0) return this.#packed.find(key, name, start, length, typed);
    const field = index.find(root, keys.hash(name, start, length, typed), length, typed);
    if (field === 0) return 0;
    return entries.hasTtl(field) && entries.deadline(field) <= nowMs ? 0 : field;
  }

  /** Where the value of a field lies. */
  value(key: number, handle: number, slice: Slice): Slice {
    const { entries } = this.#memory;
    if (handle >= 0 && handle < FIRST_REF) {
      slice.bytes = entries.bytesOf(key);
      slice.start = this.#packed.valueStart(key, handle);
      slice.end = slice.start + this.#packed.valueLength(key, handle);
      slice.kind = this.#packed.valueKind(key, handle);
    } else {
      slice.bytes = entries.bytesOf(handle);
      slice.start = entries.valueStart(handle);
      slice.end = slice.start + entries.valueLength(handle);
      slice.kind = entries.valueKind(handle);
    }
    return slice;
  }

  /** Where the name of a field lies. */
  name(key: number, handle: number, slice: Slice): Slice {
    const { entries } = this.#memory;
    if (handle >= 0 && handle < FIRST_REF) {
      slice.bytes = entries.bytesOf(key);
      slice.start = this.#packed.nameStart(key, handle);
      slice.end = slice.start + this.#packed.nameLength(key, handle);
      slice.kind = this.#packed.nameKind(key, handle);
    } else {
      slice.bytes = entries.bytesOf(handle);
      slice.start = entries.keyStart(handle);
      slice.end = slice.start + entries.keyLength(handle);
      slice.kind = entries.keyKind(handle);
    }
    return slice;
  }

  /** The version of a field; a packed container has one for all its fields. */
  version(key: number, handle: number): number {
    return this.#memory.entries.versionOf(handle >= 0 && handle < FIRST_REF ? key : handle);
  }

  /**
   * Sets a field, and says in `created` whether it is new. Returns the key's entry, which may have moved.
   * @param deadlineMs In the future; NO_DEADLINE takes a field's TTL away, KEEP_DEADLINE leaves it.
   * @param replaces Whether a field that is there gets the value; without it nothing at all changes then.
   * @throws {HiveError} KEY_TOO_BIG, VALUE_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
   */
  set(
    key: number,
    name: Uint8Array,
    nameStart: number,
    nameLength: number,
    nameKind: number,
    value: Uint8Array,
    start: number,
    length: number,
    kind: number,
    deadlineMs: number = NO_DEADLINE,
    replaces: boolean = true,
  ): number {
    const { keyBytesMax, valueBytesMax } = this.#keyspace;
    if (nameLength > keyBytesMax) throw tooBig("KEY_TOO_BIG", "field", nameLength, "keyBytesMax", keyBytesMax);
    if (length > valueBytesMax) throw tooBig("VALUE_TOO_BIG", "value", length, "valueBytesMax", valueBytesMax);
    const { entries, funnel } = this.#memory;
    let root = entries.rootOf(key);
    const unpacks = root === 0;
    if (unpacks) {
      const handle = this.#packed.find(key, name, nameStart, nameLength, nameKind === KIND_VALUE ? 1 : 0);
      this.created = handle === 0;
      if (handle !== 0 && !replaces) return key;
      const old = handle === 0 ? 0 : this.#packed.bytesOf(key, handle);
      const bytes = RECORD_HEADER + nameLength + length;
      const fits =
        entries.valueLength(key) - old + bytes <= PACKED_BYTES_MAX &&
        (handle !== 0 || this.#packed.count(key) < PACKED_RECORDS_MAX) &&
        !(deadlineMs < NO_DEADLINE);
      if (fits) {
        return handle === 0
          ? this.#appendRecord(key, name, nameStart, nameLength, nameKind, value, start, length, kind)
          : this.#replaceRecord(key, handle, value, start, length, kind);
      }
      if (funnel.on) funnel.before("set", key);
      root = this.#spread(key);
    }
    try {
      this.#setEntry(
        key,
        root,
        name,
        nameStart,
        nameLength,
        nameKind,
        value,
        start,
        length,
        kind,
        deadlineMs,
        replaces,
      );
      // Last, since the key's entry moves: until then a full memory leaves the key as it was.
      return unpacks ? this.#keyspace.unpack(key, root) : key;
    } catch (error) {
      if (unpacks) this.#memory.containers.detach(root);
      throw error;
    }
  }

  #appendRecord(
    key: number,
    name: Uint8Array,
    nameStart: number,
    nameLength: number,
    nameKind: number,
    value: Uint8Array,
    start: number,
    length: number,
    kind: number,
  ): number {
    const { entries, funnel } = this.#memory;
    if (funnel.on) funnel.before("field-set", key, 0, name, nameStart, nameLength, nameKind);
    const end = entries.valueLength(key);
    const bytes = end + RECORD_HEADER + nameLength + length;
    const target = this.#keyspace.beginWrite(key, bytes);
    this.#packed.write(target, end, name, nameStart, nameLength, nameKind, value, start, length, kind);
    return this.#endRecords(key, target, 1, bytes);
  }

  /** Ends a write after which there is a record more or less. An entry that takes the key's place is counted with all it holds. */
  #endRecords(key: number, target: number, change: 1 | -1, bytes: number): number {
    const { entries, totals } = this.#memory;
    this.#packed.setCount(target, this.#packed.count(target) + change);
    if (target === key && entries.type(key) === TYPE_TABLE) totals.addFields(this.#memory.accountOf(key), change);
    return this.#keyspace.endWrite(key, target, bytes);
  }

  #replaceRecord(key: number, handle: number, value: Uint8Array, start: number, length: number, kind: number): number {
    const { entries, funnel } = this.#memory;
    if (funnel.on) this.#packed.tell(funnel, "field-set", key, handle);
    const bytes = entries.valueLength(key) + length - this.#packed.valueLength(key, handle);
    const target = this.#keyspace.beginWrite(key, bytes);
    this.#packed.replaceValue(key, target, handle, value, start, length, kind);
    return this.#keyspace.endWrite(key, target, bytes);
  }

  #setEntry(
    key: number,
    root: number,
    name: Uint8Array,
    nameStart: number,
    nameLength: number,
    nameKind: number,
    value: Uint8Array,
    start: number,
    length: number,
    kind: number,
    deadlineMs: number,
    replaces: boolean,
  ): void {
    const memory = this.#memory;
    const { entries, index, funnel, containers } = memory;
    const typed = nameKind === KIND_VALUE ? 1 : 0;
    const hash = memory.keys.hash(name, nameStart, nameLength, typed);
    const field = index.find(root, hash, nameLength, typed);
    if (field === 0) {
      if (funnel.on) funnel.before("field-set", key, 0, name, nameStart, nameLength, nameKind);
      const type = entries.type(key) === TYPE_TABLE ? TYPE_FIELD : TYPE_MEMBER;
      const scrub = entries.head(key) & FLAG_SCRUB;
      const head = type | scrub | (nameKind << KEY_KIND_SHIFT) | (kind << VALUE_KIND_SHIFT);
      const deadline = deadlineMs === deadlineMs ? deadlineMs : NO_DEADLINE;
      this.#placement.insert(root, hash, head, name, nameStart, nameLength, value, start, length, deadline);
      this.created = true;
      entries.stamp(key);
      return;
    }
    const live = !entries.hasTtl(field) || entries.deadline(field) > memory.nowMs;
    this.created = !live;
    if (live && !replaces) return;
    if (funnel.on) {
      funnel.before("field-set", key, field);
      index.bucketOf(root, hash); // a listener may have looked elsewhere
    }
    const head = entries.head(field);
    const before = entries.size(field);
    const after = entryBytes(KEY_OFFSET[0]!, nameLength, length);
    if (
      (head & FLAG_TTL) === 0 &&
      !(deadlineMs < NO_DEADLINE) &&
      (before === after || memory.pages.fits(field, after))
    ) {
      index.lock();
      entries.writeValue(field, kind, value, start, length);
      entries.stamp(field);
      index.unlock();
      if (before !== after) containers.account(root, containers.accountOf(root), after - before);
    } else {
      const deadline = deadlineMs === deadlineMs ? deadlineMs : live ? entries.deadline(field) : NO_DEADLINE;
      const ttl = deadline < NO_DEADLINE ? FLAG_TTL : 0;
      const next = entries.create((head & ~FLAG_TTL) | ttl, name, nameStart, nameLength, length);
      entries.writeValue(next, kind, value, start, length);
      this.#placement.exchange(root, hash, field, next, deadline);
    }
    entries.stamp(key);
  }

  /** Gives every record of a packed container an entry of its own. Returns their root, which is not the key's yet. */
  #spread(key: number): number {
    const { entries, containers, keys } = this.#memory;
    const root = containers.create();
    containers.setAccount(root, this.#memory.accountOf(key));
    const type = (entries.type(key) === TYPE_TABLE ? TYPE_FIELD : TYPE_MEMBER) | (entries.head(key) & FLAG_SCRUB);
    const packed = this.#packed;
    const bytes = entries.bytesOf(key);
    try {
      for (let handle = packed.first(key); handle !== 0; handle = packed.next(key, handle)) {
        const kind = packed.nameKind(key, handle);
        const start = packed.nameStart(key, handle);
        const length = packed.nameLength(key, handle);
        const head = type | (kind << KEY_KIND_SHIFT) | (packed.valueKind(key, handle) << VALUE_KIND_SHIFT);
        const hash = keys.hash(bytes, start, length, kind === KIND_VALUE ? 1 : 0);
        const value = packed.valueStart(key, handle);
        const valueLength = packed.valueLength(key, handle);
        this.#placement.insert(root, hash, head, bytes, start, length, bytes, value, valueLength, NO_DEADLINE);
      }
      return root;
    } catch (error) {
      containers.detach(root);
      throw error;
    }
  }

  /** Removes a field. Returns the key's entry, which may have moved; 0 when that was its last field. */
  delete(key: number, handle: number, why: "field-delete" | "field-expire" = "field-delete"): number {
    const { entries, funnel, index, containers } = this.#memory;
    const root = entries.rootOf(key);
    if (root === 0) {
      const count = this.#packed.count(key);
      if (funnel.on) this.#packed.tell(funnel, why, key, handle);
      if (count === 1) {
        this.#keyspace.remove(key);
        return 0;
      }
      const left = entries.valueLength(key) - this.#packed.bytesOf(key, handle);
      const target = this.#keyspace.beginWrite(key, left);
      this.#packed.cut(key, target, handle);
      return this.#endRecords(key, target, -1, left);
    }
    if (funnel.on) funnel.before(why, key, handle);
    this.#placement.remove(root, handle);
    if (index.count(root) === 0) {
      this.#keyspace.remove(containers.keyOf(root));
      return 0;
    }
    entries.stamp(key);
    return key;
  }

  /** The deadline of a field in epoch milliseconds; NO_DEADLINE without a TTL. */
  deadline(handle: number): number {
    return handle >= 0 && handle < FIRST_REF ? NO_DEADLINE : this.#memory.entries.deadline(handle);
  }

  /**
   * Gives a field a deadline, or takes it away. One that has passed removes the field. Returns the
   * key's entry; 0 when that was its last field.
   */
  setDeadline(key: number, handle: number, deadlineMs: number): number {
    const { entries, funnel, nowMs } = this.#memory;
    if (deadlineMs <= nowMs) return this.delete(key, handle);
    if (handle >= 0 && handle < FIRST_REF) {
      if (deadlineMs === NO_DEADLINE) return key;
      const n = this.name(key, handle, { bytes: NO_VALUE, start: 0, end: 0, kind: 0 });
      const v = this.value(key, handle, { bytes: NO_VALUE, start: 0, end: 0, kind: 0 });
      const name = n.bytes.subarray(n.start, n.end);
      const value = v.bytes.subarray(v.start, v.end);
      return this.set(key, name, 0, name.length, n.kind, value, 0, value.length, v.kind, deadlineMs);
    }
    if (funnel.on) funnel.before("field-ttl", key, handle);
    this.#placement.setDeadline(entries.rootOf(key), handle, deadlineMs);
    entries.stamp(key);
    return key;
  }

  /** Calls back for every field that has not run out. The container may not change meanwhile. */
  each(key: number, visit: (handle: number) => void): void {
    const root = this.#memory.entries.rootOf(key);
    if (root !== 0) return eachEntry(this.#memory, root, visit);
    for (let handle = this.#packed.first(key); handle !== 0; handle = this.#packed.next(key, handle)) visit(handle);
  }

  /**
   * Calls back for the fields of the buckets from `cursor` on, until `fieldsMin` were seen; a packed
   * container at once. Returns the next cursor; 0 at the end.
   */
  scan(key: number, cursor: number, fieldsMin: number, visit: (handle: number) => void): number {
    const root = this.#memory.entries.rootOf(key);
    if (root !== 0) return scanEntries(this.#memory, root, cursor, fieldsMin, visit);
    this.each(key, visit);
    return 0;
  }

  /** A field, each with the same chance; 0 when all have run out. `random` gives numbers in [0, 1). */
  random(key: number, random: () => number): number {
    const root = this.#memory.entries.rootOf(key);
    if (root !== 0) return this.#memory.index.random(root, random, this.#memory.isLive);
    return this.#packed.nth(key, Math.floor(random() * this.#packed.count(key)));
  }
}
