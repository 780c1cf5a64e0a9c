// List roots: the words that the root of a long list has beside those of every container, and its skips.
//
//   first | last | next number | elements (two words) | skips: ref, capacity, start, count
//
// The skips are what is known of the chunks in order, a pair (number, elements) for each, so that an index in
// the middle is found without the chunks: a list of 10 M short elements has some 25,000 pairs, which are
// walked in 25 µs. They follow from the chunks. They are made when an index in the middle is asked for first,
// kept up while there is room in their block, and thrown away where that is simpler, to be made again.

import {
  LIST_COUNT_HIGH,
  LIST_COUNT_LOW,
  LIST_FIRST,
  LIST_LAST,
  LIST_NEXT_ID,
  LIST_SKIPS,
  LIST_SKIPS_CAPACITY,
  LIST_SKIPS_COUNT,
  LIST_SKIPS_START,
  ROOT_COUNT,
  ROOT_SEQUENCE,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
} from "./layout.ts";
import type { Chunks } from "./list-chunks.ts";
import { dropSkips } from "./list-skips.ts";
import type { Memory } from "./memory.ts";
import { close, open } from "./sequence.ts";
import { eachEntry } from "./walk.ts";

const TWO32 = 4294967296;
const PAIR_BYTES = 8;
/** With fewer chunks the walk over them is short enough. */
const SKIPS_MIN = 16;

/** Where an element is. */
export type Place = {
  /** The number of its chunk. */
  id: number;
  /** Its index in it. */
  offset: number;
  /** The chunk's among all; -1 where that is not known. */
  slot: number;
};

export class ListRoots {
  readonly #memory: Memory;
  readonly #chunks: Chunks;

  constructor(memory: Memory, chunks: Chunks) {
    this.#memory = memory;
    this.#chunks = chunks;
  }

  get(root: number, word: number): number {
    return this.#memory.segments.words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + word]!;
  }

  set(root: number, word: number, value: number): void {
    this.#memory.segments.words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + word] = value;
  }

  /** Readers of shared memory trust nothing of the list until end(). */
  begin(root: number): void {
    const words = this.#memory.segments.words[root >>> SEGMENT_SHIFT]!;
    open(words, ((root & SEGMENT_MASK) << 1) + ROOT_SEQUENCE);
  }

  end(root: number): void {
    const words = this.#memory.segments.words[root >>> SEGMENT_SHIFT]!;
    close(words, ((root & SEGMENT_MASK) << 1) + ROOT_SEQUENCE);
  }

  /** The words of a new list without chunks. */
  clear(root: number): void {
    for (let word = LIST_FIRST; word <= LIST_SKIPS_COUNT; word++) this.set(root, word, 0);
    this.set(root, LIST_NEXT_ID, 1);
  }

  /**
   * Gives a root its words back from the chunks that are there. Returns whether they make one list: from a first one
   * without a previous one to a last one, each once, each with elements.
   */
  restore(root: number): boolean {
    this.clear(root);
    let first = 0;
    let highest = 0;
    eachEntry(this.#memory, root, (ref) => {
      const id = this.#chunks.idOf(ref);
      highest = Math.max(highest, id >>> 0);
      if (this.#chunks.previous(ref) === 0) first = id;
    });
    let [elements, seen, previous] = [0, 0, 0];
    for (let id = first; id !== 0; seen++) {
      const ref = this.#chunks.find(root, id);
      if (ref === 0 || seen === this.chunks(root) || this.#chunks.previous(ref) !== previous) return false;
      elements += this.#chunks.count(ref);
      previous = id;
      id = this.#chunks.next(ref);
    }
    if (seen !== this.chunks(root)) return false;
    this.set(root, LIST_FIRST, first);
    this.set(root, LIST_LAST, previous);
    this.set(root, LIST_NEXT_ID, (highest + 1) | 0);
    this.setElements(root, elements);
    return true;
  }

  elements(root: number): number {
    return this.get(root, LIST_COUNT_HIGH) * TWO32 + (this.get(root, LIST_COUNT_LOW) >>> 0);
  }

  setElements(root: number, count: number): void {
    this.set(root, LIST_COUNT_LOW, count | 0);
    this.set(root, LIST_COUNT_HIGH, Math.floor(count / TWO32));
  }

  chunks(root: number): number {
    return this.get(root, ROOT_COUNT);
  }

  /** A number that no chunk of the list has had. */
  takeId(root: number): number {
    const id = this.get(root, LIST_NEXT_ID);
    this.set(root, LIST_NEXT_ID, (id + 1) | 0);
    return id;
  }

  /** Where element `index` is, which there is. */
  locate(root: number, index: number, place: Place): Place {
    const chunks = this.chunks(root);
    if (chunks >= SKIPS_MIN && !this.#isNearEnd(root, index) && (this.#has(root) || this.#make(root))) {
      return this.#locateBySkips(root, index, place);
    }
    const elements = this.elements(root);
    const fromFront = index < elements / 2;
    let left = fromFront ? index : elements - 1 - index;
    let id = this.get(root, fromFront ? LIST_FIRST : LIST_LAST);
    for (let slot = 0; ; slot++) {
      const ref = this.#chunks.find(root, id);
      const count = this.#chunks.count(ref);
      if (left < count) {
        place.id = id;
        place.offset = fromFront ? left : count - 1 - left;
        place.slot = fromFront ? slot : chunks - 1 - slot;
        return place;
      }
      left -= count;
      id = fromFront ? this.#chunks.next(ref) : this.#chunks.previous(ref);
    }
  }

  /** Whether it is in the first or the last chunk. */
  #isNearEnd(root: number, index: number): boolean {
    const first = this.#chunks.count(this.#chunks.find(root, this.get(root, LIST_FIRST)));
    if (index < first) return true;
    const last = this.#chunks.count(this.#chunks.find(root, this.get(root, LIST_LAST)));
    return index >= this.elements(root) - last;
  }

  #locateBySkips(root: number, index: number, place: Place): Place {
    const skips = this.get(root, LIST_SKIPS);
    const words = this.#memory.segments.words[skips >>> SEGMENT_SHIFT]!;
    const base = ((skips & SEGMENT_MASK) << 1) + this.get(root, LIST_SKIPS_START) * 2;
    const slots = this.get(root, LIST_SKIPS_COUNT);
    const elements = this.elements(root);
    let slot: number;
    let offset: number;
    if (index < elements / 2) {
      offset = index;
      for (slot = 0; offset >= words[base + slot * 2 + 1]!; slot++) offset -= words[base + slot * 2 + 1]!;
    } else {
      let behind = elements - index;
      for (slot = slots - 1; behind > words[base + slot * 2 + 1]!; slot--) behind -= words[base + slot * 2 + 1]!;
      offset = words[base + slot * 2 + 1]! - behind;
    }
    place.id = words[base + slot * 2]!;
    place.offset = offset;
    place.slot = slot;
    return place;
  }

  // The skips.

  #has(root: number): boolean {
    return this.get(root, LIST_SKIPS) !== 0;
  }

  /** Makes them, with a quarter of their size free on each side. Returns false where there is no memory for them. */
  #make(root: number): boolean {
    const { pages, segments } = this.#memory;
    const count = this.chunks(root);
    const spare = (count >> 2) + 8;
    const capacity = count + 2 * spare;
    let skips: number;
    try {
      skips = pages.alloc(capacity * PAIR_BYTES);
    } catch {
      return false;
    }
    const words = segments.words[skips >>> SEGMENT_SHIFT]!;
    let at = ((skips & SEGMENT_MASK) << 1) + spare * 2;
    for (let id = this.get(root, LIST_FIRST); id !== 0; ) {
      const ref = this.#chunks.find(root, id);
      words[at++] = id;
      words[at++] = this.#chunks.count(ref);
      id = this.#chunks.next(ref);
    }
    this.begin(root);
    this.set(root, LIST_SKIPS, skips);
    this.set(root, LIST_SKIPS_CAPACITY, capacity);
    this.set(root, LIST_SKIPS_START, spare);
    this.set(root, LIST_SKIPS_COUNT, count);
    this.end(root);
    return true;
  }

  /** Throws them away: they are made again when they are needed. */
  drop(root: number): void {
    dropSkips({ words: this.#memory.segments.words, pages: this.#memory.pages }, root);
  }

  /** A chunk has so many elements more. `slot` -1: the last one. */
  counted(root: number, slot: number, change: number): void {
    if (!this.#has(root)) return;
    const at = this.#pairAt(root, slot);
    this.#words(root)[at + 1]! += change;
  }

  /** A chunk came, and is number `slot` now. */
  inserted(root: number, slot: number, id: number, count: number): void {
    if (!this.#has(root)) return;
    const start = this.get(root, LIST_SKIPS_START);
    const slots = this.get(root, LIST_SKIPS_COUNT);
    const words = this.#words(root);
    const toFront = slot < slots >> 1;
    if (toFront ? start === 0 : start + slots === this.get(root, LIST_SKIPS_CAPACITY)) return this.drop(root);
    const base = this.#pairAt(root, 0);
    if (toFront) {
      words.copyWithin(base - 2, base, base + slot * 2);
      this.set(root, LIST_SKIPS_START, start - 1);
    } else words.copyWithin(base + slot * 2 + 2, base + slot * 2, base + slots * 2);
    this.set(root, LIST_SKIPS_COUNT, slots + 1);
    const at = this.#pairAt(root, slot);
    words[at] = id;
    words[at + 1] = count;
  }

  /** Chunk number `slot` went. */
  removed(root: number, slot: number): void {
    if (!this.#has(root)) return;
    const start = this.get(root, LIST_SKIPS_START);
    const slots = this.get(root, LIST_SKIPS_COUNT);
    const words = this.#words(root);
    const base = this.#pairAt(root, 0);
    if (slot < slots >> 1) {
      words.copyWithin(base + 2, base, base + slot * 2);
      this.set(root, LIST_SKIPS_START, start + 1);
    } else words.copyWithin(base + slot * 2, base + slot * 2 + 2, base + slots * 2);
    this.set(root, LIST_SKIPS_COUNT, slots - 1);
  }

  #words(root: number): Int32Array {
    return this.#memory.segments.words[this.get(root, LIST_SKIPS) >>> SEGMENT_SHIFT]!;
  }

  #pairAt(root: number, slot: number): number {
    const index = slot < 0 ? this.get(root, LIST_SKIPS_COUNT) - 1 : slot;
    return ((this.get(root, LIST_SKIPS) & SEGMENT_MASK) << 1) + (this.get(root, LIST_SKIPS_START) + index) * 2;
  }
}
