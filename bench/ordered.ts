// ordered: lists and sorted sets beside redis-server.
//
//   npm run bench -- ordered
//
//   speed     redis-benchmark, 50 clients, pipeline 16: each work on what its `prepare` has put there
//   memory    bytes that a server's data take with so many elements, by its own INFO, without what it takes empty

import { LIST_MEMORY, LIST_WORKS } from "./ordered-lists.ts";
import { empty, type OrderedMemory, type OrderedWork, usedBytes } from "./ordered-work.ts";
import { comparePairs, type Measured } from "./pairs.ts";
import { REDIS, type Server, startBoth, startHive, startPeerRedis } from "./peers.ts";
import { settled } from "./process-usage.ts";
import { redisBenchmark } from "./redis-benchmark.ts";
import { type BenchOptions, type Row, row } from "./row.ts";

const PIPELINE = 16;
const PAIRS = 7;

const WORKS: readonly OrderedWork[] = [...LIST_WORKS];
const MEMORY: readonly OrderedMemory[] = [...LIST_MEMORY];

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  {
    await using servers = await startBoth();
    for (const work of WORKS) yield await compare(servers, work, options);
  }
  for (const memory of MEMORY) yield await compareMemory(memory, options);
}

async function compare(
  servers: { hive: Server; redis: Server },
  { name, call, keys, requests, goal, prepare }: OrderedWork,
  options: BenchOptions,
): Promise<Row> {
  const count = options.quick ? requests / 2 : requests;
  const measure = async (server: Server): Promise<Measured<"perSecond">> => {
    await prepare(server, count);
    const sent = { test: call, pipeline: PIPELINE, requests: count, ...(keys === undefined ? {} : { keys }) };
    const { perSecond } = await redisBenchmark(server.port, sent);
    options.note(`${name} ${server.name}: ${perSecond}/s`);
    return { perSecond };
  };
  const { perSecond } = await comparePairs(servers, options.pairs ?? (options.quick ? 3 : PAIRS), measure);
  return row({ work: `${name}, pipeline ${PIPELINE}, calls/s`, peer: REDIS, ...perSecond, goal: { atLeast: goal } });
}

async function compareMemory({ name, elements, fill }: OrderedMemory, { note }: BenchOptions): Promise<Row> {
  const bytes = { hive: 0, redis: 0 };
  for (const start of [startHive, startPeerRedis]) {
    await using server = await start();
    await empty(server);
    const before = await usedBytes(server);
    await fill(server);
    await settled(server.pid);
    bytes[server.name] = ((await usedBytes(server)) - before) / elements;
    note(`${name}, ${server.name}: ${bytes[server.name].toFixed(2)} B`);
  }
  return row({ work: `${name}, bytes each`, peer: REDIS, ours: bytes.hive, theirs: bytes.redis, goal: { atMost: 1 } });
}
