// test/differential/run.ts
// Run: a number of rounds, each a fresh database, a seed of its own, a protocol and a depth of pipelining.
//
//   seed ──▶ round 0, 1, 2 … ──▶ Generator ──▶ batches through a Pair ──▶ findings, coverage, figures
//
// While the servers work on one batch the next one is drawn.

import type { Address } from "./connection.ts";
import { Coverage } from "./coverage.ts";
import type { Args } from "./draw.ts";
import { type Finding, Findings } from "./findings.ts";
import { Generator } from "./generator.ts";
import { Pair, type Round } from "./pair.ts";
import { deriveSeed, Random } from "./random.ts";
import type { Family } from "./rule.ts";
import type { Group } from "./scenario.ts";

export type RunOptions = {
  /** redis-server 7.0. Its data is flushed. */
  readonly theirs: Address;
  /** The hive. Its data is flushed. */
  readonly ours: Address;
  readonly seed: number;
  /** How many commands to send, at least. */
  readonly count: number;
  readonly families: readonly Family[];
  /** Called with the first finding of a class and the groups of its round so far. */
  readonly onFinding?: (finding: Finding, groups: readonly Group[]) => void;
};

export type RunResult = {
  readonly findings: Findings;
  readonly coverage: Coverage;
  readonly commands: number;
  readonly elapsedMs: number;
};

const ROUND_COMMANDS = 20_000;

/** A server that falls out of step this often is not worth waiting for: the run ends. */
const LOSSES_MAX = 40;

/** Commands in one write: mostly hundreds, in some rounds few or one. */
const depths = [200, 500, 60, 900, 300, 8, 700, 1];
/** A round that waits for every reply is short, since it is slow. */
const SHALLOW_ROUND_COMMANDS = 3_000;

/** Sends `count` commands to both servers and collects every class of mismatch. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { theirs, ours, families } = options;
  const findings = new Findings();
  const coverage = new Coverage();
  const startedMs = Date.now();
  let commands = 0;
  for (let index = 0; commands < options.count && findings.losses < LOSSES_MAX; index++) {
    const seed = index === 0 ? options.seed : deriveSeed(options.seed, index);
    const generator = new Generator({ seed, families });
    const groups: Group[] = [];
    const round: Round = {
      theirs,
      ours,
      seed,
      findings,
      coverage,
      sent: [],
      onFinding: (finding) => options.onFinding?.(finding, groups),
    };
    const limit = Math.min(options.count - commands, depthOf(seed) < 50 ? SHALLOW_ROUND_COMMANDS : ROUND_COMMANDS);
    await runGroups(round, () => {
      if (round.sent.length >= limit || findings.losses >= LOSSES_MAX) return undefined;
      const group = generator.next();
      groups.push(group);
      return group;
    });
    commands += round.sent.length;
  }
  return { findings, coverage, commands, elapsedMs: Date.now() - startedMs };
}

/** Plays groups on an emptied database, as the seed of the round says, until there are no more. */
export async function runGroups(round: Round, next: () => Group | undefined): Promise<void> {
  const depth = depthOf(round.seed);
  let pair = await prepare(round);
  let inFlight: Promise<unknown> = Promise.resolve();
  let batch: Args[] = [];
  const flush = async (): Promise<void> => {
    await inFlight;
    if (pair.isLost) pair = await prepare(round);
    inFlight = batch.length > 0 ? pair.exchange(batch) : Promise.resolve();
    batch = [];
  };
  for (let group = next(); group !== undefined; group = next()) {
    if ("commands" in group) {
      batch.push(...group.commands);
      if (batch.length >= depth) await flush();
      continue;
    }
    await flush();
    await inFlight;
    if (pair.isLost) pair = await prepare(round);
    await group.run(pair);
  }
  await flush();
  await inFlight;
  pair.close();
}

async function prepare(round: Round): Promise<Pair> {
  const pair = await Pair.open(round);
  await pair.exchange([
    ["CONFIG", "SET", "maxmemory", "0"],
    ["FLUSHALL"],
    ["HELLO", String(2 + new Random(round.seed).below(2))],
  ]);
  return pair;
}

function depthOf(seed: number): number {
  return depths[seed % depths.length] as number;
}
