// ordered-sorted: sorted sets of a hive beside those of redis-server.
//
//   npm run bench -- ordered-sorted
//
//   speed     ZADD, ZPOPMIN, ZRANGE, ZRANK at pipeline 16, in sets of 100 members and of 1 M
//   memory    bytes a member, in many small sets and in one of 1 M members
//
// Its works are taken in by `ordered` too, where there is that.

import { ask } from "./ask.ts";
import { NUMBER } from "./call-block.ts";
import { load } from "./load.ts";
import { comparePairs, type Measured } from "./pairs.ts";
import { REDIS, type Server, startBoth, startHive, startPeerRedis } from "./peers.ts";
import { residentBytes, settled } from "./process-usage.ts";
import { redisBenchmark } from "./redis-benchmark.ts";
import { type BenchOptions, median, type Row, row } from "./row.ts";

const MILLION = 1_000_000;
const PAIRS = 5;
const SMALL = 100;
/** Small sets of the row about memory. */
const SETS = 20_000;

export type OrderedWork = {
  name: string;
  /** A call for redis-benchmark; __rand_int__ is a number below `keys`. */
  call: readonly string[];
  keys: number;
  pipeline: number;
  requests: number;
  goal: number;
  /** What has to be there before each run. */
  prepare?: (server: Server, requests: number) => Promise<unknown>;
};

/** A sorted set of exactly `count` members, whatever it held. */
function fill(key: string, count: number): NonNullable<OrderedWork["prepare"]> {
  return async (server) => {
    if (Number(await ask(server.port, "ZCARD", key)) === count) return;
    await ask(server.port, "DEL", key);
    await load(server.port, { call: ["ZADD", key, NUMBER, `element:${NUMBER}`], count, reply: ":1\r\n" });
    await settled(server.pid);
  };
}

async function empty(server: Server): Promise<void> {
  await ask(server.port, "DEL", "new");
  await settled(server.pid);
}

const ELEMENT = "element:__rand_int__";

// biome-ignore format: a table reads better aligned
export const SORTED_WORKS: readonly OrderedWork[] = [
  { name: "ZADD, small",    call: ["ZADD", "small", "__rand_int__", ELEMENT], keys: SMALL, pipeline: 16, requests: 1_000_000, goal: 1, prepare: fill("small", SMALL) },
  { name: "ZADD, to 1 M",   call: ["ZADD", "new", "__rand_int__", ELEMENT], keys: MILLION, pipeline: 16, requests: 1_000_000, goal: 1, prepare: empty },
  { name: "ZRANK, small",   call: ["ZRANK", "small", ELEMENT], keys: SMALL, pipeline: 16, requests: 1_000_000, goal: 1, prepare: fill("small", SMALL) },
  { name: "ZRANK, 1 M",     call: ["ZRANK", "large", ELEMENT], keys: MILLION, pipeline: 16, requests: 1_000_000, goal: 1, prepare: fill("large", MILLION) },
  { name: "ZRANGE, small",  call: ["ZRANGE", "small", "0", "9"], keys: SMALL, pipeline: 16, requests: 500_000, goal: 1, prepare: fill("small", SMALL) },
  { name: "ZRANGE, 1 M",    call: ["ZRANGE", "large", "500000", "500009"], keys: MILLION, pipeline: 16, requests: 500_000, goal: 1, prepare: fill("large", MILLION) },
  { name: "ZPOPMIN, small", call: ["ZPOPMIN", "small"], keys: SMALL, pipeline: 16, requests: 1_000_000, goal: 1, prepare: fill("small", SMALL) },
  { name: "ZPOPMIN, 1 M",   call: ["ZPOPMIN", "large"], keys: MILLION, pipeline: 16, requests: 1_000_000, goal: 1, prepare: fill("large", MILLION) },
];

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  {
    await using servers = await startBoth();
    for (const work of SORTED_WORKS) yield await compare(servers, work, options);
  }
  yield await memoryRow("1 M members in one sorted set", options, (server) => fill("large", MILLION)(server, 0));
  yield await memoryRow(`${SMALL} members each in ${SETS} sorted sets`, options, fillSmall);
}

async function compare(
  servers: { hive: Server; redis: Server },
  work: OrderedWork,
  options: BenchOptions,
): Promise<Row> {
  const { name, call, keys, pipeline, goal } = work;
  const pairs = options.pairs ?? (options.quick ? 3 : PAIRS);
  const requests = options.quick ? work.requests / 2 : work.requests;
  const measure = async (server: Server): Promise<Measured<"perSecond">> => {
    await work.prepare?.(server, requests);
    const { perSecond } = await redisBenchmark(server.port, { test: call, pipeline, requests, keys });
    options.note(`${name} ${server.name}: ${perSecond}/s`);
    return { perSecond };
  };
  const { perSecond } = await comparePairs(servers, pairs, measure);
  return row({ work: `${name}, pipeline ${pipeline}, calls/s`, peer: REDIS, ...perSecond, goal: { atLeast: goal } });
}

async function fillSmall(server: Server): Promise<void> {
  const members = Array.from({ length: SMALL }, (_, i) => [String(i), `element:${i}`]).flat();
  await load(server.port, { call: ["ZADD", `set:${NUMBER}`, ...members], count: SETS, reply: `:${SMALL}\r\n` });
  await settled(server.pid);
}

/** Bytes that a member adds to what is resident, with its part of the set and of its key. */
async function memoryRow(
  what: string,
  { quick, note }: BenchOptions,
  prepare: (server: Server) => Promise<unknown>,
): Promise<Row> {
  const sizes = { hive: [] as number[], redis: [] as number[] };
  for (let pair = 0; pair < (quick ? 1 : 3); pair++) {
    for (const start of [startHive, startPeerRedis]) {
      await using server = await start();
      await settled(server.pid);
      const before = residentBytes(server.pid);
      await prepare(server);
      const bytes = residentBytes(server.pid) - before;
      sizes[server.name].push(bytes);
      note(`${what}, ${server.name}: ${(bytes / 1e6).toFixed(1)} MB more`);
    }
  }
  const [ours, theirs] = [median(sizes.hive) / 1e6, median(sizes.redis) / 1e6];
  return row({ work: `resident beside an empty server, ${what}, MB`, peer: REDIS, ours, theirs, goal: { atMost: 1 } });
}
