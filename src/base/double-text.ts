// Doubles as Redis 7.0 writes them in replies: C's "%.17g", so 0.1 is 0.10000000000000001.
//
//   3 ──▶ 3     1e5 ──▶ 100000     1e17 ──▶ 1e+17     1e-5 ──▶ 1.0000000000000001e-05     1/0 ──▶ inf
//
// JavaScript's toPrecision(17) has the same digits; it differs in when it turns to an exponent, in the
// exponent's width, in trailing zeros, and in what it does with a tie.

const SIGNIFICANT_DIGITS = 17;
/** A double that lies between two of 17 digits has 18; the zeros behind show that it does. */
const EXACT_DIGITS = 60;

/** The text of `value`; infinities and not-a-number are inf, -inf and nan. */
export function doubleText(value: number): string {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? "-0" : value.toString();
  if (value !== value) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const [mantissa, exponentText] = rounded(value).split("e") as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= SIGNIFICANT_DIGITS) {
    const width = String(Math.abs(exponent)).padStart(2, "0");
    return `${withoutTrailingZeros(mantissa)}e${exponent < 0 ? "-" : "+"}${width}`;
  }
  const sign = value < 0 ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "");
  if (exponent < 0) return withoutTrailingZeros(`${sign}0.${"0".repeat(-exponent - 1)}${digits}`);
  return withoutTrailingZeros(`${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`);
}

/** 17 digits with an exponent. C rounds a tie to the even digit where JavaScript rounds it up. */
function rounded(value: number): string {
  const usual = value.toExponential(SIGNIFICANT_DIGITS - 1);
  const exact = value.toExponential(EXACT_DIGITS);
  const cut = exact.indexOf(".") + SIGNIFICANT_DIGITS;
  const tie = /^50*e/.test(exact.slice(cut));
  const even = Number(exact[cut - 1]) % 2 === 0;
  return tie && even ? exact.slice(0, cut) + exact.slice(exact.indexOf("e")) : usual;
}

function withoutTrailingZeros(text: string): string {
  if (!text.includes(".")) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) === 48) end--;
  if (text.charCodeAt(end - 1) === 46) end--;
  return text.slice(0, end);
}
