// The call of a spool: a batch of readings of one device as DEVICE.SPOOL, and what the hive says to it.

import { type ErrorCode, isErrorCode } from "../base/errors.ts";
import { decodeItem, ITEM_BYTES, ITEM_TEXT, ITEM_VALUE, type ItemReader } from "../wire/items.ts";
import { encode } from "../wire/value-encode.ts";
import type { CallSpec, StoredItem } from "./call.ts";
import * as spec from "./specs.ts";
import type { Reading } from "./spool-readings.ts";

export type SpoolAnswer = {
  /** The name of the hive's memory: another one than was said, and nothing was stored. */
  memory: string;
  /** The last number of this spool that the device's memory has. */
  last: number;
  /** The version of the hive's memory after it, and the last one that a snapshot holds. */
  version: number;
  storedVersion: number;
  /** The first reading that was not stored, where one was refused. */
  refusal: { sequence: number; code: ErrorCode; message: string } | undefined;
};

export const SPOOL: CallSpec<SpoolAnswer> = spec.write("DEVICE.SPOOL", "nww(wssw)", answerOf);

function answerOf(items: ItemReader): SpoolAnswer {
  const [memory, last, version, storedVersion, refused] = decodeItem(items) as [
    ...[string, number, number, number],
    [number, string, string] | undefined,
  ];
  const [sequence, code, message] = refused ?? [0, "", ""];
  const known = isErrorCode(code) ? code : "UNKNOWN_CODE";
  return { memory, last, version, storedVersion, refusal: refused && { sequence, code: known, message } };
}

/** The arguments. A TTL that has passed leaves a millisecond: the reading is stored, and gone. */
export function spoolArguments(
  device: string,
  names: { producer: string; memory: string },
  readings: readonly Reading[],
  nowMs: number,
): unknown[] {
  const args: unknown[] = [device, names.producer, names.memory];
  for (const { sequence, label, value, atMs, ttlMs } of readings) {
    args.push(sequence, label, value, ttlMs === 0 ? 0 : Math.max(1, Math.ceil(atMs + ttlMs - nowMs)));
  }
  return args;
}

/** A label or value as it is stored, now: what becomes of an object later is not. @throws {HiveError} BAD_VALUE */
export function storedItem(value: unknown): StoredItem {
  if (typeof value === "string") return { kind: ITEM_TEXT, bytes: new TextEncoder().encode(value) };
  if (value instanceof Uint8Array) return { kind: ITEM_BYTES, bytes: new Uint8Array(value) };
  return { kind: ITEM_VALUE, bytes: encode(value) };
}
