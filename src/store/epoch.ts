// Epoch: the memory as it was at one moment, read in slices while it goes on changing.
//
//   begin: every entry has a version of at most V           what is written later has a higher one
//   walk ──▶ bucket by bucket, each entry of the epoch goes to the visitor
//   funnel ──▶ an entry of the epoch that is about to change, and that the walk has not come to, goes there first
//
// An entry belongs to the epoch while its version is at most V. Whether the walk has come to it is told by
// its hash and the walk's cursor, which counts as SCAN's does: it holds while an index grows and shrinks
// and while the compactor moves things, and nothing has to be written into the entry. Keys and the fields
// of their containers are visited apart, so a table of any size is renamed or deleted in O(1): one that
// goes is kept from the reaper until it was walked, which is its turn next, and at once where memory is short.
//
// A bucket of large values is visited in several steps: cursors are as fine as hashes.
//
// A change that fails after the funnel was told leaves its entry in the epoch: the visitor then sees it
// twice, the same both times. What has run out is not visited, nor is what is a secret when the walk or a
// change comes to it (FLAG_SCRUB): a copy would outlive it.

import { compareHashes, cursorBehind, isBefore, shareOf } from "./cursor.ts";
import type { ChangeKind, ChangeListener } from "./funnel.ts";
import type { Keeper } from "./keeper.ts";
import { FLAG_SCRUB } from "./layout.ts";
import type { Memory } from "./memory.ts";
import { roomFor } from "./room-for.ts";

/** Gets each entry of the epoch. It may read the store, and neither changes it nor throws. */
export interface EpochVisitor {
  /** @param container The id under which its fields follow; 0 for a key whose entry holds all. */
  key(ref: number, container: number): void;
  /** A field or member of a container whose key was visited before. */
  field(container: number, ref: number): void;
}

/** A step ends behind the entry that makes it more than this, and a bucket is cut there. */
const STEP_BYTES: number = 64 * 1024;

// States of a container, by its id.
/** Made later, or a secret's, or its key was not visited yet. */
const UNKNOWN = 0;
/** Its key was visited; its fields wait for the walk. */
const WAITING = 1;
const WALKING = 2;
const DONE = 3;

export class Epoch implements ChangeListener, Keeper {
  /** The highest version of an entry of the epoch. */
  readonly version: number;
  /** Keys that there were when it began. */
  readonly keys: number;
  readonly #memory: Memory;
  readonly #visitor: EpochVisitor;
  readonly #keyspaceId: number;
  #cursor = 0;
  #begun = false;
  #keysDone = false;
  #states: Uint8Array = new Uint8Array(64);
  /** Containers to be walked, and some that were already. */
  readonly #waiting: number[] = [];
  /** Those of them that the reaper waits for, and that are next. */
  readonly #withSecrets: boolean;
  readonly #urgent: number[] = [];
  /** What the reaper waits for, the keyspace included. */
  readonly #kept = new Set<number>();
  #walking = 0;
  #fieldCursor = 0;
  #fieldsBegun = false;

  constructor(memory: Memory, visitor: EpochVisitor, withSecrets: boolean) {
    this.#withSecrets = withSecrets;
    this.#memory = memory;
    this.#visitor = visitor;
    this.version = memory.entries.version;
    this.#keyspaceId = memory.containers.keyspaceId;
    this.keys = memory.index.count(memory.containers.rootOf(this.#keyspaceId));
    memory.funnel.listen(this);
    memory.reaper.keeper = this;
  }

  /** Whether all of it was visited. */
  get done(): boolean {
    return this.#keysDone && this.#walking === 0 && this.#waiting.length === 0;
  }

  /** How much of the keyspace was walked, from 0 to 1. */
  get progress(): number {
    return this.#keysDone ? 1 : shareOf(this.#cursor);
  }

  /** Visits a bucket, or a part of one with large values. Returns whether there is more to do. */
  step(): boolean {
    if (this.#walking === 0) this.#walking = this.#next();
    if (this.#walking !== 0) this.#stepFields(this.#walking);
    else if (!this.#keysDone) this.#stepKeys();
    return !this.done;
  }

  /** The container that is to be walked next; 0 for none. */
  #next(): number {
    for (;;) {
      const id = this.#urgent.pop() ?? this.#waiting.pop() ?? 0;
      if (id === 0 || this.#stateOf(id) === WAITING) return id;
    }
  }

  /** The epoch is over, whole or not: nothing is kept any more. */
  end(): void {
    const { funnel, containers, reaper } = this.#memory;
    funnel.leave(this);
    reaper.keeper = undefined;
    for (const id of this.#kept) containers.detached.push(containers.rootOf(id));
    this.#kept.clear();
  }

  #stepKeys(): void {
    const { containers } = this.#memory;
    this.#cursor = this.#stepBucket(containers.rootOf(this.#keyspaceId), this.#cursor, 0);
    this.#begun = true;
    if (this.#cursor !== 0) return;
    this.#keysDone = true;
    this.#giveUp(this.#keyspaceId);
  }

  #stepFields(id: number): void {
    const { containers } = this.#memory;
    this.#states[id] = WALKING;
    this.#fieldCursor = this.#stepBucket(containers.rootOf(id), this.#fieldCursor, id);
    this.#fieldsBegun = true;
    if (this.#fieldCursor !== 0) return;
    this.#states[id] = DONE;
    this.#walking = 0;
    this.#fieldsBegun = false;
    this.#giveUp(id);
  }

  /**
   * Visits what is in the bucket at `cursor`, from the cursor on. Returns the next cursor; 0 at the end.
   * @param id Of the container whose fields these are; 0 for keys.
   */
  #stepBucket(root: number, cursor: number, id: number): number {
    const { index, entries } = this.#memory;
    const next = index.seek(root, cursor);
    const count = index.readChain();
    let bytes = 0;
    for (let i = 0; i < count; i++) bytes += entries.size(index.chainRef(i));
    if (bytes > STEP_BYTES && count > 1) return this.#stepLarge(index.takeChain(), cursor, next, id);
    // What lies before the cursor was visited: seldom anything, and then only once more.
    for (let i = count - 1; i >= 0; i--) this.#visit(index.chainRef(i), id);
    return next;
  }

  /** The same in the order of the hashes, as far as one step goes. */
  #stepLarge(refs: readonly number[], cursor: number, next: number, id: number): number {
    const rest = refs
      .map((ref) => ({ ref, hash: this.#memory.hashOf(ref) }))
      .filter(({ hash }) => !isBefore(hash, cursor))
      .sort((one, other) => compareHashes(one.hash, other.hash));
    let bytes = 0;
    let behind = -1;
    for (const { ref, hash } of rest) {
      // Of entries with the same hash none may be left.
      if (bytes > STEP_BYTES && hash !== behind) return cursorBehind(behind);
      this.#visit(ref, id);
      bytes += this.#memory.entries.size(ref);
      behind = hash;
    }
    return next;
  }

  #visit(ref: number, id: number): void {
    if (id !== 0) {
      if (this.#isOfEpoch(ref)) this.#visitor.field(id, ref);
    } else if (this.#isVisited(ref)) this.#visitKey(ref);
  }

  /** What the reaper has waited for is its own now. */
  #giveUp(id: number): void {
    if (this.#kept.delete(id)) this.#memory.containers.detached.push(this.#memory.containers.rootOf(id));
  }

  #isOfEpoch(ref: number): boolean {
    return this.#memory.entries.versionOf(ref) <= this.version && this.#memory.isLive(ref);
  }

  /** Whether a key is of the epoch and no secret. Its fields then are, whatever becomes of it. */
  #isVisited(key: number): boolean {
    return (this.#withSecrets || (this.#memory.entries.head(key) & FLAG_SCRUB) === 0) && this.#isOfEpoch(key);
  }

  #visitKey(ref: number): void {
    const root = this.#memory.entries.rootOf(ref);
    const id = root === 0 ? 0 : this.#memory.containers.idOf(root);
    this.#visitor.key(ref, id);
    if (id === 0 || this.#stateOf(id) !== UNKNOWN) return;
    this.#states = roomFor(this.#states, id);
    this.#states[id] = WAITING;
    this.#waiting.push(id);
  }

  #stateOf(id: number): number {
    return this.#states[id] ?? UNKNOWN;
  }

  change(kind: ChangeKind, key: number, entry: number): void {
    if (key === 0 || kind === "expire") return;
    this.#saveKey(key);
    const { entries, containers } = this.#memory;
    if (entry === 0 || kind === "field-expire") return;
    const id = containers.idOf(entries.rootOf(key));
    const state = this.#stateOf(id);
    if ((state !== WAITING && state !== WALKING) || !this.#isOfEpoch(entry)) return;
    if (state === WALKING && this.#fieldsBegun && isBefore(this.#memory.hashOf(entry), this.#fieldCursor)) return;
    this.#visitor.field(id, entry);
  }

  #saveKey(ref: number): void {
    if (this.#keysDone || !this.#isVisited(ref)) return;
    if (this.#begun && isBefore(this.#memory.hashOf(ref), this.#cursor)) return;
    this.#visitKey(ref);
  }

  keeps(root: number): boolean {
    const id = this.#memory.containers.idOf(root);
    const state = this.#stateOf(id);
    const keeps = id === this.#keyspaceId ? !this.#keysDone : state === WAITING || state === WALKING;
    if (!keeps) return false;
    this.#kept.add(id);
    if (state === WAITING) this.#urgent.push(id);
    return true;
  }

  hurry(buckets: number): boolean {
    if (this.#kept.size === 0) return false;
    for (let i = 0; i < buckets && this.#kept.size > 0; i++) this.step();
    return true;
  }
}
