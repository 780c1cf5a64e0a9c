// Eviction: what goes when memory is short.
//
//   makeRoom() before a call that may need memory ──▶ enough? ──▶ else keys go by the policy ──▶ else -OOM
//
// maxMemory limits pages in use. Removing a key frees a block, not a page, so the policies keep the
// blocks below 7/8 of the limit and the compactor turns the gaps into pages; while it has not caught
// up, pages may exceed the limit by an eighth.
//
// LRU and LFU look at samples, as Redis does: the access clock has 16 bits in each entry (seconds, or
// for LFU eight bits of minutes and a logarithmic counter of eight, after A. Sanfilippo's "Random
// notes on improving the Redis LRU algorithm").

import type { Compactor } from "./compactor.ts";
import { setSampled } from "./header.ts";
import type { Keyspace } from "./keyspace.ts";
import { KEYSPACE_ROOT, PAGE_BYTES } from "./layout.ts";
import type { Memory } from "./memory.ts";

export const EVICTION_POLICIES = ["noeviction", "allkeys-lru", "allkeys-lfu", "volatile-ttl"] as const;
export type EvictionPolicy = (typeof EVICTION_POLICIES)[number];

const SAMPLES = 10;
/** Keys that one makeRoom() evicts at most; buckets that it frees instead of one. */
const EVICTED_PER_CALL = 64;
const REAPED_PER_STEP = 16;
/** Keys that go at one call when only pages are short, and how few are left then. */
const EVICTED_FOR_PAGES = 4;
const PAGES_SHORT = 4;
const CLOCK_MASK = 0xffff;
const LFU_START = 5;
const LFU_FACTOR = 10;
const MINUTE_MS = 60_000;

export class Eviction {
  policy: EvictionPolicy = "noeviction";
  /** 0 is no limit. */
  maxMemoryBytes = 0;
  readonly #memory: Memory;
  readonly #keys: Keyspace;
  readonly #compactor: Compactor;
  #pagesMax = Number.MAX_SAFE_INTEGER;
  /** Evict above this many bytes of blocks. */
  #blocksMax = Number.MAX_SAFE_INTEGER;
  #minute = 0;
  /** A generator of its own: eviction needs no secret, only spread. */
  #seed = 0x9e3779b9;

  constructor(memory: Memory, keys: Keyspace, compactor: Compactor) {
    this.#memory = memory;
    this.#keys = keys;
    this.#compactor = compactor;
  }

  configure(maxMemoryBytes: number, policy: EvictionPolicy): void {
    const { pages, entries, segments } = this.#memory;
    this.maxMemoryBytes = maxMemoryBytes;
    this.policy = policy;
    this.#pagesMax = maxMemoryBytes === 0 ? Number.MAX_SAFE_INTEGER : Math.floor(maxMemoryBytes / PAGE_BYTES);
    this.#blocksMax = maxMemoryBytes === 0 ? Number.MAX_SAFE_INTEGER : (maxMemoryBytes / 8) * 7;
    const slack = policy === "noeviction" || maxMemoryBytes === 0 ? 0 : Math.max(16, this.#pagesMax >> 3);
    pages.max = this.#pagesMax + slack;
    entries.frequency = policy === "allkeys-lfu" ? (before) => this.#frequency(before) : undefined;
    setSampled(segments.words[0]!, maxMemoryBytes > 0 && (policy === "allkeys-lru" || policy === "allkeys-lfu"));
    this.setNow(this.#memory.nowMs);
  }

  setNow(nowMs: number): void {
    this.#minute = Math.floor(nowMs / MINUTE_MS) & 0xff;
    const lfu = this.policy === "allkeys-lfu";
    this.#memory.entries.access = lfu ? (this.#minute << 8) | LFU_START : Math.floor(nowMs / 1000) & CLOCK_MASK;
  }

  /**
   * Makes room for a call that may need memory, by the policy.
   * @returns false when there is none: the call is to be refused with OUT_OF_MEMORY.
   */
  makeRoom(): boolean {
    const { pages, reaper } = this.#memory;
    if (pages.inUse < this.#pagesMax) return true;
    if (this.policy === "noeviction") return pages.blockBytes < this.maxMemoryBytes * (15 / 16);
    for (let steps = 0; steps < EVICTED_PER_CALL; steps++) {
      // Where the compactor has not caught up and pages run out too, a few keys go all the same.
      let short = steps < EVICTED_FOR_PAGES && pages.inUse + PAGES_SHORT >= pages.max;
      if (short) {
        pages.releaseEmpty();
        short = pages.inUse + PAGES_SHORT >= pages.max;
      }
      if (!short && pages.blockBytes <= this.#blocksMax) break;
      // What a container that is gone already held is given back before another key must go.
      if (!reaper.idle) {
        reaper.reap(REAPED_PER_STEP);
        continue;
      }
      // The same where a snapshot still reads it: evicting more would give nothing back either.
      if (reaper.keeper?.hurry(REAPED_PER_STEP)) continue;
      const victim = this.#victim();
      if (victim === 0) return pages.inUse < pages.max;
      this.#keys.remove(victim, "evict");
    }
    this.#compactor.want();
    return true;
  }

  /** Seconds since the last access of an entry, by the access clock. */
  idleSeconds(ref: number): number {
    const now = Math.floor(this.#memory.nowMs / 1000) & CLOCK_MASK;
    return (now - this.#memory.entries.accessOf(ref)) & CLOCK_MASK;
  }

  /** Gives an entry what RESTORE says: seconds without access, or under an LFU policy a counter of 0 to 255. */
  setIdleSeconds(ref: number, seconds: number): void {
    if (this.policy === "allkeys-lfu") return;
    const clock = Math.floor(this.#memory.nowMs / 1000) - Math.min(seconds, CLOCK_MASK);
    this.#memory.entries.setAccess(ref, clock & CLOCK_MASK);
  }

  setFrequency(ref: number, counter: number): void {
    if (this.policy === "allkeys-lfu") this.#memory.entries.setAccess(ref, (this.#minute << 8) | counter);
  }

  /** The LFU counter of an entry as of now, 0 to 255. */
  frequencyOf(ref: number): number {
    const access = this.#memory.entries.accessOf(ref);
    return Math.max(0, (access & 0xff) - ((this.#minute - (access >> 8)) & 0xff));
  }

  #victim(): number {
    const { index, live, wheel } = this.#memory;
    if (this.policy === "volatile-ttl") return wheel.soonest((ref) => live === undefined || !live.isInUse(ref));
    let victim = 0;
    let worst = -1;
    for (let i = 0; i < SAMPLES; i++) {
      const found = index.random(KEYSPACE_ROOT, this.#random, isAnything);
      if (found === 0) break;
      // A part goes with its key, or not at all.
      const ref = this.#keys.parts.ownerOr(found);
      if (live?.isInUse(ref)) continue;
      const score = this.policy === "allkeys-lru" ? this.idleSeconds(ref) : 255 - this.frequencyOf(ref);
      if (score > worst) {
        worst = score;
        victim = ref;
      }
    }
    return victim;
  }

  #frequency(before: number): number {
    const counter = Math.max(0, (before & 0xff) - ((this.#minute - (before >> 8)) & 0xff));
    const above = Math.max(0, counter - LFU_START);
    const raised = counter < 255 && this.#random() < 1 / (above * LFU_FACTOR + 1) ? counter + 1 : counter;
    return (this.#minute << 8) | raised;
  }

  /** xorshift32 (G. Marsaglia, 2003), in [0, 1). */
  readonly #random = (): number => {
    let seed = this.#seed;
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    this.#seed = seed;
    return (seed >>> 0) / 4294967296;
  };
}

function isAnything(): boolean {
  return true;
}
