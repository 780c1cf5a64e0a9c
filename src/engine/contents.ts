// Contents: what a table, a set or a sorted set holds, as names and values, for copies and dumps.
//
// A member of a set has no value; that of a sorted set has its score in 8 bytes.

import type { Slice } from "../store/collections.ts";
import { KIND_RAW, TYPE_SORTED } from "../store/layout.ts";
import { NO_DEADLINE } from "../store/placement.ts";
import type { Store } from "../store/store.ts";

/** A field or member, its parts good until the next change of the store. */
export type Content = { readonly name: Slice; readonly value: Slice; deadlineMs: number };

export const SCORE_BYTES = 8;

const NO_BYTES = Buffer.alloc(0);

/** Calls back for everything in the container `key` that has not run out. It may not change meanwhile. */
export function eachContent(store: Store, key: number, visit: (content: Content) => void): void {
  const content: Content = {
    name: { bytes: NO_BYTES, start: 0, end: 0, kind: 0 },
    value: { bytes: NO_BYTES, start: 0, end: 0, kind: 0 },
    deadlineMs: NO_DEADLINE,
  };
  const { fields, sorted } = store;
  if (store.memory.entries.type(key) !== TYPE_SORTED) {
    return fields.each(key, (handle) => {
      fields.name(key, handle, content.name);
      fields.value(key, handle, content.value);
      content.deadlineMs = fields.deadline(handle);
      visit(content);
    });
  }
  const score = Buffer.alloc(SCORE_BYTES);
  Object.assign(content.value, { bytes: score, start: 0, end: SCORE_BYTES, kind: KIND_RAW });
  sorted.each(key, (handle) => {
    sorted.name(key, handle, content.name);
    score.writeDoubleLE(sorted.score(key, handle));
    visit(content);
  });
}

/** Adds to a container. Returns its entry, which may have moved. @throws {HiveError} KEY_TOO_BIG, VALUE_TOO_BIG, OUT_OF_MEMORY */
export function addContent(store: Store, key: number, { name, value, deadlineMs }: Content): number {
  const length = name.end - name.start;
  if (store.memory.entries.type(key) === TYPE_SORTED) {
    return store.sorted.set(key, name.bytes, name.start, length, name.kind, value.bytes.readDoubleLE(value.start));
  }
  return store.fields.set(
    key,
    name.bytes,
    name.start,
    length,
    name.kind,
    value.bytes,
    value.start,
    value.end - value.start,
    value.kind,
    deadlineMs,
  );
}

/** Whether the last addContent() to this container added something new. */
export function wasAdded(store: Store, key: number): boolean {
  return store.memory.entries.type(key) === TYPE_SORTED ? store.sorted.created : store.fields.created;
}
