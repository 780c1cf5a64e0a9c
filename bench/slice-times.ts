// Slice times: every slice of a store's background work, timed.
//
//   node bench/slice-times.ts table 1000000     fills a table and drops it
//   node bench/slice-times.ts keys 10000000     fills with keys and deletes nine tenths of them
//
// A store with the maintenance of a hive (server/maintenance.ts) and no sockets; calls come in batches, as a
// client's reads bring them. A program of its own, since what freeing and touching memory costs hangs on
// how a process was started: slices.ts gives it what a hive has. It prints one line of JSON: SliceTimes.

import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { Maintenance } from "../src/server/maintenance.ts";
import { Store } from "../src/store/store.ts";
import { BareDoor, encodeCall } from "./bare-door.ts";
import { CallBlock, KEY, NUMBER } from "./call-block.ts";
import { timed } from "./cpu-time.ts";
import { quantile } from "./row.ts";

const BATCH = 256;
const SETTLE_MS = 300;
const LONGEST_SHOWN = 4;
export const TABLE_CALL: readonly string[] = ["HSET", "table", `field:${NUMBER}`, "value"];
/** Nine keys of ten, those whose number ends in 1 to 9: something is left in every page. */
export const DELETIONS: readonly string[][] = Array.from({ length: 9 }, (_, i) => [
  "DEL",
  `key:${NUMBER.slice(1)}${i + 1}`,
]);

export type SliceTimes = {
  longestOwnMs: number;
  /** Of a thousand slices one is longer than that, by the clock. */
  clockMs: number;
  /** The distribution, and what the longest ones did. */
  notes: string[];
};

type Span = { fromMs: number; toMs: number };
type Slice = Span & { ownMs: number; closedBytes: number; freshBytes: number };

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
    const { runs } = this.memory.pages;
    const { openBytes, touchedBytes } = runs;
    const fromMs = performance.now();
    const { clockMs, ownMs } = timed(() => {
      result = work();
    });
    const closedBytes = openBytes - runs.openBytes;
    const freshBytes = runs.touchedBytes - touchedBytes;
    this.slices.push({ fromMs, toMs: fromMs + clockMs, ownMs, closedBytes, freshBytes });
    return result;
  }
}

/** Runs `work` on a store with maintenance, and waits for the maintenance to finish. */
async function timeSlices(work: (door: BareDoor) => Promise<void>): Promise<SliceTimes> {
  const store = new TimedStore({ nowMs: Date.now() });
  const garbage: Span[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      garbage.push({ fromMs: startTime, toMs: startTime + duration });
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  const maintenance = new Maintenance({
    workers: [store],
    beat() {
      store.setNow(Date.now());
      store.beat();
    },
    monotonicMs: () => performance.now(),
  });
  try {
    await work(new BareDoor(store));
    while (store.hasWork) await turn();
    await sleep(SETTLE_MS); // the observer hears of the last collections later
    return summary(store.slices, garbage);
  } finally {
    observer.disconnect();
    maintenance.close();
    store.close();
  }
}

function summary(slices: readonly Slice[], garbage: readonly Span[]): SliceTimes {
  const own = Float64Array.from(slices, ({ ownMs }) => ownMs);
  const clock = Float64Array.from(slices, ({ fromMs, toMs }) => toMs - fromMs);
  const show = (values: Float64Array): string =>
    [0.5, 0.99, 0.9999, 1].map((part) => quantile(values, part).toFixed(2)).join(", ");
  const notes = [
    `${slices.length} slices; p50, p99, p99.99 and longest in ms: own time ${show(own)}; by the clock ${show(clock)}`,
  ];
  for (const slice of slices.toSorted((a, b) => b.ownMs - a.ownMs).slice(0, LONGEST_SHOWN)) {
    notes.push(describe(slice, garbage));
  }
  return { longestOwnMs: quantile(own, 1), clockMs: quantile(clock, 0.999), notes };
}

function describe(slice: Slice, garbage: readonly Span[]): string {
  const collected = garbage
    .filter(({ fromMs, toMs }) => fromMs < slice.toMs && toMs > slice.fromMs)
    .reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const closed = slice.closedBytes > 0 ? `, ${slice.closedBytes >> 20} MiB given back` : "";
  const fresh = slice.freshBytes > 0 ? `, ${slice.freshBytes >> 10} KiB of fresh memory` : "";
  return `  ${slice.ownMs.toFixed(2)} ms, of it ${collected.toFixed(2)} ms collecting garbage${closed}${fresh}`;
}

/** Runs `count` calls through the door, as many as a client's read brings in each turn. */
async function send(door: BareDoor, call: readonly string[], count: number): Promise<void> {
  const block = new CallBlock(call);
  for (let sent = 0; sent < count; sent += BATCH) {
    door.send(block.fill(sent, Math.min(BATCH, count - sent)));
    await turn();
  }
}

async function dropTable(door: BareDoor, count: number): Promise<void> {
  await send(door, TABLE_CALL, count);
  door.send(encodeCall("DEL", "table"));
}

async function deleteKeys(door: BareDoor, count: number): Promise<void> {
  await send(door, ["SET", KEY, "x".repeat(64)], count);
  for (const call of DELETIONS) await send(door, call, count / 10);
}

if (import.meta.main) {
  const [what, count] = process.argv.slice(2);
  const work = what === "table" ? dropTable : deleteKeys;
  const times = await timeSlices((door) => work(door, Number(count)));
  process.stdout.write(`${JSON.stringify(times)}\n`);
}
