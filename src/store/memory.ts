// Memory: the parts that everything in the store stands on, made once per hive and handed around.
//
//   segments ◀─ pages ◀─ entries, index ◀─ keyspace, collections     wheel, containers and funnel beside

import { Totals } from "./accounting.ts";
import { ChangeLog } from "./change-log.ts";
import { Containers } from "./containers.ts";
import { Entries } from "./entries.ts";
import { Funnel } from "./funnel.ts";
import { KeyHash } from "./hash.ts";
import { HashIndex } from "./hash-index.ts";
import { openHeader } from "./header.ts";
import { KeyEvents } from "./key-events.ts";
import { TYPE_STRUCTURE } from "./layout.ts";
import type { LiveValues } from "./live-values.ts";
import { Pages } from "./pages.ts";
import { Reaper } from "./reaper.ts";
import { type SegmentProvider, Segments } from "./segments.ts";
import { SortedTree } from "./sorted-tree.ts";
import { Wheel } from "./wheel.ts";

export type MemoryOptions = {
  provider: SegmentProvider;
  nowMs: number;
  /** The key of the hash, 8 random bytes: whoever knows it can choose keys that collide. */
  hashKey: Uint8Array;
  /** Pages of 64 KiB that may be in use. */
  pagesMax?: number;
};

export class Memory {
  readonly segments: Segments;
  readonly pages: Pages;
  readonly keys: KeyHash;
  readonly index: HashIndex;
  readonly entries: Entries;
  readonly wheel: Wheel;
  /** The order of sorted sets. */
  readonly tree: SortedTree;
  readonly containers: Containers;
  readonly reaper: Reaper;
  readonly funnel: Funnel = new Funnel();
  readonly events: KeyEvents;
  /** What happened to keys and fields, for who watches. */
  readonly changes: ChangeLog;
  /** The hive's time, in epoch milliseconds: set once per read event, so that a pipeline sees one moment. */
  nowMs: number;
  readonly totals: Totals = new Totals();
  /** Objects that are ahead of the bytes of their keys; undefined while there are no structures. */
  live: LiveValues | undefined = undefined;

  constructor(options: MemoryOptions) {
    this.nowMs = options.nowMs;
    this.segments = new Segments(options.provider);
    this.pages = new Pages(this.segments);
    this.pages.openHeader();
    if (options.pagesMax !== undefined) this.pages.max = options.pagesMax;
    const key = new DataView(options.hashKey.buffer, options.hashKey.byteOffset, 8);
    this.keys = new KeyHash(key.getInt32(0, true), key.getInt32(4, true));
    this.index = new HashIndex(this.segments, this.pages, this.keys);
    this.entries = new Entries(this.segments, this.pages);
    this.wheel = new Wheel(this.segments.words, options.nowMs);
    this.tree = new SortedTree(this.segments, this.pages, this.entries);
    const { pages, index, entries, wheel, totals, tree } = this;
    this.containers = new Containers({ pages, index, entries, wheel, totals, tree });
    this.reaper = new Reaper({ pages, index, entries, wheel, tree, containers: this.containers });
    this.events = new KeyEvents(this.funnel, this.entries);
    openHeader(this.segments.words[0]!, options.hashKey);
    this.changes = new ChangeLog(this);
    this.containers.openKeyspace();
  }

  /** Whether an entry has not run out. A property, so that it can be handed on without a closure per call. */
  readonly isLive = (ref: number): boolean => !this.entries.hasTtl(ref) || this.entries.deadline(ref) > this.nowMs;

  /** Hashes the key of an entry; the bytes stand in `keys` then, ready for the index. */
  hashOf(ref: number): number {
    const entries = this.entries;
    const typed = entries.keyKind(ref) === 3 ? 1 : 0;
    return this.keys.hash(entries.bytesOf(ref), entries.keyStart(ref), entries.keyLength(ref), typed);
  }

  /** By which a key is counted, and what it holds; 0 for nobody's. */
  accountOf(ref: number): number {
    const owner = this.entries.ownerOf(ref);
    return owner === 0 ? 0 : this.totals.account(owner, this.entries.payerOf(ref));
  }

  /** The entry with the bytes of what its key holds now: a structure may be ahead of them. It may have moved. */
  settled(ref: number): number {
    return this.live !== undefined && this.entries.type(ref) === TYPE_STRUCTURE ? this.live.settle(ref) : ref;
  }
}
