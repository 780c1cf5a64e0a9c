// The client's methods against a hive in this process, and over each kind of address.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { type Client, connect, isHiveError, type Key, type StandardSchema } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { failure } from "../kit/fake-hive.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-client-"));
const clock = new ManualClock();
let hive: Hive;
let db: Client;

before(async () => {
  hive = await Hive.start({ port: 0, unix: join(folder, "hive.sock"), clock });
  db = await connect(hive);
});
beforeEach(() => db.send(["FLUSHALL"]));
after(async () => {
  await db.close();
  await hive.close();
  rmSync(folder, { recursive: true, force: true });
});

test("every kind of address reaches the same hive", async () => {
  await db.put("k", "v");
  const env = process.env["MEMHIVE_URL"];
  process.env["MEMHIVE_URL"] = `hive://localhost:${hive.port}`;
  for (const target of [hive, `hive://127.0.0.1:${hive.port}`, `unix:${join(folder, "hive.sock")}`, undefined]) {
    await using client = await connect(target);
    assert.equal(await client.get("k"), "v");
    assert.equal(client.state, "ready");
    assert.ok(client.connectionId > 0 && client.runId.length === 32 && client.hiveVersion !== "");
  }
  if (env === undefined) delete process.env["MEMHIVE_URL"];
  else process.env["MEMHIVE_URL"] = env;
});

test("an address that is none says what is expected, and never shows a token", async () => {
  for (const target of [
    "",
    "localhost:1",
    "redis://:s3cret@host",
    "hive://",
    "hive://:s3cret@host/path",
    "unix:",
    "hive://host:99999",
    "hive://:%zz@host",
  ]) {
    const error = await failure(connect(target));
    assert.equal(error.code, "REFUSED_SETTING", target);
    assert.ok(!error.message.includes("s3cret"));
  }
  assert.equal((await failure(connect("ws://host/path"))).code, "REFUSED_SETTING");
  assert.equal((await failure(connect(hive, { timeoutMs: -1 }))).code, "REFUSED_SETTING");
  const nobody = await failure(connect("hive://:s3cret@127.0.0.1:1"));
  assert.match(nobody.message, /hive:\/\/127\.0\.0\.1:1.*memhive serve/);
  assert.ok(!nobody.message.includes("s3cret"));
});

test("plain keys: put, get, delete, incr, exists, type, rename", async () => {
  assert.equal(await db.get("k"), undefined);
  assert.equal(await db.put("k", "v"), true);
  assert.equal(await db.put("k", "w", { onlyIf: "absent" }), false);
  assert.equal(await db.put("nothing", "w", { onlyIf: "present" }), false);
  assert.equal(await db.get("k"), "v");
  assert.deepEqual(await db.get("k", { as: "bytes" }), Uint8Array.of(118));
  assert.equal(await db.exists("k"), true);
  assert.equal(await db.type("k"), "string");
  assert.equal(await db.type("nothing"), undefined);
  assert.equal(await db.rename("k", "l"), true);
  assert.equal((await failure(db.rename("k", "l"))).code, "NO_KEY");
  await db.put("k", 1);
  assert.equal(await db.rename("k", "l", { onlyIfAbsent: true }), false);
  assert.equal(await db.delete("l"), true);
  assert.equal(await db.delete("l"), false);
  assert.equal(await db.incr("n"), 1);
  assert.equal(await db.incr("n", 41), 42);
  assert.equal(await db.get("n"), 42);
  assert.equal(await db.incr("n", 0.5), 42.5);
  assert.equal(await db.incr("n"), 43.5, "a sum with a fraction is counted on");
  assert.equal(await db.incr("big", 2n ** 60n), 2n ** 60n);
  assert.equal(await db.incr("big"), 2n ** 60n + 1n);
  await db.put("text", "x");
  assert.equal((await failure(db.incr("text"))).code, "NOT_FLOAT");
});

test("times to live, on keys and fields", async () => {
  await db.put("k", "v", { ttlMs: 1_000 });
  assert.equal(await db.ttl("k"), 1_000);
  await db.put("k", "w", { keepTtl: true });
  clock.advance(400);
  assert.equal(await db.ttl("k"), 600);
  assert.equal(await db.persist("k"), true);
  assert.equal(await db.ttl("k"), Number.POSITIVE_INFINITY);
  assert.equal(await db.expire("k", 50), true);
  clock.advance(50);
  assert.equal(await db.get("k"), undefined);
  assert.equal(await db.ttl("k"), undefined);

  const table = db.table<string>("t");
  await table.set("short", "v", { ttlMs: 100 });
  await table.set("long", "v");
  assert.deepEqual(
    [await table.ttl("short"), await table.ttl("long"), await table.ttl("none")],
    [100, Number.POSITIVE_INFINITY, undefined],
  );
  assert.equal(await table.setIfAbsent("short", "w", { ttlMs: 5 }), false);
  assert.equal(await table.setIfAbsent("other", "w", { ttlMs: 100 }), true);
  assert.equal(await table.update("short", () => "updated"), "updated");
  clock.advance(100);
  assert.deepEqual([await table.has("short"), await table.has("other"), await table.size()], [false, false, 1]);
  assert.equal(await table.expire("long", 10), true);
  assert.equal(await table.persist("long"), true);
  clock.advance(10);
  assert.equal(await table.get("long"), "v");
});

test("a table: one field, many, all", async () => {
  const table = db.table<{ n: number }>("t");
  await table.set("a", { n: 1 });
  await table.setMany({ b: { n: 2 }, c: { n: 3 } });
  await table.setMany(new Map([["d", { n: 4 }]]), { ttlMs: 1_000 });
  await table.setMany([]);
  assert.deepEqual(await table.getMany(["a", "x", "d"]), [{ n: 1 }, undefined, { n: 4 }]);
  assert.deepEqual(await table.getMany([]), []);
  assert.equal(await table.size(), 4);
  assert.deepEqual((await Array.fromAsync(table.keys())).sort(), ["a", "b", "c", "d"]);
  assert.deepEqual(new Map(await Array.fromAsync(table)).get("c"), { n: 3 });
  assert.equal((await Array.fromAsync(table.values())).length, 4);
  assert.equal(await table.delete("a"), true);
  assert.equal(await table.delete("a"), false);
  assert.equal(await table.clear(), true);
  assert.equal(await table.clear(), false);
  assert.equal((await failure(table.set("f", (() => 1) as never))).code, "BAD_VALUE");
});

test("keys of a table may be typed, and properties may have any name", async () => {
  const table = db.table<unknown, Key>("t");
  const keys: Key[] = ["1", 1, 2n ** 60n, true, new Date(5), Uint8Array.of(255), "__proto__"];
  for (const key of keys) await table.set(key, { is: String(key) });
  for (const key of keys) assert.deepEqual(await table.get(key), { is: String(key) });
  assert.equal(await table.size(), keys.length);
  assert.equal((await failure(table.set({} as never, 1))).code, "BAD_VALUE");
  await table.set("evil", JSON.parse('{"__proto__":{"admin":true}}'));
  const read = (await table.get("evil")) as { admin?: boolean };
  assert.equal(read.admin, undefined);
  assert.ok(Object.hasOwn(read, "__proto__"));
});

test("update loses nobody's change, under twenty clients at once", async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(hive)));
  await Promise.all(
    clients.map(async (client) => {
      const table = client.table<{ n: number }>("t");
      for (let i = 0; i < 25; i++) await table.update("n", (old) => ({ n: (old?.n ?? 0) + 1 }), { retriesMax: 10_000 });
    }),
  );
  assert.deepEqual(await db.table("t").get("n"), { n: 500 });
  await Promise.all(clients.map((client) => client.close()));
});

test("update: async functions, deletion, conflicts, and functions that throw", async () => {
  const table = db.table<number>("t");
  assert.equal(await table.update("a", async (old) => (old ?? 40) + 2), 42);
  assert.equal(await table.update("a", () => undefined), undefined);
  assert.equal(await table.has("a"), false);
  assert.equal(await table.update("a", () => undefined), undefined);
  await assert.rejects(
    table.update("a", () => {
      throw new TypeError("mine");
    }),
    TypeError,
  );
  const meanwhile = async (old: number | undefined): Promise<number> => {
    await db.table("t").increment("a");
    return old ?? 0;
  };
  await table.set("a", 1);
  const error = await failure(table.update("a", meanwhile, { retriesMax: 2 }));
  assert.equal(error.code, "CONFLICT");
  assert.equal(await table.get("a"), 4, "every attempt asked the function again");
});

test("a schema is asked before anything is sent, and gives what is stored", async () => {
  const schema: StandardSchema<{ born: string }, { born: number }> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: async (value) => {
        const born = Number((value as { born?: string }).born);
        return Number.isInteger(born) ? { value: { born } } : { issues: [{ message: "is no year", path: ["born"] }] };
      },
    },
  };
  const table = db.table("people", { schema });
  await table.set("ada", { born: "1815" });
  assert.deepEqual(await table.get("ada"), { born: 1815 });
  const error = await failure(table.set("bob", { born: "soon" }));
  assert.deepEqual([error.code, error.sent], ["SCHEMA_MISMATCH", false]);
  assert.match(error.message, /born: is no year/);
  assert.equal((await failure(table.setMany({ x: { born: "1" }, y: { born: "?" } }))).code, "SCHEMA_MISMATCH");
  assert.equal(await table.size(), 1, "of several none was written");
  assert.equal((await failure(table.update("ada", () => ({ born: "?" })))).code, "SCHEMA_MISMATCH");
});

test("scans give all that is there from start to end, may be left early, and stop with their signal", async () => {
  const table = db.table<number>("big");
  for (let i = 0; i < 2_000; i += 100) {
    await table.setMany(Array.from({ length: 100 }, (_, j) => [`f${i + j}`, i + j] as const));
  }
  const seen = new Set<string>();
  for await (const [key] of table.entries()) {
    seen.add(key);
    if (seen.size % 100 === 0) await table.set(`new ${seen.size}`, 0);
  }
  for (let i = 0; i < 2_000; i++) assert.ok(seen.has(`f${i}`));
  let count = 0;
  for await (const _ of table.keys()) if (++count === 10) break;
  assert.equal(count, 10);
  const stop = new AbortController();
  const error = await failure(
    (async () => {
      for await (const _ of table.keys({ signal: stop.signal })) stop.abort();
    })(),
  );
  assert.equal(error.code, "ABORTED");
  await db.put("ключ", 1);
  assert.deepEqual(await Array.fromAsync(db.scan({ match: "кл*" })), ["ключ"]);
  assert.equal((await failure(db.send(["\u0147ET", "k"]))).code, "UNKNOWN_COMMAND", "no letter is cut to another one");
  await db.put("user:1", 1);
  await db.setOf("user:2").push("x");
  assert.deepEqual((await Array.fromAsync(db.scan({ match: "user:*" }))).sort(), ["user:1", "user:2"]);
  assert.deepEqual(await Array.fromAsync(db.scan({ type: "table" })), ["big"]);
});

test("a set: push, pull, has, size, values", async () => {
  const seen = db.setOf<Key>("seen");
  assert.equal(await seen.push("a", "b", "a", 1), 3);
  assert.equal(await seen.push(), 0);
  assert.deepEqual([await seen.has("a"), await seen.has(1), await seen.has("1")], [true, true, false]);
  assert.equal(await seen.pull("a", "nothing"), 1);
  assert.equal(await seen.pull(), 0);
  assert.equal(await seen.size(), 2);
  assert.deepEqual(new Set(await Array.fromAsync(seen.values())), new Set(["b", 1]));
  assert.equal(await seen.clear(), true);
});

test("multi runs as one; what fails in it has its error in its place, and what is refused stops all", async () => {
  const answers = await db.multi().put("from", 100).incr("from", -30).incr("to", 30).get("from").exec();
  assert.deepEqual(answers, [true, 70, 30, 70]);
  const [set, size, added, has] = await db
    .multi()
    .table<number>("t")
    .set("a", 1)
    .table("t")
    .size()
    .setOf("s")
    .push("x", "y")
    .setOf("s")
    .has("x")
    .exec();
  assert.deepEqual([set, size, added, has], [undefined, 1, 2, true]);
  const mixed = await db.multi().put("k", "v").table("k").get("f").get("k").exec();
  assert.ok(isHiveError(mixed[1]) && (mixed[1] as { code: string }).code === "WRONG_TYPE");
  assert.deepEqual([mixed[0], mixed[2]], [true, "v"]);
  const refused = await failure(db.multi().put("k", "changed").send(["NONSENSE"]).exec());
  assert.equal(refused.code, "EXEC_ABORT");
  assert.match(refused.message, /NONSENSE/);
  assert.equal(await db.get("k"), "v", "none of it ran");
  for (const word of ["RESET", "QUIT"]) {
    const early = await failure(db.multi().incr("before").send([word]).incr("after").exec());
    assert.equal(early.code, "EXEC_ABORT", word);
    assert.deepEqual([await db.exists("before"), await db.exists("after")], [false, false], "all or nothing");
  }
  await db.put("raw", Uint8Array.of(255));
  await db.send(["RENAME", "raw", "bytes"]);
  await db.send(["SETRANGE", "bytes", 1, Uint8Array.of(254)]);
  const unread = await db.multi().incr("ran").get("bytes").incr("ran").exec();
  assert.deepEqual([unread[0], unread[2]], [1, 2]);
  assert.equal((unread[1] as { code?: string }).code, "NOT_TEXT", "what cannot be read hides nothing else");
  assert.deepEqual(await db.multi().exec(), []);
  for (const command of ["MULTI", "EXEC", "WATCH", "CLIENT REPLY"]) {
    const words =
      command === "WATCH" ? [command, "k"] : command === "CLIENT REPLY" ? ["CLIENT", "REPLY", "OFF"] : [command];
    assert.equal((await failure(db.send(words))).code, "UNSUPPORTED", command);
  }
});

test("send and call take any command, and values keep their types", async () => {
  assert.equal(await db.send(["HSET", "h", "ada", 1815, 7, { x: 1 }]), 2);
  assert.deepEqual(
    await db.send(["hgetall", "h"]),
    new Map<unknown, unknown>([
      ["ada", 1815],
      [7, { x: 1 }],
    ]),
  );
  assert.deepEqual(await db.send(["HPEXPIRE", "h", 500, "FIELDS", 1, "ada"]), [1]);
  assert.equal(await db.send(["EXPIRE", "h", 60]), 1);
  assert.equal(await db.send(["OBJECT", "ENCODING", "h"]), "listpackex");
  const { STRLEN: strlen } = db.call;
  assert.equal(await strlen!("nothing"), 0);
  assert.equal((await failure(db.send([]))).code, "INVALID_ARGUMENT");
  assert.equal((await failure(db.send(["GET"]))).code, "WRONG_ARITY");
  assert.equal((await failure(db.send(["SET", 1, 2]))).code, "BAD_VALUE");
  assert.equal((await failure(db.send(["APPEND", "k", { a: 1 }]))).code, "BAD_VALUE");
  assert.equal(await db.ping(), "PONG");
  assert.equal(await db.ping("hi"), "hi");
  const { server, memory } = await db.info();
  assert.equal(server?.["tcp_port"], hive.port);
  assert.equal(typeof memory?.["used_memory"], "number");
});

test("with() binds a deadline and a signal, and shares the connection and its events", async () => {
  const stop = new AbortController();
  const bound = db.with({ signal: stop.signal, timeoutMs: 5_000 });
  assert.equal(await bound.table<number>("t").size(), 0);
  assert.equal(bound.connectionId, db.connectionId);
  stop.abort();
  assert.equal((await failure(bound.get("k"))).code, "ABORTED");
  assert.equal((await failure(bound.get("k", { signal: new AbortController().signal }))).code, "ABORTED");
  assert.equal(await db.get("k"), undefined);
});

test("two hives in one process share nothing, and closing one ends its clients with a state", async () => {
  const other = await Hive.start({ listen: false });
  const client = await connect(other, { reconnect: false });
  const states: string[] = [];
  client.addEventListener("state", ({ state, cause }) => states.push(`${state} ${cause?.code}`));
  await db.put("k", 1);
  assert.equal(await client.exists("k"), false);
  await other.close();
  await new Promise<void>((resolve) =>
    client.state === "closed" ? resolve() : client.addEventListener("state", () => resolve()),
  );
  assert.deepEqual(states, ["closed HIVE_CLOSED"]);
  assert.equal((await failure(client.get("k"))).code, "HIVE_CLOSED");
  assert.equal((await failure(connect(other))).code, "CONNECTION_LOST");
});

test("a value that is too big is refused, and the connection lives", async () => {
  const small = await Hive.start({
    listen: false,
    limits: { keyBytesMax: 1_000, valueBytesMax: 1_000, frameBytesMax: 17_000 },
  });
  const client = await connect(small);
  assert.equal((await failure(client.put("k", "x".repeat(2_000)))).code, "VALUE_TOO_BIG");
  const error = await failure(client.put("k", "x".repeat(40_000)));
  assert.deepEqual([error.code, error.sent], ["FRAME_TOO_BIG", false]);
  assert.equal(await client.put("k", "fits"), true);
  await client.close();
  await small.close();
});
