// Changed key: the name of the key that the funnel tells of, for listeners that know keys by their names.

import type { Entries } from "../store/entries.ts";

/** One character a byte: of the entry `ref`, or where there is none yet, as change() has it in its bytes. */
export function changedKey(entries: Entries, ref: number, bytes: Uint8Array, start: number, length: number): string {
  if (ref === 0) return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).latin1Slice();
  const from = entries.keyStart(ref);
  return entries.bytesOf(ref).latin1Slice(from, from + entries.keyLength(ref));
}
