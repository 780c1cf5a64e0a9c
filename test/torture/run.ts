// The long forms of what npm test does in short, where real time has to pass: npm run torture [-- NAME]
//
//   restarts    a hive killed and started again 50 times under 20 busy clients   --restarts N --clients N
//   kills       a hive killed 200 times while it stores snapshots                --kills N --keys N
//   shared      4 processes that read a hive's memory while it changes; killed 100 times    --seconds N --readers N --kills N
//   feed        a watcher that is cut off 100 times while 100,000 changes are made; again with a short history   --cuts N --changes N
//   spool       10,000 readings through a spool: 20 cuts, its process killed 20 times, the hive 5 times    --readings N --cuts N --kills N --restarts N
//   sessions    10,000 sessions that end at random times and together, while the hive is busy    --sessions N
//   hostile     1,000 connections that push every limit at once                  --connections N --seconds N
//   isolate     endless loops and allocations in isolated structures under 50 clients    --seconds N
//   store       histories of the store without end                              --minutes N
//   tokens      how long wrong tokens take, by what is wrong about them         --rounds N
//
// Each prints its seed and its distribution, and ends with 1 where something was wrong.

import { parseArgs } from "node:util";
import { checkHistories } from "../kit/store-checks.ts";
import { tortureFeed } from "./feed.ts";
import { hostile } from "./hostile.ts";
import { tortureIsolated } from "./isolate.ts";
import { torture } from "./restarts.ts";
import { tortureSessions } from "./sessions.ts";
import { tortureShared } from "./shared-reads.ts";
import { tortureSnapshots } from "./snapshot-kills.ts";
import { tortureSpool } from "./spool.ts";
import { showTiming, tokenTiming } from "./token-timing.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    restarts: { type: "string" },
    clients: { type: "string", default: "20" },
    kills: { type: "string" },
    readers: { type: "string", default: "4" },
    keys: { type: "string", default: "60000" },
    cuts: { type: "string" },
    sessions: { type: "string", default: "10000" },
    readings: { type: "string", default: "10000" },
    changes: { type: "string", default: "100000" },
    connections: { type: "string", default: "1000" },
    seconds: { type: "string", default: "60" },
    minutes: { type: "string", default: "5" },
    rounds: { type: "string", default: "200000" },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_007);

async function restarts(): Promise<boolean> {
  globalThis.gc?.();
  const before = { handles: process.getActiveResourcesInfo().length, heap: process.memoryUsage().heapUsed };
  const result = await torture({
    seed,
    restarts: Number(values.restarts ?? 50),
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

async function kills(): Promise<boolean> {
  const result = await tortureSnapshots({
    seed,
    kills: Number(values.kills ?? 200),
    keys: Number(values.keys),
    note: (text) => void process.stderr.write(`  ${text}\r`),
  });
  process.stderr.write("\n");
  console.log(JSON.stringify(result, undefined, 2));
  return result.wrong.length === 0 && result.insideStore >= result.kills / 2;
}

/** Shares of the reads: answered from memory at least, and made again because of a writer at least. */
const FROM_MEMORY_SHARE = 0.95;
const RETRIED_SHARE = 0.01;

async function shared(): Promise<boolean> {
  const note = (text: string): void => void process.stderr.write(`  ${text}\r`);
  const readers = Number(values.readers);
  const calm = await tortureShared({ seed, readers, seconds: Number(values.seconds), kills: 0, note });
  const fromMemory = calm.reads / (calm.reads + calm.asked);
  const retried = calm.retried / calm.reads;
  console.log(JSON.stringify(calm, undefined, 2));
  console.log(`from memory ${(fromMemory * 100).toFixed(2)} %, after a retry ${(retried * 100).toFixed(2)} %`);
  const killed = await tortureShared({ seed, readers, seconds: 0.4, kills: Number(values.kills ?? 100), note });
  process.stderr.write("\n");
  console.log(JSON.stringify(killed, undefined, 2));
  const isWhole = calm.wrong.length === 0 && killed.wrong.length === 0 && killed.mappedAgain === readers * killed.kills;
  return isWhole && fromMemory >= FROM_MEMORY_SHARE && retried >= RETRIED_SHARE;
}

async function feed(): Promise<boolean> {
  let isWhole = true;
  for (const historyMax of [undefined, 500]) {
    const result = await tortureFeed({
      seed,
      cuts: Number(values.cuts ?? 100),
      changes: Number(values.changes),
      historyMax,
      note: (text) => void process.stderr.write(`  ${text}\r`),
    });
    process.stderr.write("\n");
    console.log(JSON.stringify(result, undefined, 2));
    // With the history that a hive has nothing is lost; with a short one something has to be, else that was not tried.
    isWhole &&= result.wrong.length === 0 && (historyMax === undefined ? result.lost === 0 : result.lost > 0);
  }
  return isWhole;
}

async function isolate(): Promise<boolean> {
  const note = (text: string): void => void process.stderr.write(`  ${text}\r`);
  const result = await tortureIsolated({ seconds: Math.min(Number(values.seconds), 60), note });
  process.stderr.write("\n");
  console.log(JSON.stringify(result, undefined, 2));
  return result.wrong.length === 0;
}

async function spool(): Promise<boolean> {
  let isWhole = true;
  for (const bytesMax of [undefined, 16 * 1024]) {
    const counts = { readings: values.readings, cuts: values.cuts ?? 20, kills: values.kills ?? 20 };
    const [readings, cuts, kills] = Object.values(counts).map(Number) as [number, number, number];
    const note = (text: string): void => void process.stderr.write(`  ${text}\r`);
    const restarts = Number(values.restarts ?? 5);
    const result = await tortureSpool({ seed, readings, cuts, kills, restarts, bytesMax, note });
    process.stderr.write("\n");
    console.log(JSON.stringify(result, undefined, 2));
    // With room nothing is dropped; with little something has to be, else that was not tried.
    isWhole &&= result.wrong.length === 0 && (bytesMax === undefined || result.stats.dropped > 0);
  }
  return isWhole;
}

async function sessions(): Promise<boolean> {
  const result = await tortureSessions({
    seed,
    sessions: Number(values.sessions),
    note: (text) => void process.stderr.write(`  ${text}\r`),
  });
  process.stderr.write("\n");
  console.log(JSON.stringify({ ...result, wrong: result.wrong.slice(0, 10) }, undefined, 2));
  console.log(`${result.wrong.length} wrong`);
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

/** Shares of a median by which those of wrong tokens may differ: by the secret, and by the id as well. */
const SECRET_SHARE = 0.02;
const TIMING_SHARE = 0.06;

function tokens(): boolean {
  const result = tokenTiming(Number(values.rounds));
  console.log(showTiming(result));
  const median = result.rows[0]!.p50;
  return result.secretSpreadNs <= SECRET_SHARE * median && result.spreadNs <= TIMING_SHARE * median;
}

const TORTURES: Readonly<Record<string, () => boolean | Promise<boolean>>> = {
  restarts,
  kills,
  shared,
  feed,
  spool,
  sessions,
  hostile: hostileClients,
  isolate,
  store,
  tokens,
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
