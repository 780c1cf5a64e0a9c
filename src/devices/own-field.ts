// Own field: what a memory knows of itself, in its table under the name `false`, which no label can have.
//
//   $session:sensor-7:k3Jf…  false ──▶ its time, and whether use prolongs it        (sessions.ts)
//   $device:sensor-7         false ──▶ the last number of each spool                 (sequences.ts)
//
// Being a field it is in snapshots with the labels that it belongs to, and counts for the device.

import { KIND_BYTES, KIND_VALUE } from "../store/layout.ts";
import { NO_DEADLINE } from "../store/placement.ts";
import type { Store } from "../store/store.ts";
import { encode } from "../wire/value.ts";

const OWN_NAME: Buffer = Buffer.from(encode(false));

/** The handle of the field; 0 where there is none. */
export function ownField({ fields }: Store, key: number): number {
  return fields.find(key, OWN_NAME, 0, OWN_NAME.length, KIND_VALUE);
}

/** Sets it. Returns the key's entry, which may have moved. The change feed hears nothing of it. @throws {HiveError} OUT_OF_MEMORY */
export function setOwnField({ fields, memory }: Store, key: number, value: Buffer): number {
  const { changes } = memory;
  const { quiet } = changes;
  changes.quiet = true;
  try {
    const kinds = [KIND_VALUE, KIND_BYTES] as const;
    return fields.set(key, OWN_NAME, 0, OWN_NAME.length, kinds[0], value, 0, value.length, kinds[1], NO_DEADLINE);
  } finally {
    changes.quiet = quiet;
  }
}

/** How many labels a memory has. */
export function labelCount(store: Store, key: number): number {
  return store.fields.count(key) - (ownField(store, key) === 0 ? 0 : 1);
}

export function isOwnName(bytes: Buffer, start: number, end: number, kind: number): boolean {
  return kind === KIND_VALUE && OWN_NAME.compare(bytes, start, end) === 0;
}
