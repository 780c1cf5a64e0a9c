// test/differential/minimiser.ts
// Minimiser: from the thousands of commands before a mismatch to the few that cause it.
//
//   groups ──▶ only the last few? ──▶ only those with related keys? ──▶ leave out part after part ──▶ fewer
//
// The last step is delta debugging after Zeller and Hildebrandt (2002), on whole groups. Every try is
// a round of its own on an emptied database; the time for one finding is limited.

import type { Address } from "./connection.ts";
import { Coverage } from "./coverage.ts";
import { type Finding, Findings, showCommand } from "./findings.ts";
import { allKeys } from "./pools.ts";
import { runGroups } from "./run.ts";
import type { Group } from "./scenario.ts";

const TIME_MAX_MS = 10_000;
const SUFFIXES = [1, 5, 50, 500];

export type MinimiseOptions = { readonly groups: readonly Group[]; readonly theirs: Address; readonly ours: Address };

/** The commands and scenarios of the shortest stream found that shows a mismatch of the same class. */
export async function minimise(finding: Finding, options: MinimiseOptions): Promise<readonly string[]> {
  const deadlineMs = Date.now() + TIME_MAX_MS;
  let groups = options.groups;
  const shrink = async (fewer: readonly Group[]): Promise<boolean> => {
    if (fewer.length === 0 || fewer.length >= groups.length || Date.now() > deadlineMs) return false;
    if (!(await shows(finding, { ...options, groups: fewer }))) return false;
    groups = fewer;
    return true;
  };
  if (!(await shows(finding, options))) return ["(it does not show again when repeated)"];
  for (const count of SUFFIXES) if (await shrink(groups.slice(-count))) break;
  await shrink(groups.filter((group) => "commands" in group));
  await shrink(related(finding, groups));
  for (let size = Math.ceil(groups.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let end = groups.length; end > 0; end -= size) {
      await shrink([...groups.slice(0, Math.max(0, end - size)), ...groups.slice(end)]);
    }
  }
  return groups.flatMap((group) => ("commands" in group ? group.commands.map(showCommand) : [`(${group.name})`]));
}

/** The groups that name a key of the finding, or a key that such a group names. */
function related(finding: Finding, groups: readonly Group[]): readonly Group[] {
  const keys = new Set(finding.exchange.args.filter((arg) => allKeys.has(arg)));
  const keysOf = (group: Group): string[] =>
    "commands" in group ? group.commands.flatMap((args) => args.slice(1).filter((arg) => allKeys.has(arg))) : [];
  for (const group of groups) {
    const own = keysOf(group);
    if (own.length < 8 && own.some((key) => keys.has(key))) for (const key of own) keys.add(key);
  }
  return groups.filter((group) => keysOf(group).some((key) => keys.has(key)));
}

async function shows(finding: Finding, { groups, theirs, ours }: MinimiseOptions): Promise<boolean> {
  const findings = new Findings();
  const round = { theirs, ours, seed: finding.seed, findings, coverage: new Coverage(), sent: [], onFinding: () => {} };
  let at = 0;
  await runGroups(round, () => groups[at++]);
  return findings.all.some((other) => other.name === finding.name && other.kind === finding.kind);
}
