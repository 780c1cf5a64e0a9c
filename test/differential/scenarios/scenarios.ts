// test/differential/scenarios/scenarios.ts
// Scenarios: all of them, and which one comes.

import type { Draw } from "../draw.ts";
import type { Family } from "../rule.ts";
import type { Scenario, ScenarioRule } from "../scenario.ts";
import { memoryScenarios } from "./memory.ts";
import { restoreScenarios } from "./restoring.ts";
import { scanScenarios } from "./scanning.ts";
import { sessionScenarios } from "./sessions.ts";
import { watchScenarios } from "./watching.ts";
import { wireScenarios } from "./wires.ts";

const allScenarios: readonly ScenarioRule[] = [
  ...scanScenarios,
  ...restoreScenarios,
  ...watchScenarios,
  ...wireScenarios,
  ...sessionScenarios,
  ...memoryScenarios,
];

/** A scenario of one of these families. */
export function drawScenario(draw: Draw, families: readonly Family[]): Scenario {
  const fitting = allScenarios.filter((rule) => rule.families.some((family) => families.includes(family)));
  const total = fitting.reduce((sum, rule) => sum + rule.weight, 0);
  let left = draw.random.below(total * 1000) / 1000;
  const rule = fitting.find((candidate) => (left -= candidate.weight) < 0) ?? (fitting[0] as ScenarioRule);
  return rule.draw(draw);
}
