// Wheel: which entries run out next. A hierarchical timing wheel (G. Varghese, A. Lauck, 1987): eight
// levels of 64 slots, the lowest of one millisecond, so that linking and unlinking an entry is O(1)
// however far its deadline lies and whatever else is in there.
//
//   link(ref) ──▶ slot of its deadline ──▶ advance(nowMs) ──▶ due(ref), not before its millisecond
//
// The slots' lists run through the entries themselves (words TTL_NEXT, TTL_PREVIOUS, TTL_SLOT); only
// the heads stand here. It reads no clock and deletes nothing: its owner passes the time in and
// removes what is due.

import {
  FLAG_TTL,
  KEYSPACE_ID,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  TTL_CONTAINER,
  TTL_HIGH,
  TTL_LOW,
  TTL_NEXT,
  TTL_PREVIOUS,
  TTL_SLOT,
} from "./layout.ts";

const LEVELS = 8;
const SLOT_BITS = 6;
const SLOTS: number = 1 << SLOT_BITS;
const UNLINKED = -1;
/** Keys are in the slots from 0 on, fields in those from BANK on: eviction looks for keys only. */
const BANK: number = LEVELS * SLOTS;
/** Milliseconds that one advance() looks at, at most. */
const STEPS_MAX = 50_000;
const TWO32 = 4294967296;

export class Wheel {
  /** How many entries are linked. */
  count = 0;
  /** The container id of entries that are keys. */
  keyspaceId: number = KEYSPACE_ID;
  readonly #words: Int32Array[];
  readonly #heads = new Int32Array(2 * BANK);
  /** By level: how many entries are linked in its slots. */
  readonly #counts = new Int32Array(LEVELS);
  /** The millisecond whose slots are being emptied; everything before is done. */
  #atMs: number;
  /** Whether the slots of #atMs have been brought down from the higher levels. */
  #cascaded = true;

  constructor(words: Int32Array[], nowMs: number) {
    this.#words = words;
    this.#atMs = nowMs;
  }

  /** Whether entries that were due at `nowMs` are still linked. */
  isBehind(nowMs: number): boolean {
    return this.count > 0 && this.#atMs <= nowMs;
  }

  /** Since how many milliseconds entries may have been due that are still linked. */
  behindMs(nowMs: number): number {
    return this.isBehind(nowMs) ? nowMs - this.#atMs : 0;
  }

  /** Links an entry by the deadline in it. It must have the TTL part and not be linked. */
  link(ref: number): void {
    const words = this.#words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    const bank = words[at + TTL_CONTAINER] === this.keyspaceId ? 0 : BANK;
    const slot = bank + this.#slotOf(this.#deadlineOf(ref));
    const first = this.#heads[slot]!;
    words[at + TTL_NEXT] = first;
    words[at + TTL_PREVIOUS] = 0;
    words[at + TTL_SLOT] = slot;
    if (first !== 0) this.#words[first >>> SEGMENT_SHIFT]![((first & SEGMENT_MASK) << 1) + TTL_PREVIOUS] = ref;
    this.#heads[slot] = ref;
    this.#counts[(slot >> SLOT_BITS) % LEVELS]!++;
    this.count++;
  }

  /** Takes an entry out; nothing happens when it is not linked. */
  unlink(ref: number): void {
    const words = this.#words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    if ((words[at]! & FLAG_TTL) === 0 || words[at + TTL_SLOT] === UNLINKED) return;
    this.#point(words[at + TTL_PREVIOUS]!, words[at + TTL_SLOT]!, words[at + TTL_NEXT]!);
    const next = words[at + TTL_NEXT]!;
    if (next !== 0) {
      this.#words[next >>> SEGMENT_SHIFT]![((next & SEGMENT_MASK) << 1) + TTL_PREVIOUS] = words[at + TTL_PREVIOUS]!;
    }
    this.#counts[(words[at + TTL_SLOT]! >> SLOT_BITS) % LEVELS]!--;
    words[at + TTL_SLOT] = UNLINKED;
    this.count--;
  }

  /** An entry with its links was copied to another place: its neighbours point there from now on. */
  moved(to: number): void {
    const words = this.#words[to >>> SEGMENT_SHIFT]!;
    const at = (to & SEGMENT_MASK) << 1;
    if ((words[at]! & FLAG_TTL) === 0 || words[at + TTL_SLOT] === UNLINKED) return;
    this.#point(words[at + TTL_PREVIOUS]!, words[at + TTL_SLOT]!, to);
    const next = words[at + TTL_NEXT]!;
    if (next !== 0) this.#words[next >>> SEGMENT_SHIFT]![((next & SEGMENT_MASK) << 1) + TTL_PREVIOUS] = to;
  }

  /**
   * Calls `due` for entries whose deadline is at or before `nowMs`, each unlinked first, and at most
   * `entriesMax` of them. Returns how many; that many may be left when it is `entriesMax`. Time may
   * go back: entries are then met before their time, and linked anew.
   */
  advance(nowMs: number, entriesMax: number, due: (ref: number) => void): number {
    if (this.count === 0 || this.#atMs > nowMs + 1) {
      this.#atMs = nowMs + 1;
      this.#cascaded = false;
      return 0;
    }
    let taken = 0;
    for (let steps = 0; this.#atMs <= nowMs && steps < STEPS_MAX; steps++) {
      if (!this.#cascaded) {
        this.#skipEmpty(nowMs);
        if (this.#atMs > nowMs) return taken;
        taken += this.#cascade(entriesMax - taken);
        if (!this.#cascaded) return entriesMax;
      }
      const slot = this.#atMs % SLOTS;
      for (let ref = this.#first(slot); ref !== 0; ref = this.#first(slot)) {
        if (taken >= entriesMax) return taken;
        this.unlink(ref);
        if (this.#deadlineOf(ref) > this.#atMs) this.link(ref);
        else due(ref);
        taken++;
      }
      this.#atMs++;
      this.#cascaded = false;
      if (this.count === 0) return taken;
    }
    return taken;
  }

  /** A key among those that run out next and may go; 0 when none is linked. */
  soonest(mayGo: (ref: number) => boolean = () => true): number {
    for (let level = 0; level < LEVELS; level++) {
      const span = SLOTS ** level;
      // What is in the slot of this moment is a whole turn away, once it was brought down.
      const passed = level > 0 && (this.#cascaded || this.#atMs % span !== 0) ? 1 : 0;
      const from = Math.floor(this.#atMs / span) + passed;
      for (let i = 0; i < SLOTS; i++) {
        for (let ref = this.#heads[level * SLOTS + ((from + i) % SLOTS)]!; ref !== 0; ) {
          const words = this.#words[ref >>> SEGMENT_SHIFT]!;
          const at = (ref & SEGMENT_MASK) << 1;
          // Keys of a keyspace that was emptied stay until they are freed.
          if (words[at + TTL_CONTAINER] === this.keyspaceId && mayGo(ref)) return ref;
          ref = words[at + TTL_NEXT]!;
        }
      }
    }
    return 0;
  }

  /** Passes over the time in which nothing can be due: up to where the lowest level in use comes down. */
  #skipEmpty(nowMs: number): void {
    let level = 0;
    let span = 1;
    while (level < LEVELS - 1 && this.#counts[level] === 0) {
      level++;
      span *= SLOTS;
    }
    if (level > 0) this.#atMs = Math.min(Math.ceil(this.#atMs / span) * span, nowMs + 1);
  }

  /** The first entry of a slot, be it a key or a field; 0 when there is none. */
  #first(slot: number): number {
    return this.#heads[slot] || this.#heads[BANK + slot]!;
  }

  #deadlineOf(ref: number): number {
    const words = this.#words[ref >>> SEGMENT_SHIFT]!;
    const at = (ref & SEGMENT_MASK) << 1;
    return words[at + TTL_HIGH]! * TWO32 + (words[at + TTL_LOW]! >>> 0);
  }

  /** Brings the entries of the slots that begin at #atMs down to lower levels; each costs one of `entriesMax`. */
  #cascade(entriesMax: number): number {
    let moves = 0;
    let span = SLOTS;
    for (let level = 1; level < LEVELS && this.#atMs % span === 0; level++, span *= SLOTS) {
      const slot = level * SLOTS + (Math.floor(this.#atMs / span) % SLOTS);
      for (let ref = this.#first(slot); ref !== 0; ref = this.#first(slot)) {
        if (moves >= entriesMax) return moves;
        this.unlink(ref);
        this.link(ref);
        moves++;
      }
    }
    this.#cascaded = true;
    return moves;
  }

  #slotOf(deadlineMs: number): number {
    const atMs = Math.max(deadlineMs, this.#atMs);
    let ahead = atMs - this.#atMs;
    let span = 1;
    let level = 0;
    while (ahead >= SLOTS && level < LEVELS - 1) {
      ahead /= SLOTS;
      span *= SLOTS;
      level++;
    }
    // In the top level what lies beyond it waits in its last slot and is looked at again there.
    if (ahead >= SLOTS) return level * SLOTS + ((Math.floor(this.#atMs / span) + SLOTS - 1) % SLOTS);
    return level * SLOTS + (Math.floor(atMs / span) % SLOTS);
  }

  #point(previous: number, slot: number, to: number): void {
    if (previous === 0) this.#heads[slot] = to;
    else this.#words[previous >>> SEGMENT_SHIFT]![((previous & SEGMENT_MASK) << 1) + TTL_NEXT] = to;
  }
}
