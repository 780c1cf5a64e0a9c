// Restoring: another content takes the place of the memory's own, whole or not at all.
//
//   begin() ──▶ the keyspace is set aside, an empty one takes its place ──▶ key(), field() …
//       commit() ──▶ what was aside is freed          rollback() ──▶ it is back, and what came is freed
//
// Nothing else may touch the store between begin() and the end of it: whoever restores lets calls wait.
// Readers of shared memory ask the socket meanwhile. What has run out is passed over, and so is a table
// of which nothing is left.

import { HiveError } from "../base/errors.ts";
import type { TotalsCopy } from "./accounting.ts";
import { enter, leave } from "./header.ts";
import {
  FLAG_OWNED,
  FLAG_ROOT,
  FLAG_TTL,
  KEY_KIND_SHIFT,
  KEYSPACE_ROOT,
  KIND_VALUE,
  TYPE_MASK,
  VALUE_KIND_SHIFT,
} from "./layout.ts";
import type { Memory } from "./memory.ts";
import { NO_DEADLINE, type Placement } from "./placement.ts";

/** One entry as it comes from outside. Its bytes are read before the call that has it returns. */
export type EntryFacts = {
  /** TYPE_STRING, …; of a field TYPE_FIELD or TYPE_MEMBER. */
  type: number;
  nameKind: number;
  valueKind: number;
  version: number;
  /** Epoch milliseconds; NO_DEADLINE without a TTL. */
  deadlineMs: number;
  /** 0 for none. */
  owner: number;
  session: number;
  bytes: Uint8Array;
  nameStart: number;
  nameLength: number;
  /** Of a key with a container: nothing. */
  valueStart: number;
  valueLength: number;
};

/**
 * What versions jump by: a version that a client read from another life of the hive, after the snapshot that
 * comes back, is then never given again, and 48 bits have room for 65,000 such jumps.
 */
const VERSION_JUMP = 2 ** 32;

/** The keyspace that was set aside, with what was counted. */
type Aside = { root: number; totals: TotalsCopy; version: number };

export class Restoring {
  readonly #memory: Memory;
  readonly #placement: Placement;
  readonly #aside: Aside;
  /** By the id that a container had: the one that it has now; 0 for one whose key had run out. */
  readonly #ids = new Map<number, number>();
  #ended = false;
  /** Keys and fields that were put in their place. */
  keys = 0;
  fields = 0;

  readonly #onEnd: () => void;

  /** @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  constructor(memory: Memory, placement: Placement, onEnd: () => void) {
    this.#memory = memory;
    this.#placement = placement;
    this.#onEnd = onEnd;
    const { totals, containers, entries } = memory;
    const counted = { totals: totals.copy(), version: entries.version };
    if (memory.funnel.on) memory.funnel.before("flush", 0);
    this.#aside = { root: containers.setKeyspaceAside(), ...counted };
    enter(memory.segments.words[0]!);
  }

  /**
   * A key; `container` is the id by which its fields will come, 0 where its entry holds all.
   * @throws {HiveError} OUT_OF_MEMORY; BAD_SNAPSHOT where two keys have one container.
   */
  key(facts: EntryFacts, container: number): void {
    const { entries, containers, index, keys, nowMs } = this.#memory;
    if (container !== 0 && this.#ids.has(container)) return this.#checkAgain(facts, container);
    if (facts.deadlineMs <= nowMs) {
      if (container !== 0) this.#ids.set(container, 0);
      return;
    }
    const typed = facts.nameKind === KIND_VALUE ? 1 : 0;
    const hash = keys.hash(facts.bytes, facts.nameStart, facts.nameLength, typed);
    // The same key once more: a change of it had failed while the snapshot was written.
    if (index.find(KEYSPACE_ROOT, hash, facts.nameLength, typed) !== 0) return;
    const root = container === 0 ? 0 : containers.create();
    const ref = this.#create(facts, root === 0 ? 0 : FLAG_ROOT);
    if (facts.owner !== 0) entries.setOwner(ref, facts.owner, facts.session);
    if (root !== 0) {
      containers.setOwner(root, facts.owner);
      entries.setRoot(ref, root, containers.idOf(root));
      containers.setKey(root, ref);
      this.#ids.set(container, containers.idOf(root));
    }
    this.#placement.place(KEYSPACE_ROOT, hash, ref, facts.deadlineMs);
    this.keys++;
  }

  /** A field or member of a container whose key came before. @throws {HiveError} OUT_OF_MEMORY, BAD_SNAPSHOT */
  field(facts: EntryFacts, container: number): void {
    const { index, keys, containers, nowMs } = this.#memory;
    const id = this.#ids.get(container);
    if (id === undefined) throw new HiveError("BAD_SNAPSHOT", `fields of container ${container}, which no key has`);
    if (id === 0 || facts.deadlineMs <= nowMs) return;
    const root = containers.rootOf(id);
    const typed = facts.nameKind === KIND_VALUE ? 1 : 0;
    const hash = keys.hash(facts.bytes, facts.nameStart, facts.nameLength, typed);
    if (index.find(root, hash, facts.nameLength, typed) !== 0) return;
    this.#placement.place(root, hash, this.#create(facts, 0), facts.deadlineMs);
    this.fields++;
  }

  /** What was there before goes, and is freed in slices. Versions go on from the highest. */
  commit(): void {
    const { containers, entries, index } = this.#memory;
    for (const id of this.#ids.values()) {
      const root = id === 0 ? 0 : containers.rootOf(id);
      if (root === 0 || index.count(root) > 0) continue;
      const key = containers.keyOf(root);
      containers.detach(root);
      this.#placement.remove(KEYSPACE_ROOT, key);
      this.keys--;
    }
    entries.version = Math.max(entries.version, this.#aside.version) + VERSION_JUMP;
    containers.dropAside(this.#aside.root);
    this.#end();
  }

  /** Everything is as it was before begin(). */
  rollback(): void {
    if (this.#ended) return;
    const { containers, totals } = this.#memory;
    containers.takeBackAside(this.#aside.root);
    totals.putBack(this.#aside.totals);
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#ids.clear();
    leave(this.#memory.segments.words[0]!);
    this.#onEnd();
  }

  #create(facts: EntryFacts, flags: number): number {
    const { entries } = this.#memory;
    const ttl = facts.deadlineMs < NO_DEADLINE ? FLAG_TTL : 0;
    const owned = facts.owner !== 0 ? FLAG_OWNED : 0;
    const head =
      facts.type | (facts.nameKind << KEY_KIND_SHIFT) | (facts.valueKind << VALUE_KIND_SHIFT) | ttl | owned | flags;
    const { bytes, nameStart, nameLength, valueStart, valueLength } = facts;
    const before = entries.version;
    const ref = entries.create(head, bytes, nameStart, nameLength, valueLength);
    entries.setVersion(ref, facts.version);
    entries.version = Math.max(before, facts.version);
    if (valueLength > 0) entries.writeValue(ref, facts.valueKind, bytes, valueStart, valueLength);
    return ref;
  }

  /** A container's key that comes a second time has to be the first one. */
  #checkAgain(facts: EntryFacts, container: number): void {
    const { entries, containers } = this.#memory;
    const id = this.#ids.get(container)!;
    if (id === 0 && facts.deadlineMs <= this.#memory.nowMs) return;
    const key = id === 0 ? 0 : containers.keyOf(containers.rootOf(id));
    const same =
      key !== 0 &&
      (entries.head(key) & TYPE_MASK) === facts.type &&
      entries.keyLength(key) === facts.nameLength &&
      entries.keyKind(key) === facts.nameKind &&
      entries
        .bytesOf(key)
        .subarray(entries.keyStart(key), entries.keyStart(key) + facts.nameLength)
        .equals(facts.bytes.subarray(facts.nameStart, facts.nameStart + facts.nameLength));
    if (!same) throw new HiveError("BAD_SNAPSHOT", `two keys have container ${container}`);
  }
}
