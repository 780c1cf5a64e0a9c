// Time that this thread ran: what a piece of work took, without what others on the machine took meanwhile.
//
//   own time = the clock − the time that the thread was ready to run and did not get a core
//
// The kernel counts that waiting to the nanosecond in /proc/thread-self/schedstat; its CPU time is exact
// only to the tick of 4 ms as long as the thread runs, which is too coarse for a slice of work. Where there
// is no such file, time is the clock's.

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

/** Milliseconds that this thread waited for a core since it began. Takes some microseconds. */
function waitedMs(): number {
  if (file === undefined) return 0;
  const length = readSync(file, text, 0, text.length, 0);
  return Number(text.latin1Slice(0, length).split(" ")[1]) / 1e6;
}

/** What a piece of work took, in milliseconds: by the clock, and of it the thread's own. */
export type Took = { clockMs: number; ownMs: number };

/** Measures `work`, which must not await. */
export function timed(work: () => void): Took {
  const waitedBefore = waitedMs();
  const from = performance.now();
  work();
  const clockMs = performance.now() - from;
  return { clockMs, ownMs: Math.max(0, clockMs - (waitedMs() - waitedBefore)) };
}

/** Microseconds of this thread's own time for `work`. */
export function microsecondsOf(work: () => void): number {
  return timed(work).ownMs * 1000;
}
