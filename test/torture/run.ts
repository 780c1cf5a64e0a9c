// The long forms of what npm test does in short, where real time has to pass: npm run torture [-- NAME]
//
//   restarts    a hive killed and started again 50 times under 20 busy clients   --restarts N --clients N
//   hostile     1,000 connections that push every limit at once                  --connections N --seconds N
//   store       histories of the store without end                              --minutes N
//
// Each prints its seed and its distribution, and ends with 1 where something was wrong.

import { parseArgs } from "node:util";
import { checkHistories } from "../kit/store-checks.ts";
import { hostile } from "./hostile.ts";
import { torture } from "./restarts.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    restarts: { type: "string", default: "50" },
    clients: { type: "string", default: "20" },
    connections: { type: "string", default: "1000" },
    seconds: { type: "string", default: "60" },
    minutes: { type: "string", default: "5" },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_007);

async function restarts(): Promise<boolean> {
  globalThis.gc?.();
  const before = { handles: process.getActiveResourcesInfo().length, heap: process.memoryUsage().heapUsed };
  const result = await torture({
    seed,
    restarts: Number(values.restarts),
    clients: Number(values.clients),
    timeoutMs: 2_000,
    note: (text) => void process.stderr.write(`  ${text}\r`),
  });
  process.stderr.write("\n");
  console.log(JSON.stringify(result, undefined, 2));
  globalThis.gc?.();
  const left = process.getActiveResourcesInfo().length - before.handles;
  const grown = (process.memoryUsage().heapUsed - before.heap) / 1e6;
  console.log(`open handles: ${left} more than before; heap after a collection: ${grown.toFixed(1)} MB more`);
  return result.wrong.length === 0 && result.lateMs < 100 && left <= 0;
}

async function hostileClients(): Promise<boolean> {
  const result = await hostile({
    connections: Number(values.connections),
    seconds: Number(values.seconds),
    note: (text) => void process.stderr.write(`  ${text}\r`),
  });
  process.stderr.write("\n");
  console.log(JSON.stringify(result, undefined, 2));
  return result.wrong.length === 0;
}

function store(): boolean {
  const endMs = performance.now() + Number(values.minutes) * 60_000;
  for (let round = 0; performance.now() < endMs; round++) {
    const steps = [30, 300, 3000][round % 3]!;
    const roundSeed = (seed + round) % 0x7fffffff;
    const runs = Math.ceil(60_000 / steps / 3);
    const counts = checkHistories({ runs, steps, seed: roundSeed, large: round % 8 === 7 });
    let total = 0;
    for (const count of counts.values()) total += count;
    console.log(`STORE_SEED=${roundSeed} histories of up to ${steps} steps: ${total} operations`);
  }
  return true;
}

const TORTURES: Readonly<Record<string, () => boolean | Promise<boolean>>> = {
  restarts,
  hostile: hostileClients,
  store,
};

for (const name of positionals.length > 0 ? positionals : Object.keys(TORTURES)) {
  const run = TORTURES[name];
  if (run === undefined) {
    process.stderr.write(`there is no torture ${name}: ${Object.keys(TORTURES).join(", ")}\n`);
    process.exitCode = 2;
    break;
  }
  console.log(`${name}, seed ${seed}`);
  if (!(await run())) process.exitCode = 1;
}
