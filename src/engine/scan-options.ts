// Scan options: the cursor and the words that SCAN, HSCAN and SSCAN take.
//
//   SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]      HSCAN key cursor [MATCH …] [COUNT …] [NOVALUES]
//
// The cursor is read first and the options after the key was looked up, as Redis does: on a key that is
// not there they are not looked at.

import { HiveError } from "../base/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../base/limits.ts";
import type { Args } from "./args.ts";
import { isEverything, matchesGlob } from "./glob.ts";

export type ScanOptions = {
  /** Elements to look at before the call answers, at least 1. */
  count: number;
  /** The argument with the pattern; 0 for every name. */
  pattern: number;
  /** The argument with the wanted type; 0 for all. */
  type: number;
  noValues: boolean;
};

const COUNT_DEFAULT = 10;
const CURSORS = 2n ** 64n;
const CURSOR_DIGITS_MAX = 20;

/**
 * The cursor in argument `index`, in 32 bits, which is all that the index's cursors have: any number
 * is one, and one that no server gave starts somewhere.
 * @throws {HiveError} INVALID_ARGUMENT
 */
export function parseCursor(args: Args, index: number): number {
  // C's strtoul: a sign, digits, up to a zero byte; nothing is 0, a negative number counts from above.
  const text = args.latin1(index).split("\0", 1)[0]!;
  if (/^[0-9]{0,15}$/.test(text)) return Number(text) % 2 ** 32;
  const match = /^([+-]?)([0-9]+)$/.exec(text);
  const digits = (match?.[2] ?? "").replace(/^0+(?=[0-9])/, "");
  // Not every number that was sent becomes one: that takes seconds for a million digits.
  const value = digits !== "" && digits.length <= CURSOR_DIGITS_MAX ? BigInt(digits) : CURSORS;
  if (value >= CURSORS) throw new HiveError("INVALID_ARGUMENT", "invalid cursor");
  return Number(BigInt.asUintN(32, match![1] === "-" ? -value : value));
}

/**
 * The options from argument `first` on.
 * @param allowed Which of TYPE and NOVALUES this command takes.
 * @throws {HiveError} SYNTAX, NOT_INTEGER, INVALID_ARGUMENT
 */
export function parseScanOptions(
  args: Args,
  first: number,
  allowed: "TYPE" | "NOVALUES" | "",
  limits: Limits = DEFAULT_LIMITS,
): ScanOptions {
  const options: ScanOptions = { count: COUNT_DEFAULT, pattern: 0, type: 0, noValues: false };
  for (let i = first; i < args.count; i++) {
    const hasNext = i + 1 < args.count;
    if (hasNext && args.is(i, "COUNT")) {
      options.count = args.integer(++i);
      if (options.count < 1) throw syntaxError();
    } else if (hasNext && args.is(i, "MATCH")) {
      checkPattern(args, ++i, limits);
      options.pattern = isEverything(args.buffer, args.start(i), args.end(i)) ? 0 : i;
    } else if (hasNext && allowed === "TYPE" && args.is(i, "TYPE")) options.type = ++i;
    else if (args.is(i, "NOVALUES")) {
      if (allowed !== "NOVALUES") throw new HiveError("SYNTAX", "NOVALUES option can only be used in HSCAN");
      options.noValues = true;
    } else throw syntaxError();
  }
  return options;
}

/** @throws {HiveError} INVALID_ARGUMENT: the pattern in argument `index` is longer than patternBytesMax. */
export function checkPattern(args: Args, index: number, { patternBytesMax }: Limits): void {
  const length = args.length(index);
  if (length <= patternBytesMax) return;
  const message = `pattern of ${length} bytes exceeds patternBytesMax (${patternBytesMax})`;
  throw new HiveError("INVALID_ARGUMENT", message);
}

/** Whether a name passes the pattern of the options; `args` must be those that were parsed. */
export function passesPattern(
  options: ScanOptions,
  args: Args,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const index = options.pattern;
  return index === 0 || matchesGlob(args.buffer, args.start(index), args.end(index), bytes, start, end);
}

function syntaxError(): HiveError {
  return new HiveError("SYNTAX", "syntax error");
}
