// Scratch: a buffer that grows at its end, and MessagePack's atoms in their shortest form.
//
//   encodeInto(value, scratch) ──▶ scratch.bytes [0 … end) ──▶ the store, a frame
//
// One scratch is made once and used for many values, since allocating is what encoding costs most
// (a Uint8Array above 64 bytes takes 300 ns, a small object 150 ns). Whoever owns it sets `end` back
// to 0 when the bytes have been copied out. Atoms alone: what an object is, value-encode.ts knows.

import { writeUtf8 } from "./utf8.ts";
import { badValue } from "./value-format.ts";

const SIZE_FIRST = 4_096;
/** A buffer that grew beyond this is given up at reset(): one big value must not be paid for ever. */
const SIZE_KEPT_MAX = 1_048_576;
/** Longest string that is copied character by character: above it the call into the runtime is cheaper. */
const LOOP_UNITS_MAX = 16;

export class Scratch {
  /** What was written lies in bytes 0 to `end`. Another array after each growth: never hold on to it. */
  bytes: Uint8Array;
  view: DataView;
  end = 0;

  constructor(size: number = SIZE_FIRST) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Forgets what was written. */
  reset(): void {
    this.end = 0;
    if (this.bytes.length <= SIZE_KEPT_MAX) return;
    this.bytes = new Uint8Array(SIZE_FIRST);
    this.view = new DataView(this.bytes.buffer);
  }

  /** A copy, right-sized, of what was written since `start`. */
  copy(start: number = 0): Uint8Array {
    return this.bytes.slice(start, this.end);
  }

  /** Makes room for `size` bytes after `end`. */
  reserve(size: number): void {
    if (this.end + size > this.bytes.length) this.#grow(this.end + size);
  }

  byte(byte: number): void {
    if (this.end === this.bytes.length) this.#grow(this.end + 1);
    this.bytes[this.end++] = byte;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** A JavaScript number: an integer where it is a safe one (-0 is not), else a float64. */
  number(value: number): void {
    this.reserve(9);
    const bytes = this.bytes;
    let end = this.end;
    if ((value | 0) !== value) return this.#wide(value);
    if (value >= 0) {
      if (value < 0x80) {
        if (Object.is(value, -0)) return this.double(value);
      } else if (value < 0x100) {
        bytes[end++] = 0xcc;
      } else if (value < 0x10000) {
        bytes[end++] = 0xcd;
        bytes[end++] = value >> 8;
      } else {
        bytes[end++] = 0xce;
        bytes[end++] = value >> 24;
        bytes[end++] = value >> 16;
        bytes[end++] = value >> 8;
      }
    } else if (value < -0x20) {
      if (value >= -0x80) {
        bytes[end++] = 0xd0;
      } else if (value >= -0x8000) {
        bytes[end++] = 0xd1;
        bytes[end++] = value >> 8;
      } else {
        bytes[end++] = 0xd2;
        bytes[end++] = value >> 24;
        bytes[end++] = value >> 16;
        bytes[end++] = value >> 8;
      }
    }
    bytes[end++] = value;
    this.end = end;
  }

  /** A float64, whatever its value. There is one NaN. */
  double(value: number): void {
    this.reserve(9);
    this.bytes[this.end] = 0xcb;
    if (value === value) {
      this.view.setFloat64(this.end + 1, value);
    } else {
      this.view.setUint32(this.end + 1, 0x7ff80000);
      this.view.setUint32(this.end + 5, 0);
    }
    this.end += 9;
  }

  /** An integer of int64 or uint64, in its shortest form. The caller has checked the range. */
  int64(value: bigint): void {
    const small = Number(value);
    if (Number.isSafeInteger(small)) return this.number(small);
    this.reserve(9);
    this.bytes[this.end] = value < 0n ? 0xd3 : 0xcf;
    this.view.setBigUint64(this.end + 1, BigInt.asUintN(64, value));
    this.end += 9;
  }

  text(text: string): void {
    const units = text.length;
    this.reserve(units * 3 + 5);
    if (units > LOOP_UNITS_MAX) return this.#longText(text);
    const bytes = this.bytes;
    let end = this.end + 1;
    for (let i = 0; i < units; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x80) {
        bytes[end++] = unit;
      } else if (unit < 0x800) {
        bytes[end++] = 0xc0 | (unit >> 6);
        bytes[end++] = 0x80 | (unit & 0x3f);
      } else if (unit < 0xd800 || unit > 0xdfff) {
        bytes[end++] = 0xe0 | (unit >> 12);
        bytes[end++] = 0x80 | ((unit >> 6) & 0x3f);
        bytes[end++] = 0x80 | (unit & 0x3f);
      } else {
        return this.#longText(text);
      }
    }
    const size = end - this.end - 1;
    if (size >= 0x20) return this.#longText(text);
    bytes[this.end] = 0xa0 | size;
    this.end = end;
  }

  binary(bytes: Uint8Array): void {
    const size = bytes.length;
    this.reserve(5);
    if (size < 0x100) this.#head8(0xc4, size);
    else if (size < 0x10000) this.#head16(0xc5, size);
    else this.#head32(0xc6, size);
    this.raw(bytes);
  }

  /** `count` values follow. */
  array(count: number): void {
    this.reserve(5);
    if (count < 0x10) this.bytes[this.end++] = 0x90 | count;
    else if (count < 0x10000) this.#head16(0xdc, count);
    else this.#head32(0xdd, count);
  }

  /** Head of an extension whose payload has `size` bytes. */
  extension(type: number, size: number): void {
    this.reserve(6);
    const fixed = fixedTag(size);
    if (fixed !== 0) this.bytes[this.end++] = fixed;
    else if (size < 0x100) this.#head8(0xc7, size);
    else if (size < 0x10000) this.#head16(0xc8, size);
    else this.#head32(0xc9, size);
    this.bytes[this.end++] = type;
  }

  /** Begins an extension whose size is not known: leaves `room` for its head and returns where that is. */
  openExtension(room: 3 | 4 | 6): number {
    const start = this.end;
    this.reserve(room);
    this.end += room;
    return start;
  }

  /** Writes the head of the extension begun at `start` with `room`, and moves the payload where it took another. */
  closeExtension(start: number, options: { room: 3 | 4 | 6; type: number }): void {
    const size = this.end - start - options.room;
    const head = fixedTag(size) !== 0 ? 2 : size < 0x100 ? 3 : size < 0x10000 ? 4 : 6;
    this.#move(start, options.room, head);
    const end = this.end;
    this.end = start;
    this.extension(options.type, size);
    this.end = end;
  }

  /** Begins a map whose count is not known: leaves one byte, and returns where that is. */
  openMap(): number {
    this.byte(0x80);
    return this.end - 1;
  }

  /** Writes the head of the map begun at `start`, and moves its content where the head is longer than a byte. */
  closeMap(start: number, count: number): void {
    if (count < 0x10) {
      this.bytes[start] = 0x80 | count;
      return;
    }
    this.#move(start, 1, count < 0x10000 ? 3 : 5);
    const end = this.end;
    this.end = start;
    if (count < 0x10000) this.#head16(0xde, count);
    else this.#head32(0xdf, count);
    this.end = end;
  }

  /** Moves what follows a head at `start` from behind `was` bytes to behind `is` bytes. */
  #move(start: number, was: number, is: number): void {
    if (was === is) return;
    if (is > was) this.reserve(is - was);
    this.bytes.copyWithin(start + is, start + was, this.end);
    this.end += is - was;
  }

  /** A number that is not an int32. */
  #wide(value: number): void {
    if (!Number.isSafeInteger(value)) return this.double(value);
    const end = this.end;
    if (value >= 0 && value < 0x1_0000_0000) {
      this.bytes[end] = 0xce;
      this.view.setUint32(end + 1, value);
      this.end += 5;
      return;
    }
    this.bytes[end] = value < 0 ? 0xd3 : 0xcf;
    this.view.setInt32(end + 1, Math.floor(value / 0x1_0000_0000));
    this.view.setUint32(end + 5, value >>> 0);
    this.end += 9;
  }

  /** Room is reserved. A head for as many bytes as units, and the text moved where it took more. */
  #longText(text: string): void {
    const start = this.end;
    const guess = textHead(text.length);
    const size = writeUtf8(this.bytes, text, start + guess);
    const head = textHead(size);
    this.end = start + guess + size;
    this.#move(start, guess, head);
    const end = this.end;
    this.end = start;
    if (head === 1) this.bytes[start] = 0xa0 | size;
    else if (head === 2) this.#head8(0xd9, size);
    else if (head === 3) this.#head16(0xda, size);
    else this.#head32(0xdb, size);
    this.end = end;
  }

  // Heads. Room is reserved.

  #head8(tag: number, size: number): void {
    this.bytes[this.end] = tag;
    this.bytes[this.end + 1] = size;
    this.end += 2;
  }

  #head16(tag: number, size: number): void {
    this.bytes[this.end] = tag;
    this.view.setUint16(this.end + 1, size);
    this.end += 3;
  }

  #head32(tag: number, size: number): void {
    if (size > 0xffff_ffff) throw badValue(`length ${size} exceeds the 32 bits of MessagePack`);
    this.bytes[this.end] = tag;
    this.view.setUint32(this.end + 1, size);
    this.end += 5;
  }

  #grow(size: number): void {
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, size));
    bytes.set(this.bytes.subarray(0, this.end));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

/** Bytes of the head of a text. */
function textHead(size: number): number {
  return size < 0x20 ? 1 : size < 0x100 ? 2 : size < 0x10000 ? 3 : 5;
}

/** The tag of an extension whose size the tag says; 0 where there is none. */
function fixedTag(size: number): number {
  if (size === 1) return 0xd4;
  if (size === 2) return 0xd5;
  if (size === 4) return 0xd6;
  if (size === 8) return 0xd7;
  return size === 16 ? 0xd8 : 0;
}
