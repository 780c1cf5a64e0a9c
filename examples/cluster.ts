// Workers of node:cluster share a table: they count together, and read each other's settings from shared memory.
//
//   node examples/cluster.ts
//
// The primary process starts a hive that shares its memory, and three workers. Counting goes through the hive, so
// no count is lost; reading does not: peek() answers from memory that all of them see, in about a microsecond, or
// throws where it cannot at this moment, and then the hive is asked.

import cluster from "node:cluster";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, isHiveError, type Table } from "../src/client/node.ts";
import { Hive } from "../src/server/index.ts";

type Settings = { greeting: string };

const WORKERS = 3;
const VISITS = 1000;

async function primary(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "memhive-cluster-"));
  const unix = join(folder, "socket");
  await using _hive = await Hive.start({ port: false, unix, shared: true });
  await using client = await connect(`unix:${unix}`);
  await client.table<Settings>("settings").set("site", { greeting: "hello" });
  const workers = Array.from({ length: WORKERS }, () => cluster.fork({ MEMHIVE_URL: `unix:${unix}` }));
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  const visits = client.table<number>("visits");
  for (let id = 1; id <= WORKERS; id++)
    console.log(`worker ${id} greeted ${await visits.get(`worker ${id}`)} visitors`);
  console.log(`together ${await visits.get("all")}`);
  rmSync(folder, { recursive: true, force: true });
}

async function work(id: number): Promise<void> {
  await using hive = await connect();
  const settings = hive.table<Settings>("settings");
  const visits = hive.table<number>("visits");
  const counts: Promise<unknown>[] = [];
  for (let visit = 0; visit < VISITS; visit++) {
    const site = peek(settings, "site") ?? (await settings.get("site"));
    if (site?.greeting === "hello") counts.push(visits.increment("all"), visits.increment(`worker ${id}`));
  }
  await Promise.all(counts);
  const { on, reads } = hive.shared;
  if (id === 1) console.log(`memory is shared: ${on}, and was read: ${reads > 0}`);
}

/** The value of a field; undefined where there is none, or where memory cannot be read now. */
function peek<Value>(table: Table<Value>, key: string): Value | undefined {
  try {
    return table.peek(key);
  } catch (error) {
    if (isHiveError(error) && error.code === "NOT_SHARED") return undefined;
    throw error;
  }
}

if (cluster.isPrimary) await primary();
else {
  await work(cluster.worker!.id);
  cluster.worker!.disconnect();
}
