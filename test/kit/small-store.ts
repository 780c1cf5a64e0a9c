// Small store: a store spoken to in strings, for tests that are about something else than bytes.

import assert from "node:assert/strict";
import { KEEP_DEADLINE, NO_DEADLINE } from "../../src/store/keyspace.ts";
import { TYPE_TABLE } from "../../src/store/layout.ts";
import { Store, type StoreOptions } from "../../src/store/store.ts";

export const START_MS = 1_000_000;

export class SmallStore {
  readonly store: Store;

  constructor(options: Partial<StoreOptions> = {}) {
    this.store = new Store({ nowMs: START_MS, hashKey: Buffer.from("hash key"), ...options });
  }

  find(name: string): number {
    const bytes = Buffer.from(name);
    return this.store.keys.find(bytes, 0, bytes.length);
  }

  /** The entry of a key that must be there. */
  ref(name: string): number {
    const ref = this.find(name);
    assert.notEqual(ref, 0, `key ${name} is there`);
    return ref;
  }

  put(name: string, value: string | Buffer, deadlineMs: number = NO_DEADLINE): number {
    const bytes = Buffer.from(name);
    const content = typeof value === "string" ? Buffer.from(value) : value;
    return this.store.keys.put(bytes, 0, bytes.length, 0, content, 0, content.length, 0, deadlineMs);
  }

  get(name: string): string | undefined {
    const ref = this.find(name);
    if (ref === 0) return undefined;
    const { entries } = this.store.memory;
    const start = entries.valueStart(ref);
    return entries.bytesOf(ref).latin1Slice(start, start + entries.valueLength(ref));
  }

  remove(name: string): void {
    this.store.keys.remove(this.ref(name));
  }

  rename(from: string, to: string): void {
    const bytes = Buffer.from(to);
    this.store.keys.rename(this.ref(from), bytes, 0, bytes.length, 0);
  }

  /** Sets a field of a table, which is created where there is none. */
  set(table: string, field: string, value: string, deadlineMs: number = KEEP_DEADLINE): void {
    const { fields } = this.store;
    const key = Buffer.from(table);
    const name = Buffer.from(field);
    const content = Buffer.from(value);
    const ref = this.find(table) || fields.create(TYPE_TABLE, key, 0, key.length, 0);
    fields.set(ref, name, 0, name.length, 0, content, 0, content.length, 0, deadlineMs);
  }

  field(table: string, field: string): string | undefined {
    const { fields } = this.store;
    const name = Buffer.from(field);
    const key = this.find(table);
    const handle = key === 0 ? 0 : fields.find(key, name, 0, name.length);
    if (handle === 0) return undefined;
    const slice = fields.value(key, handle, { bytes: name, start: 0, end: 0, kind: 0 });
    return slice.bytes.latin1Slice(slice.start, slice.end);
  }

  delete(table: string, field: string): void {
    const name = Buffer.from(field);
    const key = this.ref(table);
    this.store.fields.delete(key, this.store.fields.find(key, name, 0, name.length));
  }

  /** A table that is not packed. */
  table(name: string, fields: number): void {
    for (let i = 0; i < fields; i++) this.set(name, `field ${i}`, `value ${i}`);
  }

  /** Cuts a string, or makes room behind it. Returns its entry. */
  resize(name: string, length: number): number {
    const { keys } = this.store;
    const ref = this.ref(name);
    return keys.endWrite(ref, keys.beginWrite(ref, length), length);
  }

  /** Frees and compacts until nothing is left to do. */
  workAll(): void {
    while (this.store.hasWork) this.store.work(() => false);
  }

  pass(ms: number): void {
    this.store.setNow(this.store.nowMs + ms);
  }
}
