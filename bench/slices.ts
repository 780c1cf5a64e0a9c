// slices: what big deletions cost the others, and whether the memory comes back.
//
//   npm run bench -- slices
//
// 1. In this process, a store with the maintenance that a hive has (server/maintenance.ts), every slice of
//    work timed: dropping a table of 1 M fields; filling to 10 M keys and deleting nine tenths of them, in
//    batches of 256 calls a turn as a client's reads bring them. The longest slice has to stay below 2 ms of
//    the thread's own time (cpu-time.ts); by the clock, which counts whatever else ran on the machine, it is
//    printed beside, and so are the pauses of the garbage collector, of which it may contain one.
// 2. A hive of its own, as a user starts it: its resident memory afterwards beside that of a fresh hive that
//    was only ever given what is left (1 M keys; after the dropped table nothing), at most 1.5 times as much.

import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { Maintenance } from "../src/server/maintenance.ts";
import { Store } from "../src/store/store.ts";
import { ask } from "./ask.ts";
import { BareDoor, encodeCall } from "./bare-door.ts";
import { CallBlock, KEY, NUMBER } from "./call-block.ts";
import { timed } from "./cpu-time.ts";
import { load, loadKeys } from "./load.ts";
import { startHive } from "./peers.ts";
import { residentBytes, settled } from "./process-usage.ts";
import { type BenchOptions, LIMIT, quantile, type Row, row } from "./row.ts";

const MILLION = 1_000_000;
const SLICE_MS_MAX = 2;
const BATCH = 256;
const SETTLE_MS = 300;
const LONGEST_SHOWN = 4;
const MEMORY_RATIO_MAX = 1.5;
const TABLE_CALL = ["HSET", "table", `field:${NUMBER}`, "value"];
/** Nine keys of ten, those whose number ends in 1 to 9: something is left in every page. */
const DELETIONS = Array.from({ length: 9 }, (_, i) => ["DEL", `key:${NUMBER.slice(1)}${i + 1}`]);

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  const keys = options.quick ? MILLION : 10 * MILLION;
  yield await dropTable(options);
  yield await deleteKeys(keys, options);
  yield* memoryAfter(keys, options);
}

type Span = { fromMs: number; toMs: number };
type Slice = Span & { ownMs: number; closedBytes: number };

/** A store whose background work is timed, by the clock and by the thread's own time. */
class TimedStore extends Store {
  readonly slices: Slice[] = [];

  override work(until: () => boolean): boolean {
    return this.#timed(() => super.work(until));
  }

  override setNow(nowMs: number): void {
    // Called by the constructor too, before there is anything to time.
    if (this.slices === undefined) super.setNow(nowMs);
    else this.#timed(() => super.setNow(nowMs));
  }

  #timed<T>(work: () => T): T {
    let result!: T;
    const fromMs = performance.now();
    const openBytes = this.memory.pages.openBytes;
    const { clockMs, ownMs } = timed(() => {
      result = work();
    });
    const closedBytes = openBytes - this.memory.pages.openBytes;
    this.slices.push({ fromMs, toMs: fromMs + clockMs, ownMs, closedBytes });
    return result;
  }
}

/** Runs `work` on a store with maintenance, waits for the maintenance to finish, and gives its longest slice. */
async function longestSlice(options: BenchOptions, work: (door: BareDoor) => Promise<void>): Promise<number> {
  const store = new TimedStore({ nowMs: Date.now() });
  const garbage: Span[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      garbage.push({ fromMs: startTime, toMs: startTime + duration });
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  const maintenance = new Maintenance({
    store,
    tick: () => store.setNow(Date.now()),
    monotonicMs: () => performance.now(),
  });
  try {
    await work(new BareDoor(store));
    while (store.hasWork) await turn();
    await sleep(SETTLE_MS); // the observer hears of the last collections later
    explain(store.slices, garbage, options.note);
    return longest(store.slices);
  } finally {
    observer.disconnect();
    maintenance.close();
    store.close();
  }
}

function longest(slices: readonly Slice[]): number {
  return slices.reduce((most, { ownMs }) => Math.max(most, ownMs), 0);
}

/** The distribution, and whose the longest slices are: the collector's, the system's, or our own. */
function explain(slices: readonly Slice[], garbage: readonly Span[], note: (text: string) => void): void {
  const own = Float64Array.from(slices, ({ ownMs }) => ownMs);
  const clock = Float64Array.from(slices, ({ fromMs, toMs }) => toMs - fromMs);
  const show = (values: Float64Array): string =>
    [0.5, 0.99, 0.9999, 1].map((part) => quantile(values, part).toFixed(2)).join(", ");
  note(
    `${slices.length} slices; p50, p99, p99.99 and longest in ms: own time ${show(own)}; by the clock ${show(clock)}`,
  );
  for (const slice of slices.toSorted((a, b) => b.ownMs - a.ownMs).slice(0, LONGEST_SHOWN)) {
    const collected = garbage
      .filter(({ fromMs, toMs }) => fromMs < slice.toMs && toMs > slice.fromMs)
      .reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    const closed = slice.closedBytes > 0 ? `, ${slice.closedBytes >> 20} MiB given back` : "";
    note(`  ${slice.ownMs.toFixed(2)} ms, of it ${collected.toFixed(2)} ms collecting garbage${closed}`);
  }
  note(`  collections: ${garbage.length}`);
}

/** Runs `count` calls through the door, as many as a client's read brings in each turn. */
async function send(door: BareDoor, call: readonly string[], count: number): Promise<void> {
  const block = new CallBlock(call);
  for (let sent = 0; sent < count; sent += BATCH) {
    door.send(block.fill(sent, Math.min(BATCH, count - sent)));
    await turn();
  }
}

async function dropTable(options: BenchOptions): Promise<Row> {
  const ours = await longestSlice(options, async (door) => {
    await send(door, TABLE_CALL, MILLION);
    door.send(encodeCall("DEL", "table"));
  });
  return sliceRow("dropping a table of 1 M fields", ours);
}

async function deleteKeys(count: number, options: BenchOptions): Promise<Row> {
  const ours = await longestSlice(options, async (door) => {
    await send(door, ["SET", KEY, "x".repeat(64)], count);
    for (const call of DELETIONS) await send(door, call, count / 10);
  });
  return sliceRow(`filling to ${count / MILLION} M keys and deleting nine tenths`, ours);
}

function sliceRow(work: string, ours: number): Row {
  return row({
    work: `longest slice of background work, ${work}, ms`,
    peer: LIMIT,
    ours,
    theirs: SLICE_MS_MAX,
    goal: { atMost: 1 },
  });
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
