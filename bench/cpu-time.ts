// Time that this thread ran: what a piece of work took, without what others took meanwhile.
//
//   own time = the clock − waiting for a core − what the host of a virtual machine kept of the core
//
// The kernel counts it to the nanosecond in /proc/thread-self/schedstat, but brings it up to date only every
// few milliseconds, or when somebody asks for the process's CPU time: so that is asked for first. Page
// faults and calls into the system count. Where there is no such file, time is the clock's.

import { openSync, readSync } from "node:fs";

const text = Buffer.alloc(128);
const file = open();

function open(): number | undefined {
  try {
    return openSync("/proc/thread-self/schedstat", "r");
  } catch {
    return undefined;
  }
}

/** Milliseconds that this thread ran since it began. Takes 5 µs. */
function ranMs(): number {
  if (file === undefined) return performance.now();
  process.cpuUsage();
  const length = readSync(file, text, 0, text.length, 0);
  return Number(text.latin1Slice(0, length).split(" ")[0]) / 1e6;
}

/** What a piece of work took, in milliseconds: by the clock, and of it the thread's own. */
export type Took = { clockMs: number; ownMs: number };

/** Measures `work`, which must not await. */
export function timed(work: () => void): Took {
  const ranBefore = ranMs();
  const from = performance.now();
  work();
  const clockMs = performance.now() - from;
  return { clockMs, ownMs: ranMs() - ranBefore };
}

/** Microseconds of this thread's own time for `work`. */
export function microsecondsOf(work: () => void): number {
  return timed(work).ownMs * 1000;
}
