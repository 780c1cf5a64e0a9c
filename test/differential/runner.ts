// test/differential/runner.ts
// Runner: the differential test's long form, for the command line.
//
//   node test/differential/runner.ts [--count N] [--seed N] [--family NAME[,NAME]] [--host-port HOST:PORT]
//                                    [--redis HOST:PORT] [--no-minimise]
//
// Without --host-port it starts a hive in this process, without --redis a redis-server 7.0. Both
// servers are flushed. The exit code is 1 when a reply differs that may not, or when a run of a
// million commands left a command nearly untested.

import { parseArgs } from "node:util";
import type { Address } from "./connection.ts";
import { describe, type Finding } from "./findings.ts";
import { minimise } from "./minimiser.ts";
import { type Family, families } from "./rule.ts";
import { run } from "./run.ts";
import type { Group } from "./scenario.ts";
import { startHive, startReference } from "./servers.ts";

/** From this many commands on, every command must have been answered with success this often. */
const COVERAGE_COMMANDS_MIN = 1_000_000;
const ANSWERS_MIN = 50;
const MINIMISED_MAX = 20;

const { values: flags } = parseArgs({
  options: {
    count: { type: "string", default: "1000000" },
    seed: { type: "string" },
    family: { type: "string", default: families.join(",") },
    "host-port": { type: "string" },
    redis: { type: "string" },
    "no-minimise": { type: "boolean", default: false },
  },
});

const seed = flags.seed === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(flags.seed);
const count = Number(flags.count);
const chosen = flags.family.split(",").map(asFamily);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(count))
  throw new Error("--seed and --count take whole numbers");

await using started = new AsyncDisposableStack();
const theirs = flags.redis === undefined ? started.use(await startReference()).address : asAddress(flags.redis);
const ours = flags["host-port"] === undefined ? started.use(await startHive()).address : asAddress(flags["host-port"]);

console.log(`seed ${seed}, ${count} commands, families ${chosen.join(" ")}`);
const found: { finding: Finding; groups: readonly Group[] }[] = [];
const result = await run({
  theirs,
  ours,
  seed,
  count,
  families: chosen,
  onFinding: (finding, groups) => {
    console.log(`found ${finding.name}: ${finding.kind}`);
    found.push({ finding, groups: groups.slice() });
  },
});

if (!flags["no-minimise"]) {
  for (const { finding, groups } of found.slice(0, MINIMISED_MAX))
    finding.minimal = await minimise(finding, { groups, theirs, ours });
}
for (const finding of result.findings.all) console.log(`\n${describe(finding)}`);
console.log(`\n${result.coverage.table()}`);
console.log("\nknown difference           times");
for (const [id, times] of result.findings.allowed) console.log(`${id.padEnd(26)}${String(times).padStart(6)}`);

const rate = Math.round((result.commands / result.elapsedMs) * 1000);
console.log(
  `\n${result.commands} commands in ${(result.elapsedMs / 1000).toFixed(1)} s, ${rate} a second through both; seed ${seed}`,
);
if (result.commands < count) console.log("stopped early: the two fell out of step too often");
const lacking = count >= COVERAGE_COMMANDS_MIN ? result.coverage.lacking(chosen, ANSWERS_MIN) : [];
if (lacking.length > 0) console.log(`answered fewer than ${ANSWERS_MIN} times: ${lacking.join(", ")}`);
console.log(`${result.findings.all.length} kinds of mismatch`);
process.exitCode = result.findings.all.length > 0 || lacking.length > 0 ? 1 : 0;

function asFamily(name: string): Family {
  const family = families.find((candidate) => candidate === name);
  if (family === undefined) throw new Error(`--family takes ${families.join(", ")}; got ${name}`);
  return family;
}

function asAddress(text: string): Address {
  const at = text.lastIndexOf(":");
  const port = Number(text.slice(at + 1));
  if (at < 1 || !Number.isSafeInteger(port)) throw new Error(`expected HOST:PORT, got ${text}`);
  return { host: text.slice(0, at), port };
}
