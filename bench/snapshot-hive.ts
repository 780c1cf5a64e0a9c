// A hive whose loop and whose snapshot work are timed: the child process of snapshots.ts.
//
//   node bench/snapshot-hive.ts FOLDER NAME      starts from snapshot NAME ("none": empty) and says { port }
//   message "reset" ──▶ the figures begin anew   message "report" ──▶ LoopFigures

import { monitorEventLoopDelay } from "node:perf_hooks";
import { Hive } from "../src/server/hive.ts";
import { SnapshotWriting } from "../src/snapshot/writing.ts";
import { timed } from "./cpu-time.ts";
import { quantile } from "./row.ts";

export type LoopFigures = {
  /** Milliseconds beyond the resolution of 1 ms: 99.9th percentile, longest. */
  delayP999Ms: number;
  delayMaxMs: number;
  samples: number;
  /** Slices of snapshot work: 99.99th percentile and longest, of the thread's own time and by the clock. */
  slices: number;
  sliceOwnMs: number;
  sliceOwnMaxMs: number;
  sliceClockMs: number;
};

const NANOSECONDS = 1e6;
const [folder, from] = process.argv.slice(2) as [string, string];
let own: number[] = [];
let clock: number[] = [];

/** Times a method: every call of it is a slice. */
function time(prototype: object, name: string): void {
  const methods = prototype as Record<string, (...args: unknown[]) => unknown>;
  const method = methods[name]!;
  methods[name] = function (...args: unknown[]): unknown {
    let result: unknown;
    const { ownMs, clockMs } = timed(() => {
      result = method.apply(this, args);
    });
    own.push(ownMs);
    clock.push(clockMs);
    return result;
  };
}
time(SnapshotWriting.prototype, "work");

const hive = await Hive.start({ port: 0, snapshots: { folder, from, atClose: false } });
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on("message", (message) => {
  if (message === "reset") {
    delay.reset();
    own = [];
    clock = [];
    process.send!({ reset: true });
  } else if (message === "report") {
    const beyond = (nanoseconds: number): number => Math.max(0, nanoseconds / NANOSECONDS - 1);
    process.send!({
      delayP999Ms: beyond(delay.percentile(99.9)),
      delayMaxMs: beyond(delay.max),
      samples: delay.count,
      slices: own.length,
      sliceOwnMs: quantile(Float64Array.from(own), 0.9999),
      sliceOwnMaxMs: Math.max(0, ...own.slice(0, 100_000)),
      sliceClockMs: quantile(Float64Array.from(clock), 0.9999),
    } satisfies LoopFigures);
  }
});
process.send!({ port: hive.port });
