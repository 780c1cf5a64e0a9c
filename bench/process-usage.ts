// What a process has used, as the kernel counts it: /proc/PID.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** The kernel counts CPU time in hundredths of a second, on every machine that Node runs on. */
const TICK_SECONDS = 0.01;
const LOOK_MS = 250;

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

/** Resolves once the process does next to nothing: what it had to do behind its replies is done. */
export async function settled(pid: number, timeoutMs: number = 30_000): Promise<void> {
  const lookMax = timeoutMs / LOOK_MS;
  let quiet = 0;
  let before = cpuSeconds(pid);
  for (let look = 0; look < lookMax && quiet < 2; look++) {
    await sleep(LOOK_MS);
    const after = cpuSeconds(pid);
    quiet = after - before <= 0.02 ? quiet + 1 : 0;
    before = after;
  }
}
