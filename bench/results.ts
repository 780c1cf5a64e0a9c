// bench/results.md: the newest table of every benchmark, each with the machine that it comes from.
//
// A benchmark's part stands between two marks, so that one can be run again without the others.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import type { Row } from "./row.ts";
import { markdownTable } from "./table.ts";

const FILE = new URL("results.md", import.meta.url);
const HEAD = `# Figures

Written by \`npm run bench -- all --write\`. Every row is a comparison made in one run on one machine: with a
peer, interleaved pairs and the median of their ratios, or with a limit. [run.ts](run.ts) says how to
repeat them, the header of each benchmark what is measured.
`;

/** Puts the rows of one benchmark in the place of its last ones. `command` is how to have them again. */
export function writeResults(name: string, rows: readonly Row[], command: string): void {
  const begin = `<!-- ${name} -->`;
  const end = `<!-- end of ${name} -->`;
  const part = `${begin}\n## ${name}\n\n${machine()} \`${command}\`\n\n${markdownTable(rows)}${end}\n`;
  const before = existsSync(FILE) ? readFileSync(FILE, "utf8") : HEAD;
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  const after = from < 0 ? `${before}\n${part}` : before.slice(0, from) + part + before.slice(to + end.length + 1);
  writeFileSync(FILE, after);
}

function machine(): string {
  const processors = cpus();
  const date = new Date().toISOString().slice(0, 10);
  const model = processors[0]?.model.trim() ?? "unknown CPU";
  return `${date}, ${processors.length} × ${model}, Linux ${release()}, Node ${process.version}, ${redisVersion()}.`;
}

function redisVersion(): string {
  try {
    return `Redis ${/v=([\d.]+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))?.[1]}`;
  } catch {
    return "no Redis";
  }
}
