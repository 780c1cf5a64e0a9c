// Every structure that comes with the hive, and the station of the examples: what keys do, they do.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Station } from "../../examples/station.ts";
import { type Client, connect } from "../../src/client/node.ts";
import { Hive, type HiveOptions, ManualClock } from "../../src/server/index.ts";
import { Fifo } from "../../src/structures/fifo.ts";
import { Suggest } from "../../src/structures/suggest.ts";
import { RespClient } from "../kit/resp-client.ts";

type Call = readonly [name: string, ...args: unknown[]];
type Known = {
  name: string;
  make: (key: string) => Call[];
  change: (key: string) => Call;
  read: (key: string) => Call[];
};

const KNOWN: readonly Known[] = [
  {
    name: "Fifo",
    make: (key) => [
      ["FIFOADD", key, 1, "two", { three: 3 }],
      ["POP", key],
    ],
    change: (key) => ["FIFOADD", key, "last"],
    read: (key) => [
      ["SIZE", key],
      ["PEEK", key],
    ],
  },
  {
    name: "Suggest",
    make: (key) => [["SUGGESTADD", key, "beer", "bees", "bees", "bell"]],
    change: (key) => ["SUGGESTADD", key, "beef"],
    read: (key) => [
      ["SUGGEST", key, "bee", 3],
      ["SUGGESTFIX", key, "belk", 2],
    ],
  },
  {
    name: "Station",
    make: (key) => [
      ["CREATE_STATION", key],
      ["JOIN", key, "ada"],
      ["ADD", key, "so what"],
      ["ADD", key, "all blues"],
      ["VOTE", key, "ada", "all blues"],
    ],
    change: (key) => ["ADD", key, "blue in green"],
    read: (key) => [["UPCOMING", key]],
  },
];

async function open(options: HiveOptions): Promise<{ hive: Hive; db: Client; close: () => Promise<void> }> {
  const hive = await Hive.start({ port: 0, structures: [Fifo, Suggest, Station], ...options });
  const db = await connect(hive);
  const close = async (): Promise<void> => {
    await db.close();
    await hive.close();
  };
  return { hive, db, close };
}

for (const { name, make, change, read } of KNOWN) {
  test(`${name}: TTL, RENAME, COPY, DUMP and RESTORE, snapshot and restore`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "memhive-round-"));
    const clock = new ManualClock(1_000_000);
    const options = { clock, snapshots: { folder } };
    let { db, close } = await open(options);
    const state = async (key: string): Promise<unknown[]> => {
      const answers: unknown[] = [];
      for (const call of read(key)) answers.push(await db.send(call));
      return answers;
    };
    try {
      for (const call of make("k")) await db.send(call);
      const first = await state("k");
      assert.equal(await db.send(["COPY", "k", "copy"]), 1);
      const dump = (await db.send(["DUMP", "k"], { as: "bytes" })) as Uint8Array;
      await db.send(change("k"));
      const second = await state("k");
      assert.deepEqual(await state("copy"), first);
      await db.send(["RENAME", "k", "other"]);
      assert.deepEqual(await state("other"), second);
      await db.send(["RESTORE", "k", 0, dump]);
      assert.deepEqual(await state("k"), first);
      await db.send(["SAVE"]);
      await close();
      ({ db, close } = await open(options));
      assert.deepEqual([await state("other"), await state("k"), await state("copy")], [second, first, first]);
      await db.send(change("k"));
      assert.equal(await db.expire("k", 500), true);
      await state("k");
      clock.advance(501);
      await assert.rejects(state("k"), { code: "NO_KEY" });
    } finally {
      await close();
      rmSync(folder, { recursive: true });
    }
  });
}

const INDEX = fileURLToPath(new URL("../../src/structures/index.ts", import.meta.url));

test("migrate() makes the state of an older version what the class reads now, and a newer one is refused", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-migrate-"));
  const file = join(folder, "counter.ts");
  const source = (version: number, body: string): string =>
    `import { Structure } from ${JSON.stringify(INDEX)}; export class Counter extends Structure { static version = ${version}; ${body} }`;
  const old = source(
    1,
    "n = 0; static ADD_ONE(hive, key) { return ++hive.open(Counter, key).n; } TOTAL_N() { return this.n; }",
  );
  try {
    writeFileSync(file, old);
    const { db, close } = await open({ structures: [file] });
    await db.send(["ADD_ONE", "c"]);
    await db.send(["ADD_ONE", "c"]);
    writeFileSync(file, source(2, "count = { total: 0 }; TOTAL_N() { return this.count.total; }"));
    await db.send(["STRUCTURES", "RELOAD"]);
    await assert.rejects(db.send(["TOTAL_N", "c"]), { code: "BAD_PAYLOAD", message: /version 1.*no migrate/ });
    const migrating = `static migrate(state, version) { return { count: { total: state.n * 100 + version } }; }`;
    writeFileSync(
      file,
      source(
        2,
        `${migrating} count = { total: 0 }; TOTAL_N() { return this.count.total; } GROW() { return ++this.count.total; }`,
      ),
    );
    await db.send(["STRUCTURES", "RELOAD"]);
    assert.equal(await db.send(["TOTAL_N", "c"]), 201);
    await db.send(["GROW", "c"]);
    writeFileSync(file, old);
    await db.send(["STRUCTURES", "RELOAD"]);
    await assert.rejects(db.send(["TOTAL_N", "c"]), { code: "BAD_PAYLOAD", message: /version 2/ });
    await close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a reload under load: no call fails, and no vote is lost", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-reload-"));
  const file = join(folder, "tally.ts");
  const source = (round: number): string =>
    `import { Structure } from ${JSON.stringify(INDEX)};
export class Tally extends Structure {
  votes = new Map();
  static TALLY(hive, key, name) { const { votes } = hive.open(Tally, key); votes.set(name, (votes.get(name) ?? 0) + 1); return ${round}; }
  COUNTED(name) { return this.votes.get(name) ?? 0; }
}`;
  try {
    writeFileSync(file, source(0));
    const { hive, db, close } = await open({ structures: [file] });
    const clients = await Promise.all(Array.from({ length: 8 }, () => RespClient.connect({ port: hive.port })));
    let isOver = false;
    const rounds = new Set<unknown>();
    const counts = clients.map(async (client, i) => {
      let sent = 0;
      while (!isOver) {
        const { value } = await client.call("TALLY", "t", `voter ${i}`);
        assert.equal(typeof value, "number", String(value));
        rounds.add(value);
        sent++;
      }
      return sent;
    });
    for (let round = 1; round <= 10; round++) {
      writeFileSync(file, source(round));
      await db.send(["STRUCTURES", "RELOAD"]);
      await db.send(["TALLY", "t", "self"]);
    }
    isOver = true;
    for (const [i, count] of (await Promise.all(counts)).entries()) {
      assert.equal(await db.send(["COUNTED", "t", `voter ${i}`]), count);
    }
    assert.equal(await db.send(["COUNTED", "t", "self"]), 10);
    assert.ok(rounds.size > 3, `${rounds.size} rounds were seen`);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    await close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("COMMAND DOCS names the arguments, and COMMAND knows the keys", async () => {
  const { db, close } = await open({});
  const docs = (await db.send(["COMMAND", "DOCS", "SUGGESTADD", "POP"])) as Map<string, Map<string, unknown>>;
  assert.match(String(docs.get("pop")?.get("summary")), /first value out of a queue/);
  const [info] = (await db.send(["COMMAND", "INFO", "POP"])) as [unknown[]];
  assert.deepEqual(info.slice(0, 2), ["pop", -2]);
  await close();
});
