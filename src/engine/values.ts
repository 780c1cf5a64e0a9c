// Values: what is stored, read for a reply or as a number, and written back in the kind that it had.
//
//   raw "41", or the encoded integer 41 ──▶ readInteger ──▶ addIntegers ──▶ writeInteger ──▶ raw, or encoded
//
// Integers are signed 64 bits, exact: a JavaScript number while it is one of at most 15 digits, a
// bigint above. What writeInteger() gives lies in a scratch that every call overwrites, so counting up
// allocates nothing.

import { parseInt64, parseSafeInteger } from "../base/decimal.ts";
import { HiveError } from "../base/errors.ts";
import { KIND_RAW, KIND_VALUE, TYPE_MASK, TYPE_STRING } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { Double, encodeInteger, encodeInto, integerOf, Scratch, valueToText } from "../wire/value.ts";
import type { Args } from "./args.ts";
import { type LongDouble, parseLongDouble } from "./long-double.ts";
import type { Reply } from "./reply.ts";

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;
/** Sums of two numbers up to here are exact, and safe integers. */
const EXACT_MAX = 2 ** 51;
const DIGITS_MAX = 20;
/** The tag of a float64. */
const FLOAT64 = 0xcb;

/** Bytes to store: good until the next writeInteger(). */
export type Written = { bytes: Uint8Array; start: number; length: number; kind: number };

const digits = Buffer.alloc(DIGITS_MAX);
const scratch = new Scratch();
const written: Written = { bytes: digits, start: 0, length: 0, kind: KIND_RAW };

export function wrongType(): HiveError {
  return new HiveError("WRONG_TYPE", "Operation against a key holding the wrong kind of value");
}

export function syntaxError(): HiveError {
  return new HiveError("SYNTAX", "syntax error");
}

/** Answers with the string of a key. @throws {HiveError} WRONG_TYPE: it holds something else. */
export function replyString(store: Store, ref: number, reply: Reply): void {
  const { entries } = store.memory;
  if ((entries.head(ref) & TYPE_MASK) !== TYPE_STRING) throw wrongType();
  const start = entries.valueStart(ref);
  replyBytes(reply, entries.bytesOf(ref), start, start + entries.valueLength(ref), entries.valueKind(ref));
}

/** Answers with a stored value or name of either kind. */
export function replyBytes(reply: Reply, bytes: Uint8Array, start: number, end: number, kind: number): void {
  if (kind === KIND_VALUE) reply.value(bytes, start, end);
  else reply.bulk(bytes, start, end, kind);
}

/** The integer in a value of either kind; undefined when it is none of 64 bits. */
export function readInteger(bytes: Uint8Array, start: number, end: number, kind: number): number | bigint | undefined {
  if (kind === KIND_VALUE) return integerOf(bytes, start, end);
  const small = parseSafeInteger(bytes, start, end);
  return small === small ? small : parseInt64(bytes, start, end);
}

/** An amount in argument `index`, exact. @throws {HiveError} NOT_INTEGER */
export function integerArgument(args: Args, index: number): number | bigint {
  const start = args.start(index);
  if (args.kind(index) === KIND_VALUE) return integerOf(args.buffer, start, args.end(index)) ?? args.int64(index);
  const small = parseSafeInteger(args.buffer, start, start + args.length(index));
  return small === small ? small : args.int64(index);
}

/** The kind of a number that is made new: an encoded amount makes an encoded number, digits make digits. */
export function kindOfAmount(args: Args, index: number): number {
  return args.kind(index) === KIND_VALUE ? KIND_VALUE : KIND_RAW;
}

/**
 * The exact sum; a bigint where one of the two is one, so that a stored bigint stays one.
 * @throws {HiveError} OVERFLOW: it is no integer of 64 bits.
 */
export function addIntegers(one: number | bigint, other: number | bigint): number | bigint {
  if (typeof one === "number" && typeof other === "number" && Math.abs(one) <= EXACT_MAX) {
    if (Math.abs(other) <= EXACT_MAX) return one + other;
  }
  const sum = BigInt(one) + BigInt(other);
  if (sum > INT64_MAX || sum < INT64_MIN) {
    throw new HiveError("OVERFLOW", "increment or decrement would overflow");
  }
  return sum;
}

/**
 * The bytes of an integer in the kind of the value that it replaces.
 * @param before That value as readInteger() gave it: an encoded bigint stays one.
 */
export function writeInteger(value: number | bigint, kind: number, before: number | bigint): Written {
  written.kind = kind;
  if (kind !== KIND_VALUE) {
    written.bytes = digits;
    written.start = writeDigits(value);
    written.length = DIGITS_MAX - written.start;
    return written;
  }
  scratch.reset();
  if (typeof before === "bigint") encodeInto(BigInt(value), scratch);
  else encodeInteger(value, scratch);
  written.bytes = scratch.bytes;
  written.start = 0;
  written.length = scratch.end;
  return written;
}

/** Answers with an integer; as a bigint only where a number cannot hold it. */
export function replyInteger(reply: Reply, value: number | bigint): void {
  if (typeof value === "number") reply.integer(value);
  else if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) reply.integer(Number(value));
  else reply.bigint(value);
}

/** The long double in a value of either kind. @throws {HiveError} NOT_FLOAT with `message` */
export function readFloat(
  bytes: Buffer,
  start: number,
  end: number,
  kind: number,
  message: string = "value is not a valid float",
): LongDouble {
  const text = kind === KIND_VALUE ? valueToText(bytes, start, end) : bytes.latin1Slice(start, end);
  const value = parseLongDouble(text);
  if (value === undefined) throw new HiveError("NOT_FLOAT", message);
  return value;
}

/**
 * The bytes of a decimal text in the kind of the value that it replaces: an encoded number stays one,
 * a float64 too, as far as a float64 reaches.
 */
export function writeFloat(text: string, kind: number, before: { bytes: Uint8Array; start: number }): Written {
  const value = Number(text);
  const encoded = kind === KIND_VALUE && Number.isFinite(value);
  written.kind = kind === KIND_VALUE && !encoded ? KIND_RAW : kind;
  scratch.reset();
  if (encoded) encodeInto(before.bytes[before.start] === FLOAT64 ? new Double(value) : value, scratch);
  else scratch.raw(Buffer.from(text, "latin1"));
  written.bytes = scratch.bytes;
  written.start = 0;
  written.length = scratch.end;
  return written;
}

/** Writes the decimal digits of a value into the end of `digits`. Returns where they begin. */
function writeDigits(value: number | bigint): number {
  if (typeof value === "bigint") {
    const text = value.toString();
    digits.latin1Write(text, DIGITS_MAX - text.length);
    return DIGITS_MAX - text.length;
  }
  let at = DIGITS_MAX;
  let rest = Math.abs(value);
  while (rest >= 1e9) {
    const high = Math.floor(rest / 1e9);
    let low = (rest - high * 1e9) | 0;
    for (const end = at - 9; at > end; ) {
      const tenth = (low / 10) | 0;
      digits[--at] = 48 + low - tenth * 10;
      low = tenth;
    }
    rest = high;
  }
  let low = rest | 0;
  do {
    const tenth = (low / 10) | 0;
    digits[--at] = 48 + low - tenth * 10;
    low = tenth;
  } while (low > 0);
  if (value < 0) digits[--at] = 45;
  return at;
}
