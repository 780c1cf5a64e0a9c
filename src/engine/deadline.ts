// Deadlines from arguments: EX, PXAT, EXPIRE and their kin to epoch milliseconds.
//
//   "60", seconds, from now ──▶ checked as 64-bit arithmetic would overflow ──▶ a number
//
// Redis keeps deadlines in 64 bits; a number holds whole milliseconds up to 2^53 (285,000 years), and
// above it the nearest, which is all that anybody can tell apart there.

import { HiveError } from "../base/errors.ts";
import type { Args } from "./args.ts";
import { formatLongDouble } from "./long-double.ts";
import { readFloat } from "./values.ts";

// Bits of a unit.
export const UNIT_SECONDS = 1;
/** From the epoch on instead of from now. */
export const UNIT_ABSOLUTE = 2;

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;
/** The largest number below 2^63: deadlines are kept in 64 bits. */
const DEADLINE_MAX_MS: number = 2 ** 63 - 1024;

/**
 * The deadline that argument `index` says. May lie in the past where `mayPass` is.
 * @param mayPass Whether times of 0 and below are taken, as EXPIRE does and SET does not.
 * @param command For the message, in lower case.
 * @throws {HiveError} NOT_INTEGER, INVALID_ARGUMENT
 */
export function deadlineArgument(
  args: Args,
  index: number,
  unit: number,
  nowMs: number,
  mayPass: boolean,
  command: string,
): number {
  const amount = args.integer(index);
  if (amount <= 0 && !mayPass) throw invalidExpire(command);
  const scale = (unit & UNIT_SECONDS) !== 0 ? 1000 : 1;
  const base = (unit & UNIT_ABSOLUTE) !== 0 ? 0 : nowMs;
  const deadlineMs = amount * scale + base;
  if (Number.isSafeInteger(deadlineMs) && Number.isSafeInteger(amount * scale)) return deadlineMs;
  const scaled = args.int64(index) * BigInt(scale);
  if (scaled > INT64_MAX - BigInt(base) || scaled < INT64_MIN) throw invalidExpire(command);
  return Math.min(Number(scaled) + base, DEADLINE_MAX_MS);
}

/**
 * How long a call may wait, from seconds with a fraction in argument `index`, in milliseconds; 0 for ever.
 * @throws {HiveError} NOT_FLOAT, OUT_OF_RANGE
 */
export function waitArgument(args: Args, index: number, nowMs: number): number {
  const message = "timeout is not a float or out of range";
  const value = readFloat(args.buffer, args.start(index), args.end(index), args.kind(index), message);
  const ms = Math.ceil(Number(formatLongDouble(value).replace("inf", "Infinity")) * 1000);
  if (ms > DEADLINE_MAX_MS - nowMs) throw new HiveError("OUT_OF_RANGE", "timeout is out of range");
  if (ms < 0) throw new HiveError("OUT_OF_RANGE", "timeout is negative");
  return ms;
}

function invalidExpire(command: string): HiveError {
  return new HiveError("INVALID_ARGUMENT", `invalid expire time in '${command}' command`);
}
