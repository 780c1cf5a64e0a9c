// redis-benchmark, Redis's own load generator, as one call.
//
//   const { perSecond } = await redisBenchmark(port, { test: "get", pipeline: 64, requests: 3_000_000 });

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const CLIENTS = 50;
const RUN_MS_MAX = 300_000;

export type Run = {
  /** A name that -t knows ("get"), or a call of one's own. */
  test: string | readonly string[];
  pipeline: number;
  requests: number;
  /** Numbers are drawn below this; the keys are key:%012d. */
  keys?: number;
  clients?: number;
};

export type Outcome = { perSecond: number; p99Ms: number };

/** @throws {Error} with what it printed, when a server answered with an error. */
export async function redisBenchmark(port: number, options: Run): Promise<Outcome> {
  const { test, pipeline, requests, keys = 1_000_000, clients = CLIENTS } = options;
  const args = [
    ...["-h", "127.0.0.1", "-p", String(port), "-c", String(clients), "-P", String(pipeline)],
    ...["-n", String(requests), "-r", String(keys), "-d", "64", "--csv"],
    ...(typeof test === "string" ? ["-t", test] : test),
  ];
  const { stdout, stderr } = await run("redis-benchmark", args, { timeout: RUN_MS_MAX });
  // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
  const line = stdout.split("\n").find((text) => text.startsWith('"') && !text.startsWith('"test"'));
  const fields = line?.split('","').map((field) => numberOf(field.replaceAll('"', "")));
  if (!fields || !(fields[1]! > 0)) throw new Error(`redis-benchmark ${args.join(" ")} printed:\n${stdout}${stderr}`);
  return { perSecond: fields[1]!, p99Ms: fields[6]! };
}

/** A run that ended within its clock's millisecond has the rate "inf". */
function numberOf(field: string): number {
  return field === "inf" ? Number.POSITIVE_INFINITY : Number(field);
}
