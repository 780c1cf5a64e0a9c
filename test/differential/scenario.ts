// test/differential/scenario.ts
// Scenario: a part of the stream that needs more than commands in a row.
//
//   draw ──▶ Scenario ──▶ run(pair): asks, waits for replies, opens further connections
//
// It draws all its choices when it is made, never while it runs: so the stream stays a matter of the
// seed, and a scenario repeated in a shorter stream does the same again.

import type { Args, Draw } from "./draw.ts";
import type { Pair } from "./pair.ts";
import type { Family } from "./rule.ts";

/** Steps on a pair of connections; it leaves the main ones as they were. */
export type Scenario = { readonly name: string; run(pair: Pair): Promise<void> };

/** How a scenario is drawn, and how often relative to the others. */
export type ScenarioRule = {
  readonly families: readonly Family[];
  readonly weight: number;
  readonly draw: (draw: Draw) => Scenario;
};

/** Commands for the pipeline of the main connections. */
export type CommandGroup = { readonly commands: readonly Args[] };

/** The smallest part of a stream that may be left out. */
export type Group = CommandGroup | Scenario;
