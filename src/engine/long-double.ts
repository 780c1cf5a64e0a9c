// Long doubles: the float arithmetic of Redis, which is C's 80-bit long double, bit for bit.
//
//   "0.1" ──▶ parse (as strtold) ──▶ 0.1 rounded to 64 bits of mantissa ──▶ add ──▶ "%.17Lf" without the zeros behind
//
// Decimal arithmetic of any precision would give other digits than Redis does from the 17th on, and no
// overflow where it has one. So a value here is what an x87 register holds: mantissa × 2^exponent with
// a mantissa below 2^64, as a bigint, rounded to the nearest, ties to even. An addition costs about
// 2 µs; the range is 1e-4951 to 1e4932.
//
// As in Redis, inf is a number to read and no result to write; nan and what underflows to 0 are neither.

import { HiveError } from "../base/errors.ts";

/** ±mantissa × 2^exponent. */
export type LongDouble = { negative: boolean; mantissa: bigint; exponent: number } | "inf" | "-inf";

const MANTISSA_BITS = 64;
/** Exponent of the last bit of the smallest denormal, and what bits + exponent of the largest number come to. */
const EXPONENT_MIN = -16445;
const TOP_MAX = 16384;
/** Text longer than this is no number, as in Redis. */
const TEXT_MAX = 5119;
/** Decimal exponents beyond this are as good as infinite, whatever digits stand before (at most TEXT_MAX). */
const DECIMAL_EXPONENT_MAX = 20_000;
const FRACTION_DIGITS = 17;
const FRACTION_SCALE = 10n ** BigInt(FRACTION_DIGITS);

const DECIMAL = /^([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]+))?$/;
const HEXADECIMAL = /^([+-]?)0[xX](?:([0-9a-fA-F]+)(?:\.([0-9a-fA-F]*))?|\.([0-9a-fA-F]+))(?:[pP]([+-]?[0-9]+))?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/** The number that a text is for C's strtold, whole and without space; undefined when it is none. */
export function parseLongDouble(text: string): LongDouble | undefined {
  if (text.length > TEXT_MAX) return undefined;
  const infinite = INFINITE.exec(text);
  if (infinite) return infinite[1] === "-" ? "-inf" : "inf";
  const decimal = DECIMAL.exec(text);
  const match = decimal ?? HEXADECIMAL.exec(text);
  if (!match) return undefined;
  const fraction = match[3] ?? match[4] ?? "";
  const prefix = decimal ? "" : "0x";
  const digits = BigInt(`${prefix}${match[2] ?? ""}${fraction}`);
  const negative = match[1] === "-";
  if (digits === 0n) return { negative, mantissa: 0n, exponent: 0 };
  const written = Math.max(-1e9, Math.min(1e9, Number(match[5] ?? "0")));
  const value = decimal
    ? roundDecimal(negative, digits, written - fraction.length)
    : round(negative, digits, written - 4 * fraction.length, false);
  return typeof value === "string" || value.mantissa === 0n ? undefined : value;
}

/**
 * The sum, rounded as the processor does.
 * @throws {HiveError} OVERFLOW: it is infinite or not a number.
 */
export function addLongDoubles(one: LongDouble, other: LongDouble): LongDouble {
  if (typeof one === "string" || typeof other === "string") throw notFinite();
  const exponent = Math.min(one.exponent, other.exponent);
  const sum = aligned(one, exponent) + aligned(other, exponent);
  const value = round(sum < 0n, sum < 0n ? -sum : sum, exponent, false);
  if (typeof value === "string") throw notFinite();
  return value;
}

/** As Redis writes it: "%.17Lf" without zeros at the end. */
export function formatLongDouble(value: LongDouble): string {
  if (typeof value === "string") return value;
  const scaled = value.mantissa * FRACTION_SCALE;
  const whole =
    value.exponent >= 0 ? scaled << BigInt(value.exponent) : divideToEven(scaled, 1n << BigInt(-value.exponent), false);
  const digits = whole.toString().padStart(FRACTION_DIGITS + 1, "0");
  const point = digits.length - FRACTION_DIGITS;
  const fraction = digits.slice(point).replace(/0+$/, "");
  const text = fraction === "" ? digits.slice(0, point) : `${digits.slice(0, point)}.${fraction}`;
  return value.negative && text !== "0" ? `-${text}` : text;
}

function notFinite(): HiveError {
  return new HiveError("OVERFLOW", "increment would produce NaN or Infinity");
}

function aligned(value: Exclude<LongDouble, string>, exponent: number): bigint {
  const shifted = value.mantissa << BigInt(value.exponent - exponent);
  return value.negative ? -shifted : shifted;
}

/** digits × 10^exponent, rounded. */
function roundDecimal(negative: boolean, digits: bigint, exponent: number): LongDouble {
  if (exponent > DECIMAL_EXPONENT_MAX) return "inf";
  if (exponent < -DECIMAL_EXPONENT_MAX) return { negative, mantissa: 0n, exponent: 0 };
  if (exponent >= 0) return round(negative, digits * 10n ** BigInt(exponent), 0, false);
  // Two bits more than the mantissa has, and whether anything is left behind them.
  const divisor = 10n ** BigInt(-exponent);
  const shift = Math.max(0, bitsOf(divisor) - bitsOf(digits) + MANTISSA_BITS + 2);
  const scaled = digits << BigInt(shift);
  const quotient = scaled / divisor;
  return round(negative, quotient, -shift, quotient * divisor !== scaled);
}

/**
 * mantissa × 2^exponent rounded to what a long double holds.
 * @param sticky Whether the exact value is a little more than that.
 */
function round(negative: boolean, mantissa: bigint, exponent: number, sticky: boolean): LongDouble {
  const drop = Math.max(bitsOf(mantissa) - MANTISSA_BITS, EXPONENT_MIN - exponent);
  let rounded = mantissa;
  let place = exponent;
  if (drop > 0) {
    rounded = drop > bitsOf(mantissa) + 1 ? 0n : divideToEven(mantissa, 1n << BigInt(drop), sticky);
    place = exponent + drop;
  }
  if (bitsOf(rounded) + place > TOP_MAX) return negative ? "-inf" : "inf";
  return { negative, mantissa: rounded, exponent: place };
}

/** dividend ÷ divisor (even), to the nearest, ties to the even one. */
function divideToEven(dividend: bigint, divisor: bigint, sticky: boolean): bigint {
  const quotient = dividend / divisor;
  const rest = dividend - quotient * divisor;
  const half = divisor >> 1n;
  if (rest < half) return quotient;
  if (rest === half && !sticky && (quotient & 1n) === 0n) return quotient;
  return quotient + 1n;
}

function bitsOf(value: bigint): number {
  if (value === 0n) return 0;
  const text = value.toString(16);
  return text.length * 4 - Math.clz32(Number.parseInt(text[0]!, 16)) + 28;
}
