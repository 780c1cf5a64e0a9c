// Structures in workers: the same promises as inline, and what only they have: conflicts, deadlines, a cap.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { connect } from "../../../src/client/node.ts";
import { Hive, type HiveOptions } from "../../../src/server/index.ts";
import { Fifo } from "../../../src/structures/fifo.ts";
import { type HiveCalls, type HiveError, Structure } from "../../../src/structures/index.ts";
import { passed } from "../../kit/limited-hive.ts";
import { NativeClient } from "../../kit/native-client.ts";
import { type NoticedHive, startNoticed } from "../../kit/noticed-hive.ts";
import { Ledger } from "./ledger.ts";

/** Where a machine is busy a call may take longer than 50 ms that does nothing wrong. */
const PATIENT = { commandMsMax: 10_000 };

function started(options: HiveOptions = {}): Promise<NoticedHive> {
  return startNoticed({ structures: [Ledger, Fifo], limits: PATIENT, ...options });
}

type Totals = { total: number; names: string[]; byName: Map<string, number> };

test("its commands answer as inline ones do, with their types, and its key is a key like any other", async () => {
  await using given = await started();
  const { db, hive } = given;
  const ledger = db.structure<typeof Ledger>("Ledger");
  assert.equal(await ledger.LEDGER_OPEN("l"), "OK");
  assert.equal(await ledger.at("l").ENTER("ada", 5), 5);
  const before = await ledger.at("l").TOTAL();
  assert.deepEqual(before, { total: 5, names: ["ada"], byName: new Map([["ada", 5]]) });
  assert.equal(await db.send(["STRUCTURE", "l"]), "Ledger");
  assert.equal(await db.send(["TYPE", "l"]), "structure");
  assert.equal(await db.send(["COPY", "l", "copy"]), 1);
  const dump = (await db.send(["DUMP", "l"], { as: "bytes" })) as Uint8Array;
  await ledger.at("l").ENTER("bob", 1);
  await db.send(["RENAME", "l", "renamed"]);
  assert.equal(((await db.send(["TOTAL", "renamed"])) as Totals).total, 6);
  await db.send(["RESTORE", "renamed", 0, dump, "REPLACE"]);
  for (const key of ["renamed", "copy"]) assert.deepEqual(await db.send(["TOTAL", key]), before);
  await assert.rejects(db.send(["TOTAL", "l"]), { code: "NO_KEY" });
  await db.send(["SET", "text", "x"]);
  await assert.rejects(db.send(["TOTAL", "text"]), { code: "WRONG_TYPE" });
  await assert.rejects(db.send(["LEDGER_OPEN", "text"]), { code: "WRONG_TYPE" });
  await db.send(["FIFOADD", "q", 1]);
  await assert.rejects(db.send(["TOTAL", "q"]), { code: "WRONG_TYPE", message: /holds a Fifo/ });
  await assert.rejects(db.send(["LEDGER_OPEN", "q"]), { code: "WRONG_TYPE", message: /holds a Fifo, not a Ledger/ });
  assert.deepEqual([...hive.engine.structures!.list()].map(({ name }) => name).sort(), ["Fifo", "Ledger"]);
});

test("plays are answered as if they were done, also those that read what is held back; all is done at the end", async () => {
  await using given = await started();
  const { db } = given;
  await db.send(["LEDGER_OPEN", "l"]);
  assert.deepEqual(await db.send(["LEDGER_BOTH", "l"]), [1, 2, "2", ["l"]]);
  const state = await db.send(["TOTAL", "l"]);
  assert.deepEqual((state as Totals).names, ["both", "after"]);
  assert.equal(await db.send(["TTL", "l"]), 100);
  for (const key of ["l", "new"]) {
    await assert.rejects(db.send(["LEDGER_BOTH", key, "fail"]), { code: "STRUCTURE_FAILED", message: /half-way/ });
  }
  await assert.rejects(db.send(["SPOIL", "l"]), { code: "OUT_OF_RANGE", message: "not like that" });
  assert.deepEqual(await db.send(["TOTAL", "l"]), state);
  assert.equal(await db.send(["GET", "count"]), "2");
  assert.equal(await db.send(["LLEN", "log"]), 1);
  assert.equal(await db.send(["EXISTS", "new"]), 0);
  assert.equal(await db.send(["LEDGER_MOVE", "l", "moved"]), 1);
  assert.equal(await db.send(["EXISTS", "l"]), 0);
  assert.equal(((await db.send(["TOTAL", "moved"])) as Totals).total, 2);
});

test("what could answer something that is not so is refused", async () => {
  await using given = await started();
  const { db } = given;
  await db.send(["FIFOADD", "q", 1]);
  for (const call of [["KEYS", "*"], ["DBSIZE"], ["SPOP", "s"], ["SORT", "l"]]) {
    await assert.rejects(db.send(["LEDGER_PLAY", ...call]), { code: "UNSUPPORTED", message: /isolated structure/ });
  }
  for (const call of [
    ["FIFOADD", "q", "1"],
    ["POP", "q"],
    ["LEDGER_OPEN", "x"],
  ]) {
    await assert.rejects(db.send(["LEDGER_PLAY", ...call]), { code: "UNSUPPORTED", message: /call the class instead/ });
  }
  await assert.rejects(db.send(["LEDGER_PLAY", "GET", "q"]), { code: "WRONG_TYPE" });
  await assert.rejects(db.send(["LEDGER_PLAY", "NOTHING"]), { code: "UNKNOWN_COMMAND" });
  assert.equal(await db.send(["LEDGER_PLAY", "PING"]), "PONG");
  await using native = await NativeClient.connect({ port: given.hive.port });
  const [refused] = (await native.transact(["LEDGER_OPEN", "l"])) as [HiveError];
  assert.match(String(refused.message ?? refused), /inside a transaction/);
  assert.equal(await db.send(["EXISTS", "l"]), 0);
});

test("a message is sent when its call was applied, and answers before how many will get it", async () => {
  await using given = await started();
  const { db } = given;
  const news = db.subscribe("n*", { patterns: true });
  await news.ready;
  await assert.rejects(db.send(["LEDGER_TELL", "l", "news", "early", "fail"]), { code: "STRUCTURE_FAILED" });
  assert.equal(await db.send(["LEDGER_TELL", "l", "news", "done"]), 1);
  for await (const { value } of news) {
    assert.equal(value, "done", "nothing came of the call that failed");
    break;
  }
});

test("an async command is applied when it ends, and others run while it waits", async () => {
  await using given = await started();
  const { db } = given;
  await db.send(["SET", "count", 3]);
  assert.equal(await db.send(["LEDGER_LATER", "l"]), 3);
  const slowly = db.send(["LEDGER_SLOWLY", "count", "a"]);
  await passed(async () => (await db.send(["LEDGER_WAITS", "a"])) === true);
  assert.equal(await db.send(["EXISTS", "began", "count:seen"]), 0);
  assert.equal(await db.send(["ENTER", "l", "meanwhile", 1]), 4);
  assert.equal(await db.send(["LEDGER_GO", "a"]), true);
  assert.equal(await slowly, 3);
  assert.equal(await db.send(["GET", "count:seen"]), "3");
});

test("a call whose keys others change is run again, and after three times told CONFLICT", async () => {
  await using given = await started();
  const { db } = given;
  await db.send(["SET", "count", 1]);
  const slowly = (gate: string): Promise<unknown> =>
    db.send(["LEDGER_SLOWLY", "count", gate]).catch((error: HiveError) => error.code);
  const waits = (gate: string): Promise<void> => passed(async () => (await db.send(["LEDGER_WAITS", gate])) === true);
  const again = slowly("a");
  await waits("a");
  await db.send(["SET", "count", 2]);
  await db.send(["LEDGER_GO", "a"]);
  await waits("a");
  await db.send(["LEDGER_GO", "a"]);
  assert.equal(await again, 2);
  const never = slowly("b");
  for (let runs = 0; runs < 3; runs++) {
    await waits("b");
    await db.send(["INCR", "count"]);
    await db.send(["LEDGER_GO", "b"]);
  }
  assert.equal(await never, "CONFLICT");
  assert.equal(await db.send(["GET", "count:seen"]), "2");
});

test("many clients change one key at once, and no change is lost", async () => {
  await using given = await started();
  const { db, hive } = given;
  await db.send(["LEDGER_OPEN", "l"]);
  const clients = await Promise.all(Array.from({ length: 5 }, () => connect(hive)));
  await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      clients[i % 5]!.send(i % 2 === 0 ? ["ENTER", "l", "x", 1] : ["LEDGER_BOTH", "l"]),
    ),
  );
  assert.equal(((await db.send(["TOTAL", "l"])) as Totals).total, 300);
  assert.equal(await db.send(["GET", "count"]), "200");
  await Promise.all(clients.map((client) => client.close()));
});

test("an endless loop is stopped, nothing of it stays, and what waited behind it is answered", async () => {
  await using given = await started({ limits: { commandMsMax: 200 } });
  const { db, notices } = given;
  await db.send(["LEDGER_BOTH", "l"]);
  const before = await db.send(["TOTAL", "l"]);
  const loop = db.send(["LEDGER_LOOP", "l"]).catch((error: HiveError) => error.code);
  const behind = [db.send(["TOTAL", "l"]), db.send(["LEDGER_PLAY", "GET", "count"])];
  let pings = 0;
  const answered = loop.then(() => pings);
  for (let isOver = false; !isOver; pings++) {
    assert.equal(await db.send(["PING"]), "PONG");
    isOver = await Promise.race([loop.then(() => true), new Promise<boolean>((go) => setImmediate(go, false))]);
  }
  assert.equal(await loop, "DEADLINE");
  assert.ok((await answered) > 1, "others were answered while it ran");
  assert.deepEqual(await Promise.all(behind), [before, "2"]);
  for (const call of [["LEDGER_LOOP_PLAYS"], ["LEDGER_LOOP_LATER"]]) {
    await assert.rejects(db.send(call), { code: "DEADLINE" });
  }
  assert.deepEqual(await db.send(["TOTAL", "l"]), before);
  assert.equal(await db.send(["GET", "count"]), "2");
  assert.match(notices[0]!, /^LEDGER_LOOP ran longer than commandMsMax \(200 ms\) and was stopped/);
});

test("what takes memory without end is stopped at the cap, whatever it takes", async () => {
  await using given = await started({ limits: { ...PATIENT, isolatedBytesMax: 64 << 20 } });
  const { db } = given;
  await db.send(["LEDGER_BOTH", "l"]);
  const before = await db.send(["TOTAL", "l"]);
  for (const what of ["buffers", "shared", "one", "map", "objects"]) {
    await assert.rejects(db.send(["LEDGER_EAT", "l", what]), { code: "STRUCTURE_MEMORY" }, what);
  }
  assert.deepEqual(await db.send(["TOTAL", "l"]), before);
  assert.equal(await db.send(["GET", "count"]), "2");
});

test("code that ends its thread fails alone", async () => {
  await using given = await started();
  const { db } = given;
  await db.send(["LEDGER_OPEN", "l"]);
  await assert.rejects(db.send(["LEDGER_EXIT"]), { code: "STRUCTURE_FAILED", message: /process\.exit\(\)/ });
  assert.equal(await db.send(["ENTER", "l", "x", 1]), 1);
});

test("a token needs its grants for what a worker opens and plays, and its quotas count", async () => {
  await using given = await started({ tokens: true });
  const { hive, db } = given;
  const grants = ["run", "read:a:*", "write:a:*"];
  const { token } = await hive.tokens.create({ name: "a", grants });
  const small = await hive.tokens.create({ name: "b", grants: ["run", "read", "write"], quotas: { keys: 1 } });
  const url = `hive://127.0.0.1:${hive.port}`;
  await using client = await connect(url, { token });
  assert.equal(await client.send(["LEDGER_OPEN", "a:l"]), "OK");
  await assert.rejects(client.send(["LEDGER_OPEN", "b:l"]), { code: "NO_PERMISSION" });
  await assert.rejects(client.send(["TOTAL", "b:l"]), { code: "NO_PERMISSION" });
  await assert.rejects(client.send(["LEDGER_PLAY", "SET", "count", "1"]), { code: "NO_PERMISSION" });
  assert.equal(await client.send(["LEDGER_PLAY", "SET", "a:count", "1"]), "OK");
  await using other = await connect(url, { token: small.token });
  await assert.rejects(other.send(["LEDGER_BOTH", "l"]), { code: "QUOTA" });
  assert.equal(await db.send(["EXISTS", "l", "count", "log"]), 0);
  assert.equal(await other.send(["LEDGER_OPEN", "l"]), "OK");
});

test("a class without an address is refused, and one that is given twice", async () => {
  class Nowhere extends Structure {
    static override isolate: boolean | string = true;
  }
  await assert.rejects(Hive.start({ port: 0, structures: [Nowhere] }), {
    code: "REFUSED_SETTING",
    message: /isolate = import\.meta\.url/,
  });
  await using given = await started({ structures: [Ledger] });
  assert.throws(() => given.hive.register(Ledger), { code: "INVALID_ARGUMENT", message: /two structures are named/ });
  given.hive.register(Fifo, {
    isolate: pathToFileURL(join(import.meta.dirname, "../../../src/structures/fifo.ts")).href,
  });
  assert.equal(await given.db.send(["FIFOADD", "q", 1, 2]), "OK");
  assert.equal(await given.db.send(["POP", "q"]), 1);
});

test("under isolate files are loaded in workers alone, with their options, and read again under load", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-isolated-"));
  const base = JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../../src/structures/index.ts")).href);
  const file = join(folder, "votes.ts");
  const code = (step: number, loops = ""): string => `
    import { isMainThread } from "node:worker_threads";
    import { Structure, type HiveCalls } from ${base};
    if (isMainThread) throw new Error("loaded in the hive's thread");
    export class Votes extends Structure {
      counts: Map<string, number> = new Map();
      static #unit = "votes";
      static init(hive: HiveCalls, options?: { unit: string }): void {
        Votes.#unit = options?.unit ?? "votes";
        hive.play("INCR", "inits");
      }
      static VOTEFOR(hive: HiveCalls, key: string, name: string): string {
        const { counts } = hive.open(Votes, key);
        counts.set(name, (counts.get(name) ?? 0) + ${step});
        ${loops}
        return counts.get(name) + " " + Votes.#unit;
      }
    }`;
  writeFileSync(file, code(1));
  try {
    const structures = ["fifo", [file, { unit: "points" }] as const];
    await using given = await started({ structures, isolate: true, limits: { commandMsMax: 300 } });
    const { db, notices } = given;
    assert.equal(await db.send(["FIFOADD", "q", 1]), "OK");
    assert.equal(await db.send(["VOTEFOR", "v", "ada"]), "1 points");
    assert.equal(await db.send(["GET", "inits"]), "1");
    writeFileSync(file, code(10));
    const reloaded = db.send(["STRUCTURES", "RELOAD"]);
    const calls: Promise<unknown>[] = [];
    for (let isOver = false; !isOver; ) {
      calls.push(db.send(["VOTEFOR", "v", "bob"]));
      await Promise.race([reloaded, calls.at(-1)]);
      isOver = await Promise.race([reloaded.then(() => true), new Promise<boolean>((go) => setImmediate(go, false))]);
    }
    for (const answer of await Promise.all(calls)) assert.match(String(answer), / points$/);
    assert.equal(await db.send(["VOTEFOR", "v", "ada"]), "11 points");
    writeFileSync(file, code(10).replace("VOTEFOR(", "VOTEFOR(("));
    await assert.rejects(db.send(["STRUCTURES", "RELOAD"]), { code: "INVALID_ARGUMENT", message: /votes\.ts/ });
    assert.equal(await db.send(["VOTEFOR", "v", "ada"]), "21 points");
    writeFileSync(file, code(1, "for (;;);"));
    await db.send(["STRUCTURES", "RELOAD"]);
    await assert.rejects(db.send(["VOTEFOR", "v", "ada"]), { code: "DEADLINE" });
    writeFileSync(file, code(1));
    await db.send(["STRUCTURES", "RELOAD"]);
    assert.equal(await db.send(["VOTEFOR", "v", "ada"]), "22 points");
    assert.ok(notices.some((notice) => notice.startsWith("VOTEFOR ran longer than commandMsMax")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("WATCH sees what a worker applies, and nothing of what it only tried", async () => {
  await using given = await started();
  const { db } = given;
  await db.send(["LEDGER_OPEN", "l"]);
  const { db: other } = given;
  const before = await db.send(["GET", "count"]);
  await assert.rejects(other.send(["LEDGER_BOTH", "l", "fail"]), { code: "STRUCTURE_FAILED" });
  assert.equal(await db.send(["GET", "count"]), before);
  const seen: string[] = [];
  await using watched = await db.watch("count");
  const reading = (async () => {
    for await (const change of watched) {
      seen.push(change.kind);
      return;
    }
  })();
  await assert.rejects(other.send(["LEDGER_BOTH", "l", "fail"]), { code: "STRUCTURE_FAILED" });
  await other.send(["LEDGER_BOTH", "l"]);
  await reading;
  assert.deepEqual(seen, ["set"]);
});

/** Types: an isolated class is used as any other. */
export type Check = (hive: HiveCalls) => Ledger;
