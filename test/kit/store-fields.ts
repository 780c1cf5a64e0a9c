// Store fields: tables, sets and sorted sets through one face, where a sorted set's value is its score in 8 bytes.

import assert from "node:assert/strict";
import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { TYPE_SORTED } from "../../src/store/layout.ts";
import type { SortedSets } from "../../src/store/sorted-sets.ts";
import type { Store } from "../../src/store/store.ts";
import { idOf, type ModelField, type ModelKey, type Name } from "./store-model.ts";

type Slice = { bytes: Buffer; start: number; end: number; kind: number };

/** What the model asks of a container. */
export type Fields = Pick<Store["fields"], "find" | "name" | "value" | "count" | "each" | "scan" | "deadline"> & {
  delete(key: number, handle: number): number;
};

/** The face for the container in the entry `key`. */
export function fieldsOf(store: Store, key: number): Fields {
  return store.memory.entries.type(key) === TYPE_SORTED ? new ScoreFields(store.sorted) : store.fields;
}

/** The value that stands for a score. */
export function scoreBytes(score: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(score);
  return bytes;
}

class ScoreFields implements Fields {
  readonly #sorted: SortedSets;
  constructor(sorted: SortedSets) {
    this.#sorted = sorted;
  }
  find(key: number, name: Uint8Array, start: number, length: number, kind?: number): number {
    return this.#sorted.find(key, name, start, length, kind);
  }
  name(key: number, handle: number, slice: Slice): Slice {
    return this.#sorted.name(key, handle, slice);
  }
  value(key: number, handle: number, slice: Slice): Slice {
    return Object.assign(slice, { bytes: scoreBytes(this.#sorted.score(key, handle)), start: 0, end: 8, kind: 0 });
  }
  count(key: number): number {
    return this.#sorted.count(key);
  }
  each(key: number, visit: (handle: number) => void): void {
    this.#sorted.each(key, visit);
  }
  scan(key: number, cursor: number, min: number, visit: (handle: number) => void): number {
    return this.#sorted.scan(key, cursor, min, visit);
  }
  deadline(): number {
    return NO_DEADLINE;
  }
  delete(key: number, handle: number): number {
    return this.#sorted.delete(key, handle);
  }
}

/** Gives a member a score, in the store and in the model. */
export function setScore(store: Store, target: { ref: number; key: ModelKey }, name: Name, score: number): void {
  const field = target.key.fields.get(idOf(name));
  target.ref = store.sorted.set(target.ref, name.bytes, 0, name.bytes.length, name.kind, score);
  assert.equal(store.sorted.created, field === undefined, "created");
  const next = { name: field?.name ?? name, value: scoreBytes(score + 0), kind: 0, deadlineMs: NO_DEADLINE };
  target.key.fields.set(idOf(name), next);
}

/** Sets a field of a table, or adds a member to a set. Returns the key's entry, which may have moved. */
export function setField(store: Store, key: number, { name, value, kind, deadlineMs }: ModelField): number {
  const { bytes } = name;
  return store.fields.set(key, bytes, 0, bytes.length, name.kind, value, 0, value.length, kind, deadlineMs);
}
