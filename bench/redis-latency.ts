// How long a GET takes while a server has half of what it can do: the p99 rows of `redis`.
//
//   highest load of each, closed loop ──▶ half of the lower one ──▶ open-loop.ts offers that to both ──▶ p99
//
// Open loop: calls are sent by schedule, whether or not the earlier ones were answered, and what a call
// waited counts from the moment that it was due. A server that stops for 5 ms shows in every call of them.
// The calls come from a process of its own, one in ten is a SET.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { loadKeys } from "./load.ts";
import type { Latency } from "./open-loop.ts";
import { comparePairs } from "./pairs.ts";
import { HITS_MIN, REDIS, type Server, startBoth } from "./peers.ts";
import { settled } from "./process-usage.ts";
import { redisBenchmark } from "./redis-benchmark.ts";
import { type BenchOptions, median, type Row, row } from "./row.ts";

const KEYS = 1_000_000;
const PAIRS = 7;
const MAX_RUNS = 3;
const SECONDS = 5;
const MAX_REQUESTS = 150_000;

export async function* measureLatency(options: BenchOptions): AsyncGenerator<Row> {
  await using servers = await startBoth();
  for (const server of [servers.hive, servers.redis]) {
    await loadKeys(server.port, KEYS);
    await settled(server.pid);
  }
  const [ours, theirs] = [await highestLoad(servers.hive), await highestLoad(servers.redis)];
  const perSecond = Math.round(Math.min(ours, theirs) / 2);
  options.note(`highest load: hive ${ours}/s, redis ${theirs}/s; offered to both: ${perSecond}/s`);

  const seconds = options.quick ? 2 : SECONDS;
  await offer(servers.hive, perSecond, 2); // both have run hot before the first pair
  await offer(servers.redis, perSecond, 2);
  let valid = true;
  const measure = async (server: Server): Promise<Record<"p50" | "p99" | "p999", number>> => {
    const { p50, p99, p999, hits, gets, worst, late } = await offer(server, perSecond, seconds);
    if (hits < gets * HITS_MIN) valid = false;
    options.note(
      `${server.name}: p50 ${p50}, p99 ${p99}, p99.9 ${p999}, worst ${worst} µs; driver late ${late} µs at p99`,
    );
    return { p50, p99, p999 };
  };
  const compared = await comparePairs(servers, options.pairs ?? (options.quick ? 3 : PAIRS), measure);
  const form = `open loop, ${perSecond} calls/s, 1 in 10 a SET, µs`;
  yield row({ work: `p99 of a GET at half load, ${form}`, peer: REDIS, ...compared.p99, goal: { atMost: 1.5 }, valid });
  const { p50, p999 } = compared;
  options.note(`p50: hive ${p50.ours}, redis ${p50.theirs} µs; p99.9: hive ${p999.ours}, redis ${p999.theirs} µs`);
}

/** Calls per second of 50 clients that each wait for their answer: as much as can be had without pipelining. */
async function highestLoad({ port }: Server): Promise<number> {
  const rates: number[] = [];
  for (let i = 0; i < MAX_RUNS; i++) {
    rates.push((await redisBenchmark(port, { test: "get", pipeline: 1, requests: MAX_REQUESTS })).perSecond);
  }
  return median(rates);
}

/** Runs the driver in a process of its own. */
async function offer({ port }: Server, perSecond: number, seconds: number): Promise<Latency> {
  const driver = fileURLToPath(new URL("open-loop.ts", import.meta.url));
  const args = [driver, String(port), String(perSecond), String(seconds), String(KEYS)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the open-loop driver ended with ${code}`);
  return JSON.parse(output);
}
