// Restoring: another content takes the place of the memory's own, whole or not at all.
//
//   begin() ──▶ the keyspace is set aside, an empty one takes its place ──▶ key(), field() …
//       commit() ──▶ what was aside is freed          rollback() ──▶ it is back, and what came is freed
//
// Nothing else may touch the store between begin() and the end of it: whoever restores lets calls wait.
// Readers of shared memory ask the socket meanwhile. What has run out is passed over, and so is a table
// of which nothing is left. Under a policy that evicts a key may go again before all of it came: then the
// rest of it is passed over too.

import { HiveError } from "../base/errors.ts";
import { WideMap } from "../base/wide-map.ts";
import type { TotalsCopy } from "./accounting.ts";
import { enter, leave } from "./header.ts";
import {
  FLAG_OWNED,
  FLAG_ROOT,
  FLAG_SCRUB,
  FLAG_TTL,
  KEY_KIND_SHIFT,
  KEYSPACE_ROOT,
  KIND_VALUE,
  LIST_ROOT_BYTES,
  ROOT_BYTES,
  SORTED_ROOT_BYTES,
  TYPE_LIST,
  TYPE_MASK,
  TYPE_SORTED,
  VALUE_KIND_SHIFT,
} from "./layout.ts";
import { Chunks } from "./list-chunks.ts";
import { ListRoots } from "./list-roots.ts";
import type { Memory } from "./memory.ts";
import { beginsAsPart, type Parts } from "./parts.ts";
import { NO_DEADLINE, type Placement } from "./placement.ts";
import { roomFor } from "./room-for.ts";

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
  /** Of a key with an owner: its payer and whether it came by a session (layout.ts). */
  ownedWord: number;
  /** Of a key: it is a secret (FLAG_SCRUB). */
  isSecret: boolean;
  bytes: Uint8Array;
  nameStart: number;
  nameLength: number;
  /** Of a key with a container: nothing. */
  valueStart: number;
  valueLength: number;
};

export type RestoredSecrets = {
  /** Which come: none, those alone whose key is there when it begins, or all. */
  which: "none" | "present" | "all";
  /** One came. Its name is read before this returns. */
  onSecret?: ((facts: EntryFacts) => void) | undefined;
};

export const NO_SECRETS: RestoredSecrets = { which: "none" };

/** By the type of its key: the bytes of a container's root, where they are not ROOT_BYTES. */
const ROOTS: Readonly<Record<number, number>> = { [TYPE_LIST]: LIST_ROOT_BYTES, [TYPE_SORTED]: SORTED_ROOT_BYTES };

/** Versions have 48 bits. */
const VERSION_END = 2 ** 48;
/**
 * The part of the versions that are left by which they jump: 2^32 in a young hive. A version that a client read
 * from another life of the hive, after the snapshot that comes back, is then never given again, and however
 * many restores there are, they do not use the versions up.
 */
const VERSION_JUMP = 2 ** -16;

/** The keyspace that was set aside, with what was counted. */
type Aside = { root: number; totals: TotalsCopy; version: number };

export class Restoring {
  readonly #memory: Memory;
  readonly #placement: Placement;
  readonly #lists: ListRoots;
  readonly #aside: Aside;
  /** By the id that a container had: the one that it has now; 0 for one whose key had run out. */
  readonly #ids = new WideMap<number>();
  /** By the id that a container has now: the one that it had. Ids of what was evicted meanwhile are used again. */
  #origins: Int32Array = new Int32Array(64);
  #ended = false;
  /** Keys and fields that were put in their place; after commit() the keys that there are. */
  keys = 0;
  fields = 0;

  readonly #parts: Parts;
  /** Names of keys that came and may be parts of others. */
  readonly #partKeys: Buffer[] = [];
  readonly #secrets: RestoredSecrets;
  readonly #onEnd: (isDone: boolean) => void;

  /** @throws {HiveError} OUT_OF_MEMORY: nothing was changed. */
  constructor(
    memory: Memory,
    placement: Placement,
    { parts, secrets, onEnd }: { parts: Parts; secrets: RestoredSecrets; onEnd: (isDone: boolean) => void },
  ) {
    this.#parts = parts;
    this.#secrets = secrets;
    this.#memory = memory;
    this.#placement = placement;
    this.#lists = new ListRoots(memory, new Chunks(memory, placement));
    this.#onEnd = onEnd;
    const { totals, containers, entries } = memory;
    const counted = { totals: totals.copy(), version: entries.version };
    if (memory.funnel.on) memory.funnel.before("flush", 0);
    const header = memory.segments.words[0]!;
    // Readers of shared memory must not see the empty keyspace.
    enter(header);
    try {
      this.#aside = { root: containers.setKeyspaceAside(), ...counted };
    } catch (error) {
      leave(header);
      throw error;
    }
  }

  /**
   * A key; `container` is the id by which its fields will come, 0 where its entry holds all.
   * @throws {HiveError} OUT_OF_MEMORY; BAD_SNAPSHOT where two keys have one container.
   */
  key(facts: EntryFacts, container: number): void {
    const { index, keys, funnel, nowMs } = this.#memory;
    if (container !== 0 && this.#ids.has(container)) return this.#checkAgain(facts, container);
    const typed = facts.nameKind === KIND_VALUE ? 1 : 0;
    const hash = keys.hash(facts.bytes, facts.nameStart, facts.nameLength, typed);
    if (facts.deadlineMs <= nowMs || (facts.isSecret && !this.#brings(hash, facts.nameLength, typed))) {
      if (container !== 0) this.#ids.set(container, 0);
      return;
    }
    // The same key once more: a change of it had failed while the snapshot was written.
    if (index.find(KEYSPACE_ROOT, hash, facts.nameLength, typed) !== 0) return;
    // Whoever watches a key that was not there learns that it comes.
    if (funnel.on) funnel.before("set", 0, 0, facts.bytes, facts.nameStart, facts.nameLength, facts.nameKind);
    this.#place(facts, hash, container);
    this.keys++;
    this.#notePart(facts);
    if (facts.isSecret) this.#secrets.onSecret?.(facts);
  }

  #notePart({ bytes, nameStart, nameLength }: EntryFacts): void {
    if (!beginsAsPart(bytes, nameStart, nameLength)) return;
    this.#partKeys.push(Buffer.from(bytes.subarray(nameStart, nameStart + nameLength)));
  }

  /** Whether the secret whose name was hashed last comes: what ended meanwhile must not be there again. */
  #brings(hash: number, length: number, typed: 0 | 1): boolean {
    const { which } = this.#secrets;
    if (which !== "present") return which === "all";
    return this.#memory.index.find(this.#aside.root, hash, length, typed) !== 0;
  }

  #place(facts: EntryFacts, hash: number, container: number): void {
    const { entries, containers } = this.#memory;
    const bytes = ROOTS[facts.type] ?? ROOT_BYTES;
    const root = container === 0 ? 0 : containers.create(bytes);
    try {
      const ref = this.#create(facts, (root === 0 ? 0 : FLAG_ROOT) | (facts.isSecret ? FLAG_SCRUB : 0));
      if (facts.owner !== 0) entries.setOwner(ref, facts.owner, facts.ownedWord);
      if (root !== 0) {
        containers.setAccount(root, this.#memory.accountOf(ref));
        entries.setRoot(ref, root, containers.idOf(root));
        containers.setKey(root, ref);
      }
      this.#placement.place(KEYSPACE_ROOT, hash, ref, facts.deadlineMs);
    } catch (error) {
      if (root !== 0) containers.detach(root);
      throw error;
    }
    if (root !== 0) this.#note(container, containers.idOf(root));
  }

  #note(container: number, id: number): void {
    this.#ids.set(container, id);
    this.#origins = roomFor(this.#origins, id);
    this.#origins[id] = container;
  }

  /** The root that a container of the snapshot has; 0 where its key had run out, or was evicted since. */
  #rootOf(container: number): number {
    const { containers } = this.#memory;
    const id = this.#ids.get(container) ?? 0;
    if (id === 0 || this.#origins[id] !== container) return 0;
    const root = containers.rootOf(id);
    return root === 0 || containers.isDetached(root) ? 0 : root;
  }

  /** A field or member of a container whose key came before. @throws {HiveError} OUT_OF_MEMORY, BAD_SNAPSHOT */
  field(facts: EntryFacts, container: number): void {
    const { index, keys, nowMs } = this.#memory;
    if (!this.#ids.has(container))
      throw new HiveError("BAD_SNAPSHOT", `fields of container ${container}, which no key has`);
    const root = this.#rootOf(container);
    if (root === 0 || facts.deadlineMs <= nowMs) return;
    const typed = facts.nameKind === KIND_VALUE ? 1 : 0;
    const hash = keys.hash(facts.bytes, facts.nameStart, facts.nameLength, typed);
    if (index.find(root, hash, facts.nameLength, typed) !== 0) return;
    const secret = this.#memory.entries.head(this.#memory.containers.keyOf(root)) & FLAG_SCRUB;
    this.#placement.place(root, hash, this.#create(facts, secret), facts.deadlineMs);
    this.fields++;
  }

  /**
   * What was there before goes, and is freed in slices. Versions go on from the highest.
   * @throws {HiveError} BAD_SNAPSHOT: the chunks of a list do not make one; then rollback() is the way out.
   */
  commit(): void {
    const { containers, entries, index } = this.#memory;
    for (const container of this.#ids.keys()) {
      const root = this.#rootOf(container);
      if (root === 0 || entries.type(containers.keyOf(root)) !== TYPE_LIST) continue;
      if (!this.#lists.restore(root))
        throw new HiveError("BAD_SNAPSHOT", `the chunks of container ${container} make no list`);
    }
    for (const container of this.#ids.keys()) {
      const root = this.#rootOf(container);
      if (root === 0 || index.count(root) > 0) continue;
      const key = containers.keyOf(root);
      containers.detach(root);
      this.#placement.remove(KEYSPACE_ROOT, key);
    }
    // The key that they belong to had run out, or was evicted meanwhile.
    this.#parts.removeStrays(this.#partKeys);
    this.keys = index.count(KEYSPACE_ROOT);
    const version = Math.max(entries.version, this.#aside.version);
    entries.version = version + Math.floor((VERSION_END - version) * VERSION_JUMP);
    containers.dropAside(this.#aside.root);
    this.#end(true);
  }

  /** Everything is as it was before begin(). */
  rollback(): void {
    if (this.#ended) return;
    const { containers, totals, entries } = this.#memory;
    containers.takeBackAside(this.#aside.root);
    totals.putBack(this.#aside.totals);
    entries.version = this.#aside.version;
    this.#end(false);
  }

  #end(isDone: boolean): void {
    this.#ended = true;
    this.#ids.clear();
    leave(this.#memory.segments.words[0]!);
    this.#onEnd(isDone);
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
    const root = this.#rootOf(container);
    if (id === 0 ? facts.deadlineMs <= this.#memory.nowMs : root === 0) return;
    const key = root === 0 ? 0 : containers.keyOf(root);
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
