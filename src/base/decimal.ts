// Decimal integers in bytes, exactly as Redis's string2ll reads them: an optional `-`, digits, no
// leading zero, no plus, no space, within a signed 64-bit integer.

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

/** The integer in bytes `start` to `end` when it is one of at most 15 digits; NaN for everything else. */
export function parseSafeInteger(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const negative = end > start && bytes[start] === 45;
  if (negative) at++;
  const digits = end - at;
  if (digits < 1 || digits > 15) return Number.NaN;
  let value = bytes[at]! - 48;
  if (value < 0 || value > 9) return Number.NaN;
  if (value === 0) return digits === 1 && !negative ? 0 : Number.NaN;
  for (at++; at < end; at++) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** Exact powers of ten: a whole number of 15 digits divided by one is rounded once, as it should be. */
const TENS: Float64Array = Float64Array.from({ length: 16 }, (_, digits) => 10 ** digits);

/**
 * The double in bytes `start` to `end` when it is written as a sign, digits and a fraction, of at most 15 digits
 * together; NaN for everything else, which may be a number all the same.
 */
export function parseShortDecimal(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const sign = end > start ? bytes[start]! : 0;
  if (sign === 45 || sign === 43) at++;
  let value = 0;
  let digits = 0;
  let fraction = -1;
  for (; at < end; at++) {
    const digit = bytes[at]! - 48;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
      if (fraction >= 0) fraction++;
    } else if (digit === -2 && fraction < 0) fraction = 0;
    else return Number.NaN;
  }
  if (digits === 0 || digits > 15) return Number.NaN;
  if (fraction > 0) value /= TENS[fraction]!;
  return sign === 45 ? -value : value;
}

/** The signed 64-bit integer in bytes `start` to `end`; undefined where there is none. */
export function parseInt64(bytes: Uint8Array, start: number, end: number): bigint | undefined {
  const small = parseSafeInteger(bytes, start, end);
  if (small === small) return BigInt(small);
  if (end - start > 20) return undefined;
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!);
  if (!/^-?[1-9][0-9]*$/.test(text)) return undefined;
  const value = BigInt(text);
  return value > INT64_MAX || value < INT64_MIN ? undefined : value;
}
