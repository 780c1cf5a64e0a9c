// A client on the hive's host: what it reads from memory, what it asks the hive for, and why.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { type Client, type ClientOptions, connect, isHiveError } from "../../src/client/node.ts";
import { openShared } from "../../src/client/shared-opening.ts";
import { Hive, type HiveOptions } from "../../src/server/hive.ts";
import { addToken, changeTokens } from "../../src/server/tokens-change.ts";
import { LAYOUT_VERSION } from "../../src/store/layout.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-shared-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function pair(
  t: { after(done: () => Promise<void>): void },
  hiveOptions: HiveOptions = {},
  options: ClientOptions = {},
): Promise<{ hive: Hive; client: Client }> {
  const hive = await Hive.start({ port: 0, shared: true, ...hiveOptions });
  const client = await connect(`hive://127.0.0.1:${hive.port}`, options);
  t.after(async () => {
    await client.close();
    await hive.close();
  });
  return { hive, client };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isHiveError(error)) return error.code;
    throw error;
  }
  return "nothing was thrown";
}

test("peek, get and has read what was stored, by whomever and of whatever kind", async (t) => {
  const { client } = await pair(t);
  assert.equal(client.shared.on, true);
  assert.equal(client.shared.why, undefined);
  const values = ["text", "ünïcode 🐝".repeat(20), new Uint8Array([0, 255]), 7, 1n << 70n, { a: [1, new Date(5)] }, ""];
  const table = client.table<unknown, string | number | Uint8Array>("table");
  const set = client.setOf<string | number>("set");
  for (const [i, value] of values.entries()) {
    await client.put(`key ${i}`, value);
    await table.set(i, value);
    await table.set(`${i}`, value);
  }
  await set.push("1", 2);
  const { reads } = client.shared;
  for (const [i, value] of values.entries()) {
    assert.deepEqual(client.peek(`key ${i}`), value);
    assert.deepEqual(await client.get(`key ${i}`), value);
    assert.deepEqual(table.peek(i), value);
    assert.deepEqual(await table.get(`${i}`), value);
    assert.equal(table.peekHas(i), true);
    assert.equal(await table.has(i), true);
    assert.equal(await client.exists(`key ${i}`), true);
  }
  assert.deepEqual([set.peekHas("1"), set.peekHas(1), set.peekHas("2"), set.peekHas(2)], [true, false, false, true]);
  assert.deepEqual([await set.has(2), await set.has(3)], [true, false]);
  assert.equal(client.peek("none"), undefined);
  assert.equal(client.table("none").peek("none"), undefined);
  assert.equal(await client.exists("none"), false);
  assert.deepEqual(client.peek("key 0", { as: "bytes" }), new Uint8Array(Buffer.from("text")));
  await client.send(["SET", "raw", new Uint8Array([255])]);
  assert.equal(client.shared.reads - reads, 7 * values.length + 10);
  assert.equal(client.shared.asked, 0);
});

test("a client sees its own writes, whether it waits for them or not", async (t) => {
  const { client } = await pair(t);
  const table = client.table<number>("counts");
  for (let i = 0; i < 300; i++) {
    if (i % 3 === 0) await table.set("n", i);
    else table.set("n", i).catch(() => {});
    assert.equal(await table.get("n"), i);
    if (i % 3 === 0) assert.equal(table.peek("n"), i);
    if (i % 7 === 0) void table.delete("n");
    assert.equal(await table.has("n"), i % 7 !== 0);
  }
  assert.ok(client.shared.reads > 100);
});

test("what cannot be read from memory is asked for, and peek says why", async (t) => {
  const { client } = await pair(t);
  const large = "x".repeat(1024 * 1024 + 1);
  await client.put("large", large);
  await client.table("table").set("field", 1);
  await client.put("bytes", new Uint8Array([255, 254]));
  assert.equal(await client.get("large"), large);
  assert.equal(
    codeOf(() => client.peek("large")),
    "NOT_SHARED",
  );
  assert.equal(
    codeOf(() => client.peek("table")),
    "WRONG_TYPE",
  );
  assert.equal(
    codeOf(() => client.table("large").peek("field")),
    "WRONG_TYPE",
  );
  await assert.rejects(client.get("table"), { code: "WRONG_TYPE" });
  await assert.rejects(client.table("large").get("field"), { code: "WRONG_TYPE" });
  assert.equal(
    codeOf(() => client.table<number, never>("table").peek({} as never)),
    "BAD_VALUE",
  );
  await assert.rejects(client.table<number, never>("table").get({} as never), { code: "BAD_VALUE" });
  await assert.rejects(client.get("large", { signal: AbortSignal.abort() }), { code: "ABORTED" });
  await client.close();
  assert.equal(
    codeOf(() => client.peek("large")),
    "NOT_SHARED",
  );
  assert.equal(client.shared.why, "this client is closed");
  await assert.rejects(client.get("large"), { code: "HIVE_CLOSED" });
});

test("whoever may not read everything, or does not want to, asks; shared.why says why", async (t) => {
  const { hive, client } = await pair(
    t,
    { tokens: true, token: "a token for everything" },
    {
      token: "a token for everything",
    },
  );
  await client.put("users/ada", "hello");
  assert.equal(client.shared.on, true);
  const why = async (options: ClientOptions): Promise<string | undefined> => {
    const other = await connect(`hive://127.0.0.1:${hive.port}`, options);
    assert.equal(await other.get("users/ada"), "hello");
    const { on, why: reason } = other.shared;
    await other.close();
    return on ? "on" : reason;
  };
  const token = async (grants: string[], quotas = {}): Promise<string> =>
    (await hive.tokens.create({ name: `t${Math.random()}`, grants, quotas })).token;
  assert.equal(await why({ token: await token(["read:*"]) }), "on");
  assert.equal(await why({ token: await token(["read:users/*"]) }), "the token may not read everything");
  assert.equal(await why({ token: await token(["all"], { callsPerSecond: 1000 }) }), "the token has a quota of calls");
  assert.equal(await why({ token: "a token for everything", shared: false }), "the option shared is false");
  const plain = await pair(t, { shared: false });
  assert.match(plain.client.shared.why!, /does not share its memory: memhive serve --shared/);
  assert.equal(
    codeOf(() => plain.client.peek("k")),
    "NOT_SHARED",
  );
});

test("a token that may no longer read everything ends its connections, and the next one asks", async (t) => {
  const tokens = join(folder, "tokens.json");
  const { token } = await changeTokens(tokens, DEFAULT_LIMITS, (content) =>
    addToken(content, { grants: ["read:*", "write:*"] }, { nowMs: Date.now(), limits: DEFAULT_LIMITS }),
  );
  const hive = await Hive.start({ port: 0, shared: true, tokens });
  t.after(() => hive.close());
  const client = await connect(`hive://127.0.0.1:${hive.port}`, { token, reconnect: { minMs: 1, maxMs: 10 } });
  t.after(() => client.close());
  await client.put("users", "hello");
  assert.equal(client.peek("users"), "hello");
  const before = client.connectionId;
  writeFileSync(tokens, readFileSync(tokens, "utf8").replace("read:*", "read:users"));
  hive.reload();
  while (client.connectionId === before || client.shared.why !== "the token may not read everything") {
    await client.get("users").catch(() => {});
  }
  assert.equal(
    codeOf(() => client.peek("users")),
    "NOT_SHARED",
  );
  assert.equal(await client.get("users"), "hello");
});

test("a write that was given up and may still run is not overtaken by a read", async (t) => {
  const { client, hive } = await pair(t, {}, { timeoutMs: 20_000 });
  await client.put("k", "old");
  await client.send(["CLIENT", "PAUSE", 60_000, "WRITE"]);
  const ended = new AbortController();
  const write = client.put("k", "new", { signal: ended.signal });
  await client.ping();
  ended.abort();
  await assert.rejects(write, { code: "ABORTED", sent: true });
  const { reads } = client.shared;
  const read = client.get("k");
  assert.equal(client.shared.reads, reads, "read from memory, though the write may come");
  hive.engine.pauses.end();
  assert.ok(["old", "new"].includes(String(await read)));
});

test("over a unix socket, in this process and in a worker thread memory is read too", async (t) => {
  const unix = join(folder, "socket");
  const { hive, client } = await pair(t, { unix });
  await client.table("users").set("ada", { born: 1815 });
  for (const target of [`unix:${unix}`, hive]) {
    await using other = await connect(target);
    assert.deepEqual(other.table("users").peek("ada"), { born: 1815 });
  }
  const worker = new Worker(
    `import { connect } from ${JSON.stringify(new URL("../../src/client/node.ts", import.meta.url).href)};
     import { parentPort } from "node:worker_threads";
     const hive = await connect("unix:${unix}");
     parentPort.postMessage(hive.table("users").peek("ada"));
     await hive.close();`,
    { eval: true, execArgv: ["--input-type=module"] },
  );
  const answer = await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  assert.deepEqual(answer, { born: 1815 });
  await new Promise((resolve) => worker.once("exit", resolve));
});

test("a hive that starts again is mapped anew, and one that ended leaves nothing behind", async (t) => {
  const unix = join(folder, "again");
  const sharedFolder = mkdtempSync("/dev/shm/test-");
  t.after(() => rmSync(sharedFolder, { recursive: true, force: true }));
  let hive = await Hive.start({ port: false, unix, shared: true, sharedFolder });
  const client = await connect(`unix:${unix}`, { reconnect: { minMs: 1, maxMs: 10 } });
  t.after(() => client.close());
  await client.put("k", "first");
  assert.equal(client.peek("k"), "first");
  await hive.close();
  assert.deepEqual(readdirSync(sharedFolder), []);
  hive = await Hive.start({ port: false, unix, shared: true });
  t.after(() => hive.close());
  await client.put("k", "second");
  // The connection is there; the memory is mapped a little later.
  while (!client.shared.on) await client.ping();
  assert.equal(client.peek("k"), "second");
});

test("memory of another layout, of another hive or of none is not read, and the error says so", async (t) => {
  const sharedFolder = mkdtempSync("/dev/shm/test-");
  t.after(() => rmSync(sharedFolder, { recursive: true, force: true }));
  const { client } = await pair(t, { sharedFolder });
  const place = {
    folder: join(sharedFolder, readdirSync(sharedFolder)[0]!),
    layout: LAYOUT_VERSION,
    runId: client.runId,
  };
  (await openShared(place)).close();
  const message = async (change: Partial<typeof place>): Promise<string> =>
    openShared({ ...place, ...change }).then(
      () => "opened",
      (error: Error) => error.message,
    );
  assert.match(await message({ layout: 99 }), /by version 99, this client reads version/);
  assert.match(await message({ runId: "0".repeat(32) }), /is the memory of another hive/);
  assert.match(await message({ folder: join(sharedFolder, "none") }), /is not there/);
  assert.match(await message({ folder: "/tmp" }), /no folder of this user alone/);
});

test("a hive that evicts by use hears of a sample of what is read", async (t) => {
  const { client, hive } = await pair(t, { maxMemoryBytes: 64 * 1024 * 1024, maxMemoryPolicy: "allkeys-lfu" });
  await client.put("hot", 1);
  const counter = async (): Promise<number> => Number(await client.send(["OBJECT", "FREQ", "hot"]));
  const before = await counter();
  while ((await counter()) <= before) for (let i = 0; i < 100; i++) client.peek("hot");
  assert.ok(hive.engine.statistics.calls > 0);
});

test("while a transaction runs memory is not read", async (t) => {
  const { client, hive } = await pair(t);
  await client.put("k", 1);
  hive.engine.enterBusy();
  assert.equal(
    codeOf(() => client.peek("k")),
    "NOT_SHARED",
  );
  assert.equal(await client.get("k"), 1);
  hive.engine.leaveBusy();
  assert.equal(client.peek("k"), 1);
});
