// What keys cost in memory, and what many of them cost in CPU: the rows of `redis` that load servers anew.
//
//   a fresh server ──▶ N × (16 B key, 64 B value) ──▶ settled ──▶ VmRSS
//
// The resident memory of the whole process counts, its program and its runtime with it; beside it the store's
// own bytes per key, which a bench of one process can count exactly.

import { Store } from "../src/store/store.ts";
import { hitsAndMisses } from "./ask.ts";
import { loadKeys } from "./load.ts";
import { HITS_MIN, REDIS, type Server, startHive, startPeerRedis } from "./peers.ts";
import { cpuSeconds, residentBytes, settled } from "./process-usage.ts";
import { redisBenchmark } from "./redis-benchmark.ts";
import { type BenchOptions, LIMIT, median, type Row, row } from "./row.ts";

const MILLION = 1_000_000;
const KEY_BYTES = 16;
const VALUE_BYTES = 64;
/** Bytes that a key may take beside its own bytes and its value's. */
const OVERHEAD_MAX = 28;
/** Memory differs little between two runs, so three of each do. */
const MEMORY_PAIRS = 3;
const CPU_RUNS = 5;
const GETS = 3_000_000;

export async function* measureMemory(options: BenchOptions): AsyncGenerator<Row> {
  const pairs = options.quick ? 1 : MEMORY_PAIRS;
  yield await compareResident(MILLION, { pairs, goal: 1, note: options.note });
  yield overheadRow();
  if (options.quick) return;
  yield await compareResident(10 * MILLION, { pairs: 1, goal: 0.8, note: options.note });
  yield await compareGetCpu(options);
}

type ResidentOptions = { pairs: number; goal: number; note: (text: string) => void };

async function compareResident(keys: number, { pairs, goal, note }: ResidentOptions): Promise<Row> {
  const sizes = { hive: [] as number[], redis: [] as number[] };
  for (let pair = 0; pair < pairs; pair++) {
    for (const start of [startHive, startPeerRedis]) {
      await using server = await start();
      await loadKeys(server.port, keys);
      await settled(server.pid);
      const bytes = residentBytes(server.pid);
      sizes[server.name].push(bytes);
      note(`${keys / MILLION} M keys, ${server.name}: ${(bytes / 1e6).toFixed(1)} MB resident`);
    }
  }
  const [ours, theirs] = [median(sizes.hive) / 1e6, median(sizes.redis) / 1e6];
  const work = `resident memory, ${keys / MILLION} M keys of 16 B with 64 B, MB`;
  return row({ work, peer: REDIS, ours, theirs, goal: { atMost: goal } });
}

/** Counted where it can be counted exactly: blocks that the store handed out for 1 M keys, index included. */
function overheadRow(): Row {
  const store = new Store({ nowMs: Date.now() });
  const before = store.memory.pages.blockBytes;
  const bytes = Buffer.alloc(KEY_BYTES + VALUE_BYTES, "x");
  for (let i = 0; i < MILLION; i++) {
    bytes.latin1Write(`key:${String(i).padStart(12, "0")}`, 0);
    store.keys.put(bytes, 0, KEY_BYTES, 0, bytes, KEY_BYTES, VALUE_BYTES, 0, Number.POSITIVE_INFINITY);
  }
  const ours = (store.memory.pages.blockBytes - before) / MILLION - KEY_BYTES - VALUE_BYTES;
  store.close();
  const work = "memory per key beside key and value, 1 M keys, bytes";
  return row({ work, peer: LIMIT, ours, theirs: OVERHEAD_MAX, goal: { atMost: 1 } });
}

/** The hive against itself: what a GET costs among 10 M keys and among 10,000. */
async function compareGetCpu({ note }: BenchOptions): Promise<Row> {
  await using many = await startHive();
  await using few = await startHive();
  await loadKeys(many.port, 10 * MILLION);
  await loadKeys(few.port, 10_000);
  await settled(many.pid);
  const costs: { many: number[]; few: number[] } = { many: [], few: [] };
  let valid = true;
  const measure = async (server: Server, keys: number): Promise<number> => {
    const before = await hitsAndMisses(server.port);
    const cpuBefore = cpuSeconds(server.pid);
    await redisBenchmark(server.port, { test: "get", pipeline: 64, requests: GETS, keys });
    const cost = ((cpuSeconds(server.pid) - cpuBefore) / GETS) * 1e6;
    if ((await hitsAndMisses(server.port)).hits - before.hits < GETS * HITS_MIN) valid = false;
    note(`${keys} keys: ${cost.toFixed(3)} µs CPU per GET`);
    return cost;
  };
  for (let i = 0; i < CPU_RUNS; i++) {
    costs.many.push(await measure(many, 10 * MILLION));
    costs.few.push(await measure(few, 10_000));
  }
  return row({
    work: "server CPU per GET at 10 M keys, pipeline 64, µs",
    peer: "the hive at 10 k keys",
    ours: median(costs.many),
    theirs: median(costs.few),
    ratio: median(costs.many.map((cost, i) => cost / costs.few[i]!)),
    goal: { atMost: 2 },
    valid,
  });
}
