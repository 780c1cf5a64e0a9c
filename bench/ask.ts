// One question to a server, through redis-cli: for what is asked between the runs.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** @throws {Error} the answer is an error. */
export async function ask(port: number, ...call: string[]): Promise<string> {
  const { stdout } = await run("redis-cli", ["-h", "127.0.0.1", "-p", String(port), "-e", ...call], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trimEnd();
}

/** Reads that found their key, and that did not, since the start. */
export async function hitsAndMisses(port: number): Promise<{ hits: number; misses: number }> {
  const info = await ask(port, "INFO", "stats");
  const read = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1]);
  return { hits: read("keyspace_hits"), misses: read("keyspace_misses") };
}
