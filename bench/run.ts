// npm run bench: figures side by side with the peers.
//
//   npm run bench                        lists the benchmarks
//   npm run bench -- redis               a table; progress goes to standard error
//   npm run bench -- redis --json        a line of JSON for each row, and nothing else on standard output
//   npm run bench -- all --write         every benchmark; the tables go to bench/results.md
//
//   --pairs N    so many interleaved pairs        --quick    a look, not a measurement
//
// The exit code is 0 when every row reached its goal and 1 when one did not.

import { parseArgs } from "node:util";
import { writeResults } from "./results.ts";
import type { Benchmark, BenchOptions, Row } from "./row.ts";
import { headerLine, rowLine } from "./table.ts";

const BENCHMARKS: Readonly<Record<string, string>> = {
  redis: "a hive beside redis-server: speed, CPU, memory, latency; about 15 minutes",
  ordered: "lists and sorted sets beside redis-server: speed, memory; about 10 minutes",
  seam: "what Args and Reply cost a call",
  slices: "background work after big deletions: no slice holds up the clients, memory goes back",
  "ordered-sorted": "sorted sets beside redis-server: speed and memory; about 3 minutes",
  connections: "5,000 connections open at once, each answered",
  events: "messages to subscribers beside redis-server, and near reads beside ioredis; about 3 minutes",
  http: "XML-RPC beside Python's SimpleXMLRPCServer; about 2 minutes",
  collisions: "keys chosen to collide under common hashes are no slower than random ones",
  client: "the client beside ioredis and node-redis: many calls in flight, one at a time; about 3 minutes",
  shared: "reads from shared memory beside ioredis and a Map, and what sharing costs the doors; about 4 minutes",
  snapshots: "stores and restores beside Redis's, and what a store costs the loop; about 4 minutes",
  structures: "structures beside Lua and lists of redis-server, suggestions; about 2 minutes",
  value: "canonical values: the walk at the door, encoding, decoding",
};

async function* rowsOf(name: string, options: BenchOptions): AsyncGenerator<Row> {
  const { run } = (await import(new URL(`${name}.ts`, import.meta.url).href)) as { run: Benchmark };
  const rows = run(options);
  if (rows instanceof Promise) yield* await rows;
  else yield* rows;
}

function usage(): string {
  const names = Object.entries(BENCHMARKS).map(([name, text]) => `  ${name.padEnd(12)} ${text}`);
  return `npm run bench -- NAME… | all [--json] [--pairs N] [--quick] [--write]\n\n${names.join("\n")}\n`;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      pairs: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const names = positionals.includes("all") ? Object.keys(BENCHMARKS) : positionals;
  const unknown = names.filter((name) => !(name in BENCHMARKS));
  const pairs = values.pairs === undefined ? undefined : Number(values.pairs);
  if (values.help || names.length === 0 || unknown.length > 0 || (pairs !== undefined && !(pairs >= 1))) {
    process.stderr.write(usage());
    return values.help || positionals.length === 0 ? 0 : 2;
  }

  const options: BenchOptions = {
    quick: values.quick,
    note: (text) => void process.stderr.write(`  ${text}\n`),
    ...(pairs === undefined ? {} : { pairs }),
  };
  const flags = [values.quick ? "--quick" : "", pairs === undefined ? "" : `--pairs ${pairs}`].filter(Boolean);
  let missed = 0;
  for (const name of names) {
    const rows: Row[] = [];
    if (!values.json) process.stdout.write(`${name}\n${headerLine()}\n`);
    for await (const row of rowsOf(name, options)) {
      rows.push(row);
      if (!row.ok) missed++;
      process.stdout.write(values.json ? `${JSON.stringify(row)}\n` : `${rowLine(row)}\n`);
    }
    if (values.write) writeResults(name, rows, ["npm run bench --", name, ...flags].join(" "));
  }
  return missed === 0 ? 0 : 1;
}

process.exitCode = await main();
