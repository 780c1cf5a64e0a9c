// The limits of the change feed, reached from outside.

import assert from "node:assert/strict";
import { ManualClock } from "../../src/base/clock.ts";
import type { Limits } from "../../src/base/limits.ts";
import { type Change, type Client, connect, type WatchOptions } from "../../src/client/node.ts";
import type { HiveOptions } from "../../src/server/hive.ts";
import { failure } from "../kit/fake-hive.ts";
import { limited } from "../kit/limited-hive.ts";

type Names =
  | "feedChangesMax"
  | "feedBytesMax"
  | "feedValueBytesMax"
  | "feedKeepMs"
  | "feedWatchersMax"
  | "feedPatternsMax";

/** A hive with these limits, and a client of it. */
async function clientOf(
  limits: Partial<Limits>,
  options: HiveOptions = {},
): Promise<Client & { end(): Promise<void> }> {
  const { hive } = await limited(limits, options);
  const client = await connect(`hive://127.0.0.1:${hive.port}`);
  const end = async (): Promise<void> => {
    await client.close();
    await hive.close();
  };
  return Object.assign(client, { end });
}

async function first(client: Client, options: WatchOptions): Promise<Change> {
  await using watch = client.watch("*", options);
  return (await watch.next()).value!;
}

/** What a client is told first that was away while ten keys were set. */
async function afterTen(client: Client): Promise<Change> {
  const before = client.watch("*");
  await before.ready;
  await before.return();
  for (let i = 0; i < 10; i++) await client.put(`k${i}`, 1);
  return first(client, { since: before.position });
}

export const FEED_CASES: Readonly<Record<Names & keyof Limits, () => Promise<void>>> = {
  async feedChangesMax() {
    const client = await clientOf({ feedChangesMax: 4 });
    const { position, ...gap } = await afterTen(client);
    assert.deepEqual(gap, { kind: "gap", why: "history", lost: 6 });
    assert.match(position, /:6$/);
    await client.end();
  },

  async feedBytesMax() {
    const client = await clientOf({ feedBytesMax: 100, feedValueBytesMax: 50 });
    const change = await afterTen(client);
    assert.equal(change.kind === "gap" && change.why, "history");
    await client.end();
  },

  async feedValueBytesMax() {
    const client = await clientOf({ feedValueBytesMax: 10 });
    const watch = client.watch("*");
    await watch.ready;
    await client.put("short", "0123456789", { ttlMs: 1 });
    await client.put("long", "0123456789+", { ttlMs: 1 });
    const values = new Map<unknown, unknown>();
    for await (const change of watch) {
      if (change.kind === "expired") values.set(change.key, change.value);
      if (values.size === 2) break;
    }
    assert.deepEqual([values.get("short"), values.get("long")], ["0123456789", undefined]);
    await client.end();
  },

  async feedKeepMs() {
    const clock = new ManualClock();
    const client = await clientOf({ feedKeepMs: 1_000 }, { clock });
    const before = client.watch("*");
    await before.ready;
    await before.return();
    await client.ping();
    clock.advance(1_000);
    await client.ping();
    const { position: _, ...gap } = await first(client, { since: before.position });
    assert.deepEqual(gap, { kind: "gap", why: "unwatched" });
    await client.end();
  },

  async feedWatchersMax() {
    const client = await clientOf({ feedWatchersMax: 1 });
    await client.watch("*").ready;
    const error = await failure(client.watch("*").next());
    assert.equal(error.code, "OVERLOADED");
    assert.match(error.message, /feedWatchersMax \(1\)/);
    await client.end();
  },

  async feedPatternsMax() {
    const client = await clientOf({ feedPatternsMax: 2, patternBytesMax: 10 });
    await client.watch(["a", "b"]).ready;
    assert.match((await failure(client.watch(["a", "b", "c"]).next())).message, /feedPatternsMax \(2\)/);
    assert.match((await failure(client.watch("k".repeat(11)).next())).message, /patternBytesMax \(10\)/);
    await client.end();
  },
};
