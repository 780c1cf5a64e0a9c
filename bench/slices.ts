// slices: what big deletions cost the others, and whether the memory comes back.
//
//   npm run bench -- slices
//
// 1. A store with the maintenance that a hive has, in a process with the settings that a hive has
//    (slice-times.ts), every slice of work timed: dropping a table of 1 M fields; filling to 10 M keys and
//    deleting nine tenths of them. The longest slice has to stay below 2 ms of the thread's own time, which
//    counts page faults and calls into the system (cpu-time.ts). By the clock, which counts whatever else ran
//    on the machine, so has the slice that one in a thousand is longer than; the longest is printed beside.
// 2. A hive of its own, as a user starts it: its resident memory afterwards beside that of a fresh hive that
//    was only ever given what is left (1 M keys; after the dropped table nothing), at most 1.5 times as much.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ALLOCATOR_SETTINGS, NODE_FLAGS } from "../src/cli/launch.ts";
import { ask } from "./ask.ts";
import { load, loadKeys } from "./load.ts";
import { startHive } from "./peers.ts";
import { residentBytes, settled } from "./process-usage.ts";
import { type BenchOptions, LIMIT, type Row, row } from "./row.ts";
import { DELETIONS, type SliceTimes, TABLE_CALL } from "./slice-times.ts";

const MILLION = 1_000_000;
const SLICE_MS_MAX = 2;
const MEMORY_RATIO_MAX = 1.5;

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  const keys = options.quick ? MILLION : 10 * MILLION;
  yield* sliceRows("dropping a table of 1 M fields", await timeSlices("table", MILLION, options));
  const work = `filling to ${keys / MILLION} M keys and deleting nine tenths`;
  yield* sliceRows(work, await timeSlices("keys", keys, options));
  yield* memoryAfter(keys, options);
}

/** Runs slice-times.ts as a hive is run. */
async function timeSlices(what: string, count: number, { note }: BenchOptions): Promise<SliceTimes> {
  const program = new URL("slice-times.ts", import.meta.url).pathname;
  const env = { ...process.env, ...ALLOCATOR_SETTINGS };
  const args = [...NODE_FLAGS, program, what, String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  const times = JSON.parse(stdout) as SliceTimes;
  for (const line of times.notes) note(line);
  return times;
}

function* sliceRows(work: string, { longestOwnMs, clockMs }: SliceTimes): Generator<Row> {
  const limit = { peer: LIMIT, theirs: SLICE_MS_MAX, goal: { atMost: 1 } };
  yield row({ work: `longest slice of background work, own time, ${work}, ms`, ours: longestOwnMs, ...limit });
  yield row({ work: `99.9th percentile of these slices by the clock, ms`, ours: clockMs, ...limit });
}

async function* memoryAfter(count: number, { note }: BenchOptions): AsyncGenerator<Row> {
  const left = count / 10;
  const peer = "a fresh hive with that";
  const goal = { atMost: MEMORY_RATIO_MAX };
  const [empty, fresh] = await freshHive(left);
  {
    await using hive = await startHive();
    await load(hive.port, { call: TABLE_CALL, count: MILLION, reply: ":1\r\n" });
    note(`with the table: ${megabytes(residentBytes(hive.pid))} MB`);
    await ask(hive.port, "DEL", "table");
    await settled(hive.pid);
    const ours = megabytes(residentBytes(hive.pid));
    yield row({ work: "resident memory after the table was dropped, MB", peer, ours, theirs: empty, goal });
  }
  await using hive = await startHive();
  await loadKeys(hive.port, count);
  note(`with ${count / MILLION} M keys: ${megabytes(residentBytes(hive.pid))} MB`);
  for (const call of DELETIONS) await load(hive.port, { call, count: left, reply: ":1\r\n" });
  await settled(hive.pid);
  const ours = megabytes(residentBytes(hive.pid));
  const work = `resident memory after nine tenths of ${count / MILLION} M keys were deleted, MB`;
  yield row({ work, peer, ours, theirs: fresh, goal });
}

/** Resident megabytes of a hive that is empty, and then with `count` keys. */
async function freshHive(count: number): Promise<[number, number]> {
  await using hive = await startHive();
  await settled(hive.pid);
  const empty = megabytes(residentBytes(hive.pid));
  await loadKeys(hive.port, count);
  await settled(hive.pid);
  return [empty, megabytes(residentBytes(hive.pid))];
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
