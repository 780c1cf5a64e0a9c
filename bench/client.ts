// client: memhive's client to a hive beside ioredis and node-redis to a redis-server.
//
//   npm run bench -- client
//
//   1,000 in flight   over one TCP connection: gets of 64 bytes, sets of a small object
//   one at a time     over a unix socket: the same
//
// Each library in a process of its own (client-load.ts), in turns; the CPU time of the client's process
// is printed, since memhive's client buys a part of its speed at one call at a time with it.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Done, Library, Task } from "./client-load.ts";
import { HITS_MIN, startBoth } from "./peers.ts";
import { type BenchOptions, median, type Row, row } from "./row.ts";

const PAIRS = 7;

type Work = Omit<Task, "calls"> & {
  name: string;
  calls: Readonly<Record<Library, number>>;
  unix: boolean;
  goal: number;
};

const MANY = { memhive: 600_000, ioredis: 150_000, "node-redis": 150_000 };
const ONE = { memhive: 40_000, ioredis: 25_000, "node-redis": 25_000 };

// biome-ignore format: a table reads better aligned
const WORKS: readonly Work[] = [
  { name: "get, 1,000 in flight over one connection",               kind: "get", inFlight: 1000, calls: MANY, unix: false, goal: 4 },
  { name: "set of a small object, 1,000 in flight over one",        kind: "set", inFlight: 1000, calls: MANY, unix: false, goal: 4 },
  { name: "get, one at a time, unix socket",                        kind: "get", inFlight: 1,    calls: ONE,  unix: true,  goal: 1.2 },
  { name: "set of a small object, one at a time, unix socket",      kind: "set", inFlight: 1,    calls: ONE,  unix: true,  goal: 1.2 },
];

class Loader {
  readonly library: Library;
  readonly #child: ChildProcess;

  private constructor(library: Library, child: ChildProcess) {
    this.library = library;
    this.#child = child;
  }

  static async open(library: Library, address: string): Promise<Loader> {
    const child = fork(new URL("client-load.ts", import.meta.url), [library, address]);
    await once(child, "message");
    return new Loader(library, child);
  }

  async run(task: Task): Promise<Done> {
    this.#child.send(task);
    const [done] = await once(this.#child, "message");
    return done;
  }

  async close(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.send("end");
    await gone;
  }
}

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  const folder = mkdtempSync(join(tmpdir(), "memhive-bench-"));
  const paths = { hive: join(folder, "hive.sock"), redis: join(folder, "redis.sock") };
  try {
    await using servers = await startBoth(paths);
    for (const unix of [false, true]) {
      const hive = unix ? `unix:${paths.hive}` : `hive://127.0.0.1:${servers.hive.port}`;
      const redis = unix ? paths.redis : `redis://127.0.0.1:${servers.redis.port}`;
      const loaders = [
        await Loader.open("memhive", hive),
        await Loader.open("ioredis", redis),
        await Loader.open("node-redis", redis),
      ];
      for (const work of WORKS.filter((one) => one.unix === unix)) yield* compare(loaders, work, options);
      for (const loader of loaders) await loader.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* compare(loaders: readonly Loader[], work: Work, options: BenchOptions): AsyncGenerator<Row> {
  const pairs = options.pairs ?? (options.quick ? 3 : PAIRS);
  const done: Record<Library, Done[]> = { memhive: [], ioredis: [], "node-redis": [] };
  // The first round is for the compiler.
  for (let pair = 0; pair <= pairs; pair++) {
    const inTurn = pair % 2 === 0 ? loaders : loaders.toReversed();
    for (const loader of inTurn) {
      const result = await loader.run({ ...work, calls: work.calls[loader.library] });
      if (pair > 0) done[loader.library].push(result);
    }
  }
  const ours = done.memhive;
  const valid = Object.values(done).every((runs) => runs.every(({ hits }) => hits >= HITS_MIN));
  for (const library of ["ioredis", "node-redis"] as const) {
    const theirs = done[library];
    const peer = `${library} → Redis`;
    const { name, goal } = work;
    yield row({
      work: `${name}, calls/s`,
      peer,
      ours: median(ours.map(({ perSecond }) => perSecond)),
      theirs: median(theirs.map(({ perSecond }) => perSecond)),
      ratio: median(ours.map(({ perSecond }, i) => perSecond / theirs[i]!.perSecond)),
      goal: { atLeast: library === "ioredis" ? goal : 1 },
      valid,
    });
    const cpu = (runs: readonly Done[]): number => median(runs.map(({ cpuMicroseconds }) => cpuMicroseconds));
    options.note(`${name}: CPU a call, µs: memhive ${cpu(ours).toFixed(2)}, ${library} ${cpu(theirs).toFixed(2)}`);
  }
}
