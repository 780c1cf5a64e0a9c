// Store: the hive's memory as its users see it.
//
//   keys        find, put, remove, rename, deadlines of keys                    keyspace.ts
//   fields      fields of tables and members of sets                            collections.ts
//   sorted      members with a score, in order                                  sorted-sets.ts
//   lists       elements of lists                                               lists.ts
//   setNow()    time passes: what has run out goes                              wheel.ts
//   makeRoom()  before a call that may need memory                              eviction.ts
//   work()      what can be done in slices: freeing, compacting                 reaper.ts, compactor.ts
//
// It reads no clock, starts no timer and does no I/O: time is handed in, and whoever owns the store
// calls work() while there is some. One thread uses it.

import { randomBytes } from "node:crypto";
import { Collections } from "./collections.ts";
import { Compactor } from "./compactor.ts";
import { Epoch, type EpochVisitor } from "./epoch.ts";
import { Eviction, type EvictionPolicy } from "./eviction.ts";
import { beat } from "./header.ts";
import { EVENT_GENERIC, EVENT_TABLE } from "./key-events.ts";
import { Keyspace } from "./keyspace.ts";
import { LastContainer } from "./last-container.ts";
import { KEYSPACE_ROOT, PAGE_BYTES } from "./layout.ts";
import { Lists } from "./lists.ts";
import { Lookahead } from "./lookahead.ts";
import { Memory } from "./memory.ts";
import { Placement } from "./placement.ts";
import { NO_SECRETS, type RestoredSecrets, Restoring } from "./restoring.ts";
import { PlainSegments, type SegmentProvider } from "./segments.ts";
import { SortedSets } from "./sorted-sets.ts";
import { Undo } from "./undo.ts";

export type StoreOptions = {
  nowMs: number;
  /** Bytes of pages that may be in use; without it as much as the system gives. */
  maxMemoryBytes?: number;
  maxMemoryPolicy?: EvictionPolicy;
  valueBytesMax?: number;
  keyBytesMax?: number;
  /** The hash's key, 8 bytes; random without it. Fixed only in tests. */
  hashKey?: Uint8Array;
  provider?: SegmentProvider;
};

/** Entries that one setNow() removes at most; what is left is gone for readers all the same. */
const EXPIRED_PER_TICK = 200;
/** How often catchUp() asks the wheel for some. */
const CATCH_UP_ROUNDS = 64;
/** Milliseconds behind its deadline from which on it is urgent that a secret goes. */
const LATE_MS = 5;
/** Buckets that the reaper frees, or the compactor visits, between two looks at the clock. */
const STEP = 32;

export class Store {
  readonly memory: Memory;
  readonly keys: Keyspace;
  readonly lastContainer: LastContainer;
  readonly fields: Collections;
  readonly sorted: SortedSets;
  readonly lists: Lists;
  readonly eviction: Eviction;
  readonly undo: Undo;
  readonly compactor: Compactor;
  readonly lookahead: Lookahead;
  /** False: what has run out goes when it is asked for, and not before (DEBUG SET-ACTIVE-EXPIRE). */
  activeExpiry = true;
  /** Fields removed because their deadline had passed. */
  expiredFields = 0;
  readonly #placement: Placement;
  readonly #expire = (ref: number): void => this.#expireEntry(ref);

  constructor(options: StoreOptions) {
    this.memory = new Memory({
      provider: options.provider ?? new PlainSegments(),
      nowMs: options.nowMs,
      hashKey: options.hashKey ?? randomBytes(8),
    });
    const placement = new Placement(this.memory);
    this.#placement = placement;
    this.keys = new Keyspace(this.memory, placement);
    this.lastContainer = new LastContainer(this.keys);
    this.fields = new Collections(this.keys, placement);
    this.sorted = new SortedSets(this.keys, placement);
    this.lists = new Lists(this.keys, placement);
    this.compactor = new Compactor(this.memory);
    this.lookahead = new Lookahead(this.memory);
    this.eviction = new Eviction(this.memory, this.keys, this.compactor);
    this.undo = new Undo(this.memory, placement);
    if (options.valueBytesMax !== undefined) this.keys.valueBytesMax = options.valueBytesMax;
    if (options.keyBytesMax !== undefined) this.keys.keyBytesMax = options.keyBytesMax;
    this.eviction.configure(options.maxMemoryBytes ?? 0, options.maxMemoryPolicy ?? "noeviction");
    this.setNow(options.nowMs);
    this.beat();
  }

  /**
   * The memory as it is now, for a snapshot that is written in slices. One at a time; end() it.
   * @param withSecrets Whether secrets are visited too.
   */
  beginEpoch(visitor: EpochVisitor, withSecrets: boolean = false): Epoch {
    this.memory.live?.settleAll();
    return new Epoch(this.memory, visitor, withSecrets);
  }

  /**
   * Lets another content take the place of all that is there. Nothing else may use the store until the
   * end of it, which is commit() or rollback(); there may be no epoch.
   * @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  beginRestoring(secrets: RestoredSecrets = NO_SECRETS): Restoring {
    const { activeExpiry, memory } = this;
    const { events, changes } = memory;
    memory.live?.forgetAll();
    changes.settle();
    // What a snapshot brings was not made by anybody now.
    changes.quiet = true;
    try {
      const onEnd = (isDone: boolean): void => {
        this.activeExpiry = activeExpiry;
        events.quiet = false;
        changes.quiet = false;
        if (isDone) changes.replaced();
      };
      const restoring = new Restoring(memory, this.#placement, { parts: this.keys.parts, secrets, onEnd });
      this.activeExpiry = false;
      events.quiet = true;
      return restoring;
    } catch (error) {
      changes.quiet = false;
      throw error;
    }
  }

  get nowMs(): number {
    return this.memory.nowMs;
  }

  /** Bytes of memory in use: pages of 64 KiB, whether full or not. */
  get usedBytes(): number {
    return this.memory.pages.inUse * PAGE_BYTES;
  }

  /** Time passes: keys and fields whose deadline has come go, a bounded number at once. */
  setNow(nowMs: number): void {
    const memory = this.memory;
    if (memory.nowMs === nowMs) return;
    memory.nowMs = nowMs;
    this.eviction.setNow(nowMs);
    if (this.activeExpiry) memory.wheel.advance(nowMs, EXPIRED_PER_TICK, this.#expire);
  }

  /** Removes some of what has run out, where not all is removed yet. Returns whether it did. Not while a call may be undone. */
  catchUp(): boolean {
    const { wheel, nowMs } = this.memory;
    const linked = wheel.count;
    // Where many run out together, the wheel first brings them down from level to level.
    for (let round = 0; this.#isBehind && wheel.count === linked; round++) {
      if (round === CATCH_UP_ROUNDS) return false;
      wheel.advance(nowMs, EXPIRED_PER_TICK, this.#expire);
    }
    return wheel.count < linked;
  }

  #expireEntry(ref: number): void {
    const { entries, containers } = this.memory;
    const root = containers.rootOf(entries.containerOf(ref));
    if (root === KEYSPACE_ROOT) return this.keys.remove(ref, "expire");
    if (root === 0 || containers.isDetached(root)) return;
    const key = containers.keyOf(root);
    if (containers.flushing && !this.keys.holds(key)) return;
    this.expiredFields++;
    const { events } = this.memory;
    if (events.classes === 0) this.fields.delete(key, ref, "field-expire");
    else this.#expireTold(key, ref);
  }

  #expireTold(key: number, ref: number): void {
    const { entries, events } = this.memory;
    const start = entries.keyStart(key);
    const name = Buffer.from(entries.bytesOf(key).subarray(start, start + entries.keyLength(key)));
    const left = this.fields.delete(key, ref, "field-expire");
    events.tell(EVENT_TABLE, "hexpired", name, 0, name.length);
    if (left === 0) events.tell(EVENT_GENERIC, "del", name, 0, name.length);
  }

  /** Marks the header as alive at this moment; every 100 ms. */
  beat(): void {
    beat(this.memory.segments.words[0]!, this.memory.nowMs);
  }

  /** Whether work() has something to do. */
  get hasWork(): boolean {
    const { reaper, pages } = this.memory;
    return !reaper.idle || pages.runs.surplusBytes > 0 || this.compactor.wanted || this.#isBehind;
  }

  /** Whether secrets have run out, or were deleted, whose bytes are to be overwritten soon. */
  get isUrgent(): boolean {
    if (this.memory.reaper.hasSecrets) return true;
    return this.memory.totals.sessionKeys > 0 && this.memory.wheel.behindMs(this.memory.nowMs) > LATE_MS;
  }

  get #isBehind(): boolean {
    return this.activeExpiry && this.memory.wheel.isBehind(this.memory.nowMs);
  }

  /**
   * Frees, expires and compacts until `until()` says that the slice is over; giving a segment back takes
   * the system a millisecond, so that is a slice of its own. Returns whether there is more to do.
   * @param until Asked about every 10 to 50 µs.
   */
  work(until: () => boolean): boolean {
    const { reaper, pages, wheel, nowMs } = this.memory;
    // A segment is given back when nothing is urgent.
    if (pages.runs.surplusBytes > 0 && !this.isUrgent) {
      pages.runs.closeSurplus();
      return this.hasWork;
    }
    while (!until()) {
      if (this.#isBehind) wheel.advance(nowMs, STEP * 4, this.#expire);
      else if (!reaper.idle) reaper.reap(STEP);
      else if (pages.runs.surplusBytes > 0) break;
      else if (this.compactor.wanted) this.compactor.step(STEP);
      else return false;
    }
    return this.hasWork;
  }

  /**
   * Takes out all secrets and overwrites them, and those that were taken out before and wait. All in one go, past every
   * key: for the end, when nobody is answered any more.
   */
  dropSecrets(): void {
    const { index, entries, containers, reaper, totals } = this.memory;
    const names: Buffer[] = [];
    const buckets = totals.sessionKeys > 0 ? index.buckets(KEYSPACE_ROOT) : 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      index.moveTo(KEYSPACE_ROOT, bucket);
      for (let i = index.readChain() - 1; i >= 0; i--) {
        const ref = index.chainRef(i);
        if (!entries.isOfSession(ref)) continue;
        const start = entries.keyStart(ref);
        names.push(Buffer.from(entries.bytesOf(ref).subarray(start, start + entries.keyLength(ref))));
      }
    }
    for (const name of names) {
      const ref = this.keys.find(name, 0, name.length);
      if (ref !== 0) this.keys.remove(ref);
    }
    while (reaper.hasSecrets || containers.flushing) reaper.reap(STEP);
  }

  /** Gives all memory back. Nothing of the store may be used afterwards. */
  close(): void {
    this.memory.segments.closeAll();
  }
}

export type { EvictionPolicy } from "./eviction.ts";
