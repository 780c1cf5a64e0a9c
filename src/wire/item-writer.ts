// ItemWriter: items (items.ts) as bytes at the end of one scratch.
//
//   word("HSET") name("users") any({ born: 1815 })      bulk(stored bytes) array(2) integer(1)
//
// Arguments of a call and values of a reply are written with the same methods. Nothing is allocated for
// an item but where the scratch grows.

import { copyBytes } from "../base/bytes.ts";
import { HiveError } from "../base/errors.ts";
import {
  ATOM_NIL,
  ATOM_NO_ARRAY,
  ATOM_OK,
  EncodedItem,
  ITEM_ARRAY,
  ITEM_ATOM,
  ITEM_BYTES,
  ITEM_MAP,
  ITEM_RAW,
  ITEM_SET,
  ITEM_TEXT,
  ITEM_VALUE,
  SIZE_8,
  SIZE_16,
  SIZE_32,
} from "./items.ts";
import { writeUtf8 } from "./utf8.ts";
import { type EncodeOptions, encodeInto, encodeScalar } from "./value-encode.ts";
import type { Scalar } from "./value-format.ts";
import type { Scratch } from "./value-scratch.ts";

/** A head and its size. */
export const HEAD_BYTES = 5;
/** Longest text that is written character by character: above it the call into the runtime is cheaper. */
const LOOP_UNITS_MAX = 24;

/** A key, field or member: text and bytes stay raw, the others are encoded. */
export type Name = string | Uint8Array | Scalar;

export class ItemWriter {
  /** What is written lies in bytes 0 to `end` of it. */
  scratch: Scratch;
  protected readonly bytesMax: number;

  /** @param bytesMax How much may be in it at once. */
  constructor(bytesMax: number, scratch: Scratch) {
    this.bytesMax = bytesMax;
    this.scratch = scratch;
  }

  uint8(value: number): void {
    this.reserve(1);
    this.scratch.byte(value);
  }

  uint32(value: number): void {
    this.reserve(4);
    const { bytes, end } = this.scratch;
    bytes[end] = value >>> 24;
    bytes[end + 1] = value >>> 16;
    bytes[end + 2] = value >>> 8;
    bytes[end + 3] = value;
    this.scratch.end = end + 4;
  }

  // Arguments.

  /** A command's name or option: ASCII. */
  word(ascii: string): void {
    const size = ascii.length;
    this.reserve(size + HEAD_BYTES);
    const start = this.scratch.end;
    this.head(ITEM_RAW, size);
    const bytes = this.scratch.bytes;
    let end = this.scratch.end;
    let all = 0;
    for (let i = 0; i < size; i++) {
      const unit = ascii.charCodeAt(i);
      all |= unit;
      bytes[end++] = unit;
    }
    if (all < 0x80) this.scratch.end = end;
    else {
      // A pattern, or a word that no command has: never cut to a byte a letter, which could be another word.
      this.scratch.end = start;
      this.text(ascii);
    }
  }

  /** A key, field or member. @throws {HiveError} BAD_VALUE: it is neither text nor bytes nor a scalar. */
  name(name: Name): void {
    if (typeof name === "string") this.text(name);
    else if (name instanceof Uint8Array) this.#sized(ITEM_BYTES, name, 0, name.length);
    else this.#encoded((scratch) => encodeScalar(name, scratch));
  }

  /** Anything that can be stored: text and bytes raw, the others encoded. @throws {HiveError} BAD_VALUE */
  any(value: unknown, options?: EncodeOptions): void {
    if (typeof value === "string") this.text(value);
    else if (value instanceof Uint8Array) this.#sized(ITEM_BYTES, value, 0, value.length);
    else this.encoded(value, options);
  }

  /** One value, encoded, text and bytes too. @throws {HiveError} BAD_VALUE */
  encoded(value: unknown, options?: EncodeOptions): void {
    this.reserve(HEAD_BYTES);
    const scratch = this.scratch;
    const start = scratch.end;
    scratch.end = start + 2;
    try {
      encodeInto(value, scratch, options);
    } catch (error) {
      scratch.end = start;
      throw error;
    }
    this.#closeEncoded(start);
  }

  /** The same, or an item that is written already. */
  item(value: unknown): void {
    if (!(value instanceof EncodedItem)) return this.any(value);
    const { bytes } = value;
    this.reserve(bytes.length);
    copyBytes(bytes, 0, bytes.length, this.scratch.bytes, this.scratch.end);
    this.scratch.end += bytes.length;
  }

  #encoded(encode: (scratch: Scratch) => void): void {
    this.reserve(HEAD_BYTES);
    const start = this.scratch.end;
    this.scratch.end = start + 2;
    try {
      encode(this.scratch);
    } catch (error) {
      this.scratch.end = start;
      throw error;
    }
    this.#closeEncoded(start);
  }

  /** Writes the head of a value that was encoded 2 bytes behind `start`, and moves it where its size takes more. */
  #closeEncoded(start: number): void {
    const scratch = this.scratch;
    const size = scratch.end - start - 2;
    if (size < 0x100) {
      scratch.bytes[start] = (ITEM_VALUE << 5) | SIZE_8;
      scratch.bytes[start + 1] = size;
      return;
    }
    const head = size < 0x10000 ? 3 : HEAD_BYTES;
    this.reserve(head - 2);
    scratch.bytes.copyWithin(start + head, start + 2, scratch.end);
    scratch.end = start;
    this.head(ITEM_VALUE, size);
    scratch.end = start + head + size;
  }

  // Values of a reply.

  nil(): void {
    this.atom(ATOM_NIL);
  }

  nullArray(): void {
    this.atom(ATOM_NO_ARRAY);
  }

  ok(): void {
    this.atom(ATOM_OK);
  }

  status(text: string): void {
    this.text(text);
  }

  integer(value: number): void {
    this.#number(value);
  }

  bigint(value: bigint): void {
    this.#encoded((scratch) => encodeInto(value, scratch));
  }

  double(value: number): void {
    this.#number(value);
  }

  boolean(value: boolean): void {
    this.reserve(2);
    const { bytes, end } = this.scratch;
    bytes[end] = (ITEM_VALUE << 5) | 1;
    bytes[end + 1] = value ? 0xc3 : 0xc2;
    this.scratch.end = end + 2;
  }

  bulk(bytes: Uint8Array, start: number, end: number, kind: number = ITEM_RAW): void {
    this.#sized(kind, bytes, start, end);
  }

  text(value: string): void {
    const units = value.length;
    this.reserve(units * 3 + HEAD_BYTES);
    if (units <= LOOP_UNITS_MAX) {
      const bytes = this.scratch.bytes;
      let end = this.scratch.end + 1;
      let all = 0;
      for (let i = 0; i < units; i++) {
        const unit = value.charCodeAt(i);
        all |= unit;
        bytes[end++] = unit;
      }
      if (all < 0x80) {
        bytes[this.scratch.end] = (ITEM_TEXT << 5) | units;
        this.scratch.end = end;
        return;
      }
    }
    this.longText(value);
  }

  /** Room is reserved. A head for as many bytes as units, and the text moved where it took more. */
  protected longText(value: string): void {
    const scratch = this.scratch;
    const start = scratch.end;
    const guess = headBytes(value.length);
    const size = writeUtf8(scratch.bytes, value, start + guess);
    const head = headBytes(size);
    if (head !== guess) scratch.bytes.copyWithin(start + head, start + guess, start + guess + size);
    this.head(ITEM_TEXT, size);
    scratch.end = start + head + size;
  }

  verbatim(_format: string, value: string): void {
    this.text(value);
  }

  value(bytes: Uint8Array, start: number, end: number): void {
    this.#sized(ITEM_VALUE, bytes, start, end);
  }

  array(count: number): void {
    this.#collection(ITEM_ARRAY, count);
  }

  map(count: number): void {
    this.#collection(ITEM_MAP, count);
  }

  set(count: number): void {
    this.#collection(ITEM_SET, count);
  }

  push(count: number): void {
    this.#collection(ITEM_ARRAY, count);
  }

  // The scratch.

  #number(value: number): void {
    this.reserve(10);
    const scratch = this.scratch;
    const head = scratch.end;
    scratch.end = head + 1;
    scratch.number(value);
    scratch.bytes[head] = (ITEM_VALUE << 5) | (scratch.end - head - 1);
  }

  protected atom(atom: number): void {
    this.reserve(1);
    this.scratch.bytes[this.scratch.end++] = (ITEM_ATOM << 5) | atom;
  }

  #collection(kind: number, count: number): void {
    this.reserve(HEAD_BYTES);
    this.head(kind, count);
  }

  #sized(kind: number, bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(size + HEAD_BYTES);
    this.head(kind, size);
    copyBytes(bytes, start, end, this.scratch.bytes, this.scratch.end);
    this.scratch.end += size;
  }

  /** Room is reserved. */
  protected head(kind: number, size: number): void {
    const bytes = this.scratch.bytes;
    let end = this.scratch.end;
    if (size < SIZE_8) {
      bytes[end++] = (kind << 5) | size;
    } else if (size < 0x100) {
      bytes[end++] = (kind << 5) | SIZE_8;
      bytes[end++] = size;
    } else if (size < 0x10000) {
      bytes[end++] = (kind << 5) | SIZE_16;
      bytes[end++] = size >>> 8;
      bytes[end++] = size;
    } else {
      bytes[end++] = (kind << 5) | SIZE_32;
      bytes[end++] = size >>> 24;
      bytes[end++] = size >>> 16;
      bytes[end++] = size >>> 8;
      bytes[end++] = size;
    }
    this.scratch.end = end;
  }

  /** @throws {HiveError} OUTPUT_TOO_BIG */
  protected reserve(size: number): void {
    const scratch = this.scratch;
    const needed = scratch.end + size;
    if (needed <= scratch.bytes.length) return;
    if (needed > this.bytesMax) {
      throw new HiveError("OUTPUT_TOO_BIG", `reply exceeds outputBytesMax (${this.bytesMax} bytes)`);
    }
    scratch.reserve(size);
  }
}

function headBytes(size: number): number {
  return size < SIZE_8 ? 1 : size < 0x100 ? 2 : size < 0x10000 ? 3 : HEAD_BYTES;
}
