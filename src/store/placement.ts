// Placement: entries into, within and out of a container, the keyspace included.
//
//   insert ──▶ entry made ──▶ index slot ──▶ wheel ──▶ accounting          remove: the same way back
//
// What keyspace and collections share: each step takes its memory first, so that a full memory leaves
// all as it was. The funnel is told by the callers, who know what the change means.

import {
  FLAG_OWNED,
  FLAG_ROOT,
  FLAG_TTL,
  KEYSPACE_ROOT,
  KIND_VALUE,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  TTL_CONTAINER,
  TTL_SLOT,
  VALUE_KIND_MASK,
  VALUE_KIND_SHIFT,
} from "./layout.ts";
import type { Memory } from "./memory.ts";

/** For deadlines: none. */
export const NO_DEADLINE: number = Number.POSITIVE_INFINITY;
/** For deadlines: leave the one that is there. */
export const KEEP_DEADLINE: number = Number.NaN;

export class Placement {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /**
   * A new entry under `hash`, with a value of `length` bytes: those of `value`, or undefined ones for
   * the caller to fill in at once.
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
    value: Uint8Array | undefined,
    start: number,
    length: number,
    deadlineMs: number,
  ): number {
    const { entries, index, containers } = this.#memory;
    const ttl = deadlineMs < NO_DEADLINE ? FLAG_TTL : 0;
    const ref = entries.create(head | ttl, name, nameStart, nameLength, length);
    if (value) entries.writeValue(ref, (head & VALUE_KIND_MASK) >> VALUE_KIND_SHIFT, value, start, length);
    try {
      index.insert(root, hash, ref);
    } catch (error) {
      entries.free(ref);
      throw error;
    }
    if (ttl !== 0) this.startTtl(root, ref, deadlineMs);
    if (entries.keyKind(ref) === KIND_VALUE) containers.countTyped(root, 1);
    containers.account(root, this.#ownerOf(root, ref), entries.size(ref));
    return ref;
  }

  /** Puts the entry `next`, of the same key, in the place of `ref`, and frees what `ref` held. */
  exchange(root: number, hash: number, ref: number, next: number, deadlineMs: number): void {
    const { entries, index, containers } = this.#memory;
    index.replace(root, hash, ref, next);
    const inner = entries.rootOf(ref);
    if (inner !== 0) {
      if (entries.rootOf(next) === inner) containers.setKey(inner, next);
      else containers.detach(inner);
    }
    if (entries.frequency) entries.setAccess(next, entries.frequency(entries.accessOf(ref)));
    this.free(root, ref);
    if (deadlineMs < NO_DEADLINE) this.startTtl(root, next, deadlineMs);
    if (entries.keyKind(next) === KIND_VALUE) containers.countTyped(root, 1);
    containers.account(root, this.#ownerOf(root, next), entries.size(next));
  }

  /**
   * A copy of the entry with other flags, room for another value or another deadline takes its place.
   * @param fill Writes into the copy before it is seen.
   */
  rebuild(
    root: number,
    ref: number,
    head: number,
    length: number,
    deadlineMs: number,
    fill?: (next: number) => void,
  ): number {
    const { entries, containers } = this.#memory;
    const next = entries.create(head, entries.bytesOf(ref), entries.keyStart(ref), entries.keyLength(ref), length);
    const from = entries.valueStart(ref);
    const kept = Math.min(length, entries.valueLength(ref));
    entries.bytesOf(ref).copy(entries.bytesOf(next), entries.valueStart(next), from, from + kept);
    if ((head & FLAG_OWNED) !== 0) entries.setOwner(next, entries.ownerOf(ref), entries.sessionOf(ref));
    const inner = entries.rootOf(ref);
    if ((head & FLAG_ROOT) !== 0 && inner !== 0) entries.setRoot(next, inner, containers.idOf(inner));
    fill?.(next);
    this.exchange(root, this.#memory.hashOf(ref), ref, next, deadlineMs);
    return next;
  }

  /** Gives an entry another deadline, or none. Returns the entry, which may have moved. */
  setDeadline(root: number, ref: number, deadlineMs: number): number {
    const memory = this.#memory;
    const { entries, index, wheel } = memory;
    const has = entries.hasTtl(ref);
    const wants = deadlineMs < NO_DEADLINE;
    if (!has && !wants) return ref;
    if (has !== wants) {
      const head = entries.head(ref);
      return this.rebuild(root, ref, wants ? head | FLAG_TTL : head & ~FLAG_TTL, entries.valueLength(ref), deadlineMs);
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

  /** Takes an entry out of its container. What a container's key held must be detached before. */
  remove(root: number, ref: number): void {
    this.#memory.index.remove(root, this.#memory.hashOf(ref), ref);
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
    containers.account(root, this.#ownerOf(root, ref), -entries.size(ref));
    entries.free(ref);
  }

  /** Writes the deadline of an entry that is not in the wheel yet, and links it. */
  startTtl(root: number, ref: number, deadlineMs: number): void {
    const { entries, wheel, containers } = this.#memory;
    const words = entries.words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    words[at + TTL_CONTAINER] = containers.idOf(root);
    words[at + TTL_SLOT] = -1;
    entries.setDeadline(ref, deadlineMs);
    wheel.link(ref);
    containers.countTtl(root, 1);
  }

  #ownerOf(root: number, ref: number): number {
    const { entries, containers } = this.#memory;
    return root === KEYSPACE_ROOT ? entries.ownerOf(ref) : containers.ownerOf(root);
  }
}
