// Sequences: how far the readings of each spool are stored in a device's memory.
//
//   own field: length 1 | producer … | sequence 6      the producer that wrote last comes first, then the next …
//
// A spool numbers what it keeps; what is at or below the last number was stored before, and is passed over. The
// numbers lie in the device's table and are written in one step with the label, so a snapshot has both or neither.

import { HiveError } from "../base/errors.ts";
import type { Args } from "../engine/args.ts";
import type { Slice } from "../store/collections.ts";
import type { Store } from "../store/store.ts";
import { ownField } from "./own-field.ts";

/** Of a device's memory; the one that was heard of least recently is forgotten then. */
export const PRODUCERS_MAX = 32;
export const PRODUCER_BYTES_MAX = 32;

const SEQUENCE_BYTES = 6;
const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

/** The producer that argument `index` names. @throws {HiveError} INVALID_ARGUMENT */
export function producerArgument(args: Args, index: number): Buffer {
  const producer = Buffer.from(args.bytes(index));
  if (producer.length > 0 && producer.length <= PRODUCER_BYTES_MAX) return producer;
  throw new HiveError("INVALID_ARGUMENT", `a producer has 1 to ${PRODUCER_BYTES_MAX} bytes, not ${producer.length}`);
}

/** The last number of a producer, 0 before the first. @param key 0: the device has nothing yet. */
export function lastSequence(store: Store, key: number, producer: Buffer): number {
  for (const { name, sequence } of producersOf(store, key)) if (producer.equals(name)) return sequence;
  return 0;
}

/** The content of the own field once a producer has come to `sequence`. */
export function sequencesWith(store: Store, key: number, producer: Buffer, sequence: number): Buffer {
  const others = producersOf(store, key).filter(({ name }) => !producer.equals(name));
  const all = [{ name: producer, sequence }, ...others.slice(0, PRODUCERS_MAX - 1)];
  return Buffer.concat(
    all.map((one) => {
      const record = Buffer.alloc(1 + one.name.length + SEQUENCE_BYTES);
      record[0] = one.name.length;
      record.set(one.name, 1);
      record.writeUIntLE(one.sequence, 1 + one.name.length, SEQUENCE_BYTES);
      return record;
    }),
  );
}

type Producer = { name: Buffer; sequence: number };

/** Of a restored memory that is none of ours, what can be read. */
function producersOf(store: Store, key: number): Producer[] {
  const field = key === 0 ? 0 : ownField(store, key);
  if (field === 0) return [];
  const { bytes, start, end } = store.fields.value(key, field, slice);
  const found: Producer[] = [];
  for (let at = start; at < end; ) {
    const name = at + 1;
    const number = name + bytes[at]!;
    at = number + SEQUENCE_BYTES;
    if (at <= end)
      found.push({ name: bytes.subarray(name, number), sequence: bytes.readUIntLE(number, SEQUENCE_BYTES) });
  }
  return found;
}
