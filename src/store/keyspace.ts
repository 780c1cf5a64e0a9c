// Keyspace: keys and what they name. find, put, remove, rename, deadlines.
//
//   find(name) ──▶ hash ──▶ index ──▶ entry, unless its deadline has passed: then it is removed here
//
// A key's entry is named by its ref, which is good until the next change of that key: whatever may
// move the entry returns the new ref. Every change tells the funnel first, takes its memory before it
// writes, and gives the entry the next version. Strings live in the entry; a table or a set is packed
// in it or has a root (collections.ts).

import { HiveError } from "../base/errors.ts";
import { entryBytes } from "./entries.ts";
import type { ChangeKind } from "./funnel.ts";
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
  VALUE_KIND_SHIFT,
} from "./layout.ts";
import type { Memory } from "./memory.ts";
import { NO_DEADLINE, type Placement } from "./placement.ts";

export { KEEP_DEADLINE, NO_DEADLINE } from "./placement.ts";

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

  readonly #placement: Placement;

  constructor(memory: Memory, placement: Placement) {
    this.memory = memory;
    this.#placement = placement;
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
    if (memory.funnel.on) memory.funnel.before("set", ref);
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
    if ((head & FLAG_OWNED) !== 0) entries.setOwner(next, entries.ownerOf(ref), entries.sessionOf(ref));
    entries.writeValue(next, kind, value, start, length);
    this.#placement.exchange(KEYSPACE_ROOT, hash, ref, next, deadline);
    return next;
  }

  /**
   * Writes `length` bytes into the string that find() has just found, from its byte `at` on, and makes it
   * `size` bytes long; zeros fill a gap. Its deadline stays. Returns its entry.
   * @throws {HiveError} VALUE_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
   */
  write(ref: number, at: number, value: Uint8Array, start: number, length: number, size: number, kind: number): number {
    const { entries, index, pages, funnel, containers } = this.memory;
    if (size > this.valueBytesMax) throw tooBig("VALUE_TOO_BIG", "value", size, "valueBytesMax", this.valueBytesMax);
    if (funnel.on) {
      funnel.before("set", ref);
      index.bucketOf(KEYSPACE_ROOT, this.memory.hashOf(ref)); // a listener may have looked elsewhere
    }
    const head = entries.head(ref);
    const gap = Math.min(at, entries.valueLength(ref));
    const before = entries.size(ref);
    const after = entryBytes(KEY_OFFSET[(head >>> 8) & 7]!, head >>> KEY_LENGTH_SHIFT, size);
    if (before !== after && !pages.fits(ref, after) && (after > before || pages.hasRoom(after))) {
      return this.#placement.rebuild(KEYSPACE_ROOT, ref, head, size, entries.deadline(ref), (next) =>
        entries.patchValue(next, kind, gap, at, value, start, length, size),
      );
    }
    index.lock();
    entries.patchValue(ref, kind, gap, at, value, start, length, size);
    entries.stamp(ref);
    index.unlock();
    if (before !== after) containers.account(KEYSPACE_ROOT, entries.ownerOf(ref), after - before);
    return ref;
  }

  /**
   * Creates a key that must not be there, with an empty value of `valueBytes` bytes for the caller to
   * fill in at once.
   * @param type TYPE_STRING, TYPE_TABLE, … @throws {HiveError} KEY_TOO_BIG, OUT_OF_MEMORY
   */
  create(type: number, name: Uint8Array, start: number, length: number, kind: number, valueBytes: number): number {
    const hash = this.memory.keys.hash(name, start, length, kind === KIND_VALUE ? 1 : 0);
    const head = type | (kind << KEY_KIND_SHIFT);
    this.#announce(name, start, length, kind);
    return this.#placement.insert(
      KEYSPACE_ROOT,
      hash,
      head,
      name,
      start,
      length,
      undefined,
      0,
      valueBytes,
      NO_DEADLINE,
    );
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
    const root = entries.rootOf(ref);
    if (root !== 0) containers.detach(root);
    this.#placement.remove(KEYSPACE_ROOT, ref);
    entries.version++;
  }

  /**
   * Gives a key a deadline, or takes it away (NO_DEADLINE). A deadline that has passed removes the
   * key. Returns its entry; 0 when it was removed.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  setDeadline(ref: number, deadlineMs: number): number {
    if (deadlineMs <= this.memory.nowMs) {
      this.remove(ref);
      return 0;
    }
    if (this.memory.funnel.on) this.memory.funnel.before("ttl", ref);
    return this.#placement.setDeadline(KEYSPACE_ROOT, ref, deadlineMs);
  }

  /**
   * Makes room for a value of `length` bytes, keeping its beginning, and stamps the entry. The new
   * bytes behind the old end are undefined. Returns the entry, which may have moved; call it between
   * beginWrite() and endWrite() when the caller goes on writing.
   * @throws {HiveError} VALUE_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
   */
  resize(ref: number, length: number): number {
    const memory = this.memory;
    const { entries, index, containers } = memory;
    if (length > this.valueBytesMax)
      throw tooBig("VALUE_TOO_BIG", "value", length, "valueBytesMax", this.valueBytesMax);
    const before = entries.size(ref);
    const head = entries.head(ref);
    const after = entryBytes(KEY_OFFSET[(head >>> 8) & 7]!, head >>> KEY_LENGTH_SHIFT, length);
    if (before !== after && !memory.pages.fits(ref, after)) {
      try {
        return this.#placement.rebuild(KEYSPACE_ROOT, ref, head, length, entries.deadline(ref));
      } catch (error) {
        // A shorter value can stay where it is: what makes a value smaller never fails.
        if (after > before) throw error;
      }
    }
    index.bucketOf(KEYSPACE_ROOT, memory.hashOf(ref));
    index.lock();
    entries.setValueLength(ref, length);
    entries.stamp(ref);
    index.unlock();
    if (before !== after) containers.account(KEYSPACE_ROOT, entries.ownerOf(ref), after - before);
    return ref;
  }

  /** A packed container's key gets a root instead of its value. Returns its new entry. */
  unpack(ref: number, root: number): number {
    const { entries, containers } = this.memory;
    const next = entries.create(
      entries.head(ref) | FLAG_ROOT,
      entries.bytesOf(ref),
      entries.keyStart(ref),
      entries.keyLength(ref),
      0,
    );
    if ((entries.head(ref) & FLAG_OWNED) !== 0) entries.setOwner(next, entries.ownerOf(ref), entries.sessionOf(ref));
    entries.setRoot(next, root, containers.idOf(root));
    containers.setKey(root, next);
    this.#placement.exchange(KEYSPACE_ROOT, this.memory.hashOf(ref), ref, next, entries.deadline(ref));
    return next;
  }

  /** Tells the funnel that the value of `ref` changes, and marks its bucket as being written. */
  beginWrite(ref: number, kind: ChangeKind = "set"): void {
    const { index, funnel } = this.memory;
    if (funnel.on) funnel.before(kind, ref);
    index.bucketOf(KEYSPACE_ROOT, this.memory.hashOf(ref));
    index.lock();
  }

  endWrite(ref: number): void {
    this.memory.entries.stamp(ref);
    this.memory.index.unlock();
  }

  /**
   * Gives the value of key `from` a new name, with its deadline and owner and a new version; a key
   * that has that name goes. Returns the new entry.
   * @throws {HiveError} KEY_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
   */
  rename(from: number, name: Uint8Array, start: number, length: number, kind: number): number {
    const memory = this.memory;
    const { entries, index, containers, funnel } = memory;
    if (length > this.keyBytesMax) throw tooBig("KEY_TOO_BIG", "key", length, "keyBytesMax", this.keyBytesMax);
    const typed = kind === KIND_VALUE ? 1 : 0;
    const old = this.find(name, start, length, kind);
    if (old === from) return from;
    const head = (entries.head(from) & ~(3 << KEY_KIND_SHIFT)) | (kind << KEY_KIND_SHIFT);
    const next = entries.create(head, name, start, length, entries.valueLength(from));
    const valueStart = entries.valueStart(from);
    entries
      .bytesOf(from)
      .copy(entries.bytesOf(next), entries.valueStart(next), valueStart, valueStart + entries.valueLength(from));
    if ((head & FLAG_OWNED) !== 0) entries.setOwner(next, entries.ownerOf(from), entries.sessionOf(from));
    const root = entries.rootOf(from);
    if (root !== 0) entries.setRoot(next, root, containers.idOf(root));
    const hash = memory.keys.hash(name, start, length, typed);
    // The slot is taken before anything is given up, so that a full memory leaves all as it was.
    if (old === 0) {
      if (funnel.on) funnel.before("set", 0, 0, name, start, length, kind);
      try {
        index.insert(KEYSPACE_ROOT, hash, next);
      } catch (error) {
        entries.free(next);
        throw error;
      }
    } else {
      if (funnel.on) funnel.before("delete", old);
      index.replace(KEYSPACE_ROOT, hash, old, next);
      const oldRoot = entries.rootOf(old);
      if (oldRoot !== 0) containers.detach(oldRoot);
      this.#placement.free(KEYSPACE_ROOT, old);
    }
    if (funnel.on) funnel.before("delete", from);
    const deadline = entries.deadline(from);
    if (root !== 0) containers.setKey(root, next);
    if (typed === 1) containers.countTyped(KEYSPACE_ROOT, 1);
    this.#placement.remove(KEYSPACE_ROOT, from);
    if (deadline < NO_DEADLINE) this.#placement.startTtl(KEYSPACE_ROOT, next, deadline);
    containers.account(KEYSPACE_ROOT, entries.ownerOf(next), entries.size(next));
    return next;
  }

  /** Empties the keyspace. */
  clear(): void {
    const { funnel, containers } = this.memory;
    if (this.count === 0) return;
    if (funnel.on) funnel.before("flush", 0);
    containers.detachKeyspace();
  }
}

export function tooBig(
  code: "KEY_TOO_BIG" | "VALUE_TOO_BIG",
  what: string,
  bytes: number,
  limit: string,
  max: number,
): HiveError {
  return new HiveError(code, `${what} of ${bytes} bytes exceeds ${limit} (${max} bytes)`);
}
