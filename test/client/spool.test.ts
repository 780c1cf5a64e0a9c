// Spool: what devices put is kept while there is no hive, sent in order, each once, and counted.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connect, type SpoolOptions } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { code, folderOf, line } from "../kit/spool-line.ts";

test("connect() resolves without a hive, and what was put meanwhile arrives when there is one", async (t) => {
  const way = await line(t);
  await using client = await way.connect({ bytesMax: 1_000_000 });
  assert.equal(client.state, "connecting");
  const device = client.device("d");
  const reading = { t: 21.5 };
  await device.put("object", reading);
  reading.t = 0;
  for (let i = 0; i < 1000; i++) await client.device(`d${i % 3}`).put(`label ${i}`, i);
  await device.put("map", new Map([[1, new Uint8Array([1])]]), { ttlMs: 60_000 });
  const { accepted, waiting, waitingBytes, waitingMs } = client.spool.stats();
  assert.deepEqual([accepted, waiting, waitingBytes > 60_000, waitingMs >= 0], [1002, 1002, true, true]);
  await way.start();
  await client.spool.drained();
  assert.deepEqual(await device.fetch("object"), { t: 21.5 });
  assert.deepEqual(await device.fetch("map"), new Map([[1, new Uint8Array([1])]]));
  for (const [i, count] of [334, 333, 333].entries())
    assert.equal((await client.device(`d${i}`).labels()).length, count);
  const stats = client.spool.stats();
  assert.deepEqual([stats.acknowledged, stats.waiting, stats.waitingBytes, stats.waitingMs], [1002, 0, 0, 0]);
  await client.spool.drained();
});

test("over a line that is cut, the hive stores each reading once and in order", async (t) => {
  const way = await line(t);
  await way.start();
  await using watcher = await connect(way.hive());
  const watch = watcher.watch("$device:*");
  await watch.ready;
  await using client = await way.connect({ bytesMax: 1_000_000 });
  const device = client.device("d");
  const seen: unknown[] = [];
  const watching = (async () => {
    for await (const change of watch) if (seen.push("field" in change && change.field) === 2000) break;
  })();
  for (let i = 0; i < 2000; i++) {
    const put = device.put(`${i}`, i);
    if (i % 10 === 0) await put;
    if (i % 200 === 100) way.proxy.cut();
  }
  await client.spool.drained();
  await watching;
  assert.deepEqual(
    seen,
    Array.from({ length: 2000 }, (_, i) => `${i}`),
  );
  assert.equal(client.spool.stats().acknowledged, 2000);
});

test("a full spool drops what has waited longest, or refuses, and says how much", async (t) => {
  const way = await line(t);
  await using client = await way.connect({ bytesMax: 16 * 1024 });
  const device = client.device("d");
  for (let i = 0; i < 100; i++) await device.put(`${i}`, Buffer.alloc(500));
  const { accepted, dropped, waiting, waitingBytes } = client.spool.stats();
  assert.equal(accepted, 100);
  assert.equal(dropped + waiting, 100);
  assert.ok(waitingBytes <= 16 * 1024 && waitingBytes > 15 * 1024);
  await assert.rejects(device.put("large", Buffer.alloc(16 * 1024)), code("OVERLOADED"));
  await way.start();
  await client.spool.drained();
  const labels = (await device.labels()).map(Number).sort((a, b) => a - b);
  assert.deepEqual(
    labels,
    Array.from({ length: waiting }, (_, i) => dropped + i),
  );

  const other = await line(t);
  await using careful = await other.connect({ bytesMax: 16 * 1024, full: "refuse" });
  let kept = 0;
  for (; kept < 100; kept++) {
    try {
      await careful.device("d").put(`${kept}`, Buffer.alloc(500));
    } catch (error) {
      assert.ok(code("OVERLOADED")(error));
      assert.match(String(error), /the spool has \d+ of the 16384 bytes of spool\.bytesMax: wait/);
      break;
    }
  }
  assert.ok(kept > 20 && kept < 40, `${kept} were kept`);
  await other.start();
  await careful.spool.drained();
  assert.equal((await careful.device("d").labels()).length, kept);
  assert.equal(careful.spool.stats().dropped, 0);
});

test("what is too old, or has run out, is dropped and counted", async (t) => {
  const way = await line(t);
  await using client = await way.connect({ bytesMax: 1_000_000, ageMsMax: 20 });
  await client.device("d").put("old", 1);
  const short = await way.connect({ bytesMax: 1_000_000 });
  await short.device("d").put("short", 1, { ttlMs: 1 });
  while (client.spool.stats().dropped === 0 || short.spool.stats().dropped === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all([client.spool.drained(), short.spool.drained()]);
  await short.close();
  await way.start();
  await client.device("d").put("new", 1);
  await client.spool.drained();
  assert.deepEqual(await client.device("d").labels(), ["new"]);
  assert.equal(client.spool.stats().accepted, 2);
});

test("what the hive refuses is passed over and counted, and the rest goes on in order", async (t) => {
  const way = await line(t, { deviceBytesMax: 4000, limits: { valueBytesMax: 10_000 } });
  await using client = await way.connect({ bytesMax: 1_000_000 });
  const device = client.device("d");
  for (let i = 0; i < 20; i++) await device.put(`${i}`, Buffer.alloc(i % 10 === 5 ? 5000 : 10));
  await device.put("too big", Buffer.alloc(20_000));
  await device.put(false as unknown as string, 1);
  await device.put("last", 1);
  await way.start();
  await client.spool.drained();
  const { refused, acknowledged, lastRefusal, lastFailure } = client.spool.stats();
  assert.deepEqual([refused, acknowledged, lastFailure], [4, 19, undefined]);
  assert.deepEqual([lastRefusal!.code, lastRefusal!.device, lastRefusal!.sequence], ["INVALID_ARGUMENT", "d", 22]);
  assert.deepEqual((await device.labels()).length, 19);
});

test("what a token may not have is found and passed over; what may be over soon is tried again", async (t) => {
  const way = await line(t, { tokens: true });
  await way.start();
  const { token } = await way
    .hive()
    .tokens.create({ grants: ["all"], device: "d", quotas: { keys: 10, callsPerSecond: 20 } });
  await using client = await way.connect({ bytesMax: 1_000_000 }, { token });
  for (let i = 0; i < 13; i++) await client.device("d").put(`${i}`, i);
  await client.spool.drained();
  const { refused, acknowledged, lastRefusal } = client.spool.stats();
  assert.deepEqual([refused, acknowledged, lastRefusal?.code], [3, 10, "QUOTA"]);
});

test("a wrong token ends the client, and connect() says so", async (t) => {
  const way = await line(t, { token: "0123456789abcdef" });
  await way.start();
  await assert.rejects(way.connect({ bytesMax: 1_000_000 }, { token: "wrong-wrong-wrong" }), code("WRONG_PASSWORD"));
});

test("until a snapshot holds them, readings are kept for a hive that comes back with less", async (t) => {
  const folder = folderOf(t);
  const way = await line(t, { snapshots: { folder, atClose: false } });
  await way.start();
  await using client = await way.connect({ bytesMax: 1_000_000, keepUntil: "stored" });
  const device = client.device("d");
  const other = client.device("e");
  for (let i = 0; i < 20; i++) await (i % 2 ? device : other).put(`${i}`, i);
  await client.spool.drained();
  assert.equal(client.spool.stats().unstored, 20);
  await client.snapshot.store();
  for (let i = 20; i < 30; i++) await device.put(`${i}`, i);
  await client.spool.drained();
  assert.equal(client.spool.stats().unstored, 10, "the next answer says what a snapshot holds");
  await way.stop();
  await device.put("30", 30);
  await way.start();
  await client.spool.drained();
  assert.deepEqual(
    (await device.labels()).map(Number).sort((a, b) => a - b),
    [...Array.from({ length: 10 }, (_, i) => 2 * i + 1), ...Array.from({ length: 11 }, (_, i) => 20 + i)],
  );
  assert.equal((await other.labels()).length, 10);
  const { accepted, acknowledged } = client.spool.stats();
  assert.deepEqual([accepted, acknowledged], [31, 31]);
  // A snapshot that is restored into a hive that goes on.
  const [newest] = await client.snapshot.list();
  await client.snapshot.restore(newest!.name);
  await device.put("31", 31);
  await client.spool.drained();
  assert.equal((await device.labels()).length, 22);
});

test("kept readings make room first: they are acknowledged, and counted as let go", async (t) => {
  const way = await line(t);
  await way.start();
  await using client = await way.connect({ bytesMax: 16 * 1024, keepUntil: "stored" });
  for (let i = 0; i < 100; i++) {
    await client.device("d").put(`${i}`, Buffer.alloc(500));
    await client.spool.drained();
  }
  const { acknowledged, dropped, letGo, unstored, unstoredBytes } = client.spool.stats();
  assert.deepEqual([acknowledged, dropped, letGo + unstored], [100, 0, 100]);
  assert.ok(letGo > 50 && unstoredBytes <= 16 * 1024);
});

test("waiting for an empty spool ends with its signal, and with the client", async (t) => {
  const way = await line(t);
  const client = await way.connect({ bytesMax: 1_000_000 });
  await client.device("d").put("a", 1);
  await assert.rejects(client.spool.drained({ signal: AbortSignal.abort() }), code("ABORTED"));
  const controller = new AbortController();
  const aborted = assert.rejects(client.spool.drained({ signal: controller.signal }), code("ABORTED"));
  controller.abort();
  await aborted;
  const closed = assert.rejects(client.spool.drained(), code("HIVE_CLOSED"));
  await client.close();
  await closed;
  await assert.rejects(client.spool.drained(), code("HIVE_CLOSED"));
});

test("options that make no sense are refused by name, and a client without a spool says how to get one", async (t) => {
  const folder = folderOf(t);
  const file = join(folder, "file");
  writeFileSync(file, "");
  mkdirSync(join(folder, "dir"));
  const refused: [SpoolOptions, RegExp][] = [
    [{ bytesMax: 1 }, /spool\.bytesMax/],
    [{ bytesMax: Number.NaN }, /spool\.bytesMax/],
    [{ bytesMax: 1e6, ageMsMax: 0 }, /spool\.ageMsMax/],
    [{ bytesMax: 1e6, syncMs: -1 }, /spool\.syncMs/],
    [{ bytesMax: 1e6, full: "wait" as "refuse" }, /spool\.full: expected drop-oldest or refuse, got wait/],
    [{ bytesMax: 1e6, keepUntil: "ever" as "stored" }, /spool\.keepUntil/],
    [{ bytesMax: 1e6, dir: "" }, /spool\.dir/],
    [{ bytesMax: 1e6, dir: file }, /spool\.dir .*EEXIST/],
  ];
  for (const [spool, message] of refused) {
    await assert.rejects(connect("hive://127.0.0.1:1", { spool }), (error) => {
      assert.match(String(error), message);
      return code("REFUSED_SETTING")(error);
    });
  }
  await using hive = await Hive.start({ listen: false });
  await using client = await connect(hive);
  assert.throws(() => client.spool, /this client has no spool: connect\(url, \{ spool/);
  await using own = await connect(hive, { spool: { bytesMax: 1e6 } });
  await own.device("d").put("in process", 1);
  await own.spool.drained();
  assert.equal(await client.device("d").fetch("in process"), 1);
});
