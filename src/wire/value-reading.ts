// Reading: where a decoder is in its bytes, and MessagePack's fixed sizes.
//
//   decode() makes a Reading ──▶ take(size) ──▶ the offset to read at; cut short where there is less
//
// A plain object and functions on it: measured, it is as fast as variables of the module, and a
// decoder that is interrupted by an error leaves nothing behind.

import type { HiveError } from "../base/errors.ts";
import { badValue, DEPTH_CEILING, Double } from "./value-format.ts";
import type { ShippedCode, Types } from "./value-instances.ts";

/** One value being read. `objects` is there in the second reading of a value with references, and where there is only one. */
export type Reading = {
  readonly bytes: Uint8Array;
  at: number;
  end: number;
  depth: number;
  /** Over all of `bytes`. */
  view: DataView | undefined;
  /** Read without it. */
  floats: number;
  readonly as: "values" | "doubles" | "plain";
  objects: unknown[] | undefined;
  hasReferences: boolean;
  readonly types: Types | undefined;
  readonly revive: ((code: ShippedCode) => unknown) | undefined;
};

/** The offset of the next `size` bytes, which are now read. */
export function take(reading: Reading, size: number): number {
  const at = reading.at;
  if (size > reading.end - at) throw cutShort();
  reading.at = at + size;
  return at;
}

export function readUint8(reading: Reading): number {
  return reading.bytes[take(reading, 1)]!;
}

export function readUint16(reading: Reading): number {
  const at = take(reading, 2);
  return (reading.bytes[at]! << 8) | reading.bytes[at + 1]!;
}

export function readUint32(reading: Reading): number {
  return uint32At(reading.bytes, take(reading, 4));
}

export function uint32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function readInt64(reading: Reading, signed: boolean): number | bigint {
  const at = take(reading, 8);
  const unsignedHigh = uint32At(reading.bytes, at);
  const high = signed ? unsignedHigh | 0 : unsignedHigh;
  const low = uint32At(reading.bytes, at + 4);
  const value = high * 0x1_0000_0000 + low;
  return Number.isSafeInteger(value) ? value : BigInt(high) * 0x1_0000_0000n + BigInt(low);
}

const float64 = new Float64Array(1);
const words = new Int32Array(float64.buffer);

/** From this many floats on, a DataView is worth making. */
const FLOATS_MIN = 6;

/** There is no view where doubles are wanted as Doubles, nor before some floats have been read. */
export function readFloat64(reading: Reading): number | Double {
  const at = take(reading, 8);
  if (reading.view !== undefined) return reading.view.getFloat64(at);
  if (reading.as === "doubles") return new Double(newView(reading, at).getFloat64(0));
  const bytes = reading.bytes;
  if (++reading.floats === FLOATS_MIN) reading.view = newView(reading, 0);
  words[1] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  words[0] = (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!;
  return float64[0]!;
}

export function newView(reading: Reading, at: number): DataView {
  const { buffer, byteOffset, byteLength } = reading.bytes;
  return new DataView(buffer, byteOffset + at, byteLength - at);
}

/** Gives an object its number. It must be called for each, before what is inside is read. */
export function listed<T>(reading: Reading, object: T): T {
  reading.objects?.push(object);
  return object;
}

/** Goes one level down, where `count` values of at least one byte follow. */
export function enter(reading: Reading, count: number): void {
  if (count > reading.end - reading.at) throw cutShort();
  if (++reading.depth > DEPTH_CEILING) throw badValue(`value nests deeper than ${DEPTH_CEILING}`);
}

/** As an assignment does where nothing is inherited. */
export function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

export function cutShort(): HiveError {
  return badValue("the value is cut short");
}
