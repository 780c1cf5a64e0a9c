// Lists: elements in order, pushed and popped at both ends, found by index.
//
//   key's entry ──▶ packed in it (≤ 4 KiB)                                        list-packed.ts
//              └──▶ root ──▶ first … last: chunks of 4 KiB, by number             long-lists.ts, list-chunks.ts
//                        └──▶ skips: which chunk has element 5,000,000            list-roots.ts
//
// A list without elements is no key. Whatever may move the key's entry returns the new ref; 0 when the key
// has gone with its last element. Every change tells the funnel before its first byte is written, and takes its
// memory before that: it is done whole or not at all. Taking away never fails.
//
// Hot path: push, pop and read at the ends.

import { tooBig } from "../base/errors.ts";
import type { Slice } from "./collections.ts";
import type { Keyspace } from "./keyspace.ts";
import { FLAG_SCRUB, TYPE_LIST } from "./layout.ts";
import { codeAt, findEach, NewElement, newRun, placeOf, readElement, sizeAt, sizeBefore } from "./list-elements.ts";
import { PackedLists } from "./list-packed.ts";
import { LongLists } from "./long-lists.ts";
import type { Memory } from "./memory.ts";
import { PACKED_EMPTY } from "./packed.ts";
import type { Placement } from "./placement.ts";

export class Lists {
  /** How many elements the last sift() took away. */
  removed = 0;
  readonly #keyspace: Keyspace;
  readonly #memory: Memory;
  readonly #packed: PackedLists;
  readonly #long: LongLists;
  readonly #element = new NewElement();
  readonly #packedRun = newRun();

  constructor(keyspace: Keyspace, placement: Placement) {
    this.#keyspace = keyspace;
    this.#memory = keyspace.memory;
    this.#packed = new PackedLists(keyspace);
    this.#long = new LongLists(keyspace.memory, placement);
  }

  /** A new empty list under a name that no key has. The caller adds an element at once. */
  create(name: Uint8Array, start: number, length: number, kind: number): number {
    return this.#keyspace.create(TYPE_LIST, name, start, length, kind, PACKED_EMPTY);
  }

  isPacked(key: number): boolean {
    return this.#memory.entries.rootOf(key) === 0;
  }

  count(key: number): number {
    const root = this.#memory.entries.rootOf(key);
    return root === 0 ? this.#packed.count(key) : this.#long.count(root);
  }

  /** The element `index`, from 0 on, which there is. */
  read(key: number, index: number, slice: Slice): Slice {
    const root = this.#memory.entries.rootOf(key);
    let run = this.#packedRun;
    let offset = index;
    if (root === 0) this.#packed.open(key, run);
    else {
      this.#long.open(root, index);
      run = this.#long.run;
      offset = this.#long.place.offset;
    }
    return readElement(run.bytes, placeOf(run, offset), codeAt(run, offset), slice);
  }

  /**
   * Calls back for element `index` and those behind it, or with `back` before it, until `visit` returns false.
   * The list may not change meanwhile.
   */
  walk(key: number, index: number, back: boolean, slice: Slice, visit: (slice: Slice) => boolean): void {
    const root = this.#memory.entries.rootOf(key);
    const run = root === 0 ? this.#packed.open(key, this.#packedRun) : this.#long.run;
    let offset = index;
    if (root !== 0) {
      this.#long.open(root, index);
      offset = this.#long.place.offset;
    }
    for (;;) {
      const { bytes, count } = run;
      const codes = run.codesStart + count - 1;
      let at = placeOf(run, offset);
      if (back) {
        at += sizeAt(bytes, at, bytes[codes - offset]!);
        for (; offset >= 0; offset--) {
          const code = bytes[codes - offset]!;
          at -= sizeBefore(bytes, at, code);
          if (!visit(readElement(bytes, at, code, slice))) return;
        }
      } else {
        for (; offset < count; offset++) {
          const code = bytes[codes - offset]!;
          if (!visit(readElement(bytes, at, code, slice))) return;
          at += sizeAt(bytes, at, code);
        }
      }
      if (root === 0 || !this.#long.step(root, back)) return;
      offset = this.#long.place.offset;
    }
  }

  /** Adds an element at an end. @throws {HiveError} VALUE_TOO_BIG, OUT_OF_MEMORY: the list is as it was, though its entry may be another. */
  push(key: number, atFront: boolean, bytes: Uint8Array, start: number, length: number, kind: number): number {
    this.#prepare(bytes, start, length, kind);
    const root = this.#memory.entries.rootOf(key);
    if (root !== 0) {
      this.#long.push(key, root, atFront, this.#element);
      return key;
    }
    if (this.#packed.fits(key, this.#element.size + 1)) {
      return this.#packed.insert(key, atFront ? 0 : this.#packed.count(key), this.#element);
    }
    const target = this.#unpack(key);
    this.#long.push(target, this.#memory.entries.rootOf(target), atFront, this.#element);
    return target;
  }

  #prepare(bytes: Uint8Array, start: number, length: number, kind: number): void {
    const { valueBytesMax } = this.#keyspace;
    if (length > valueBytesMax) throw tooBig("VALUE_TOO_BIG", "value", length, "valueBytesMax", valueBytesMax);
    this.#element.prepare(bytes, start, length, kind);
  }

  /** A packed list becomes one of a chunk. @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  #unpack(key: number): number {
    const { containers, entries, funnel } = this.#memory;
    if (funnel.on) funnel.before("field-set", key);
    const run = this.#packed.open(key, this.#packedRun);
    const root = this.#long.create(this.#memory.accountOf(key), entries.head(key) & FLAG_SCRUB, run);
    try {
      return this.#keyspace.unpack(key, root);
    } catch (error) {
      containers.detach(root);
      throw error;
    }
  }

  /** The first element, or the last. */
  readEnd(key: number, atFront: boolean, slice: Slice): Slice {
    const root = this.#memory.entries.rootOf(key);
    const run = root === 0 ? this.#packed.open(key, this.#packedRun) : this.#long.openEnd(root, atFront);
    const code = codeAt(run, atFront ? 0 : run.count - 1);
    const at = atFront ? run.dataStart : run.dataEnd - sizeBefore(run.bytes, run.dataEnd, code);
    return readElement(run.bytes, at, code, slice);
  }

  /** Takes the first element away, or the last. */
  pop(key: number, atFront: boolean): number {
    const root = this.#memory.entries.rootOf(key);
    if (root !== 0) this.#long.openEnd(root, atFront);
    return this.popRead(key, atFront);
  }

  /** The same for one that readEnd() has just read: nothing was asked of the store since. */
  popRead(key: number, atFront: boolean): number {
    const root = this.#memory.entries.rootOf(key);
    if ((root === 0 ? this.#packed.count(key) : this.#long.count(root)) === 1) {
      this.#keyspace.remove(key);
      return 0;
    }
    if (root === 0) return this.#packed.pop(key, atFront);
    this.#long.popOpen(key, root, atFront);
    return key;
  }

  /** Takes `many` elements away, those from element `from` on, which there are. */
  remove(key: number, from: number, many: number): number {
    if (many === 0) return key;
    if (many === this.count(key)) {
      this.#keyspace.remove(key);
      return 0;
    }
    const root = this.#memory.entries.rootOf(key);
    if (root === 0) return this.#packed.cut(key, from, from + many);
    this.#long.remove(key, root, from, many);
    return key;
  }

  /**
   * Takes up to `limit` elements that `matches` takes away, from the front or the back. Returns the key's entry;
   * how many stands in `removed`.
   */
  sift(key: number, back: boolean, limit: number, matches: (slice: Slice) => boolean): number {
    const root = this.#memory.entries.rootOf(key);
    const count = this.count(key);
    if (root !== 0) this.removed = this.#long.sift(key, root, back, limit, matches);
    else {
      const run = this.#packed.open(key, this.#packedRun);
      const slice = { bytes: run.bytes, start: 0, end: 0, kind: 0 };
      const found = findEach(run, back, limit, slice, matches);
      this.removed = found.length;
      if (found.length > 0 && found.length < count) return this.#packed.cutEach(key, found);
    }
    if (this.removed < count) return key;
    this.#keyspace.remove(key);
    return 0;
  }

  /**
   * Puts an element before element `index`, or behind the last where that is their number.
   * @throws {HiveError} VALUE_TOO_BIG, OUT_OF_MEMORY: the list is as it was, though its entry may be another.
   */
  insert(key: number, index: number, bytes: Uint8Array, start: number, length: number, kind: number): number {
    if (index === 0 || index === this.count(key)) return this.push(key, index === 0, bytes, start, length, kind);
    this.#prepare(bytes, start, length, kind);
    let target = key;
    if (this.isPacked(key)) {
      if (this.#packed.fits(key, this.#element.size + 1)) return this.#packed.insert(key, index, this.#element);
      target = this.#unpack(key);
    }
    this.#long.insert(target, this.#memory.entries.rootOf(target), index, this.#element);
    return target;
  }

  /** Gives element `index` another content. @throws {HiveError} VALUE_TOO_BIG, OUT_OF_MEMORY: as with insert(). */
  set(key: number, index: number, bytes: Uint8Array, start: number, length: number, kind: number): number {
    this.#prepare(bytes, start, length, kind);
    let target = key;
    if (this.isPacked(key)) {
      const run = this.#packed.open(key, this.#packedRun);
      const old = sizeAt(run.bytes, placeOf(run, index), codeAt(run, index));
      if (this.#packed.fits(key, this.#element.size, old)) return this.#packed.replace(key, index, this.#element);
      target = this.#unpack(key);
    }
    const root = this.#memory.entries.rootOf(target);
    this.#long.open(root, index);
    const { run, place } = this.#long;
    const old = sizeAt(run.bytes, placeOf(run, place.offset), codeAt(run, place.offset));
    if (this.#long.replace(target, root, index, old, this.#element)) return target;
    // A chunk that is full: the new one comes before the old one, which then goes. Only the first can fail.
    target = this.insert(target, index, bytes, start, length, kind);
    return this.remove(target, index + 1, 1);
  }
}
