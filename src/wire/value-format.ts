// The format of values: MessagePack's tags, our extensions, and what both ends agree on beside them.
//
// A value is one MessagePack object in its shortest form. What JavaScript has and MessagePack has not
// is an extension; docs/protocol.md is the normative page for a second implementation.
//
//   type  means       payload
//     -1  Date        MessagePack's timestamp: 32, 64 or 96 bits, the shortest that holds it
//      0  undefined   one byte 00
//      1  reference   the number of an object earlier in this value: u8, u16 or u32
//      2  Map         an array [key, value, key, value, …]
//      3  Set         an array of the members
//      4  bigint      two's complement, big-endian, shortest; only what no integer of MessagePack says
//      5  view        one byte of kind (VIEW_KINDS), then the elements, little-endian
//      6  RegExp      an array [source, flags], flags in alphabetical order
//      7  Error       an array [name, message], [name, message, code] or [name, message, code, cause]
//      8  instance    an array [name of its class, value]: its fields as a map, or what its class made of them
//      9  code        an array [name, kind, source, bindings], a map: a function or class, see src/ship
//
// Numbers of objects. Every array, map, binary and extension -1, 2, 3, 5, 6, 7, 8, 9 is an object and has
// the next number, from 0, in the order of their first bytes; the array inside an extension's payload
// belongs to the extension and has none. A reference is the object itself, so cycles are possible.
//
// An integer that JavaScript's number holds exactly is a number; a longer one (int64, uint64) is a
// bigint, and so is extension 4, which says the small bigints and the very big.

import { HiveError } from "../base/errors.ts";

export const EXT_DATE = -1;
export const EXT_UNDEFINED = 0;
export const EXT_REFERENCE = 1;
export const EXT_MAP = 2;
export const EXT_SET = 3;
export const EXT_BIGINT = 4;
export const EXT_VIEW = 5;
export const EXT_REGEXP = 6;
export const EXT_ERROR = 7;
export const EXT_INSTANCE = 8;
export const EXT_CODE = 9;

/** How deep a value may nest unless a caller says otherwise; limits.ts has it as valueDepthMax, a setting. */
export const DEPTH_DEFAULT = 64;
/** How deep it may nest at all: the decoder recurses, and this bounds its stack. */
export const DEPTH_CEILING = 1_000;
/** Payload of a bigint: 16,384 bits. Decimal text of n digits takes time in n², and RESP asks for it. */
export const BIGINT_BYTES_MAX = 2_048;

/** Milliseconds either side of 1970 that a Date reaches. */
export const DATE_MS_MAX = 8_640_000_000_000_000;
/** The seconds that stand for an invalid Date: the smallest int64. */
export const INVALID_DATE_SECONDS = -9_223_372_036_854_775_808n;

/**
 * A number that is a float64 on the wire whatever its value, 3 too.
 *
 * For doors whose wire tells doubles from integers: what came as 3.0 goes back as 3.0. The decoder
 * gives them back with `{ as: "doubles" }`.
 */
export class Double {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** What can be key of a table or member of a set beside strings and bytes, which stay raw there. */
export type Scalar = boolean | number | bigint | Date | Double;

/** The failure of every codec here; `at` is the offset in the value. */
export function badValue(message: string, at?: number): HiveError {
  if (at === undefined) return new HiveError("BAD_VALUE", message);
  return new HiveError("BAD_VALUE", `${message} (byte ${at} of the value)`, { detail: { at } });
}
