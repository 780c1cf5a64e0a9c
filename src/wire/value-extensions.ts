// Extensions without values inside: bigint, Date, typed arrays and their kin, RegExp.
//
//   writeX(scratch, x)          head and payload, in the one form that the walk accepts
//   readX(bytes, start, size)   the payload alone, which lies within `bytes`
//
// Their layouts are drawn in value-format.ts. Map, Set and Error hold values and stand with the
// recursion, in value-encode.ts and value-decode.ts.

import {
  BIGINT_BYTES_MAX,
  badValue,
  DATE_MS_MAX,
  EXT_BIGINT,
  EXT_DATE,
  EXT_REGEXP,
  EXT_UNDEFINED,
  EXT_VIEW,
  INVALID_DATE_SECONDS,
} from "./value-format.ts";
import type { Scratch } from "./value-scratch.ts";

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

export function writeUndefined(scratch: Scratch): void {
  scratch.extension(EXT_UNDEFINED, 1);
  scratch.byte(0);
}

/** An integer of MessagePack where only a bigint can be meant by it, else the extension. */
export function writeBigint(scratch: Scratch, value: bigint): void {
  if (fitsInt64(value) && !Number.isSafeInteger(Number(value))) return scratch.int64(value);
  const hex = (value < 0n ? ~value : value).toString(16);
  // One bit more than the digits, for the sign; whole bytes.
  const size = (hex.length + (hex.charCodeAt(0) >= 0x38 ? 2 : 1)) >> 1;
  if (size > BIGINT_BYTES_MAX) throw badValue(`bigint of ${size} bytes exceeds ${BIGINT_BYTES_MAX}`);
  scratch.extension(EXT_BIGINT, size);
  scratch.reserve(size);
  const padded = hex.padStart(size * 2, "0");
  const flip = value < 0n ? 0xff : 0;
  for (let i = 0; i < size; i++) scratch.byte(Number.parseInt(padded.slice(2 * i, 2 * i + 2), 16) ^ flip);
}

/** Whether an int64 or uint64 holds `value`. */
export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= UINT64_MAX;
}

export function readBigint(bytes: Uint8Array, start: number, size: number): bigint {
  const flip = bytes[start]! >= 0x80 ? 0xff : 0;
  if (size <= 6) {
    let small = 0;
    for (let i = 0; i < size; i++) small = small * 256 + (bytes[start + i]! ^ flip);
    return BigInt(flip ? -1 - small : small);
  }
  let hex = "0x";
  for (let i = 0; i < size; i++) hex += ((bytes[start + i]! ^ flip) + 0x100).toString(16).slice(1);
  const value = BigInt(hex);
  return flip ? ~value : value;
}

/** A timestamp in its shortest form. Whole milliseconds: it is all that a Date has. */
export function writeDate(scratch: Scratch, date: Date): void {
  const timeMs = date.getTime();
  const seconds = Math.floor(timeMs / 1000);
  const nanoseconds = (timeMs - seconds * 1000) * 1_000_000;
  if (seconds >= 0 && seconds < 2 ** 34) {
    const wide = nanoseconds !== 0 || seconds >= 2 ** 32;
    scratch.extension(EXT_DATE, wide ? 8 : 4);
    scratch.reserve(8);
    if (wide) {
      // 30 bits of nanoseconds, 34 of seconds.
      scratch.view.setUint32(scratch.end, nanoseconds * 4 + Math.floor(seconds / 2 ** 32));
      scratch.end += 4;
    }
    scratch.view.setUint32(scratch.end, seconds % 2 ** 32);
    scratch.end += 4;
    return;
  }
  scratch.extension(EXT_DATE, 12);
  scratch.reserve(12);
  const valid = timeMs === timeMs;
  scratch.view.setUint32(scratch.end, valid ? nanoseconds : 0);
  scratch.view.setBigInt64(scratch.end + 4, valid ? BigInt(seconds) : INVALID_DATE_SECONDS);
  scratch.end += 12;
}

export function readDate(bytes: Uint8Array, start: number, size: number): Date {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, size);
  if (size === 4) return new Date(view.getUint32(0) * 1000);
  if (size === 8) {
    const high = view.getUint32(0);
    const seconds = (high % 4) * 2 ** 32 + view.getUint32(4);
    return new Date(seconds * 1000 + wholeMs(Math.floor(high / 4)));
  }
  if (size !== 12) throw badValue(`a Date has 4, 8 or 12 bytes, got ${size}`);
  const timeMs = Number(view.getBigInt64(4)) * 1000 + wholeMs(view.getUint32(0));
  return new Date(Math.abs(timeMs) <= DATE_MS_MAX ? timeMs : Number.NaN);
}

function wholeMs(nanoseconds: number): number {
  return Math.floor(nanoseconds / 1_000_000);
}

type ViewKind = { name: string; elementBytes: number };

/** The kinds of extension 5, by their number. Uint8Array is not among them: it is MessagePack's binary. */
export const VIEW_KINDS: readonly ViewKind[] = [
  { name: "ArrayBuffer", elementBytes: 1 },
  { name: "DataView", elementBytes: 1 },
  { name: "Int8Array", elementBytes: 1 },
  { name: "Uint8ClampedArray", elementBytes: 1 },
  { name: "Int16Array", elementBytes: 2 },
  { name: "Uint16Array", elementBytes: 2 },
  { name: "Int32Array", elementBytes: 4 },
  { name: "Uint32Array", elementBytes: 4 },
  { name: "Float32Array", elementBytes: 4 },
  { name: "Float64Array", elementBytes: 8 },
  { name: "BigInt64Array", elementBytes: 8 },
  { name: "BigUint64Array", elementBytes: 8 },
  { name: "Float16Array", elementBytes: 2 },
];

/** What a view looks at, not the buffer behind it. */
export function writeView(scratch: Scratch, value: ArrayBuffer | ArrayBufferView): void {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const kind = VIEW_KINDS.findIndex((known) => known.name === tag);
  if (kind < 0) throw badValue(`cannot encode a ${tag}`);
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
  scratch.extension(EXT_VIEW, bytes.length + 1);
  scratch.byte(kind);
  scratch.raw(bytes);
}

/** A copy with a buffer of its own. */
export function readView(bytes: Uint8Array, start: number, size: number): ArrayBuffer | ArrayBufferView {
  const kind = VIEW_KINDS[bytes[start]!];
  if (size < 1 || kind === undefined || (size - 1) % kind.elementBytes !== 0) throw badValue("no such view");
  const buffer = copyBytes(bytes, start + 1, start + size).buffer as ArrayBuffer;
  if (kind.name === "ArrayBuffer") return buffer;
  const View = (globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>)[kind.name];
  if (View === undefined) throw badValue(`this runtime has no ${kind.name}`);
  return new View(buffer);
}

/** A Uint8Array even where `bytes` is a Buffer, whose own slice() is a view. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

/** `lastIndex` is not kept. */
export function writeRegExp(scratch: Scratch, pattern: RegExp): void {
  const start = scratch.openExtension(3);
  scratch.array(2);
  scratch.text(pattern.source);
  scratch.text(pattern.flags);
  scratch.closeExtension(start, { room: 3, type: EXT_REGEXP });
}
