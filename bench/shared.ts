// shared: reading a hive's memory beside ioredis, which asks a Redis, and beside a Map, which is the limit.
//
//   npm run bench -- shared
//
//   a reader of small objects, decoded, beside a writer of 100,000 SETs a second; one server at a time
//   the doors of a hive that shares its memory beside one that does not: SET and GET by redis-benchmark

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { comparePairs } from "./pairs.ts";
import { type Server, startHive, startPeerRedis } from "./peers.ts";
import { redisBenchmark } from "./redis-benchmark.ts";
import { type BenchOptions, median, type Row, row } from "./row.ts";
import type { Done, Role } from "./shared-load.ts";

const PAIRS = 7;
const TURN_MS = 1000;
const IOREDIS_GOAL = 30;
const MAP_GOAL = 0.4;
/** What the doors of a hive that shares may lose. */
const DOORS_GOAL = 0.95;

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  yield* readers(options);
  yield* doors(options);
}

function start(args: readonly string[]): ChildProcess {
  return fork(new URL("shared-load.ts", import.meta.url), args);
}

async function open(role: Role, address: string): Promise<ChildProcess> {
  const child = start([role, address]);
  await once(child, "message");
  return child;
}

async function read(children: readonly ChildProcess[], ms: number): Promise<Done[]> {
  return Promise.all(
    children.map(async (child) => {
      child.send({ ms });
      return (await once(child, "message"))[0] as Done;
    }),
  );
}

/** The writer of one server while `measure` runs: the other server has nothing to do meanwhile. */
async function beside<Result>(address: string, measure: () => Promise<Result>): Promise<Result> {
  const writer = start(["writer", address]);
  await once(writer, "message");
  try {
    return await measure();
  } finally {
    writer.kill("SIGKILL");
    await once(writer, "exit");
  }
}

async function* readers(options: BenchOptions): AsyncGenerator<Row> {
  const folder = mkdtempSync(join(tmpdir(), "memhive-bench-"));
  const paths = { hive: join(folder, "hive.sock"), redis: join(folder, "redis.sock") };
  const children: ChildProcess[] = [];
  try {
    await using _redis = await startPeerRedis(paths.redis);
    await using _hive = await startHive(paths.hive, ["--shared"]);
    for (const kind of ["hive", "redis"] as const) await once(start(["fill", paths[kind], kind]), "exit");
    const of = async (role: Role): Promise<ChildProcess> => {
      const child = await open(role, role === "ioredis" ? paths.redis : paths.hive);
      children.push(child);
      return child;
    };
    const roles: Role[] = ["peek", "get", "map", "ioredis"];
    const byRole = new Map<Role, ChildProcess>();
    for (const role of roles) byRole.set(role, await of(role));
    const done = new Map<Role, number[]>(roles.map((role) => [role, []]));
    const ms = options.quick ? TURN_MS / 4 : TURN_MS;
    const pairs = options.pairs ?? (options.quick ? 3 : PAIRS);
    // The first round is for the compiler.
    for (let pair = 0; pair <= pairs; pair++) {
      for (const role of pair % 2 === 0 ? roles : roles.toReversed()) {
        const [result] = await beside(role === "ioredis" ? paths.redis : paths.hive, () =>
          read([byRole.get(role)!], ms),
        );
        if (pair > 0) done.get(role)!.push(result!.perSecond);
        options.note(`${role}: ${Math.round(result!.perSecond)}/s, ${result!.retried} retried, ${result!.asked} asked`);
      }
    }
    const compare = (ours: Role, theirs: Role, peer: string, goal: number): Row => {
      const [a, b] = [done.get(ours)!, done.get(theirs)!];
      const ratio = median(a.map((value, i) => value / b[i]!));
      const call = ours === "peek" ? "table.peek()" : "await table.get()";
      const work = `${call} of a small object beside 100,000 writes/s, reads/s`;
      return row({ work, peer, ours: median(a), theirs: median(b), ratio, goal: { atLeast: goal } });
    };
    yield compare("peek", "ioredis", "ioredis → Redis, unix socket", IOREDIS_GOAL);
    yield compare("peek", "map", "a Map of packed values + decode", MAP_GOAL);
    yield compare("get", "ioredis", "ioredis → Redis, unix socket", IOREDIS_GOAL / 2);
    for (const count of [2, 4]) {
      const group = [byRole.get("peek")!];
      while (group.length < count) group.push(await of("peek"));
      await read(group, ms);
      const all = await beside(paths.hive, () => read(group, ms * 2));
      const sum = all.reduce((total, { perSecond }) => total + perSecond, 0);
      options.note(`${count} readers with peek: ${Math.round(sum)} reads/s together`);
    }
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `hive` is the one that shares, and `redis` stands for the one that does not. */
async function* doors(options: BenchOptions): AsyncGenerator<Row> {
  await using shared = await startHive(undefined, ["--shared"]);
  await using plain = await startHive();
  const servers = { hive: shared, redis: plain };
  const pairs = options.pairs ?? (options.quick ? 3 : PAIRS);
  for (const test of ["set", "get"]) {
    for (const pipeline of [1, 16, 64]) {
      const requests = (pipeline === 1 ? 200_000 : 1_500_000) / (options.quick ? 4 : 1);
      const measure = async (server: Server): Promise<{ perSecond: number }> => {
        const { perSecond } = await redisBenchmark(server.port, { test, pipeline, requests });
        return { perSecond };
      };
      const { perSecond } = await comparePairs(servers, pairs, measure);
      const work = `${test.toUpperCase()} of a hive that shares its memory, pipeline ${pipeline}, calls/s`;
      yield row({ work, peer: "a hive that does not", ...perSecond, goal: { atLeast: DOORS_GOAL } });
    }
  }
}
