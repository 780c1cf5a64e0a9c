// Placement: entries into, within and out of a container, the keyspace included.
//
//   place ──▶ its TTL words ──▶ index slot ──▶ wheel ──▶ accounting          remove: the same way back
//
// What keyspace and collections share: each step takes its memory first, so that a full memory leaves
// all as it was, and an entry is whole before the index refers to it (layout.ts: Shared readers). The
// funnel is told by the callers, who know what the change means.

import { enter, leave } from "./header.ts";
import {
  FLAG_OWNED,
  FLAG_ROOT,
  FLAG_TTL,
  KEY_KIND_SHIFT,
  KEYSPACE_ROOT,
  KIND_VALUE,
  PAGE_BYTES,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  TTL_CONTAINER,
  TTL_SLOT,
  VALUE_KIND_MASK,
  VALUE_KIND_SHIFT,
} from "./layout.ts";
import type { Memory } from "./memory.ts";
import { packedFields } from "./packed.ts";

/** For deadlines: none. */
export const NO_DEADLINE: number = Number.POSITIVE_INFINITY;
/** For deadlines: leave the one that is there. */
export const KEEP_DEADLINE: number = Number.NaN;

/** Pages above the limit that copies may always take which replace their originals. */
const OVERDRAFT_PAGES = 64;

/** Beside the owner: who else a key counts for, 1 to 2^31 - 1, and whether it came by a session. */
export type OwnedBy = { payer?: number; isOfSession?: boolean };

export class Placement {
  readonly #memory: Memory;
  /** The owner that new keys get; 0 for none. */
  creator = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /**
   * A new entry under `hash` with the value in `value`.
   * @param head Type, kinds and flags but the TTL's, which follows from the deadline.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  insert(
    root: number,
    hash: number,
    head: number,
    name: Uint8Array,
    nameStart: number,
    nameLength: number,
    value: Uint8Array,
    start: number,
    length: number,
    deadlineMs: number,
  ): number {
    const { entries } = this.#memory;
    const ttl = deadlineMs < NO_DEADLINE ? FLAG_TTL : 0;
    const owned = this.creator !== 0 && root === KEYSPACE_ROOT ? FLAG_OWNED : 0;
    const ref = entries.create(head | ttl | owned, name, nameStart, nameLength, length);
    if (owned !== 0) entries.setOwner(ref, this.creator, 0);
    entries.writeValue(ref, (head & VALUE_KIND_MASK) >> VALUE_KIND_SHIFT, value, start, length);
    this.place(root, hash, ref, deadlineMs);
    return ref;
  }

  /**
   * Puts an entry that is whole but for its TTL words under `hash`, which no other has.
   * @throws {HiveError} OUT_OF_MEMORY: the entry was freed.
   */
  place(root: number, hash: number, ref: number, deadlineMs: number): void {
    const { entries, index, containers, tree } = this.#memory;
    const ttl = deadlineMs < NO_DEADLINE;
    if (ttl) this.#writeTtl(root, ref, deadlineMs);
    const sorted = root !== KEYSPACE_ROOT && containers.isSorted(root);
    try {
      if (sorted) tree.insert(root, ref, entries.score(ref));
    } catch (error) {
      entries.free(ref);
      throw error;
    }
    try {
      index.insert(root, hash, ref);
    } catch (error) {
      if (sorted) tree.remove(root, ref, entries.score(ref));
      entries.free(ref);
      throw error;
    }
    if (ttl) this.#link(root, ref);
    if (entries.keyKind(ref) === KIND_VALUE) containers.countTyped(root, 1);
    this.#account(root, ref, 1);
  }

  /**
   * Puts the entry `next`, of the same key, in the place of `ref`, and frees what `ref` held. Not for those
   * of a sorted set, which have no TTL and are written in place.
   */
  exchange(root: number, hash: number, ref: number, next: number, deadlineMs: number): void {
    const { entries, index, containers } = this.#memory;
    const ttl = deadlineMs < NO_DEADLINE;
    if (ttl) this.#writeTtl(root, next, deadlineMs);
    if (entries.frequency) entries.setAccess(next, entries.frequency(entries.accessOf(ref)));
    index.replace(root, hash, ref, next);
    const inner = entries.rootOf(ref);
    if (inner !== 0) {
      if (entries.rootOf(next) === inner) containers.setKey(inner, next);
      else containers.detach(inner);
    }
    this.free(root, ref);
    if (ttl) this.#link(root, next);
    if (entries.keyKind(next) === KIND_VALUE) containers.countTyped(root, 1);
    this.#account(root, next, 1);
  }

  /**
   * A copy of an entry, with other flags or room for another value, that the index does not know yet:
   * for the caller to fill in and to exchange.
   * @param spareBytes Room behind the value, for it to grow in place later.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  copy(ref: number, head: number, length: number, spareBytes: number = 0): number {
    const { entries } = this.#memory;
    const name = entries.bytesOf(ref);
    return this.#copyAs(ref, head, name, entries.keyStart(ref), entries.keyLength(ref), length, spareBytes);
  }

  #copyAs(
    ref: number,
    head: number,
    name: Uint8Array,
    nameStart: number,
    nameLength: number,
    length: number,
    spareBytes: number,
  ): number {
    const { entries, containers } = this.#memory;
    const next = entries.create(head, name, nameStart, nameLength, length, spareBytes);
    const from = entries.valueStart(ref);
    const kept = Math.min(length, entries.valueLength(ref));
    entries.bytesOf(ref).copy(entries.bytesOf(next), entries.valueStart(next), from, from + kept);
    if ((head & FLAG_OWNED) !== 0) entries.setOwner(next, entries.ownerOf(ref), entries.ownedWord(ref));
    const inner = entries.rootOf(ref);
    if ((head & FLAG_ROOT) !== 0 && inner !== 0) entries.setRoot(next, inner, containers.idOf(inner));
    return next;
  }

  /**
   * Gives an entry of a sorted set another score, which is not equal to the one that it has.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  setScore(root: number, ref: number, score: number): void {
    const { entries, index, tree } = this.#memory;
    const before = entries.score(ref);
    // For a moment it is there twice: only coming needs memory.
    tree.insert(root, ref, score);
    tree.remove(root, ref, before);
    index.bucketOf(root, this.#memory.hashOf(ref));
    index.lock();
    entries.setScore(ref, score);
    entries.stamp(ref);
    index.unlock();
  }

  /** Gives an entry another deadline, or none. Returns the entry, which may have moved. */
  setDeadline(root: number, ref: number, deadlineMs: number): number {
    const memory = this.#memory;
    const { entries, index, wheel, pages } = memory;
    const has = entries.hasTtl(ref);
    const wants = deadlineMs < NO_DEADLINE;
    if (!has && !wants) return ref;
    if (has !== wants) {
      const overdraft = this.#overdraw(ref);
      try {
        const next = this.copy(ref, entries.head(ref) ^ FLAG_TTL, entries.valueLength(ref));
        this.exchange(root, memory.hashOf(ref), ref, next, deadlineMs);
        return next;
      } finally {
        pages.overdraft = overdraft;
      }
    }
    index.bucketOf(root, memory.hashOf(ref));
    index.lock();
    wheel.unlink(ref);
    entries.setDeadline(ref, deadlineMs);
    wheel.link(ref);
    entries.stamp(ref);
    index.unlock();
    return ref;
  }

  /** Gives a key, and what it holds, an owner; 0 takes it away. Returns the entry, which may have moved. */
  setOwner(ref: number, owner: number, { payer = 0, isOfSession = false }: OwnedBy = {}): number {
    const memory = this.#memory;
    const { entries, index, containers, pages } = memory;
    const inner = entries.rootOf(ref);
    const word = (payer << 1) | (isOfSession ? 1 : 0);
    let target = ref;
    if ((entries.ownerOf(ref) !== 0) !== (owner !== 0)) {
      const overdraft = this.#overdraw(ref);
      try {
        target = this.copy(ref, entries.head(ref) ^ FLAG_OWNED, entries.valueLength(ref));
        if (owner !== 0) entries.setOwner(target, owner, word);
        this.exchange(KEYSPACE_ROOT, memory.hashOf(ref), ref, target, entries.deadline(ref));
      } finally {
        pages.overdraft = overdraft;
      }
    } else if (owner !== 0) {
      this.#account(KEYSPACE_ROOT, ref, -1);
      index.bucketOf(KEYSPACE_ROOT, memory.hashOf(ref));
      index.lock();
      entries.setOwner(ref, owner, word);
      entries.stamp(ref);
      index.unlock();
      this.#account(KEYSPACE_ROOT, ref, 1);
    }
    if (inner !== 0) containers.setAccount(inner, memory.accountOf(target));
    return target;
  }

  /** From here on the bytes of a key, and of every field it has, are overwritten wherever they are given up. */
  setScrub(ref: number): void {
    const { entries, index } = this.#memory;
    index.bucketOf(KEYSPACE_ROOT, this.#memory.hashOf(ref));
    index.lock();
    entries.setScrub(ref);
    entries.stamp(ref);
    index.unlock();
    const inner = entries.rootOf(ref);
    const buckets = inner === 0 ? 0 : index.buckets(inner);
    for (let bucket = 0; bucket < buckets; bucket++) {
      index.moveTo(inner, bucket);
      index.lock();
      for (let i = index.readChain() - 1; i >= 0; i--) entries.setScrub(index.chainRef(i));
      index.unlock();
    }
  }

  /**
   * Gives what the key `from` holds another name, in the place of the key `old` where that is not 0.
   * Returns the new entry. @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  rename(from: number, old: number, name: Uint8Array, start: number, length: number, kind: number): number {
    const { entries, containers, keys, pages, segments } = this.#memory;
    const head = (entries.head(from) & ~(3 << KEY_KIND_SHIFT)) | (kind << KEY_KIND_SHIFT);
    const overdraft = this.#overdraw(from);
    const header = segments.words[0]!;
    // Between the two changes of the index the value has both names.
    enter(header);
    try {
      const next = this.#copyAs(from, head, name, start, length, entries.valueLength(from), 0);
      const hash = keys.hash(name, start, length, kind === KIND_VALUE ? 1 : 0);
      // The slot is taken before anything is given up, so that a full memory leaves all as it was.
      if (old === 0) this.place(KEYSPACE_ROOT, hash, next, entries.deadline(from));
      else this.exchange(KEYSPACE_ROOT, hash, old, next, entries.deadline(from));
      entries.setAccess(next, entries.accessOf(from));
      const root = entries.rootOf(next);
      if (root !== 0) containers.setKey(root, next);
      this.remove(KEYSPACE_ROOT, from);
      return next;
    } finally {
      leave(header);
      pages.overdraft = overdraft;
    }
  }

  /** Takes an entry out of its container. What a container's key held must be detached before. */
  remove(root: number, ref: number): void {
    const { index, containers, tree, entries } = this.#memory;
    index.remove(root, this.#memory.hashOf(ref), ref);
    if (root !== KEYSPACE_ROOT && containers.isSorted(root)) tree.remove(root, ref, entries.score(ref));
    this.free(root, ref);
  }

  /** Takes an entry out of wheel and accounting and frees it; its index slot is the caller's. */
  free(root: number, ref: number): void {
    const { entries, wheel, containers } = this.#memory;
    if (entries.hasTtl(ref)) {
      wheel.unlink(ref);
      containers.countTtl(root, -1);
    }
    if (entries.keyKind(ref) === KIND_VALUE) containers.countTyped(root, -1);
    this.#account(root, ref, -1);
    entries.free(ref);
  }

  /** The TTL words of an entry that nobody sees yet. */
  #writeTtl(root: number, ref: number, deadlineMs: number): void {
    const { entries, containers } = this.#memory;
    const words = entries.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    words[at + TTL_CONTAINER] = containers.idOf(root);
    words[at + TTL_SLOT] = -1;
    entries.setDeadline(ref, deadlineMs);
  }

  #link(root: number, ref: number): void {
    this.#memory.wheel.link(ref);
    this.#memory.containers.countTtl(root, 1);
  }

  /**
   * Lets a copy of `ref` that takes its place go above the limit of memory, as far as the compactor may:
   * such a change does not make the data larger. Returns what pages.overdraft must be set to afterwards.
   */
  #overdraw(ref: number): number {
    const { pages, entries } = this.#memory;
    const before = pages.overdraft;
    const copy = Math.ceil(entries.size(ref) / PAGE_BYTES);
    pages.overdraft = Math.max(before, Math.max(OVERDRAFT_PAGES, pages.inUse >> 4) + copy);
    return before;
  }

  /** Counts an entry in (1) or out (-1), for its container and its account. */
  #account(root: number, ref: number, sign: 1 | -1): void {
    const { entries, containers, totals } = this.#memory;
    const isKey = root === KEYSPACE_ROOT;
    const account = isKey ? this.#memory.accountOf(ref) : containers.accountOf(root);
    containers.account(root, account, sign * entries.size(ref));
    if (account === 0) return;
    totals.addFields(account, isKey ? sign * packedFields(entries, ref) : sign);
    if (!isKey) return;
    totals.addKey(account, sign);
    if (entries.isOfSession(ref)) totals.sessionKeys += sign;
  }
}
