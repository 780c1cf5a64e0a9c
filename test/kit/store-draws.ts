// Store draws: numbers become names, values and deadlines. Few of each, so that histories come back to
// the same keys, and of every size that makes a difference to the store.

import { NO_DEADLINE } from "../../src/store/keyspace.ts";
import { KIND_VALUE } from "../../src/store/layout.ts";
import type { Name } from "./store-model.ts";

const KEYS = 24;
const SIZES = [0, 1, 3, 8, 9, 20, 40, 64, 100, 200, 500, 1200, 3000, 4096, 9000, 33000, 70_000, 140_000, 300 * 1024];
const LARGE = 17 * 1024 * 1024;
const DELAYS = [
  1,
  2,
  63,
  64,
  65,
  500,
  4095,
  4096,
  5000,
  70_000,
  300_000,
  3_600_000,
  86_400_000 * 40,
  86_400_000 * 3000,
];
/** Deadlines that no clock will reach, and past ones. */
const STRANGE = [2 ** 53 - 1, 2 ** 60, 0, -5, 1];

export function drawName(number: number): Name {
  const kind = number % 5 === 0 ? KIND_VALUE : number % 3;
  const index = (number >> 1) % KEYS;
  if (index === 0) return { bytes: Buffer.alloc(0), kind };
  if (index === 1) return { bytes: Buffer.alloc(300 + (number % 2) * 70_000, 7), kind };
  return { bytes: Buffer.from(`k${index}`.padEnd(index, "-")), kind };
}

export function drawField(number: number): Name {
  const kind = number % 7 === 0 ? KIND_VALUE : number % 3;
  return { bytes: Buffer.from(number % 97 === 0 ? "" : `field ${number % 400}`), kind };
}

/** @param large Whether some are bigger than a segment. */
export function drawValue(number: number, large: boolean): Buffer {
  if (large && number % 397 === 0) return Buffer.alloc(LARGE + (number % 1000), number & 255);
  const size = SIZES[Math.min(number % SIZES.length, (number >> 5) % SIZES.length)]!;
  const value = Buffer.alloc(size, number & 255);
  if (size >= 4) value.writeUInt32LE(number >>> 0);
  return value;
}

/** Scores of every way in which they are packed, and few enough that many are the same. */
export function drawScore(number: number): number {
  const small = (number >> 3) % 40;
  return [
    small,
    -small,
    small * 1000,
    small * 1e6,
    small / 100,
    small * 700.25,
    small * 0.1,
    Infinity,
    -Infinity,
    1 / (1 + small),
  ][number % 10]!;
}

export function drawDelayMs(number: number): number {
  return DELAYS[number % DELAYS.length]!;
}

export function drawDeadline(number: number, nowMs: number): number {
  if (number % 4 === 0) return NO_DEADLINE;
  if (number % 23 === 0) return STRANGE[(number >> 5) % STRANGE.length]!;
  return nowMs + drawDelayMs(number >> 2);
}

/** Numbers below a bound, from a seed: xorshift32 (G. Marsaglia, 2003). */
export function generator(seed: number): (below: number) => number {
  let state = seed || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
