// Values as text, for wires that have nothing else: RESP reads a number as decimal text, everything
// else as JSON.
//
//   bytes of one value ──▶ valueToText ──▶ 42 · 0.5 · {"born":1815} · "2020-01-01T00:00:00.000Z"
//
// What JSON has no word for is said so that a person or a script can use it:
//
//   undefined, NaN and infinities inside, invalid Date   null
//   bigint                                               its digits, as a number
//   Date                                                 a string, ISO 8601
//   Map                                                  an object where all keys are text, else an array of pairs
//   Set, typed arrays of numbers                         an array
//   bytes, ArrayBuffer, DataView                         a string, base64
//   RegExp                                               a string, /source/flags
//   Error                                                an object: name, message, code, cause
//   an instance of a class                               its fields, or what its class made of them
//   code                                                 an object: name, kind, source, bindings
//   an object inside itself                              the string [cycle]
//
// A shared object is written out at each place. Thirty objects can share their way to 2^30 places, so
// in a long text a place says [shared] instead; a value without references has no such bound.

import { decode } from "./value-decode.ts";
import { EXT_BIGINT } from "./value-format.ts";
import { JsonText } from "./value-json.ts";

/** Of one text. A string of V8 ends at twice that; replies have a bound of their own. */
const TEXT_BYTES_MAX: number = 256 * 1024 * 1024;

/**
 * The text of the value in bytes `start` to `end`, which have been walked.
 *
 * A float64 is in its shortest decimal form (`nan`, `inf`, `-inf` as Redis says them), an integer in
 * all its digits. A string, though it is stored raw, is itself.
 *
 * @throws {HiveError} OUTPUT_TOO_BIG: more than 256 MiB
 */
export function valueToText(bytes: Uint8Array, start: number = 0, end: number = bytes.length): string {
  const value = decode(bytes, start, end, { as: "plain" });
  if (typeof value === "string") return value;
  if (typeof value === "number") return numberText(value);
  const json = new JsonText(TEXT_BYTES_MAX);
  json.decoded(value, end - start);
  return json.text();
}

/** A float64 as Redis writes it. */
function numberText(value: number): string {
  if (value !== value) return "nan";
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  return Object.is(value, -0) ? "-0" : String(value);
}

/**
 * The integer in bytes `start` to `end`, exact, where there is one that an int64 holds: a number up to
 * 2^53 - 1, a bigint above, and a bigint for what was stored as one. Undefined for everything else, a
 * float64 of a whole number too.
 *
 * To write one back: encodeInteger() for a number, encodeInto() keeps a small bigint a bigint.
 */
export function integerOf(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): number | bigint | undefined {
  if (start >= end) return undefined;
  const tag = bytes[start]!;
  if (tag < 0x80) return end - start === 1 ? tag : undefined;
  // An extension of up to 7 bytes is a small bigint; the longer ones are beyond 64 bits.
  const type = tag === 0xc7 ? bytes[start + 2] : tag >= 0xd4 && tag <= 0xd6 ? bytes[start + 1] : undefined;
  if (tag < 0xe0 && (tag < 0xcc || tag > 0xd3) && (type !== EXT_BIGINT || end - start > 10)) return undefined;
  const value = decode(bytes, start, end) as number | bigint;
  return value > INT64_MAX ? undefined : value;
}

const INT64_MAX = 2n ** 63n - 1n;
