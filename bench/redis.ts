// redis: a hive beside redis-server, as any Redis client sees them.
//
//   npm run bench -- redis
//
//   speed      redis-benchmark, 50 clients: SET and GET at pipeline 1, 16, 64, the rest at 16; CPU per GET
//   memory     bytes that are resident with 1 M and 10 M keys; CPU per GET with 10 M (redis-memory.ts)
//   latency    p99 at half of the highest load, open loop, writes beside it (redis-latency.ts)
//
// Both with their defaults, Redis without saving; 1 M keys of 16 bytes with values of 64 are loaded first,
// and a row of GETs of which more than one in a hundred found nothing does not count. Which command a row
// needs loaded is in its `prepare`, outside of what is timed.

import { ask, hitsAndMisses } from "./ask.ts";
import { NUMBER } from "./call-block.ts";
import { load, loadKeys } from "./load.ts";
import { comparePairs, type Measured } from "./pairs.ts";
import { HITS_MIN, REDIS, type Server, startBoth } from "./peers.ts";
import { cpuSeconds, settled } from "./process-usage.ts";
import { redisBenchmark } from "./redis-benchmark.ts";
import { measureLatency } from "./redis-latency.ts";
import { measureMemory } from "./redis-memory.ts";
import { type BenchOptions, type Row, row } from "./row.ts";

const KEYS = 1_000_000;
const PAIRS = 7;

type Work = {
  name: string;
  test: string | readonly string[];
  pipeline: number;
  /** How many calls take one to three seconds. */
  requests: number;
  goal: number;
  /** What has to be there before each run. */
  prepare?: (server: Server, requests: number) => Promise<unknown>;
  /** Whether a run did what it should; without it every run did. */
  check?: (server: Server, requests: number) => Promise<boolean>;
};

const SET_MEMBERS = ["SADD", "myset", `element:${NUMBER}`] as const;

/** A set of exactly `count` members, whatever it held. */
async function fillSet(server: Server, count: number): Promise<void> {
  await ask(server.port, "DEL", "myset");
  await load(server.port, { call: SET_MEMBERS, count, reply: ":1\r\n" });
  await settled(server.pid);
}

async function emptySet(server: Server): Promise<void> {
  await ask(server.port, "DEL", "myset");
  await settled(server.pid);
}

async function setIsEmpty(server: Server): Promise<boolean> {
  return (await ask(server.port, "SCARD", "myset")) === "0";
}

// biome-ignore format: a table reads better aligned
const WORKS: readonly Work[] = [
  { name: "SET",  test: "set",  pipeline:  1, requests:   200_000, goal: 0.97 },
  { name: "GET",  test: "get",  pipeline:  1, requests:   200_000, goal: 0.97 },
  { name: "SET",  test: "set",  pipeline: 16, requests: 1_500_000, goal: 1.2 },
  { name: "GET",  test: "get",  pipeline: 16, requests: 1_500_000, goal: 1.2 },
  { name: "SET",  test: "set",  pipeline: 64, requests: 2_500_000, goal: 1.5 },
  { name: "GET",  test: "get",  pipeline: 64, requests: 3_000_000, goal: 1.5 },
  { name: "INCR", test: "incr", pipeline: 16, requests: 1_500_000, goal: 1 },
  { name: "HSET", test: "hset", pipeline: 16, requests: 1_500_000, goal: 1 },
  { name: "SADD", test: "sadd", pipeline: 16, requests: 1_000_000, goal: 1, prepare: emptySet },
  // As many members as calls, so that every call pops one; then none may be left.
  { name: "SPOP", test: "spop", pipeline: 16, requests: 1_000_000, goal: 1, prepare: fillSet, check: setIsEmpty },
  { name: "MSET", test: "mset", pipeline: 16, requests:   200_000, goal: 1 },
];

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  yield* measureSpeed(options);
  yield* measureMemory(options);
  yield* measureLatency(options);
}

async function* measureSpeed(options: BenchOptions): AsyncGenerator<Row> {
  await using servers = await startBoth();
  for (const server of [servers.redis, servers.hive]) {
    options.note(`loading ${server.name}: ${KEYS} keys, counters and fields`);
    await loadKeys(server.port, KEYS);
    await load(server.port, { call: ["SET", `counter:${NUMBER}`, "0"], count: KEYS, reply: "+OK\r\n" });
    await load(server.port, { call: ["HSET", "myhash", `element:${NUMBER}`, "xxx"], count: KEYS, reply: ":1\r\n" });
    await settled(server.pid);
  }
  for (const work of WORKS) yield* compare(servers, work, options);
}

async function* compare(
  servers: { hive: Server; redis: Server },
  work: Work,
  options: BenchOptions,
): AsyncGenerator<Row> {
  const pairs = options.pairs ?? (options.quick ? 3 : PAIRS);
  const requests = options.quick ? work.requests / 2 : work.requests;
  const isGet = work.name === "GET";
  let valid = true;
  const measure = async (server: Server): Promise<Measured<"perSecond" | "microseconds">> => {
    await work.prepare?.(server, requests);
    const before = await hitsAndMisses(server.port);
    const cpuBefore = cpuSeconds(server.pid);
    const { perSecond } = await redisBenchmark(server.port, { test: work.test, pipeline: work.pipeline, requests });
    const microseconds = ((cpuSeconds(server.pid) - cpuBefore) / requests) * 1e6;
    const after = await hitsAndMisses(server.port);
    if (isGet && after.hits - before.hits < requests * HITS_MIN) valid = false;
    if (work.check && !(await work.check(server, requests))) valid = false;
    options.note(`${work.name} ${work.pipeline} ${server.name}: ${perSecond}/s, ${microseconds.toFixed(3)} µs CPU`);
    return { perSecond, microseconds };
  };
  const { perSecond, microseconds } = await comparePairs(servers, pairs, measure);
  const form = `pipeline ${work.pipeline}, 50 clients`;
  yield row({ work: `${work.name}, ${form}, calls/s`, peer: REDIS, ...perSecond, goal: { atLeast: work.goal }, valid });
  if (!isGet || work.pipeline !== 64) return;
  const name = "server CPU per GET, pipeline 64, µs";
  yield row({ work: name, peer: REDIS, ...microseconds, goal: { atMost: 0.7 }, valid });
}
