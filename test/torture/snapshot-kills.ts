// Snapshot kills: a hive that is killed while it stores snapshots and clients write, and starts again from what is there.
//
//   writers ──▶ numbered writes ──▶ memhive serve, SNAPSHOT STORE, SIGKILL somewhere in it, memhive serve …
//
// Write n of a writer puts n into slot n mod SLOTS and into its counter, as one transaction. So a snapshot
// proves itself: with a counter of N each slot holds the last number up to N that is its own. What is
// checked after every start:
//   - the hive has the newest snapshot that the folder has, whole
//   - every counter is at least what it was when the last acknowledged store was asked for, and at most what was sent

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, connect, isHiveError } from "../../src/client/node.ts";
import { ServedHive } from "../kit/served-hive.ts";
import { generator } from "../kit/store-draws.ts";

export type KillsOptions = {
  seed: number;
  kills: number;
  /** Keys beside those of the writers: how long a store takes. */
  keys: number;
  note(text: string): void;
};

export type KillsResult = {
  kills: number;
  /** Of them those that ended a store. */
  insideStore: number;
  storesDone: number;
  writes: number;
  /** What must not be: one line each. */
  wrong: string[];
};

const WRITERS = 4;
const SLOTS = 64;
/** A store of the keys beside takes about this long; kills come within a little more. */
const STORE_MS = 60;

type Writer = { id: number; sent: number; acknowledged: number };

export async function tortureSnapshots({ seed, kills, keys, note }: KillsOptions): Promise<KillsResult> {
  const folder = mkdtempSync(join(tmpdir(), "memhive-kills-"));
  const random = generator(seed);
  const result: KillsResult = { kills: 0, insideStore: 0, storesDone: 0, writes: 0, wrong: [] };
  const writers: Writer[] = Array.from({ length: WRITERS }, (_, id) => ({ id, sent: 0, acknowledged: 0 }));
  /** By writer: its counter is at least this in every snapshot from now on. */
  let floor = writers.map(() => 0);
  try {
    for (let round = 0; round <= kills; round++) {
      await using hive = await ServedHive.start(["--snapshots", folder, "--snapshot-keep", "3"]);
      const client = await connect(`hive://127.0.0.1:${hive.port}`, { reconnect: false });
      await check(client, writers, { floor, folder, result });
      if (round === 0) {
        await fill(client, keys);
        await client.snapshot.store();
      }
      if (round === kills) {
        await client.close();
        break;
      }
      const stopped = { now: false };
      const working = writers.map((writer) => write(client, writer, stopped, result));
      await storeAndKill(client, hive, { random, writers, result, raise: (next) => (floor = next) });
      stopped.now = true;
      await Promise.all(working);
      await client.close({ graceMs: 0 });
      result.kills++;
      if (readdirSync(folder).some((file) => file.endsWith(".part"))) result.insideStore++;
      note(`${result.kills} of ${kills}: ${result.insideStore} inside a store, ${result.writes} writes`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return result;
}

type KillParts = {
  random(below: number): number;
  writers: Writer[];
  result: KillsResult;
  raise(floor: number[]): void;
};

/** Up to two whole stores, then one that the kill may end. */
async function storeAndKill(
  client: Client,
  hive: ServedHive,
  { random, writers, result, raise }: KillParts,
): Promise<void> {
  for (let whole = random(3); whole > 0; whole--) {
    const floor = writers.map(({ acknowledged }) => acknowledged);
    await client.snapshot.store();
    result.storesDone++;
    raise(floor);
  }
  const floor = writers.map(({ acknowledged }) => acknowledged);
  const last = client.snapshot.store().then(
    () => {
      result.storesDone++;
      raise(floor);
    },
    () => {}, // the kill came first
  );
  await new Promise((resolve) => setTimeout(resolve, random(STORE_MS)));
  await hive.kill();
  await last;
}

async function fill(client: Client, keys: number): Promise<void> {
  const table = client.table<string>("beside");
  for (let from = 0; from < keys; from += 1000) {
    const calls = Array.from({ length: Math.min(1000, keys - from) }, (_, i) =>
      client.put(`beside:${from + i}`, `${from + i}`.repeat(12)),
    );
    await Promise.all(calls);
    await table.set(`${from}`, "x".repeat(100));
  }
}

async function write(client: Client, writer: Writer, stopped: { now: boolean }, result: KillsResult): Promise<void> {
  while (!stopped.now) {
    const number = ++writer.sent;
    try {
      await client
        .multi()
        .put(`w:${writer.id}:slot:${number % SLOTS}`, number)
        .put(`w:${writer.id}:last`, number)
        .exec();
      writer.acknowledged = number;
      result.writes++;
    } catch (error) {
      if (!isHiveError(error)) throw error;
      return;
    }
  }
}

type CheckParts = { floor: number[]; folder: string; result: KillsResult };

/** Compares what was restored, and lets the writers go on from there. */
async function check(client: Client, writers: Writer[], { floor, folder, result }: CheckParts): Promise<void> {
  const { lastName } = await client.snapshot.status();
  const newest = (await client.snapshot.list())[0]?.name ?? "";
  if (lastName !== newest) result.wrong.push(`it started from ${lastName}, and the newest is ${newest}`);
  if (readdirSync(folder).some((file) => file.endsWith(".part"))) result.wrong.push("a part was left in the folder");
  for (const writer of writers) {
    const last = (await client.get<number>(`w:${writer.id}:last`)) ?? 0;
    if (last < floor[writer.id]! || last > writer.sent) {
      result.wrong.push(`writer ${writer.id}: ${last} is not between ${floor[writer.id]} and ${writer.sent}`);
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      const expected = last - ((last - slot + SLOTS * 2) % SLOTS);
      const value = (await client.get<number>(`w:${writer.id}:slot:${slot}`)) ?? 0;
      if (value !== Math.max(expected, 0))
        result.wrong.push(`writer ${writer.id}, ${last} writes: slot ${slot} has ${value}`);
    }
    writer.sent = last;
    writer.acknowledged = last;
  }
}
