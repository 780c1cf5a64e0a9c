// Containers: the roots of the keyspace and of every table and set that is not packed.
//
//   create(type) ──▶ root + id        id ──▶ root (for entries in the wheel, snapshots)
//   detach(root) ──▶ queue of the reaper (reaper.ts)
//
// Deleting a container of any size is O(1): its root is detached and its bytes are credited at once;
// its entries go later.

import type { Totals } from "./accounting.ts";
import { Detached } from "./detached.ts";
import type { Entries } from "./entries.ts";
import type { HashIndex } from "./hash-index.ts";
import {
  FLAG_SCRUB,
  KEYSPACE_ID,
  KEYSPACE_ROOT,
  ROOT_ACCOUNT,
  ROOT_BYTES,
  ROOT_BYTES_HIGH,
  ROOT_BYTES_LOW,
  ROOT_DETACHED,
  ROOT_FLAGS,
  ROOT_FLUSHED,
  ROOT_ID,
  ROOT_INDEX_BYTES,
  ROOT_KEY,
  ROOT_SECRET,
  ROOT_SEQUENCE,
  ROOT_SORTED,
  ROOT_TTLS,
  ROOT_TYPED,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  SORTED_ROOT_BYTES,
} from "./layout.ts";
import { skipsOf } from "./list-skips.ts";
import type { Pages } from "./pages.ts";
import { roomFor } from "./room-for.ts";
import { close, open } from "./sequence.ts";
import type { SortedTree } from "./sorted-tree.ts";
import type { Wheel } from "./wheel.ts";

const TWO32 = 4294967296;

export type ContainerParts = {
  pages: Pages;
  index: HashIndex;
  entries: Entries;
  wheel: Wheel;
  totals: Totals;
  tree: SortedTree;
};

export class Containers {
  /** Containers that wait to be freed. */
  readonly detached: Detached = new Detached();
  readonly #parts: ContainerParts;
  readonly #words: Int32Array[];
  /** By container id: its root. Grows by doubling; 4 bytes for each container. */
  #roots: Int32Array = new Int32Array(64);
  readonly #freeIds: number[] = [];
  #nextId = KEYSPACE_ID + 1;
  /** Keyspaces that were emptied and are not freed yet: containers in them are not marked as detached. */
  #flushed = 0;
  /** Detached while undo may still want them back. */
  #held: number[] | undefined = undefined;
  /** Ids of those that were created meanwhile. */
  readonly #fresh = new Set<number>();

  constructor(parts: ContainerParts) {
    this.#parts = parts;
    this.#words = parts.entries.words;
  }

  openKeyspace(): void {
    this.#parts.index.open(KEYSPACE_ROOT);
    this.#set(KEYSPACE_ROOT, ROOT_ID, KEYSPACE_ID);
    this.#roots[KEYSPACE_ID] = KEYSPACE_ROOT;
  }

  /**
   * A new empty container.
   * @param bytes Of its root: LIST_ROOT_BYTES for a list, SORTED_ROOT_BYTES for a sorted set. @throws {HiveError} OUT_OF_MEMORY
   */
  create(bytes: number = ROOT_BYTES): number {
    const root = this.#parts.pages.alloc(bytes);
    this.#clearRoot(root, bytes);
    try {
      this.#parts.index.open(root);
    } catch (error) {
      this.#parts.pages.free(root);
      throw error;
    }
    if (bytes === SORTED_ROOT_BYTES) this.#set(root, ROOT_FLAGS, ROOT_SORTED);
    const id = this.#takeId(root);
    this.#set(root, ROOT_ID, id);
    if (this.#held) this.#fresh.add(id);
    return root;
  }

  #takeId(root: number): number {
    const id = this.#freeIds.pop() ?? this.#nextId++;
    this.#roots = roomFor(this.#roots, id);
    this.#roots[id] = root;
    return id;
  }

  rootOf(id: number): number {
    return this.#roots[id]!;
  }

  idOf(root: number): number {
    return this.#get(root, ROOT_ID);
  }

  /** The entry of the key that has this container. */
  keyOf(root: number): number {
    return this.#get(root, ROOT_KEY);
  }

  setKey(root: number, key: number): void {
    this.#set(root, ROOT_KEY, key);
  }

  /** Whether it is a sorted set's. */
  isSorted(root: number): boolean {
    return (this.#get(root, ROOT_FLAGS) & ROOT_SORTED) !== 0;
  }

  isDetached(root: number): boolean {
    return (this.#get(root, ROOT_FLAGS) & ROOT_DETACHED) !== 0;
  }

  /** The id of the keyspace: KEYSPACE_ID, and another one each time it was emptied at once. */
  get keyspaceId(): number {
    return this.idOf(KEYSPACE_ROOT);
  }

  /** Whether keys may have been emptied out whose containers the reaper has not come to yet. */
  get flushing(): boolean {
    return this.#flushed > 0;
  }

  /** Bytes of the container's entries. */
  bytesOf(root: number): number {
    return this.#get(root, ROOT_BYTES_HIGH) * TWO32 + (this.#get(root, ROOT_BYTES_LOW) >>> 0);
  }

  /** Bytes of its root, directory, buckets and overflow nodes, and of its tree. */
  indexBytesOf(root: number): number {
    const { pages, tree } = this.#parts;
    const skips = skipsOf({ words: this.#words, pages }, root);
    const bytes = pages.sizeOf(root) + (this.#get(root, ROOT_INDEX_BYTES) >>> 0);
    if (this.isSorted(root)) return bytes + tree.bytesOf(root);
    return skips === 0 ? bytes : bytes + pages.sizeOf(skips);
  }

  /** Counts `bytes` more (or fewer) bytes of entries in a container, whose account is told by the caller. */
  account(root: number, account: number, bytes: number): void {
    this.#parts.totals.add(account, bytes);
    const words = this.#words[root >>> SEGMENT_SHIFT]!;
    const at = (root & SEGMENT_MASK) << 1;
    const total = words[at + ROOT_BYTES_HIGH]! * TWO32 + (words[at + ROOT_BYTES_LOW]! >>> 0) + bytes;
    words[at + ROOT_BYTES_LOW] = total | 0;
    words[at + ROOT_BYTES_HIGH] = Math.floor(total / TWO32);
  }

  /** How many entries have a TTL; how many have a typed key. */
  ttls(root: number): number {
    return this.#get(root, ROOT_TTLS);
  }

  countTtl(root: number, change: number): void {
    this.#set(root, ROOT_TTLS, this.#get(root, ROOT_TTLS) + change);
  }

  /** Its key's account, by which its entries are counted. */
  accountOf(root: number): number {
    return this.#get(root, ROOT_ACCOUNT);
  }

  setAccount(root: number, account: number): void {
    this.#countAll(root, -1);
    this.#set(root, ROOT_ACCOUNT, account);
    this.#countAll(root, 1);
  }

  /** Counts all that a container has for its account, or (-1) no longer. */
  #countAll(root: number, sign: 1 | -1): void {
    const { totals, index } = this.#parts;
    const account = this.accountOf(root);
    totals.add(account, sign * this.bytesOf(root));
    totals.addFields(account, sign * index.count(root));
  }

  typed(root: number): number {
    return this.#get(root, ROOT_TYPED);
  }

  countTyped(root: number, change: number): void {
    this.#set(root, ROOT_TYPED, this.#get(root, ROOT_TYPED) + change);
  }

  /** A copy of a root in another block takes its place; the caller tells its key's entry and then frees this one. */
  moveRoot(root: number): number {
    const bytes = this.#parts.pages.sizeOf(root);
    const next = this.#parts.pages.alloc(bytes);
    const from = (root & SEGMENT_MASK) << 1;
    const words = this.#words[root >>> SEGMENT_SHIFT]!.subarray(from, from + bytes / 4);
    this.#words[next >>> SEGMENT_SHIFT]!.set(words, (next & SEGMENT_MASK) << 1);
    this.#roots[this.idOf(root)] = next;
    return next;
  }

  /** Takes a container out of use: its bytes are credited now, its memory is freed by reap(). */
  detach(root: number): void {
    this.#countAll(root, -1);
    const key = this.keyOf(root);
    const secret = key !== 0 && (this.#parts.entries.head(key) & FLAG_SCRUB) !== 0 ? ROOT_SECRET : 0;
    this.#set(root, ROOT_FLAGS, this.#get(root, ROOT_FLAGS) | ROOT_DETACHED | secret);
    if (this.#held) this.#held.push(root);
    else this.detached.push(root, secret !== 0);
  }

  /** From here on detached containers are kept, so that undo can attach them again. */
  hold(): void {
    this.#held = [];
  }

  /** Attaches a container that was detached since hold(). */
  reattach(root: number): void {
    this.#held = this.#held?.filter((other) => other !== root);
    this.#set(root, ROOT_FLAGS, this.#get(root, ROOT_FLAGS) & ~(ROOT_DETACHED | ROOT_SECRET));
    this.#countAll(root, 1);
  }

  /** Whether a container was created since hold(): undo takes it away with its key, whatever is in it. */
  isFresh(id: number): boolean {
    return this.#fresh.has(id);
  }

  /** Ends hold(): what is still detached goes to the reaper. */
  release(): void {
    for (const root of this.#held ?? []) this.detached.push(root, (this.#get(root, ROOT_FLAGS) & ROOT_SECRET) !== 0);
    this.#held = undefined;
    this.#fresh.clear();
  }

  /** The keyspace becomes empty at once; reap() frees what was in it. @throws {HiveError} OUT_OF_MEMORY */
  detachKeyspace(): void {
    this.dropAside(this.setKeyspaceAside());
  }

  /**
   * An empty keyspace takes the place of the one that is there. Returns the root that the old one has now,
   * for dropAside() or takeBackAside(). @throws {HiveError} OUT_OF_MEMORY: nothing was changed.
   */
  setKeyspaceAside(): number {
    const old = this.create();
    this.#changePlaces(old);
    this.#set(old, ROOT_FLAGS, ROOT_DETACHED);
    this.#parts.totals.clear();
    return old;
  }

  /** What was set aside is freed by reap(). */
  dropAside(old: number): void {
    this.#set(old, ROOT_FLAGS, ROOT_DETACHED | ROOT_FLUSHED);
    this.#flushed++;
    this.detached.push(old);
  }

  /** What was set aside is the keyspace again; what was put there meanwhile is freed by reap(). Totals are the caller's. */
  takeBackAside(old: number): void {
    this.#set(old, ROOT_FLAGS, 0);
    this.#changePlaces(old);
    this.dropAside(old);
  }

  /** The keyspace and the container `other` change places, all but the sequence. Each keeps its id, by which the wheel knows its entries. */
  #changePlaces(other: number): void {
    const words = this.#words[0]!;
    open(words, (KEYSPACE_ROOT << 1) + ROOT_SEQUENCE);
    for (let word = 0; word < ROOT_BYTES / 4; word++) {
      if (word === ROOT_SEQUENCE) continue;
      const own = this.#get(other, word);
      this.#set(other, word, this.#get(KEYSPACE_ROOT, word));
      this.#set(KEYSPACE_ROOT, word, own);
    }
    close(words, (KEYSPACE_ROOT << 1) + ROOT_SEQUENCE);
    this.#roots[this.idOf(other)] = other;
    this.#roots[this.keyspaceId] = KEYSPACE_ROOT;
    this.#parts.wheel.keyspaceId = this.keyspaceId;
  }

  /** A container is free but for its root's block: its id is another one's from now on. */
  forget(root: number): void {
    const id = this.idOf(root);
    // Id 0 is not used again: undo names the keyspace by it.
    this.#roots[id] = 0;
    if (id !== KEYSPACE_ID) this.#freeIds.push(id);
    if ((this.#get(root, ROOT_FLAGS) & ROOT_FLUSHED) !== 0) this.#flushed--;
  }

  /** A container of a keyspace that was emptied goes the same way. Its bytes are credited already. */
  detachInner(root: number, isSecret: boolean): void {
    this.#set(root, ROOT_FLAGS, this.#get(root, ROOT_FLAGS) | ROOT_DETACHED | (isSecret ? ROOT_SECRET : 0));
    this.detached.push(root, isSecret);
  }

  #clearRoot(root: number, bytes: number): void {
    const at = (root & SEGMENT_MASK) << 1;
    this.#words[root >>> SEGMENT_SHIFT]!.fill(0, at, at + bytes / 4);
  }

  #get(root: number, word: number): number {
    return this.#words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + word]!;
  }

  #set(root: number, word: number, value: number): void {
    this.#words[root >>> SEGMENT_SHIFT]![((root & SEGMENT_MASK) << 1) + word] = value;
  }
}
