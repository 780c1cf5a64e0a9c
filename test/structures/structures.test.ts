// Structures in a hive: commands, undo, plays, time to live, copies, restores, permissions.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/client/node.ts";
import { Hive, type HiveOptions, ManualClock } from "../../src/server/index.ts";
import { Fifo } from "../../src/structures/fifo.ts";
import { type HiveCalls, HiveError, Structure } from "../../src/structures/index.ts";
import { RespClient, RespError } from "../kit/resp-client.ts";

class Ledger extends Structure {
  total = 0;
  names: string[] = [];
  byName: Map<string, { sum: number; dates: Date[] }> = new Map();
  seen: Set<string> = new Set();
  notes: Record<string, { text: string }> = {};
  cells: Float64Array = new Float64Array(4);
  big = 0n;

  static LEDGER_OPEN(hive: HiveCalls, key: string): string {
    hive.open(Ledger, key);
    return "OK";
  }

  static LEDGER_BOTH(hive: HiveCalls, key: string, other: string, fails?: unknown): number {
    const count = hive.play("INCR", other);
    hive.play("RPUSH", "log", key);
    hive.open(Ledger, key).ENTER("both", 1);
    hive.play("FIFOADD", "queue", key);
    if (fails !== undefined) throw new Error("half-way");
    return count;
  }

  static async LEDGER_LATER(hive: HiveCalls, key: string): Promise<number> {
    await Promise.resolve();
    const { sum } = hive.open(Ledger, key).ENTER("later", 2);
    return sum + hive.play("INCR", "laters");
  }

  ENTER(name: string, amount: unknown): { sum: number } {
    const sum = Number(amount);
    this.total += sum;
    if (!this.names.includes(name)) this.names.push(name);
    const known = this.byName.get(name);
    if (known === undefined) this.byName.set(name, { sum, dates: [] });
    else known.sum += sum;
    this.byName.get(name)!.dates.push(new Date(this.hive.nowMs));
    this.seen.add(name);
    this.notes[name] = { text: `${name} of ${this.key}` };
    this.cells[1]! += sum;
    this.big += 1n;
    return { sum: this.byName.get(name)!.sum };
  }

  SPOIL(): void {
    this.names.unshift("first");
    this.names.splice(1, 1, "x", "y");
    this.names.sort();
    this.names.reverse();
    this.names[0] = "z";
    this.names.length = 1;
    this.names[5] = "far";
    this.names.pop();
    this.names.shift();
    this.byName.get("ada")!.sum = -1;
    this.byName.get("ada")!.dates[0]!.setFullYear(1815);
    this.byName.delete("ada");
    this.byName.clear();
    this.seen.delete("ada");
    this.seen.clear();
    this.seen.add("other");
    this.notes["ada"]!.text = "gone";
    delete this.notes["ada"];
    this.cells[1] = 99;
    this.cells.fill(7);
    this.big = 77n;
    this.total = 1e9;
    throw new Error("not like that");
  }

  STATE(): unknown {
    const { total, names, byName, seen, notes, cells, big } = this;
    return { total, names, byName, seen, notes, cells, big };
  }
}

async function started(options: HiveOptions = {}): Promise<{ hive: Hive; client: RespClient } & AsyncDisposable> {
  const hive = await Hive.start({ port: 0, structures: [Fifo, Ledger], ...options });
  const client = await RespClient.connect({ port: hive.port });
  return {
    hive,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await hive.close();
    },
  };
}

async function call(client: RespClient, ...args: string[]): Promise<unknown> {
  const { value } = await client.call(...args);
  return value instanceof RespError
    ? `-${value.message}`
    : value instanceof Uint8Array
      ? Buffer.from(value).toString()
      : value;
}

test("the document's own queue: a static makes the key, a method is found by its type", async () => {
  await using given = await started();
  const { client } = given;
  assert.equal(await call(client, "FIFOADD", "task queue", "42", "43"), "OK");
  assert.equal(await call(client, "TYPE", "task queue"), "structure");
  assert.equal(await call(client, "STRUCTURE", "task queue"), "Fifo");
  assert.equal(await call(client, "POP", "task queue"), "42");
  assert.equal(await call(client, "SIZE", "task queue"), 1);
  assert.match(String(await call(client, "POP", "nothing")), /no such key/);
  await call(client, "SET", "text", "x");
  assert.match(String(await call(client, "POP", "text")), /^-WRONGTYPE/);
  assert.match(String(await call(client, "FIFOADD", "text", "x")), /^-WRONGTYPE/);
  assert.match(String(await call(client, "GET", "task queue")), /^-WRONGTYPE/);
  assert.match(String(await call(client, "FIFOADD")), /the name of a key is text/);
  await call(client, "LEDGER_OPEN", "l");
  assert.match(String(await call(client, "POP", "l")), /holds a Ledger, which has no command POP/);
  assert.match(String(await call(client, "FIFOADD", "l", "1")), /holds a Ledger, not a Fifo/);
});

test("a command that throws leaves no trace in any kind of state", async () => {
  await using given = await started();
  await using db = await connect(given.hive);
  await db.send(["LEDGER_OPEN", "l"]);
  await db.send(["ENTER", "l", "ada", 5]);
  await db.send(["ENTER", "l", "bob", 6]);
  const before = await db.send(["STATE", "l"]);
  await assert.rejects(db.send(["SPOIL", "l"]), { code: "STRUCTURE_FAILED", message: /SPOIL: not like that/ });
  assert.deepEqual(await db.send(["STATE", "l"]), before);
  const state = before as { total: number; byName: Map<string, { sum: number }>; big: bigint; cells: Float64Array };
  assert.deepEqual([state.total, state.byName.get("ada")!.sum, state.big, state.cells[1]], [11, 5, 2n, 11]);
});

test("what a command played is undone with it, and so are keys that it made", async () => {
  await using given = await started();
  const { client } = given;
  assert.equal(await call(client, "LEDGER_BOTH", "l", "count"), 1);
  const size = await call(client, "DBSIZE");
  assert.match(String(await call(client, "LEDGER_BOTH", "new", "count", "fail")), /half-way/);
  assert.equal(await call(client, "GET", "count"), "1");
  assert.equal(await call(client, "LLEN", "log"), 1);
  assert.equal(await call(client, "SIZE", "queue"), 1);
  assert.equal(await call(client, "EXISTS", "new"), 0);
  assert.equal(await call(client, "DBSIZE"), size);
  assert.match(String(await call(client, "LEDGER_BOTH", "fresh", "other", "fail")), /half-way/);
  assert.equal(await call(client, "DBSIZE"), size);
  assert.equal(await call(client, "LEDGER_BOTH", "l", "count"), 2);
  assert.equal(await call(client, "SIZE", "queue"), 2);
});

test("an async command answers later, and is refused inside MULTI before it changes anything", async () => {
  await using given = await started();
  const { client } = given;
  assert.equal(await call(client, "LEDGER_LATER", "l"), 3);
  assert.equal(await call(client, "LEDGER_LATER", "l"), 6);
  await call(client, "MULTI");
  await call(client, "LEDGER_LATER", "l");
  await call(client, "FIFOADD", "q", "1");
  const { value } = await client.call("EXEC");
  const [later, added] = value as [RespError, unknown];
  assert.match(later.message, /answers later/);
  assert.equal(String(added), "OK");
});

test("TTL, RENAME, COPY, DUMP and RESTORE take what a structure holds now", async () => {
  const clock = new ManualClock(1_000_000);
  await using given = await started({ clock });
  await using db = await connect(given.hive);
  for (const [key, make, read] of [
    ["q", ["FIFOADD", "q", 1, "two", { three: 3 }], "PEEK"],
    ["l", ["LEDGER_BOTH", "l", "n"], "STATE"],
  ] as const) {
    await db.send(make);
    await db.send(key === "q" ? ["POP", "q"] : ["ENTER", "l", "ada", 5]);
    const state = await db.send([read, key]);
    assert.equal(await db.send(["COPY", key, "copy"]), 1);
    assert.deepEqual(await db.send([read, "copy"]), state);
    const dump = (await db.send(["DUMP", key], { as: "bytes" })) as Uint8Array;
    await db.send(key === "q" ? ["POP", "q"] : ["ENTER", "l", "ada", 5]);
    await db.send(["RESTORE", key, 0, dump, "REPLACE"]);
    assert.deepEqual(await db.send([read, key]), state);
    await db.send(["RENAME", key, "other"]);
    assert.deepEqual(await db.send([read, "other"]), state);
    await assert.rejects(db.send([read, key]), { code: "NO_KEY" });
    await db.send(key === "q" ? ["FIFOADD", "other", "last"] : ["ENTER", "other", "ada", 5]);
    const later = await db.send([read, "other"]);
    assert.equal(await db.expire("other", 500), true);
    assert.deepEqual(await db.send([read, "other"]), later);
    clock.advance(501);
    await assert.rejects(db.send([read, "other"]), { code: "NO_KEY" });
    await db.send(["DEL", "copy", key]);
  }
  await db.send(["FIFOADD", "q", 1]);
  assert.equal(await db.send(["SIZE", "q"]), 1, "an expired key is made anew");
});

test("a snapshot has what structures hold, and a hive that starts from it goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-structures-"));
  try {
    {
      await using given = await started({ snapshots: { folder } });
      await using db = await connect(given.hive);
      await db.send(["FIFOADD", "q", 1, 2, 3]);
      await db.send(["LEDGER_BOTH", "l", "n"]);
      await db.send(["POP", "q"]);
      await db.snapshot.store("one");
      await db.send(["POP", "q"]);
      await db.snapshot.restore("one");
      assert.equal(await db.send(["PEEK", "q"]), 2);
      await db.send(["POP", "q"]);
    }
    await using given = await started({ snapshots: { folder } });
    await using db = await connect(given.hive);
    assert.equal(await db.send(["POP", "q"]), 3);
    assert.equal(((await db.send(["STATE", "l"])) as { total: number }).total, 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("WATCH sees a change, and no change where bytes follow what was there", async () => {
  await using given = await started();
  const { client } = given;
  await using other = await RespClient.connect({ port: given.hive.port });
  await call(client, "FIFOADD", "q", "1", "2");
  await call(client, "WATCH", "q");
  await call(client, "DUMP", "q");
  await call(client, "MULTI");
  await call(client, "PING");
  assert.notEqual((await client.call("EXEC")).value, null);
  await call(client, "WATCH", "q");
  await call(other, "POP", "q");
  await call(client, "MULTI");
  await call(client, "PING");
  assert.equal((await client.call("EXEC")).value, null);
});

test("names that are taken are refused, naming both", async () => {
  await using given = await started();
  const { hive } = given;
  class Thief extends Structure {
    static GET(): void {}
  }
  assert.throws(() => hive.register(Thief), {
    code: "INVALID_ARGUMENT",
    message: /Thief\.GET: the hive has a command GET/,
  });
  class Other extends Structure {
    FIFOADD(): void {}
  }
  assert.throws(() => hive.register(Other), { message: /Other\.FIFOADD: Fifo has the static command FIFOADD/ });
  class Holder extends Structure {
    request = new URL("http://example.com");
  }
  assert.throws(() => hive.register(Holder), {
    message: /Holder\.request is an instance of URL, which cannot be undone/,
  });
  class Stack extends Structure {
    items: unknown[] = [];
    static options: unknown;
    static override init(hive: HiveCalls, options: unknown): void {
      Stack.options = options;
      hive.play("SET", "begun", "yes");
    }
    static STACKADD(hive: HiveCalls, key: string, value: unknown): void {
      hive.open(Stack, key).items.push(value);
    }
    POP(): unknown {
      return this.items.pop();
    }
  }
  hive.register(Stack, { size: 3 });
  assert.deepEqual(Stack.options, { size: 3 });
  const { client } = given;
  await call(client, "STACKADD", "s", "1");
  await call(client, "STACKADD", "s", "2");
  await call(client, "FIFOADD", "q", "1", "2");
  assert.deepEqual([await call(client, "POP", "s"), await call(client, "POP", "q")], ["2", "1"]);
  assert.equal(await call(client, "GET", "begun"), "yes");
});

test("the state takes no functions, classes or fields that it does not have", async () => {
  class Loose extends Structure {
    value: unknown = 1;
    static LOOSE(hive: HiveCalls, key: string, what: string): void {
      const loose = hive.open(Loose, key);
      loose.value = 2;
      if (what === "function") loose.value = () => 1;
      if (what === "class") loose.value = { inside: new HiveError("NO_KEY", "x") };
      if (what === "field") (loose as unknown as Record<string, unknown>)["other"] = 1;
      if (what === "cycle") {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        loose.value = cycle;
      }
    }
    LOOSE_VALUE(): unknown {
      return this.value;
    }
  }
  await using given = await started({ structures: [Loose] });
  await using db = await connect(given.hive);
  await db.send(["LOOSE", "k", "nothing"]);
  assert.equal(await db.send(["LOOSE_VALUE", "k"]), 2);
  for (const what of ["function", "class", "cycle"])
    await assert.rejects(db.send(["LOOSE", "n", what]), { code: "BAD_VALUE" });
  await assert.rejects(db.send(["LOOSE", "n", "field"]), { code: "STRUCTURE_FAILED", message: /not extensible/ });
  assert.equal(await db.exists("n"), false);
});

test("a token needs run, and what the code opens and plays is its own to be allowed", async () => {
  await using given = await started({ tokens: true });
  const { hive } = given;
  const as = async (...grants: string[]): Promise<RespClient> => {
    const { token } = await hive.tokens.create({ grants });
    const client = await RespClient.connect({ port: hive.port });
    await client.call("AUTH", token);
    return client;
  };
  await using nobody = await as("read", "write");
  assert.match(String(await call(nobody, "FIFOADD", "q", "1")), /^-NOPERM/);
  await using mine = await as("run", "read:mine:*", "write:mine:*");
  assert.equal(await call(mine, "FIFOADD", "mine:q", "1"), "OK");
  assert.match(String(await call(mine, "FIFOADD", "q", "1")), /^-NOPERM Fifo needs read on the key that it opens/);
  assert.equal(await call(mine, "POP", "mine:q"), "1");
  assert.match(String(await call(mine, "POP", "q")), /^-NOPERM/);
  assert.match(String(await call(mine, "LEDGER_BOTH", "mine:l", "count")), /^-NOPERM/);
  assert.match(String(await call(mine, "LEDGER_BOTH", "mine:l", "mine:count")), /^-NOPERM/);
  assert.equal(await call(mine, "EXISTS", "mine:count"), 0, "what it played before was undone");
});

test("quotas count the encoding, and what exceeds them is taken back", async () => {
  await using given = await started({ tokens: true });
  const { hive } = given;
  const { token } = await hive.tokens.create({ grants: ["all"], quotas: { bytes: 2_000 } });
  await using client = await RespClient.connect({ port: hive.port });
  await client.call("AUTH", token);
  let added = 0;
  for (; added < 100; added++) {
    const answer = await call(client, "FIFOADD", "q", "x".repeat(100));
    if (answer !== "OK") {
      assert.match(String(answer), /quota|bytes/i);
      break;
    }
  }
  assert.ok(added > 10 && added < 20, `${added}`);
  assert.equal(await call(client, "SIZE", "q"), added);
  assert.equal(await call(client, "POP", "q"), "x".repeat(100));
  assert.equal(await call(client, "FIFOADD", "q", "y"), "OK");
});

test("a typed client has the commands of a class, and values keep their types", async () => {
  await using given = await started();
  await using db = await connect(given.hive);
  const fifo = db.structure<typeof Fifo>("Fifo");
  assert.equal(await fifo.FIFOADD("q", { a: 1 }, new Date(5), 3n, null, "x", new Uint8Array([1])), "OK");
  const queue = fifo.at("q");
  const popped: unknown[] = [];
  for (let left = await queue.SIZE(); left > 0; left--) popped.push(await queue.POP());
  assert.deepEqual(popped, [{ a: 1 }, new Date(5), 3n, null, "x", new Uint8Array([1])]);
  assert.equal(await db.call["FIFOADD"]!("q", 1), "OK");
});
