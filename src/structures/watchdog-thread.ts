// The watchdog's thread: looks whether a command has been running for too long, and says so while it runs.
//
//   watched-words.ts ──▶ the same call for too long? ──▶ a line on standard error, and a mark for the hive

import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { clockMs } from "./isolated-messages.ts";
import { WATCHED_BEGUN, WATCHED_BLOCKED, WATCHED_COMMAND, watchedWords } from "./watched-words.ts";

/** How late it may be seen that a call is too long. */
const LOOK_MS = 10;
const STANDARD_ERROR = 2;

const { shared, limitMs } = workerData as { shared: SharedArrayBuffer; limitMs: number };
const { words, times } = watchedWords(shared);
let names: readonly string[] = [];
let seen = 0;
let sinceMs = 0;

parentPort!.on("message", (known: readonly string[]) => {
  names = known;
});

setInterval(() => {
  const command = Atomics.load(words, WATCHED_COMMAND);
  const begun = Atomics.load(words, WATCHED_BEGUN);
  const nowMs = clockMs();
  if (command === 0 || begun !== seen) {
    seen = begun;
    sinceMs = nowMs;
    return;
  }
  const forMs = nowMs - sinceMs;
  if (forMs < limitMs || Atomics.load(words, WATCHED_BLOCKED) === begun) return;
  times[0] = sinceMs;
  Atomics.store(words, WATCHED_BLOCKED, begun);
  const name = names[command - 1] ?? "a command of a structure";
  writeSync(STANDARD_ERROR, `memhive: ${name} has been blocking the hive for ${Math.round(forMs)} ms\n`);
}, LOOK_MS);
