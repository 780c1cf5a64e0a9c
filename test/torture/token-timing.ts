// Token timing: does the time that a wrong token takes tell anything about the right ones?
//
//   kinds of wrong tokens, all of the right length ──▶ verify(), in turn, in a random order ──▶ distributions
//
// Measured where it would show most: in this process, without a socket. Two kinds are the same on purpose:
// what those two differ by is the noise that the others are compared with.

import { randomBytes } from "node:crypto";
import { TokenRegistry } from "../../src/engine/tokens.ts";

/** Times in nanoseconds. */
export type TimingRow = { kind: string; mean: number; p50: number; p90: number; p99: number };

export type TimingResult = {
  rounds: number;
  rows: TimingRow[];
  /** Between the medians of the two kinds that are the same, and of any two that have a token's form. */
  noiseNs: number;
  spreadNs: number;
  /** The same of those with a known id: whether any part of a secret shows. */
  secretSpreadNs: number;
};

const TOKENS = 1000;
/** Texts of each kind, again and again in turn. */
const TEXTS = 10_000;
const NOW_MS = 1000;

/** Each kind is measured `rounds` times; what it is given is another token each time. */
export function tokenTiming(rounds: number): TimingResult {
  const registry = new TokenRegistry({ single: randomBytes(32).toString("hex") });
  const known = Array.from({ length: TOKENS }, () => registry.create({ grants: ["read"] }, NOW_MS).token);
  const secret = (): string => randomBytes(32).toString("base64url");
  const any = (): string => known[Math.floor(Math.random() * TOKENS)]!;
  const unknown = (): string => `hive_${randomBytes(6).toString("hex")}_${secret()}`;
  const kinds: Readonly<Record<string, () => string>> = {
    "unknown id": unknown,
    "unknown id, again": unknown,
    "known id, other secret": () => `${any().slice(0, 18)}${secret()}`,
    "known id, last character wrong": () => flip(any(), 60),
    "known id, first character wrong": () => flip(any(), 18),
    "another token's secret": () => `${any().slice(0, 18)}${any().slice(18)}`,
    "no token's form": () => `x${unknown().slice(1)}`,
    "the right token": any,
  };
  const names = Object.keys(kinds);
  const times = names.map(() => new Float64Array(rounds));
  // Made before: what making them leaves in caches would be measured too.
  const texts = names.map((name) => Array.from({ length: TEXTS }, () => Buffer.from(kinds[name]!())));
  for (let round = -Math.min(rounds, 5000); round < rounds; round++) {
    // Whatever a kind leaves in caches meets another one each time.
    for (const index of shuffled(names.length)) {
      const text = texts[index]![Math.abs(round) % TEXTS]!;
      const from = process.hrtime.bigint();
      registry.verify(text, NOW_MS);
      const took = Number(process.hrtime.bigint() - from);
      if (round >= 0) times[index]![round] = took;
    }
  }
  const rows = names.map((kind, index) => rowOf(kind, times[index]!));
  // That a text has no token's form its sender knows.
  const wrong = rows.slice(0, 6).map(({ p50 }) => p50);
  return {
    rounds,
    rows,
    noiseNs: Math.abs(wrong[0]! - wrong[1]!),
    spreadNs: Math.max(...wrong) - Math.min(...wrong),
    secretSpreadNs: Math.max(...wrong.slice(2)) - Math.min(...wrong.slice(2)),
  };
}

export function showTiming({ rows, noiseNs, spreadNs, secretSpreadNs, rounds }: TimingResult): string {
  const line = (cells: (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? `${cell}`.padEnd(34) : `${cell}`.padStart(9))).join("");
  return [
    line(["nanoseconds", "mean", "p50", "p90", "p99"]),
    ...rows.map(({ kind, mean, p50, p90, p99 }) => line([kind, Math.round(mean), p50, p90, p99])),
    `${rounds} of each. Medians differ by ${noiseNs} ns where the kind is the same, by up to ${secretSpreadNs} ns`,
    `by what is wrong about the secret, by up to ${spreadNs} ns by that and whether the id, which is none, is known.`,
  ].join("\n");
}

function rowOf(kind: string, times: Float64Array): TimingRow {
  const sorted = times.toSorted();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  const mean = sorted.reduce((sum, time) => sum + time, 0) / sorted.length;
  return { kind, mean, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

function flip(text: string, index: number): string {
  return `${text.slice(0, index)}${text[index] === "A" ? "B" : "A"}${text.slice(index + 1)}`;
}

function shuffled(count: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(Math.random() * (i + 1));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}
