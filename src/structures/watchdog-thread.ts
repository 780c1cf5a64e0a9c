// The watchdog's thread: looks whether a command has been running for too long, and says so while it runs.
//
//   shared: [number of the command, 0 for none · how many have begun] ──▶ the same for too long? ──▶ a line on standard error

import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

const LOOK_MS = 10;
const STANDARD_ERROR = 2;

const { shared, limitMs } = workerData as { shared: SharedArrayBuffer; limitMs: number };
const words = new Int32Array(shared);
let names: readonly string[] = [];
let seen = 0;
let sinceMs = 0;
let told = 0;

parentPort!.on("message", (known: readonly string[]) => {
  names = known;
});

setInterval(() => {
  const command = Atomics.load(words, 0);
  const begun = Atomics.load(words, 1);
  const nowMs = performance.now();
  if (command === 0 || begun !== seen) {
    seen = begun;
    sinceMs = nowMs;
    return;
  }
  const forMs = nowMs - sinceMs;
  if (forMs < limitMs || told === begun) return;
  told = begun;
  const name = names[command - 1] ?? "a command of a structure";
  writeSync(STANDARD_ERROR, `memhive: ${name} has been blocking the hive for ${Math.round(forMs)} ms\n`);
}, LOOK_MS);
