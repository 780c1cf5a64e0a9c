// Long lists: chunks behind a root, changed at their ends and in the middle.
//
//   push ──▶ the chunk at the end has room │ gets a larger block │ a new chunk comes behind it
//   insert, set ──▶ the chunk has room │ gets a larger block │ is split, and a new one comes between
//   remove ──▶ whole chunks go, and parts of the first and the last
//
// Everything that takes memory comes first, then what changes the list, between begin() and end() of its root:
// a chunk is made before anything leads to it, and freed after nothing does. So a failure leaves a list as it was.

import type { Slice } from "./collections.ts";
import { CHUNK_NAME_BYTES, CHUNK_ROOM, FLAG_SCRUB, LIST_FIRST, LIST_LAST, LIST_ROOT_BYTES } from "./layout.ts";
import { Chunks } from "./list-chunks.ts";
import {
  copyTail,
  cutEach,
  cutFirst,
  cutLast,
  cutOut,
  findEach,
  insertAt,
  type NewElement,
  newRun,
  openMiddle,
  placeOf,
  type Run,
  replaceAt,
  usedBytes,
} from "./list-elements.ts";
import { newRoom, putAt } from "./list-room.ts";
import { ListRoots, type Place } from "./list-roots.ts";
import type { Memory } from "./memory.ts";
import type { Placement } from "./placement.ts";

/** A chunk at an end is made with this room at least: it will grow. */
const ROOM_MIN = 256;

type NewChunk = { previous: number; next: number; room: number };

export class LongLists {
  /** Of the element that open() was asked for last. */
  readonly run: Run = newRun();
  readonly place: Place = { id: 0, offset: 0, slot: 0 };
  readonly #memory: Memory;
  readonly #chunks: Chunks;
  readonly #roots: ListRoots;
  #endId = 0;
  #endRef = 0;
  readonly #other = newRun();
  readonly #slice: Slice = { bytes: this.#other.bytes, start: 0, end: 0, kind: 0 };

  constructor(memory: Memory, placement: Placement) {
    this.#memory = memory;
    this.#chunks = new Chunks(memory, placement);
    this.#roots = new ListRoots(memory, this.#chunks);
  }

  count(root: number): number {
    return this.#roots.elements(root);
  }

  /** Opens the chunk that element `index` is in, which there is: says in `run` and `place` where. */
  open(root: number, index: number): void {
    const { place, run } = this;
    const elements = this.#roots.elements(root);
    const isFirst = index === 0;
    if (!isFirst && index !== elements - 1) this.#roots.locate(root, index, place);
    else place.id = this.#roots.get(root, isFirst ? LIST_FIRST : LIST_LAST);
    this.#chunks.open(this.#chunks.find(root, place.id), run);
    if (!isFirst && index !== elements - 1) return;
    place.offset = isFirst ? 0 : run.count - 1;
    place.slot = isFirst ? 0 : this.#roots.chunks(root) - 1;
  }

  /** Opens the next chunk, or the one before. Returns whether there is one. */
  step(root: number, back: boolean): boolean {
    const { place, run } = this;
    const ref = this.#chunks.find(root, place.id);
    const id = back ? this.#chunks.previous(ref) : this.#chunks.next(ref);
    if (id === 0) return false;
    this.#chunks.open(this.#chunks.find(root, id), run);
    place.id = id;
    place.offset = back ? run.count - 1 : 0;
    return true;
  }

  /** A root for a list with the elements of a run, or with none. It is no key's yet. @throws {HiveError} OUT_OF_MEMORY */
  create(account: number, scrub: number, run: Run): number {
    const { containers } = this.#memory;
    const root = containers.create(LIST_ROOT_BYTES);
    try {
      containers.setAccount(root, account);
      this.#roots.clear(root);
      if (run.count === 0) return root;
      const id = this.#roots.takeId(root);
      const facts = { id, room: Math.max(CHUNK_ROOM, usedBytes(run)), scrub, previous: 0, next: 0 };
      this.#chunks.create(root, facts, (room) => copyTail(run, 0, room));
      this.#linkBetween(root, id, 0, 0);
      this.#roots.setElements(root, run.count);
      return root;
    } catch (error) {
      containers.detach(root);
      throw error;
    }
  }

  /** @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  push(key: number, root: number, atFront: boolean, element: NewElement): void {
    const roots = this.#roots;
    const id = roots.get(root, atFront ? LIST_FIRST : LIST_LAST);
    if (id === 0) return this.#pushChunk(key, root, atFront, 0, element);
    const ref = this.#chunks.find(root, id);
    const run = this.#chunks.open(ref, this.run);
    const room = newRoom(run, element.size + 1);
    if (room === 0) return this.#pushChunk(key, root, atFront, id, element);
    this.#tell(key, root, id);
    roots.begin(root);
    if (room > run.end - run.start) this.#growAndPut(root, ref, room, atFront, element);
    else {
      this.#chunks.lock();
      putAt(run, atFront, element);
      this.#chunks.close(ref, run);
      this.#chunks.unlock(ref);
    }
    roots.counted(root, atFront ? 0 : -1, 1);
    this.#counted(key, root, 1);
    roots.end(root);
  }

  /** Apart from push(): a closure in there would cost every push. The root is begun. @throws {HiveError} OUT_OF_MEMORY: and ended */
  #growAndPut(root: number, ref: number, room: number, atFront: boolean, element: NewElement): void {
    try {
      this.#chunks.grow(root, ref, room, (grown) => putAt(grown, atFront, element));
    } catch (error) {
      this.#roots.end(root);
      throw error;
    }
  }

  /** Tells the funnel that a chunk changes, and stands at it in the index then. */
  #tell(key: number, root: number, id: number): void {
    const { funnel } = this.#memory;
    if (!funnel.on || id === 0) return;
    funnel.before("field-set", key, this.#chunks.find(root, id));
    this.#chunks.find(root, id); // a listener may have looked elsewhere
  }

  /** The element gets a chunk of its own, in front of the first or behind the last. */
  #pushChunk(key: number, root: number, atFront: boolean, end: number, element: NewElement): void {
    const { containers } = this.#memory;
    this.#tell(key, root, end);
    const room = Math.max(ROOM_MIN, Math.min(CHUNK_ROOM, containers.bytesOf(root) >> 2), element.size + 1);
    const facts = { previous: atFront ? 0 : end, next: atFront ? end : 0, room };
    const id = this.#createChunk(key, root, facts, (run) => putAt(run, atFront, element));
    this.#roots.begin(root);
    this.#linkBetween(root, id, facts.previous, facts.next);
    this.#counted(key, root, 1);
    this.#roots.inserted(root, atFront ? 0 : this.#roots.chunks(root) - 1, id, 1);
    this.#roots.end(root);
  }

  /** A chunk that nothing leads to yet. Returns its number. @throws {HiveError} OUT_OF_MEMORY */
  #createChunk(key: number, root: number, facts: NewChunk, fill: (run: Run) => void): number {
    const { funnel, entries } = this.#memory;
    const id = this.#roots.takeId(root);
    if (funnel.on) funnel.before("field-set", key, 0, this.#chunks.nameOf(id), 0, CHUNK_NAME_BYTES);
    this.#chunks.create(root, { ...facts, id, scrub: entries.head(key) & FLAG_SCRUB }, fill);
    return id;
  }

  #linkBetween(root: number, id: number, previous: number, next: number): void {
    if (previous === 0) this.#roots.set(root, LIST_FIRST, id);
    else this.#chunks.link(root, previous, { next: id });
    if (next === 0) this.#roots.set(root, LIST_LAST, id);
    else this.#chunks.link(root, next, { previous: id });
  }

  #counted(key: number, root: number, change: number): void {
    this.#roots.setElements(root, this.#roots.elements(root) + change);
    this.#memory.entries.stamp(key);
  }

  /** Opens the first chunk, or the last, for popOpen(). */
  openEnd(root: number, atFront: boolean): Run {
    this.#endId = this.#roots.get(root, atFront ? LIST_FIRST : LIST_LAST);
    this.#endRef = this.#chunks.find(root, this.#endId);
    return this.#chunks.open(this.#endRef, this.run);
  }

  /** Takes the first element out, or the last, which is not the only one, of the chunk that openEnd() has opened. */
  popOpen(key: number, root: number, atFront: boolean): void {
    const roots = this.#roots;
    const { run } = this;
    const id = this.#endId;
    const ref = this.#endRef;
    if (run.count === 1) return this.#removeChunk(key, root, id, atFront ? 0 : roots.chunks(root) - 1, 1);
    this.#tell(key, root, id);
    roots.begin(root);
    this.#chunks.lock();
    if (atFront) cutFirst(run);
    else cutLast(run);
    this.#chunks.close(ref, run);
    this.#chunks.unlock(ref);
    roots.counted(root, atFront ? 0 : -1, -1);
    this.#counted(key, root, -1);
    roots.end(root);
  }

  /** Takes `many` elements out, those from element `from` on, which are not all. */
  remove(key: number, root: number, from: number, many: number): void {
    for (let left = many; left > 0; ) left -= this.#removeIn(key, root, from, left);
  }

  /** Takes up to `many` elements out of the chunk that element `from` is in, those from this one on. Returns how many. */
  #removeIn(key: number, root: number, from: number, many: number): number {
    this.open(root, from);
    const { run } = this;
    const { id, offset, slot } = this.place;
    const removed = Math.min(many, run.count - offset);
    if (removed === run.count) {
      this.#removeChunk(key, root, id, slot, removed);
      return removed;
    }
    this.#tell(key, root, id);
    this.#roots.begin(root);
    this.#cut(root, id, (target) => cutOut(target, offset, offset + removed));
    this.#roots.counted(root, slot, -removed);
    this.#counted(key, root, -removed);
    this.#roots.end(root);
    return removed;
  }

  /**
   * Takes up to `limit` elements that `matches` takes out, from the front or the back. Returns how many; where that
   * is all that there are, the last chunk is left for the caller, who removes the key.
   */
  sift(key: number, root: number, back: boolean, limit: number, matches: (slice: Slice) => boolean): number {
    const roots = this.#roots;
    let removed = 0;
    let slot = back ? roots.chunks(root) - 1 : 0;
    for (let id = roots.get(root, back ? LIST_LAST : LIST_FIRST); id !== 0 && removed < limit; ) {
      const ref = this.#chunks.find(root, id);
      const next = back ? this.#chunks.previous(ref) : this.#chunks.next(ref);
      const run = this.#chunks.open(ref, this.run);
      const found = findEach(run, back, limit - removed, this.#slice, matches);
      removed += found.length;
      const goes = found.length === run.count;
      if (goes && roots.chunks(root) === 1) return removed;
      if (goes) this.#removeChunk(key, root, id, slot, found.length);
      else if (found.length > 0) {
        this.#tell(key, root, id);
        roots.begin(root);
        this.#cut(root, id, (room) => cutEach(room, found));
        roots.counted(root, slot, -found.length);
        this.#counted(key, root, -found.length);
        roots.end(root);
      }
      if (back) slot--;
      else if (!goes) slot++;
      id = next;
    }
    return removed;
  }

  #cut(root: number, id: number, cut: (run: Run) => void): void {
    const ref = this.#chunks.find(root, id);
    const run = this.#chunks.open(ref, this.#other);
    this.#chunks.lock();
    cut(run);
    this.#chunks.close(ref, run);
    this.#chunks.unlock(ref);
  }

  /** Takes a chunk away, which is not the only one. */
  #removeChunk(key: number, root: number, id: number, slot: number, elements: number): void {
    const { funnel } = this.#memory;
    const ref = this.#chunks.find(root, id);
    const previous = this.#chunks.previous(ref);
    const next = this.#chunks.next(ref);
    this.#tell(key, root, previous);
    this.#tell(key, root, next);
    if (funnel.on) funnel.before("field-delete", key, ref);
    this.#roots.begin(root);
    if (previous === 0) this.#roots.set(root, LIST_FIRST, next);
    else this.#chunks.link(root, previous, { next });
    if (next === 0) this.#roots.set(root, LIST_LAST, previous);
    else this.#chunks.link(root, next, { previous });
    this.#roots.removed(root, slot);
    this.#counted(key, root, -elements);
    this.#roots.end(root);
    this.#chunks.remove(root, id);
  }

  /** Puts an element before element `index`, which is neither the first nor behind the last. @throws {HiveError} OUT_OF_MEMORY */
  insert(key: number, root: number, index: number, element: NewElement): void {
    // Before the first of a chunk is behind the last of the one before, which may have room.
    this.open(root, index - 1);
    const { id, offset, slot } = this.place;
    const put = (run: Run): void => insertAt(run, offset + 1, element);
    if (!this.#edit(key, root, { id, slot, more: element.size + 1, elements: 1 }, put)) {
      this.#split(key, root, { id, slot, offset: offset + 1 }, element);
    }
  }

  /** Gives element `index` another content of `old` bytes before. Returns whether there was room. @throws {HiveError} OUT_OF_MEMORY */
  replace(key: number, root: number, index: number, old: number, element: NewElement): boolean {
    this.open(root, index);
    const { id, offset, slot } = this.place;
    const put = (run: Run): void => replaceAt(run, offset, element);
    return this.#edit(key, root, { id, slot, more: element.size - old, elements: 0 }, put);
  }

  /**
   * Changes the elements of a chunk, which take `more` bytes more then and are `elements` more; it may get a
   * larger block. Returns false where there is no room: nothing was changed. @throws {HiveError} OUT_OF_MEMORY: neither.
   */
  #edit(
    key: number,
    root: number,
    { id, slot, more, elements }: { id: number; slot: number; more: number; elements: number },
    change: (run: Run) => void,
  ): boolean {
    const ref = this.#chunks.find(root, id);
    const run = this.#chunks.open(ref, this.run);
    const room = newRoom(run, more);
    if (room === 0) return false;
    this.#tell(key, root, id);
    const edit = (target: Run): void => {
      if (target.codesStart - target.dataEnd < more) openMiddle(target);
      change(target);
    };
    this.#roots.begin(root);
    try {
      if (room > run.end - run.start) this.#chunks.grow(root, ref, room, edit);
      else {
        this.#chunks.lock();
        edit(run);
        this.#chunks.close(ref, run);
        this.#chunks.unlock(ref);
      }
      this.#counted(key, root, elements);
      this.#roots.counted(root, slot, elements);
    } finally {
      this.#roots.end(root);
    }
    return true;
  }

  /** What stands from `offset` on in a chunk gets a chunk of its own, and the new element one between the two. */
  #split(key: number, root: number, { id, offset, slot }: Place, element: NewElement): void {
    const roots = this.#roots;
    const next = this.#chunks.next(this.#chunks.find(root, id));
    this.#tell(key, root, next);
    this.#tell(key, root, id);
    const run = this.#chunks.open(this.#chunks.find(root, id), this.run);
    const behind = run.count - offset;
    const bytes = behind === 0 ? 0 : run.dataEnd - placeOf(run, offset) + behind;
    const room = Math.max(bytes, Math.min(CHUNK_ROOM, bytes * 2));
    const tail =
      behind === 0
        ? 0
        : this.#createChunk(key, root, { previous: 0, next, room }, (target) => copyTail(run, offset, target));
    let own: number;
    try {
      const facts = { previous: id, next: tail === 0 ? next : tail, room: Math.max(ROOM_MIN, element.size + 1) };
      own = this.#createChunk(key, root, facts, (target) => putAt(target, false, element));
    } catch (error) {
      if (tail !== 0) this.#chunks.remove(root, tail);
      throw error;
    }
    // From here on nothing can fail.
    roots.begin(root);
    if (tail !== 0) {
      this.#cut(root, id, (target) => cutOut(target, offset, offset + behind));
      this.#linkBetween(root, tail, own, next);
      roots.counted(root, slot, -behind);
      roots.inserted(root, slot + 1, tail, behind);
    }
    this.#linkBetween(root, own, id, tail === 0 ? next : tail);
    roots.inserted(root, slot + 1, own, 1);
    this.#counted(key, root, 1);
    roots.end(root);
  }
}
