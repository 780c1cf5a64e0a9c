// Scores: doubles as Redis reads them in arguments, and ranges of scores and of names.
//
//   "1.5", "+inf", "0x1p4" ──▶ scoreArgument        "(1.5" ──▶ scoreBound        "[abc", "(abc", "-", "+" ──▶ nameBound
//
// C's strtod is what Redis reads them with; JavaScript's Number rounds decimals the same.

import { parseShortDecimal } from "../base/decimal.ts";
import { HiveError } from "../base/errors.ts";
import { KIND_VALUE } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import type { Args } from "./args.ts";

const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?[0-9]+))?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const HEXADECIMAL_DIGITS_MAX = 256;
/** Below it strtod says that digits are lost. */
const SMALLEST_NORMAL = 2 ** -1022;

/** The double that a whole text is for strtod; NaN when it is none. */
function parseDouble(text: string): number {
  if (DECIMAL.test(text)) return Number(text);
  const infinite = INFINITE.exec(text);
  if (infinite) return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const hexadecimal = HEXADECIMAL.exec(text);
  if (!hexadecimal) return Number.NaN;
  const [, sign, whole = "", fraction = "", exponent = "0"] = hexadecimal;
  if (whole + fraction === "" || text.length > HEXADECIMAL_DIGITS_MAX) return Number.NaN;
  const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === "-" ? -value : value;
}

/** The same as C code reads it that looks only at where strtod stopped: space before it is passed over, nothing is 0. */
function looseDouble(text: string): number {
  if (text === "") return 0;
  return parseDouble(text.replace(/^[ \t\n\v\f\r]+/, ""));
}

/** What SORT makes of a text, up to a zero byte; undefined where it is no number, or beyond what a double holds. */
export function sortWeight(text: string): number | undefined {
  const digits = text.split("\0", 1)[0]!;
  const value = looseDouble(digits);
  const isBeyond = !Number.isFinite(value) && !INFINITE.test(digits.trimStart());
  const isLost = Math.abs(value) < SMALLEST_NORMAL && /^\s*[+-]?[0.]*[1-9]/.test(digits);
  return value !== value || isBeyond || isLost ? undefined : value;
}

/**
 * The score in argument `index`.
 * @throws {HiveError} NOT_FLOAT with `message`: no number, not-a-number, or beyond what a double holds.
 */
export function scoreArgument(args: Args, index: number, message: string = "value is not a valid float"): number {
  if (args.kinds[index] !== KIND_VALUE) {
    const short = parseShortDecimal(args.buffer, args.start(index), args.end(index));
    if (short === short) return short;
  }
  const text = args.latin1(index);
  const value = parseDouble(text);
  const isBeyond = !Number.isFinite(value) && DECIMAL.test(text);
  const isLost = value === 0 && /^[+-]?[0.]*[1-9]/.test(text);
  if (value !== value || isBeyond || isLost) throw new HiveError("NOT_FLOAT", message);
  return value;
}

/** Ranks `from` to `to`, without `to`. */
export type Ranks = { from: number; to: number };

/** One end of a range of scores. */
type ScoreBound = { score: number; isExclusive: boolean };

/** The lowest and the highest score of a range. */
export type ScoreRange = { min: ScoreBound; max: ScoreBound };

/** @throws {HiveError} NOT_FLOAT */
export function scoreRange(args: Args, min: number, max: number): ScoreRange {
  return { min: scoreBound(args, min), max: scoreBound(args, max) };
}

function scoreBound(args: Args, index: number): ScoreBound {
  // As C sees it: leading space is passed over, a zero byte ends it, and nothing is 0.
  const text = args.latin1(index).split("\0", 1)[0]!;
  const isExclusive = text.startsWith("(");
  const score = looseDouble(text.slice(isExclusive ? 1 : 0));
  if (score !== score) throw new HiveError("NOT_FLOAT", "min or max is not a float");
  return { score, isExclusive };
}

export function ranksOfScores({ sorted }: Store, key: number, { min, max }: ScoreRange): Ranks {
  return {
    from: sorted.countBelow(key, min.score, min.isExclusive),
    to: sorted.countBelow(key, max.score, !max.isExclusive),
  };
}

/** One end of a range of names: a place in the arguments, or beyond all names. */
type NameBound = { beyond: -1 | 0 | 1; start: number; length: number; isExclusive: boolean };

export type NameRange = { min: NameBound; max: NameBound };

/** @throws {HiveError} INVALID_ARGUMENT */
export function nameRange(args: Args, min: number, max: number): NameRange {
  return { min: nameBound(args, min), max: nameBound(args, max) };
}

function nameBound(args: Args, index: number): NameBound {
  const bytes = args.bytes(index);
  const sign = String.fromCharCode(bytes[0] ?? 0);
  const isAlone = bytes.length === 1 || bytes[1] === 0;
  const start = args.start(index) + 1;
  const length = bytes.length - 1;
  if (sign === "(" || sign === "[") return { beyond: 0, start, length, isExclusive: sign === "(" };
  if ((sign === "-" || sign === "+") && isAlone) {
    return { beyond: sign === "-" ? -1 : 1, start, length: 0, isExclusive: false };
  }
  throw new HiveError("INVALID_ARGUMENT", "min or max not valid string range item");
}

export function ranksOfNames(store: Store, key: number, args: Args, { min, max }: NameRange): Ranks {
  return {
    from: countBelow(store, key, args, min, min.isExclusive),
    to: countBelow(store, key, args, max, !max.isExclusive),
  };
}

function countBelow({ sorted }: Store, key: number, args: Args, bound: NameBound, inclusive: boolean): number {
  if (bound.beyond !== 0) return bound.beyond < 0 ? 0 : sorted.count(key);
  return sorted.countBelowName(key, args.buffer, bound.start, bound.length, inclusive);
}

/** The ranks that two arguments name, counted from the end where they are negative. */
export function ranksOf(first: number, last: number, count: number): Ranks {
  const from = Math.max(0, first < 0 ? first + count : first);
  const to = Math.min(count, (last < 0 ? last + count : last) + 1);
  return { from, to: Math.max(from, to) };
}
