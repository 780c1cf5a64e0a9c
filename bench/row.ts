// Rows: what a benchmark says, and what it is told.
//
//   bench/NAME.ts  run(options) ──▶ Row, Row, …  ──▶ run.ts ──▶ a table, or a line of JSON each
//
// Every row is a comparison: with a peer that did the same work on this machine in the same run, or with
// a limit from the design, which then stands where the peer's figure would. So every row has a ratio, and
// the goal is always said of the ratio.

export type Row = {
  /** What was done, with the unit of `ours` and `theirs` behind the last comma. */
  work: string;
  peer: string;
  ours: number;
  theirs: number;
  /** ours / theirs; of interleaved pairs the median of their ratios. */
  ratio: number;
  /** "≥ 1.2" or "≤ 0.7", of the ratio. */
  goal: string;
  ok: boolean;
};

export type BenchOptions = {
  /** How many interleaved pairs; without it each row's own number, at least 7 for the short ones. */
  pairs?: number;
  /** A look in a minute or two instead of a measurement: fewer pairs, shorter runs, no 10 M keys. */
  quick: boolean;
  /** Progress and what else is worth knowing, for people. */
  note(text: string): void;
};

export type Benchmark = (options: BenchOptions) => AsyncIterable<Row> | Promise<Row[]>;

/** The peer of a row that is held to a limit of the design. */
export const LIMIT = "the limit";

export type Goal = { atLeast: number } | { atMost: number };

export type Figures = {
  work: string;
  peer: string;
  ours: number;
  theirs: number;
  /** Where it is not simply ours / theirs. */
  ratio?: number;
  goal: Goal;
  /** False where the run does not count, whatever its figures: hits were missing. */
  valid?: boolean;
};

/** Judges figures by their goal. */
export function row({ work, peer, ours, theirs, ratio = ours / theirs, goal, valid = true }: Figures): Row {
  const met = "atLeast" in goal ? ratio >= goal.atLeast : ratio <= goal.atMost;
  const text = "atLeast" in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
  return {
    work,
    peer,
    ours: rounded(ours),
    theirs: rounded(theirs),
    ratio: rounded(ratio),
    goal: text,
    ok: met && valid,
  };
}

/** Of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value below which `part` (0 to 1) of the values are; sorts them. */
export function quantile(values: Float64Array, part: number): number {
  values.sort();
  return values[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;
}

/** Four digits that count. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4));
}
