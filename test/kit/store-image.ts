// Store image: all that a store holds, as a map of plain values, to compare two moments or two stores.
//
//   imageOf(store) ──▶ "k:name" ──▶ facts of the key        "f:name/field" ──▶ facts of a field of an unpacked container

import { FLAG_SCRUB, KEYSPACE_ROOT, KIND_VALUE } from "../../src/store/layout.ts";
import type { EntryFacts } from "../../src/store/restoring.ts";
import type { Store } from "../../src/store/store.ts";
import { eachEntry } from "../../src/store/walk.ts";

/** What a snapshot keeps of an entry. */
export type ImageEntry = Pick<
  EntryFacts,
  "type" | "nameKind" | "valueKind" | "version" | "deadlineMs" | "owner" | "ownedWord"
> & {
  /** The value; undefined where a container has it. */
  value: string | undefined;
};

export type StoreImage = Map<string, ImageEntry>;

/** Everything but secrets and what has run out. */
export function imageOf(store: Store): StoreImage {
  const image: StoreImage = new Map();
  const { entries } = store.memory;
  eachEntry(store.memory, KEYSPACE_ROOT, (key) => {
    if ((entries.head(key) & FLAG_SCRUB) !== 0) return;
    const name = `k:${nameOf(store, key)}`;
    image.set(name, entryOf(store, key));
    const root = entries.rootOf(key);
    if (root === 0) return;
    eachEntry(store.memory, root, (field) => image.set(`f:${name}/${nameOf(store, field)}`, entryOf(store, field)));
  });
  return image;
}

function nameOf(store: Store, ref: number): string {
  const { entries } = store.memory;
  const start = entries.keyStart(ref);
  const form = entries.keyKind(ref) === KIND_VALUE ? "v" : "r";
  return form + entries.bytesOf(ref).latin1Slice(start, start + entries.keyLength(ref));
}

function entryOf(store: Store, ref: number): ImageEntry {
  const { entries } = store.memory;
  const start = entries.valueStart(ref);
  return {
    type: entries.type(ref),
    nameKind: entries.keyKind(ref),
    valueKind: entries.valueKind(ref),
    version: entries.versionOf(ref),
    deadlineMs: entries.deadline(ref),
    owner: entries.ownerOf(ref),
    ownedWord: entries.ownedWord(ref),
    value:
      entries.rootOf(ref) === 0 ? entries.bytesOf(ref).latin1Slice(start, start + entries.valueLength(ref)) : undefined,
  };
}
