// Store scans: SCAN's guarantee, checked while everything changes. What was there from the first call to
// the last must have been returned.

import assert from "node:assert/strict";
import { KEYSPACE_ROOT, TYPE_STRING } from "../../src/store/layout.ts";
import { scanEntries } from "../../src/store/walk.ts";
import { fieldsOf } from "./store-fields.ts";
import { idOf, type Scan, type StoreModel } from "./store-model.ts";

/** One more call of a scan under way, for at least `min` keys or fields. */
export function scanOn(model: StoreModel, scan: Scan, min: number): void {
  if (scan.key === undefined) scanEntriespace(model, scan, min);
  else scanFields(model, scan, scan.key, min);
  if (scan.cursor !== 0 || !model.scans.includes(scan)) return;
  assert.deepEqual([...scan.owed], [], "what is there from start to end is returned");
  model.scans = model.scans.filter((other) => other !== scan);
}

function scanEntriespace(model: StoreModel, scan: Scan, min: number): void {
  const { memory } = model.store;
  const { entries } = memory;
  scan.cursor = scanEntries(memory, KEYSPACE_ROOT, scan.cursor, min, (ref) => {
    const start = entries.keyStart(ref);
    const bytes = entries.bytesOf(ref).subarray(start, start + entries.keyLength(ref));
    scan.owed.delete(idOf({ bytes, kind: entries.keyKind(ref) }));
  });
  if (scan.cursor !== 0) return;
  for (const id of [...scan.owed]) {
    const key = model.live(id);
    if (!key || (key.type !== TYPE_STRING && key.fields.size === 0)) scan.owed.delete(id);
  }
}

function scanFields(model: StoreModel, scan: Scan, id: string, min: number): void {
  const { keys } = model.store;
  const key = model.live(id);
  if (!key || !model.scans.includes(scan)) return;
  const ref = keys.find(key.name.bytes, 0, key.name.bytes.length, key.name.kind);
  if (ref === 0) return model.forget(id);
  const fields = fieldsOf(model.store, ref);
  const slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };
  scan.cursor = fields.scan(ref, scan.cursor, min, (handle) => {
    fields.name(ref, handle, slice);
    scan.owed.delete(idOf({ bytes: slice.bytes.subarray(slice.start, slice.end), kind: slice.kind }));
  });
}
