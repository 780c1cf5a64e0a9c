// Items: the pieces that bodies of the native protocol are made of. An argument is one, a reply is one.
//
//   item = head | size … | bytes         head = kind (3 bits) | size (5 bits)
//
//   kind        size is             then follow
//   0 RAW       bytes               bytes whose sender could not say what they are
//   1 TEXT      bytes               UTF-8
//   2 BYTES     bytes               bytes
//   3 VALUE     bytes               one canonical value (value.ts)
//   4 ATOM      which (ATOM_…)      nothing; behind FAILED two items, its code and its message
//   5 ARRAY     items               that many items
//   6 MAP       pairs               twice as many items
//   7 SET       items               that many items
//
//   size 0..27 stands in the head; 28, 29, 30: in the 1, 2 or 4 bytes behind it, big-endian;
//   31: not known (ARRAY, MAP, SET): items follow until the atom CLOSED.
//
// The first four are what is stored, and go from and to the store as they are: each has its own size,
// so one of them never decides how another is read.

import { HiveError, isErrorCode } from "../base/errors.ts";
import { isUtf8, readUtf8 } from "./utf8.ts";
import { type DecodeOptions, decode } from "./value-decode.ts";
import { copyBytes } from "./value-extensions.ts";
import { uint32At } from "./value-reading.ts";

export const ITEM_RAW = 0;
export const ITEM_TEXT = 1;
export const ITEM_BYTES = 2;
export const ITEM_VALUE = 3;
export const ITEM_ATOM = 4;
export const ITEM_ARRAY = 5;
export const ITEM_MAP = 6;
export const ITEM_SET = 7;

/** Nothing: there is no such key, field or member. */
export const ATOM_NIL = 0;
/** No array: a transaction did not run. */
export const ATOM_NO_ARRAY = 1;
/** Done, and there is nothing to say. */
export const ATOM_OK = 2;
/** One part of a reply failed: its code and its message follow. */
export const ATOM_FAILED = 3;
/** The end of the innermost collection whose size was not known. */
export const ATOM_CLOSED = 4;

export const SIZE_8 = 28;
export const SIZE_16 = 29;
export const SIZE_32 = 30;
export const SIZE_OPEN = 31;

/** An item that is written already, for an element that many streams send. */
export class EncodedItem {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Collections of a reply inside each other: more than any command answers with. */
const DEPTH_MAX = 32;

/** Finds items in a body; the fields say what the last next() found. */
export class ItemReader {
  kind = 0;
  /** Bytes, items or pairs; the number of an atom; -1 for a collection that ends with CLOSED. */
  size = 0;
  /** Where the bytes of a RAW, TEXT, BYTES or VALUE lie. */
  start = 0;
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;

  reset(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** Reads the next item's head, and skips its bytes. @throws {HiveError} BAD_FRAME */
  next(): void {
    const bytes = this.bytes;
    let at = this.at;
    if (at >= this.end) throw badItem("an item is missing");
    const head = bytes[at++]!;
    const kind = head >> 5;
    let size = head & 31;
    if (size >= SIZE_8 && kind !== ITEM_ATOM) {
      const width = size === SIZE_8 ? 1 : size === SIZE_16 ? 2 : size === SIZE_32 ? 4 : 0;
      if (at + width > this.end) throw badItem("a size is cut short");
      if (width === 1) size = bytes[at]!;
      else if (width === 2) size = (bytes[at]! << 8) | bytes[at + 1]!;
      else if (width === 4) size = uint32At(bytes, at);
      else if (kind >= ITEM_ARRAY) size = -1;
      else throw badItem("only a collection may leave its size open");
      at += width;
    }
    this.kind = kind;
    this.size = size;
    this.start = at;
    if (kind < ITEM_ATOM) {
      if (size > this.end - at) throw badItem(`an item of ${size} bytes is cut short`);
      at += size;
    } else if (kind > ITEM_ATOM && size > this.end - at) {
      throw badItem(`a collection of ${size} items is cut short`);
    }
    this.at = at;
  }
}

/**
 * "values": raw bytes that are not said to be bytes are text. "auto": they are text where they are
 * UTF-8, else bytes. "bytes": raw bytes, and a value's encoding, as they are stored.
 */
export type As = "values" | "auto" | "bytes";

/**
 * The JavaScript value of the item that `reader` comes to: undefined for nothing, null for no array,
 * "OK", a string, a Uint8Array, a decoded value, an array, Map or Set of these, a HiveError.
 *
 * @throws {HiveError} BAD_FRAME, BAD_VALUE; NOT_TEXT for raw bytes that are none, unless `as` is "bytes".
 */
export function decodeItem(reader: ItemReader, as: As = "values", depth: number = DEPTH_MAX): unknown {
  reader.next();
  const { kind } = reader;
  if (kind < ITEM_ATOM) return decodeStored(reader.bytes, reader.start, reader.at, kind, as);
  if (kind === ITEM_ATOM) return decodeAtom(reader);
  if (depth === 0) throw badItem(`collections nest deeper than ${DEPTH_MAX}`);
  if (kind === ITEM_ARRAY) return decodeArray(reader, as, depth - 1);
  return kind === ITEM_SET ? new Set(decodeArray(reader, as, depth - 1)) : decodeMap(reader, as, depth - 1);
}

/** The same for an answer that is nothing or one stored value, read as `options` say. @throws {HiveError} as decodeItem() */
export function decodeStoredItem(reader: ItemReader, as: As, options: DecodeOptions): unknown {
  const { at } = reader;
  reader.next();
  if (reader.kind < ITEM_ATOM) {
    return decodeStored(reader.bytes, reader.start, reader.at, reader.kind, as, options);
  }
  reader.at = at;
  return decodeItem(reader, as);
}

/** Passes over the item that `reader` comes to. @throws {HiveError} BAD_FRAME */
export function skipItem(reader: ItemReader, depth: number = DEPTH_MAX): void {
  reader.next();
  const { kind, size } = reader;
  if (kind < ITEM_ATOM) return;
  if (depth === 0) throw badItem(`collections nest deeper than ${DEPTH_MAX}`);
  if (kind === ITEM_ATOM) {
    if (size !== ATOM_FAILED) return;
    skipItem(reader, depth - 1);
    return skipItem(reader, depth - 1);
  }
  if (size < 0) while (!takeClosed(reader)) skipItem(reader, depth - 1);
  else for (let left = kind === ITEM_MAP ? 2 * size : size; left > 0; left--) skipItem(reader, depth - 1);
}

/** The JavaScript value of stored bytes `start` to `end`. @throws {HiveError} NOT_TEXT, BAD_VALUE */
export function decodeStored(
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
  as: As,
  options?: DecodeOptions,
): unknown {
  if (as === "bytes" || kind === ITEM_BYTES) return copyBytes(bytes, start, end);
  if (kind === ITEM_VALUE) return decode(bytes, start, end, options);
  if (kind === ITEM_RAW && !isUtf8(bytes, start, end)) {
    if (as === "auto") return copyBytes(bytes, start, end);
    throw new HiveError("NOT_TEXT", `${end - start} stored bytes are not UTF-8: ask for them with { as: "bytes" }`);
  }
  return readUtf8(bytes, start, end);
}

function decodeAtom(reader: ItemReader): unknown {
  switch (reader.size) {
    case ATOM_NIL:
      return undefined;
    case ATOM_NO_ARRAY:
      return null;
    case ATOM_OK:
      return "OK";
    case ATOM_FAILED:
      return decodeFailure(reader);
    default:
      throw badItem(`no atom has the number ${reader.size}`);
  }
}

function decodeArray(reader: ItemReader, as: As, depth: number): unknown[] {
  const items: unknown[] = [];
  if (reader.size >= 0) {
    for (let left = reader.size; left > 0; left--) items.push(decodeItem(reader, as, depth));
  } else {
    while (!takeClosed(reader)) items.push(decodeItem(reader, as, depth));
  }
  return items;
}

function decodeMap(reader: ItemReader, as: As, depth: number): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  const pair = (): void => {
    const key = decodeItem(reader, as, depth);
    map.set(key, decodeItem(reader, as, depth));
  };
  if (reader.size >= 0) for (let left = reader.size; left > 0; left--) pair();
  else while (!takeClosed(reader)) pair();
  return map;
}

/** Whether the next item is CLOSED, which is then read. */
function takeClosed(reader: ItemReader): boolean {
  if (reader.bytes[reader.at] !== ((ITEM_ATOM << 5) | ATOM_CLOSED) || reader.done) return false;
  reader.at++;
  return true;
}

/** The error whose code and message come next. */
export function decodeFailure(reader: ItemReader): HiveError {
  const code = decodeItem(reader);
  const message = decodeItem(reader);
  if (typeof code !== "string" || typeof message !== "string") throw badItem("an error is a code and a message");
  if (isErrorCode(code)) return new HiveError(code, message);
  return new HiveError("UNKNOWN_CODE", message, { detail: { code } });
}

function badItem(message: string): HiveError {
  return new HiveError("BAD_FRAME", message);
}
