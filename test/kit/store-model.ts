// Store model: what a store should hold, kept the slow and obvious way, as maps of buffers.
//
//   operation ──▶ the store does it ──▶ the model does it ──▶ look() compares one key, compareAll() everything
//
// The model knows nothing of memory. What it cannot know it learns: which keys were evicted, from the
// funnel; that a table whose last field has run out may still be there, empty, until the store passes by.

import assert from "node:assert/strict";
import type { ChangeKind, ChangeListener } from "../../src/store/funnel.ts";
import {
  KEYSPACE_ROOT,
  KIND_VALUE,
  TYPE_LIST,
  TYPE_SET,
  TYPE_SORTED,
  TYPE_STRING,
  TYPE_TABLE,
} from "../../src/store/layout.ts";
import type { Store } from "../../src/store/store.ts";
import { eachEntry } from "../../src/store/walk.ts";
import { fieldsOf } from "./store-fields.ts";

export type Name = { bytes: Buffer; kind: number };
export type ModelField = { name: Name; value: Buffer; kind: number; deadlineMs: number };
export type ModelElement = { bytes: Buffer; kind: number };
export type ModelKey = {
  name: Name;
  type: number;
  value: Buffer;
  kind: number;
  deadlineMs: number;
  fields: Map<string, ModelField>;
  elements: ModelElement[];
};

/** Whether its fields are what it holds. */
export function hasFields(key: ModelKey | undefined): key is ModelKey {
  return key?.type === TYPE_TABLE || key?.type === TYPE_SET || key?.type === TYPE_SORTED;
}

/** Equality of names ignores which kind of raw bytes they are. */
export function idOf(name: Name): string {
  return (name.kind === KIND_VALUE ? "v" : "r") + name.bytes.latin1Slice();
}

/** A SCAN under way: what must turn up before it ends, since it was there all the time. */
export type Scan = { key: string | undefined; cursor: number; owed: Set<string> };

export class StoreModel implements ChangeListener {
  readonly store: Store;
  keys: Map<string, ModelKey> = new Map();
  scans: Scan[] = [];

  constructor(store: Store) {
    this.store = store;
  }

  /** Hears of evicted keys, and that nothing expires before its time. */
  change(kind: ChangeKind, key: number): void {
    if (kind !== "evict" && kind !== "expire") return;
    const { entries } = this.store.memory;
    const start = entries.keyStart(key);
    const bytes = Buffer.from(entries.bytesOf(key).subarray(start, start + entries.keyLength(key)));
    const id = idOf({ bytes, kind: entries.keyKind(key) });
    if (kind === "evict") this.forget(id);
    else assert.ok(entries.deadline(key) <= this.store.nowMs, "a key expires before its deadline");
  }

  /** A key that the model has, unless it ran out, which makes it go. */
  live(id: string): ModelKey | undefined {
    const key = this.keys.get(id);
    if (!key) return undefined;
    if (key.deadlineMs <= this.store.nowMs) {
      this.forget(id);
      return undefined;
    }
    for (const [field, { deadlineMs }] of key.fields) if (deadlineMs <= this.store.nowMs) this.forgetField(id, field);
    return key;
  }

  forget(id: string): void {
    this.keys.delete(id);
    this.scans = this.scans.filter((scan) => scan.key !== id);
    for (const scan of this.scans) if (scan.key === undefined) scan.owed.delete(id);
  }

  forgetField(id: string, field: string): void {
    this.keys.get(id)?.fields.delete(field);
    for (const scan of this.scans) if (scan.key === id) scan.owed.delete(field);
  }

  forgetAll(): void {
    this.keys.clear();
    this.scans = [];
  }

  /** Finds a key in both, and says whether they agree on it. A table whose fields have all run out goes. */
  look(name: Name): { id: string; ref: number; key: ModelKey | undefined } {
    const { keys, fields } = this.store;
    const id = idOf(name);
    const key = this.live(id);
    const ref = keys.find(name.bytes, 0, name.bytes.length, name.kind);
    if (hasFields(key) && key.fields.size === 0) {
      if (ref !== 0) {
        assert.equal(fields.count(ref), 0, "fields of a table that has run out");
        keys.remove(ref);
      }
      this.forget(id);
      return { id, ref: 0, key: undefined };
    }
    assert.equal(ref !== 0, key !== undefined, `key ${id.slice(0, 40)} is there`);
    if (key) this.#compareKey(ref, key);
    return { id, ref, key };
  }

  #compareKey(ref: number, key: ModelKey): void {
    const { entries } = this.store.memory;
    assert.equal(entries.type(ref), key.type, "type");
    assert.equal(entries.deadline(ref), key.deadlineMs, "deadline");
    if (key.type === TYPE_STRING) {
      assert.equal(entries.valueKind(ref), key.kind, "kind of value");
      const start = entries.valueStart(ref);
      const length = entries.valueLength(ref);
      assert.equal(length, key.value.length, "bytes of value");
      assert.ok(
        entries
          .bytesOf(ref)
          .subarray(start, start + length)
          .equals(key.value),
        "value",
      );
    } else if (key.type === TYPE_LIST) assert.equal(this.store.lists.count(ref), key.elements.length, "elements");
    else assert.equal(this.store.fields.count(ref), key.fields.size, "count of fields");
  }

  /** Compares every field of a table. */
  compareFields(ref: number, key: ModelKey): void {
    const fields = fieldsOf(this.store, ref);
    const slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };
    const seen = new Set<string>();
    fields.each(ref, (handle) => {
      fields.name(ref, handle, slice);
      const id = idOf({ bytes: slice.bytes.subarray(slice.start, slice.end), kind: slice.kind });
      assert.ok(!seen.has(id), "a field twice");
      seen.add(id);
      const field = key.fields.get(id);
      assert.ok(field, `field ${id.slice(0, 40)} should not be there`);
      fields.value(ref, handle, slice);
      assert.ok(slice.bytes.subarray(slice.start, slice.end).equals(field.value), "value of a field");
      assert.equal(slice.kind, field.kind, "kind of a field's value");
      assert.equal(fields.deadline(handle), field.deadlineMs, "deadline of a field");
    });
    assert.equal(seen.size, key.fields.size, "fields");
    for (const field of key.fields.values()) {
      assert.notEqual(
        fields.find(ref, field.name.bytes, 0, field.name.bytes.length, field.name.kind),
        0,
        "field found",
      );
    }
  }

  /** Compares every element of a list, from both ends. */
  compareElements(ref: number, { elements }: ModelKey): void {
    assert.notEqual(elements.length, 0, "a list has elements");
    for (const back of [false, true]) {
      const slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };
      let index = back ? elements.length - 1 : 0;
      this.store.lists.walk(ref, index, back, slice, ({ bytes, start, end, kind }) => {
        const element = elements[index];
        assert.ok(element?.bytes.equals(bytes.subarray(start, end)), `element ${index} of ${elements.length}`);
        assert.equal(kind, element?.kind, "kind of an element");
        index += back ? -1 : 1;
        return true;
      });
      assert.equal(index, back ? -1 : elements.length, "elements that were walked over");
    }
  }

  compareAll(): void {
    for (const key of [...this.keys.values()]) {
      const { ref } = this.look(key.name);
      if (ref !== 0 && hasFields(key)) this.compareFields(ref, key);
      if (ref !== 0 && key.type === TYPE_LIST) this.compareElements(ref, key);
    }
    let count = 0;
    eachEntry(this.store.memory, KEYSPACE_ROOT, () => count++);
    assert.equal(count, this.keys.size, "keys");
  }

  /** Everything a client could see, versions included, to be compared later. */
  dump(): Map<string, unknown> {
    const { memory } = this.store;
    const { entries } = memory;
    const all = new Map<string, unknown>();
    const text = (bytes: Buffer, start: number, end: number): string => bytes.latin1Slice(start, end);
    const refs: number[] = [];
    eachEntry(memory, KEYSPACE_ROOT, (ref) => refs.push(ref));
    for (const ref of refs) {
      const bytes = entries.bytesOf(ref);
      const name = text(bytes, entries.keyStart(ref), entries.keyStart(ref) + entries.keyLength(ref));
      const row: unknown[] = [entries.type(ref), entries.deadline(ref), entries.versionOf(ref)];
      row.push(entries.ownerOf(ref), entries.ownedWord(ref));
      if (entries.type(ref) === TYPE_STRING) {
        const start = entries.valueStart(ref);
        row.push(entries.valueKind(ref), text(bytes, start, start + entries.valueLength(ref)));
      } else if (entries.type(ref) === TYPE_LIST) {
        const slice = { bytes, start: 0, end: 0, kind: 0 };
        const content: string[] = [];
        this.store.lists.walk(ref, 0, false, slice, (element) => {
          content.push(`${element.kind}${text(element.bytes, element.start, element.end)}`);
          return true;
        });
        row.push(this.store.lists.isPacked(ref), content);
      } else {
        const slice = { bytes, start: 0, end: 0, kind: 0 };
        const fields = fieldsOf(this.store, ref);
        const packed = this.store.fields.isPacked(ref);
        const content = new Map<string, unknown>();
        fields.each(ref, (handle) => {
          fields.name(ref, handle, slice);
          const field = `${slice.kind}${text(slice.bytes, slice.start, slice.end)}`;
          fields.value(ref, handle, slice);
          const version = packed ? 0 : this.store.fields.version(ref, handle);
          content.set(field, [slice.kind, text(slice.bytes, slice.start, slice.end), fields.deadline(handle), version]);
        });
        row.push(packed, content);
      }
      all.set(`${entries.keyKind(ref)}${name}`, row);
    }
    return all;
  }

  /** A copy of the model's state, for restore(). */
  copy(): Map<string, ModelKey> {
    const copy = new Map<string, ModelKey>();
    for (const [id, key] of this.keys) {
      copy.set(id, { ...key, fields: copyFields(key.fields), elements: [...key.elements] });
    }
    return copy;
  }

  restore(copy: Map<string, ModelKey>): void {
    // A scan owes nothing that was away in between.
    for (const id of this.keys.keys()) if (!copy.has(id)) this.forget(id);
    this.keys = copy;
  }

  newKey(name: Name, type: number): ModelKey {
    const value = Buffer.alloc(0);
    return { name, type, value, kind: 0, deadlineMs: Number.POSITIVE_INFINITY, fields: new Map(), elements: [] };
  }
}

function copyFields(fields: Map<string, ModelField>): Map<string, ModelField> {
  const copy = new Map<string, ModelField>();
  for (const [id, field] of fields) copy.set(id, { ...field });
  return copy;
}

export const CONTAINER_TYPES: readonly number[] = [TYPE_TABLE, TYPE_SET, TYPE_SORTED];
