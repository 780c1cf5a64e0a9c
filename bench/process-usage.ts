// What a process has used, as the kernel counts it: /proc/PID.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** The kernel counts CPU time in hundredths of a second, on every machine that Node runs on. */
const TICK_SECONDS = 0.01;
const LOOK_MS = 250;
const QUIET_LOOKS = 4;
/** CPU seconds in one look that are next to nothing: timers, and expiry in Redis. */
const QUIET_SECONDS = 0.02;

/** CPU seconds of all threads since the process began, in the kernel and out of it. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The program's name stands in brackets and may hold spaces; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS;
}

/** Resident bytes, now. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(line?.[1]) * 1024;
}

/**
 * Resolves once the process does next to nothing and its memory has stopped changing, for a second: what it
 * had to do behind its replies is done.
 */
export async function settled(pid: number, timeoutMs: number = 60_000): Promise<void> {
  const looksMax = timeoutMs / LOOK_MS;
  let quiet = 0;
  let [cpu, bytes] = [cpuSeconds(pid), residentBytes(pid)];
  for (let look = 0; look < looksMax && quiet < QUIET_LOOKS; look++) {
    await sleep(LOOK_MS);
    const [cpuNow, bytesNow] = [cpuSeconds(pid), residentBytes(pid)];
    const same = cpuNow - cpu <= QUIET_SECONDS && Math.abs(bytesNow - bytes) < bytes * 0.005;
    quiet = same ? quiet + 1 : 0;
    [cpu, bytes] = [cpuNow, bytesNow];
  }
}
