// Works of `ordered`: what both servers do in a row, and what must be there before.

import { ask } from "./ask.ts";
import type { Server } from "./peers.ts";
import { settled } from "./process-usage.ts";
import { redisBenchmark } from "./redis-benchmark.ts";

/** One call, again and again, at pipeline 16 by 50 clients. */
export type OrderedWork = {
  name: string;
  /** What redis-benchmark sends; __rand_int__ is a number of twelve digits below `keys`. */
  call: readonly string[];
  keys?: number;
  /** How many calls take one to three seconds. */
  requests: number;
  goal: number;
  /** What has to be there before each run. */
  prepare(server: Server, requests: number): Promise<void>;
};

/** What elements cost in memory: filled anew, then looked at. */
export type OrderedMemory = {
  name: string;
  elements: number;
  /** The one key that holds them: then its MEMORY USAGE counts. Without it all that the data take by INFO. */
  key?: string;
  fill(server: Server): Promise<void>;
};

/** It divides the counts that are filled: where it does not, redis-benchmark may end with "All clients disconnected". */
const FILL_PIPELINE = 50;

/** Makes calls of one form, as fast as the server takes them. */
export async function fill(
  server: Server,
  call: readonly string[],
  count: number,
  keys: number = count,
): Promise<void> {
  if (count > 0)
    await redisBenchmark(server.port, { test: call, pipeline: FILL_PIPELINE, requests: count, keys, clients: 1 });
  await settled(server.pid);
}

export async function empty(server: Server): Promise<void> {
  await ask(server.port, "FLUSHALL");
  await settled(server.pid);
}

/** Bytes that a server says its data take. */
export async function usedBytes(server: Server): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await ask(server.port, "INFO", "memory"))?.[1]);
}
