// Latency: how long the calls of one command took, as a histogram.
//
//   timed call ──▶ add(nanoseconds, how many calls it stands for) ──▶ percentile(0.99), the sum
//
// Calls are timed one by one where that costs little beside the call. A fast command takes 0.3 µs and two
// looks at the clock a third of that, so of those one in about 128 is timed, at a random distance, and
// stands for the calls since the one before (SampledTimes). That costs a comparison per call, and 1 ns for
// the looks at the clock; `npm run bench -- seam` has the figure (docs/guides/operations.md).
//
// Buckets: 8 to each power of two from 64 ns to 137 s, so a percentile is at most 12.5 % too high. About
// 2 KB for a command that was called. Counts are doubles: they never overflow.

const STEPS = 8;
const STEP_BITS = 3;
const FIRST_POWER = 6;
const LAST_POWER = 37;
const BUCKETS = (LAST_POWER - FIRST_POWER) * STEPS + 1;
/** Calls of a fast command between two that are timed: 1 to twice this, less 1. */
const DISTANCE_MEAN = 128;

export class Latency {
  /** Calls that the histogram stands for, and all their time. */
  calls = 0;
  nanoseconds = 0;
  readonly #counts = new Float64Array(BUCKETS);

  add(nanoseconds: number, weight: number): void {
    this.#counts[bucketOf(nanoseconds)]! += weight;
    this.calls += weight;
    this.nanoseconds += nanoseconds * weight;
  }

  /** What this part of the calls (0 to 1) took at most, in microseconds; 0 without calls. */
  percentileMicroseconds(part: number): number {
    let left = this.calls * part;
    let last = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.#counts[bucket]!;
      if (count === 0) continue;
      last = upperNanoseconds(bucket);
      left -= count;
      // Rounding of the sum may leave a little.
      if (left <= 1e-9) break;
    }
    return last / 1000;
  }

  /** Calls that took at most so many microseconds, for each power of two up to the slowest: cumulative. */
  *powers(): Generator<[microseconds: number, calls: number]> {
    let cumulative = 0;
    let shown = 0;
    let bucket = 0;
    for (let power = 10; power <= LAST_POWER && cumulative < this.calls; power++) {
      const end = Math.min((power - FIRST_POWER) * STEPS, BUCKETS);
      for (; bucket < end; bucket++) cumulative += this.#counts[bucket]!;
      // The last bucket is for whatever took longer.
      if (power === LAST_POWER) cumulative = this.calls;
      if (cumulative === shown) continue;
      shown = cumulative;
      yield [2 ** (power - 10), Math.round(cumulative)];
    }
  }

  clear(): void {
    this.calls = 0;
    this.nanoseconds = 0;
    this.#counts.fill(0);
  }
}

function bucketOf(nanoseconds: number): number {
  if (!(nanoseconds >= 2 ** FIRST_POWER)) return 0;
  if (nanoseconds >= 2 ** LAST_POWER) return BUCKETS - 1;
  // The exponent and the first bits behind it, without a logarithm: above 2^31 by a division first.
  const big = nanoseconds >= 2 ** 30;
  const whole = big ? (nanoseconds / 2 ** 10) | 0 : nanoseconds | 0;
  const power = 31 - Math.clz32(whole);
  const step = (whole >>> (power - STEP_BITS)) & (STEPS - 1);
  return (power + (big ? 10 : 0) - FIRST_POWER) * STEPS + step;
}

/** Where bucket `bucket` ends. */
function upperNanoseconds(bucket: number): number {
  const power = FIRST_POWER + Math.floor(bucket / STEPS);
  return 2 ** power * (1 + ((bucket % STEPS) + 1) / STEPS);
}

/** How many calls of a fast command pass until the next one that is timed. */
export function drawDistance(random: () => number = Math.random): number {
  return 1 + Math.floor(random() * (2 * DISTANCE_MEAN - 1));
}
