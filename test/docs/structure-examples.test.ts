// The examples of structures: run as they stand, then called by the typed client, a RESP client and redis-cli.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import type { Tasks } from "../../examples/fifo.ts";
import type { SearchCache } from "../../examples/search-cache.ts";
import type { Station } from "../../examples/station.ts";
import { type Client, connect } from "../../src/client/node.ts";
import { Hive, ManualClock } from "../../src/server/index.ts";
import type { Suggest } from "../../src/structures/ready.ts";
import { installDebianPackages } from "../kit/debian-packages.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));
const missing = await installDebianPackages(["redis-tools"]);
const skip = missing === false ? false : missing;

async function said(example: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(EXAMPLES, example)]);
  return stdout;
}

type Called = {
  db: Client;
  clock: ManualClock;
  /** ioredis, which knows nothing of structures. */
  redis: (name: string, ...args: (string | number)[]) => Promise<unknown>;
  cli: (...words: string[]) => Promise<string>;
};

async function calling(structure: string, body: (called: Called) => Promise<void>): Promise<void> {
  const clock = new ManualClock(1_000_000);
  const hive = await Hive.start({ port: 0, structures: [structure], clock });
  const db = await connect(hive);
  const redis = new Redis(hive.port, "127.0.0.1");
  const cli = async (...words: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)("redis-cli", ["-p", String(hive.port), ...words]);
    return stdout.trim();
  };
  try {
    await body({ db, clock, redis: (name, ...args) => redis.call(name, ...args), cli });
  } finally {
    redis.disconnect();
    await db.close();
    await hive.close();
  }
}

test("examples/fifo.ts: what one adds another takes, in order", { skip }, async () => {
  assert.equal(await said("fifo.ts"), "42 { mend: 'the door' } undefined\n1 left for a minute\n");
  await calling(join(EXAMPLES, "fifo.ts"), async ({ db, redis, cli, clock }) => {
    const tasks = db.structure<typeof Tasks>("Tasks");
    await tasks.TASK_ADD("q", 1, { two: 2 });
    assert.equal(await redis("TASK_ADD", "q", "three"), "OK");
    assert.equal(await cli("TASK_ADD", "q", "four"), "OK");
    assert.equal(await redis("TASKS_LEFT", "q"), 4);
    assert.equal(await tasks.at("q").TASK_TAKE(), 1);
    assert.deepEqual(await redis("TASK_TAKE", "q"), ["two", 2], "what has no word in RESP2 comes as pairs");
    assert.equal(await cli("TASK_TAKE", "q"), "three");
    await db.expire("q", 1000);
    clock.advance(1001);
    await assert.rejects(tasks.at("q").TASK_TAKE(), { code: "NO_KEY" });
    assert.match(await cli("TASK_TAKE", "q"), /no such key/);
    await cli("SET", "q", "text");
    await assert.rejects(tasks.TASK_ADD("q", 1), { code: "WRONG_TYPE" });
  });
});

test("examples/suggest.ts: the words that are most like one", { skip }, async () => {
  const out = await said("suggest.ts");
  assert.match(out, /^9 words, Bern counts twice\nberln \[ 'Bern', 'Berlin', 'Bergen' \]\n/);
  assert.match(out, /birmingam \[ 'Birmingham', .*\]\nby distance \[ 'Belfast' \]\n$/);
  await calling("suggest", async ({ db, redis, cli }) => {
    const suggest = db.structure<typeof Suggest>("Suggest");
    assert.equal(await suggest.SUGGESTADD("w", "beer", "bees", "bell"), 3);
    assert.deepEqual(await redis("SUGGEST", "w", "bees", 1), ["bees"]);
    assert.equal(await cli("SUGGEST", "w", "beees", "1"), "bees");
    assert.deepEqual(await suggest.at("w").SUGGESTFIX("belk", 1), ["bell"]);
    await assert.rejects(redis("SUGGEST", "w", "x".repeat(300)), /INVALID|characters|long/i);
  });
});

test("examples/search-cache.ts: one search for all who ask, for 15 minutes", { skip }, async () => {
  assert.match(await said("search-cache.ts"), /^100 asked, 1 searched: \[ 'bees and honey', /);
  await calling(join(EXAMPLES, "search-cache.ts"), async ({ db, redis, cli, clock }) => {
    const cache = db.structure<typeof SearchCache>("SearchCache");
    const found = ["wax and honey", "wax and hive", "wax and wax"];
    const answers = await Promise.all([
      cache.SEARCH("wax"),
      cache.SEARCH("wax"),
      redis("SEARCH", "wax"),
      cli("SEARCH", "wax"),
    ]);
    assert.deepEqual(answers.slice(0, 3), [found, found, found]);
    assert.equal(answers[3], found.join("\n"));
    assert.equal(await cache.SEARCHES(), 1);
    clock.advance(15 * 60_000 - 1);
    await redis("SEARCH", "wax");
    assert.equal(await redis("SEARCHES"), 1);
    clock.advance(1);
    await cli("SEARCH", "wax");
    assert.equal(await cli("SEARCHES"), "2");
  });
});

test("examples/station.ts: what most voted for comes next", { skip }, async () => {
  assert.match(
    await said("station.ts"),
    /\[ 'lobby' \] \[ 'blue in green', 'so what' \] eve is not in this station\nnow playing blue in green\n/,
  );
  await calling(join(EXAMPLES, "station.ts"), async ({ db, redis, cli }) => {
    const stations = db.structure<typeof Station>("Station");
    const roof = stations.at("roof");
    assert.equal(await stations.CREATE_STATION("roof"), true);
    assert.equal(await redis("CREATE_STATION", "roof"), 0);
    assert.equal(await cli("JOIN", "roof", "ada"), "1");
    assert.equal(await roof.JOIN("bob"), 2);
    for (const name of ["so what", "blue in green"]) await redis("ADD", "roof", name);
    assert.equal(await roof.VOTE("bob", "blue in green"), 1);
    assert.deepEqual(await redis("UPCOMING", "roof"), ["blue in green", "so what"]);
    await assert.rejects(redis("VOTE", "roof", "eve", "so what"), /eve is not in this station/);
    assert.equal(await cli("VOTE", "roof", "ada", "so what"), "1");
    assert.equal(await redis("LEAVE", "roof", "bob"), 1);
    assert.equal(await roof.VOTE("ada", "so what"), 1, "a vote counts once");
    assert.deepEqual(await stations.STATIONS(), ["roof"]);
    assert.equal(await cli("NEXT", "roof"), "so what");
    assert.equal(await redis("NEXT", "roof"), "blue in green");
    assert.equal(await roof.NEXT(), null);
    assert.equal(await redis("NEXT", "roof"), null);
    assert.deepEqual(await roof.UPCOMING(), []);
  });
});
