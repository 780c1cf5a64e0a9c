// Keyspace: keys and what they name. find, put, remove, rename, deadlines.
//
//   find(name) ──▶ hash ──▶ index ──▶ entry, unless its deadline has passed: then it is removed here
//
// A key's entry is named by its ref, good until the next change of that key: whatever may move the entry returns
// the new ref. Every change tells the funnel first, takes its memory before it writes, and gives the entry the next
// version. Strings live in the entry; a table or a set is packed in it or has a root (collections.ts).

import { tooBig } from "../base/errors.ts";
import { entryBytes } from "./entries.ts";
import { EVENT_MISS } from "./key-events.ts";
import {
  FLAG_OWNED,
  FLAG_ROOT,
  FLAG_SCRUB,
  FLAG_TTL,
  KEY_KIND_SHIFT,
  KEY_LENGTH_MAX,
  KEY_LENGTH_SHIFT,
  KEY_OFFSET,
  KEYSPACE_ROOT,
  KIND_VALUE,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  TYPE_MASK,
  TYPE_STRING,
  TYPE_STRUCTURE,
  VALUE_KIND_SHIFT,
} from "./layout.ts";
import type { Memory } from "./memory.ts";
import { Parts } from "./parts.ts";
import { NO_DEADLINE, type OwnedBy, type Placement } from "./placement.ts";
import { LARGEST_CLASS } from "./size-classes.ts";

export { KEEP_DEADLINE, NO_DEADLINE } from "./placement.ts";

/** Pages that a root, its directory and its first buckets take at most. */
const ROOT_PAGES_MAX = 24;

export class Keyspace {
  readonly memory: Memory;
  /** Keys removed because their deadline had passed, and because memory was short. */
  expired = 0;
  evicted = 0;
  hits = 0;
  misses = 0;
  /** False while reads are not to count as access. */
  touching = true;
  valueBytesMax: number = 64 * 1024 * 1024;
  keyBytesMax: number = KEY_LENGTH_MAX;

  /** While the funnel tells of a key that is set: whether that is a new value of one that is there (rename()). */
  overwriting = false;
  /** Keys that belong to others: what removes or renames a key does it to its parts. */
  readonly parts: Parts;
  readonly #placement: Placement;

  constructor(memory: Memory, placement: Placement) {
    this.memory = memory;
    this.#placement = placement;
    this.parts = new Parts(memory, this);
  }

  /** The owner that keys get which are created from now on; 0 for none. */
  set creator(owner: number) {
    this.#placement.creator = owner;
  }

  get count(): number {
    return this.memory.index.count(KEYSPACE_ROOT);
  }

  /** The entry of a key that is there and has not run out; 0 when there is none. */
  find(name: Uint8Array, start: number, length: number, kind: number = 0): number {
    const memory = this.memory;
    const typed = kind === KIND_VALUE ? 1 : 0;
    const ref = memory.index.find(KEYSPACE_ROOT, memory.keys.hash(name, start, length, typed), length, typed);
    if (ref === 0) return 0;
    const words = memory.entries.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    if ((words[at]! & FLAG_TTL) !== 0 && memory.entries.deadline(ref) <= memory.nowMs) {
      this.remove(ref, "expire");
      return 0;
    }
    return ref;
  }

  /** Whether `ref` is a key's entry of this keyspace, not of one that was emptied. */
  holds(ref: number): boolean {
    const { entries, index } = this.memory;
    const hash = this.memory.hashOf(ref);
    return index.find(KEYSPACE_ROOT, hash, entries.keyLength(ref), entries.keyKind(ref) === KIND_VALUE ? 1 : 0) === ref;
  }

  /** The same as find() for a read: counts as access and as a hit or a miss. */
  read(name: Uint8Array, start: number, length: number, kind: number = 0): number {
    const ref = this.find(name, start, length, kind);
    if (ref === 0) {
      this.misses++;
      const { events } = this.memory;
      if ((events.classes & EVENT_MISS) !== 0) events.tell(EVENT_MISS, "keymiss", name, start, length);
      return 0;
    }
    this.hits++;
    if (this.touching) this.memory.entries.touch(ref);
    return ref;
  }

  /**
   * Sets a key to a string, whatever it was before. Returns its entry.
   * @param deadlineMs Epoch milliseconds, NO_DEADLINE, or KEEP_DEADLINE for the one that is there.
   * @throws {HiveError} KEY_TOO_BIG, VALUE_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
   */
  put(
    name: Uint8Array,
    nameStart: number,
    nameLength: number,
    nameKind: number,
    value: Uint8Array,
    start: number,
    length: number,
    kind: number,
    deadlineMs: number,
  ): number {
    const memory = this.memory;
    const entries = memory.entries;
    const typed = nameKind === KIND_VALUE ? 1 : 0;
    const hash = memory.keys.hash(name, nameStart, nameLength, typed);
    const ref = memory.index.find(KEYSPACE_ROOT, hash, nameLength, typed);
    if (length > this.valueBytesMax)
      throw tooBig("VALUE_TOO_BIG", "value", length, "valueBytesMax", this.valueBytesMax);
    if (ref === 0) {
      const deadline = deadlineMs === deadlineMs ? deadlineMs : NO_DEADLINE;
      const head = TYPE_STRING | (nameKind << KEY_KIND_SHIFT) | (kind << VALUE_KIND_SHIFT);
      this.#announce(name, nameStart, nameLength, nameKind);
      return this.#placement.insert(
        KEYSPACE_ROOT,
        hash,
        head,
        name,
        nameStart,
        nameLength,
        value,
        start,
        length,
        deadline,
      );
    }
    if (memory.funnel.on) {
      memory.funnel.before("set", ref);
      memory.index.bucketOf(KEYSPACE_ROOT, hash); // a listener may have looked elsewhere
    }
    const words = entries.words[ref >>> SEGMENT_SHIFT]!;
    const head = words[(ref & SEGMENT_MASK) << 1]!;
    const flags = head & (FLAG_TTL | FLAG_OWNED | FLAG_ROOT);
    // The common case: a string without TTL, before and after, whose block fits the new value too.
    if (flags === 0 && (head & TYPE_MASK) === TYPE_STRING && !(deadlineMs < NO_DEADLINE)) {
      const before = entries.size(ref);
      const after = entryBytes(KEY_OFFSET[0]!, nameLength, length);
      if (before === after || memory.pages.fits(ref, after)) {
        memory.index.lock();
        entries.writeValue(ref, kind, value, start, length);
        entries.stamp(ref);
        memory.index.unlock();
        if (before !== after) memory.containers.account(KEYSPACE_ROOT, 0, after - before);
        return ref;
      }
    }
    const parts = this.parts.of(ref);
    const live = (head & FLAG_TTL) === 0 || entries.deadline(ref) > memory.nowMs;
    const deadline = deadlineMs === deadlineMs ? deadlineMs : live ? entries.deadline(ref) : NO_DEADLINE;
    const ttl = deadline < NO_DEADLINE ? FLAG_TTL : 0;
    const next = entries.create(
      TYPE_STRING |
        (entries.keyKind(ref) << KEY_KIND_SHIFT) |
        (kind << VALUE_KIND_SHIFT) |
        ttl |
        (head & (FLAG_OWNED | FLAG_SCRUB)),
      name,
      nameStart,
      nameLength,
      length,
    );
    if ((head & FLAG_OWNED) !== 0) entries.setOwner(next, entries.ownerOf(ref), entries.ownedWord(ref));
    entries.writeValue(next, kind, value, start, length);
    this.#placement.exchange(KEYSPACE_ROOT, hash, ref, next, deadline);
    this.parts.remove(parts, "delete");
    return next;
  }

  /**
   * Writes `length` bytes into the string that find() has just found, from its byte `at` on, and makes it
   * `size` bytes long; zeros fill a gap. Its deadline stays. Returns its entry.
   * @param isChange False: a structure's key gets the bytes of what it holds already, and nobody is told.
   * @throws {HiveError} VALUE_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
   */
  write(
    ref: number,
    at: number,
    value: Uint8Array,
    start: number,
    length: number,
    size: number,
    kind: number,
    isChange: boolean = true,
  ): number {
    const { entries, index, pages, funnel, containers } = this.memory;
    if (size > this.valueBytesMax) throw tooBig("VALUE_TOO_BIG", "value", size, "valueBytesMax", this.valueBytesMax);
    if (funnel.on || !isChange) {
      if (isChange) funnel.before("set", ref);
      index.bucketOf(KEYSPACE_ROOT, this.memory.hashOf(ref)); // a listener may have looked elsewhere
    }
    const head = entries.head(ref);
    const gap = Math.min(at, entries.valueLength(ref));
    const before = entries.size(ref);
    const after = entryBytes(KEY_OFFSET[(head >>> 8) & 7]!, head >>> KEY_LENGTH_SHIFT, size);
    if (before !== after && !pages.fits(ref, after) && (after > before || pages.hasRoom(after))) {
      // The steps between size classes, which end there, are as wide.
      const spare = after > before && after > LARGEST_CLASS && pages.hasRoom(after + (after >> 3)) ? after >> 3 : 0;
      const next = this.#placement.copy(ref, head, size, spare);
      entries.patchValue(next, kind, gap, at, value, start, length, size);
      this.#placement.exchange(KEYSPACE_ROOT, this.memory.hashOf(ref), ref, next, entries.deadline(ref));
      return next;
    }
    index.lock();
    entries.patchValue(ref, kind, gap, at, value, start, length, size);
    entries.stamp(ref);
    index.unlock();
    if (before !== after) containers.account(KEYSPACE_ROOT, this.memory.accountOf(ref), after - before);
    return ref;
  }

  /** Creates a key that must not be there. @throws {HiveError} KEY_TOO_BIG, OUT_OF_MEMORY */
  create(type: number, name: Uint8Array, start: number, length: number, kind: number, value: Uint8Array): number {
    const hash = this.memory.keys.hash(name, start, length, kind === KIND_VALUE ? 1 : 0);
    const head = type | (kind << KEY_KIND_SHIFT);
    const bytes = value.length;
    this.#announce(name, start, length, kind);
    return this.#placement.insert(KEYSPACE_ROOT, hash, head, name, start, length, value, 0, bytes, NO_DEADLINE);
  }

  /** Checks a new key's name and tells the funnel of it. */
  #announce(name: Uint8Array, start: number, length: number, kind: number): void {
    if (length > this.keyBytesMax) throw tooBig("KEY_TOO_BIG", "key", length, "keyBytesMax", this.keyBytesMax);
    if (this.memory.funnel.on) this.memory.funnel.before("set", 0, 0, name, start, length, kind);
  }

  /** Removes a key with all that it holds; a container is freed in slices later. */
  remove(ref: number, why: "delete" | "expire" | "evict" = "delete"): void {
    const { entries, containers, funnel } = this.memory;
    if (funnel.on) funnel.before(why, ref);
    if (why === "expire") this.expired++;
    else if (why === "evict") this.evicted++;
    const parts = this.parts.of(ref);
    const root = entries.rootOf(ref);
    if (root !== 0) containers.detach(root);
    this.#placement.remove(KEYSPACE_ROOT, ref);
    entries.version++;
    this.parts.remove(parts, why);
  }

  /**
   * Gives a key a deadline, or takes it away (NO_DEADLINE); one that has passed removes it. Returns its entry, or 0.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  setDeadline(given: number, deadlineMs: number): number {
    if (deadlineMs <= this.memory.nowMs) {
      this.remove(given);
      return 0;
    }
    const { funnel, live, entries } = this.memory;
    const isLive = live !== undefined && entries.type(given) === TYPE_STRUCTURE;
    const ref = isLive ? live.settle(given, true) : given;
    if (funnel.on) funnel.before("ttl", ref);
    const before = isLive ? entries.versionOf(ref) : 0;
    const next = this.#placement.setDeadline(KEYSPACE_ROOT, ref, deadlineMs);
    if (isLive) live.restamped(next, before);
    return next;
  }

  /**
   * Gives a key, and all that it holds, an owner, 1 to 2^31 - 1, and what goes with it; the owner 0 takes all of that
   * away. Returns its entry, which may have moved.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  setOwner(given: number, owner: number, by?: OwnedBy): number {
    const ref = this.memory.settled(given);
    if (this.memory.funnel.on) this.memory.funnel.before("ttl", ref);
    return this.#placement.setOwner(ref, owner, by);
  }

  /** Makes a key, which is new, a secret for good: its bytes and its fields' are overwritten wherever they are given up. */
  setScrub(ref: number): void {
    if (this.memory.funnel.on) this.memory.funnel.before("ttl", ref);
    this.#placement.setScrub(ref);
  }

  /**
   * Where a value of `length` bytes for `ref` is to be written: the entry itself, its bucket marked as being written, or
   * a copy that the index does not know yet. It begins with the old value; bytes behind that are undefined. The funnel
   * was told by the caller, who writes and calls endWrite() at once.
   * @throws {HiveError} VALUE_TOO_BIG, OUT_OF_MEMORY: nothing was changed. A value that gets shorter never fails.
   */
  beginWrite(ref: number, length: number): number {
    const { entries, index, pages } = this.memory;
    if (length > this.valueBytesMax)
      throw tooBig("VALUE_TOO_BIG", "value", length, "valueBytesMax", this.valueBytesMax);
    const before = entries.size(ref);
    const head = entries.head(ref);
    const after = entryBytes(KEY_OFFSET[(head >>> 8) & 7]!, head >>> KEY_LENGTH_SHIFT, length);
    if (before !== after && !pages.fits(ref, after)) {
      try {
        return this.#placement.copy(ref, head, length);
      } catch (error) {
        if (after > before) throw error;
      }
    }
    index.bucketOf(KEYSPACE_ROOT, this.memory.hashOf(ref));
    index.lock();
    return ref;
  }

  /** Ends what beginWrite(ref, length) has begun, which gave `target`. Returns the key's entry from now on. */
  endWrite(ref: number, target: number, length: number): number {
    const { entries, index, containers } = this.memory;
    if (target !== ref) {
      this.#placement.exchange(KEYSPACE_ROOT, this.memory.hashOf(ref), ref, target, entries.deadline(ref));
      return target;
    }
    const before = entries.size(ref);
    entries.setValueLength(ref, length);
    entries.stamp(ref);
    index.unlock();
    const after = entries.size(ref);
    if (before !== after) containers.account(KEYSPACE_ROOT, this.memory.accountOf(ref), after - before);
    return ref;
  }

  /** A packed container's key gets a root instead of its value. Returns its new entry. */
  unpack(ref: number, root: number): number {
    const { entries, containers } = this.memory;
    const next = this.#placement.copy(ref, entries.head(ref) | FLAG_ROOT, 0);
    entries.setRoot(next, root, containers.idOf(root));
    containers.setKey(root, next);
    this.#placement.exchange(KEYSPACE_ROOT, this.memory.hashOf(ref), ref, next, entries.deadline(ref));
    return next;
  }

  /**
   * Gives the value of a key a new name, with its deadline, owner and access clock and a new version;
   * a key that has that name goes. Returns the new entry.
   * @param overwrites It is a new value of a key that is there, not a key that comes: who waits for it waits on.
   * @throws {HiveError} KEY_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
   */
  rename(
    given: number,
    name: Uint8Array,
    start: number,
    length: number,
    kind: number,
    overwrites: boolean = false,
  ): number {
    const { funnel, events } = this.memory;
    const from = this.memory.settled(given);
    if (length > this.keyBytesMax) throw tooBig("KEY_TOO_BIG", "key", length, "keyBytesMax", this.keyBytesMax);
    const old = this.find(name, start, length, kind);
    if (old === from) return from;
    const [parts, gone] = [this.parts.of(from), this.parts.of(old)];
    this.parts.checkRename(parts, length);
    if (funnel.on) {
      funnel.before("rename", from, 0, name, start, length, kind);
      if (old !== 0) funnel.before("delete", old);
      // A name that there was is not new: a row that sees it otherwise says so itself.
      const { quiet } = events;
      events.quiet = quiet || old !== 0;
      this.overwriting = overwrites && old !== 0;
      funnel.before("set", 0, 0, name, start, length, kind);
      events.quiet = quiet;
      this.overwriting = false;
    }
    const next = this.#placement.rename(from, old, name, start, length, kind);
    this.parts.remove(gone, "delete");
    if (parts.names.length > 0) this.parts.rename(parts, name.subarray(start, start + length), kind);
    return next;
  }

  /** Empties the keyspace. A full hive too: the new root may go a few pages beyond the limit. */
  clear(): void {
    const { funnel, containers, pages } = this.memory;
    if (this.count === 0) return;
    if (funnel.on) funnel.before("flush", 0);
    const { overdraft } = pages;
    pages.overdraft = overdraft + ROOT_PAGES_MAX;
    try {
      containers.detachKeyspace();
    } finally {
      pages.overdraft = overdraft;
    }
  }
}
