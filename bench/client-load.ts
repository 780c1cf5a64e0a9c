// One client library under load, in a process of its own: a child of bench/client.ts.
//
//   { kind: "get" | "set", inFlight, calls } ──message──▶ run ──▶ { perSecond, cpuMicroseconds, hits }
//
// A process each, so that no library is compiled by what another one did, and so that its CPU time is
// its own. Each is used as its users use it: ioredis with auto-pipelining, node-redis as it is (it
// pipelines by itself), and a small object as JSON where the library has no values.

import { connect } from "../src/client/node.ts";

export type Library = "memhive" | "ioredis" | "node-redis";
export type Task = { kind: "get" | "set"; inFlight: number; calls: number };
export type Done = { perSecond: number; cpuMicroseconds: number; hits: number };

/** What both kinds of server hold: keys of 16 bytes, values of 64, and small objects. */
export const KEYS = 10_000;
const VALUE = "x".repeat(64);
const OBJECT = { id: 123456, name: "Ada Lovelace", born: 1815, active: true, tags: ["a", "bb"] };

type Client = {
  get(key: string): Promise<unknown>;
  set(key: string): Promise<unknown>;
  fill(key: string): Promise<unknown>;
  close(): Promise<unknown>;
};

const OPEN: Readonly<Record<Library, (address: string) => Promise<Client>>> = {
  async memhive(address) {
    const hive = await connect(address);
    return {
      get: (key) => hive.get(key),
      set: (key) => hive.put(key, OBJECT),
      fill: (key) => hive.put(key, VALUE),
      close: () => hive.close(),
    };
  },
  async ioredis(address) {
    const { Redis } = await import("ioredis");
    const redis = new Redis(address, { enableAutoPipelining: true });
    return {
      get: (key) => redis.get(key),
      set: (key) => redis.set(key, JSON.stringify(OBJECT)),
      fill: (key) => redis.set(key, VALUE),
      close: () => redis.quit(),
    };
  },
  async "node-redis"(address) {
    const { createClient } = await import("redis");
    const where = address.startsWith("redis:") ? { url: address } : { socket: { path: address, tls: false as const } };
    const redis = await createClient(where).connect();
    return {
      get: (key) => redis.get(key),
      set: (key) => redis.set(key, JSON.stringify(OBJECT)),
      fill: (key) => redis.set(key, VALUE),
      close: () => redis.close(),
    };
  },
};

const keys = Array.from({ length: KEYS }, (_, i) => `key:${String(i).padStart(12, "0")}`);

async function perform(client: Client, { kind, inFlight, calls }: Task): Promise<Done> {
  const call = kind === "get" ? client.get : client.set;
  let hits = 0;
  let next = 0;
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  while (next < calls) {
    if (inFlight === 1) {
      if ((await call(keys[next++ % KEYS]!)) != null) hits++;
      continue;
    }
    const open: Promise<unknown>[] = [];
    for (let i = 0; i < inFlight; i++) open.push(call(keys[next++ % KEYS]!));
    for (const answer of await Promise.all(open)) if (answer != null) hits++;
  }
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: next / seconds, cpuMicroseconds: (user + system) / next, hits: hits / next };
}

async function main(library: Library, address: string): Promise<void> {
  const client = await OPEN[library](address);
  for (const key of keys) await client.fill(key);
  process.on("message", (task: Task | "end") => {
    if (task === "end") void client.close().then(() => process.disconnect());
    else void perform(client, task).then((done) => process.send!(done));
  });
  process.send!("ready");
}

if (process.send) await main(process.argv[2] as Library, process.argv[3]!);
