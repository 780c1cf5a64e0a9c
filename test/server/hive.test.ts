// A hive starts, answers, and closes in order; two of them share nothing.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { Hive } from "../../src/server/hive.ts";
import { RespClient, type RespValue } from "../kit/resp-client.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-hive-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function call(client: RespClient, ...args: string[]): Promise<RespValue> {
  client.send(args);
  return (await client.readReply()).value;
}

test("a hive answers on its port and its unix socket", async () => {
  const unix = join(folder, "a.sock");
  await using hive = await Hive.start({ port: 0, unix });
  assert.ok(hive.port > 0);
  assert.deepEqual(hive.addresses, [`127.0.0.1:${hive.port}`, unix]);
  await using one = await RespClient.connect({ port: hive.port });
  await using two = await RespClient.connect({ path: unix });
  assert.equal(await call(one, "SET", "k", "v"), "OK");
  assert.equal(await call(two, "GET", "k"), "v");
});

test("two hives in one process share nothing", async () => {
  await using first = await Hive.start({ port: 0 });
  await using second = await Hive.start({ port: 0 });
  await using one = await RespClient.connect({ port: first.port });
  await using two = await RespClient.connect({ port: second.port });
  await call(one, "SET", "k", "v");
  assert.equal(await call(two, "EXISTS", "k"), 0);
  await first.close();
  assert.equal(await call(two, "PING"), "PONG");
});

test("a hive that does not listen opens nothing", async () => {
  await using hive = await Hive.start({ listen: false });
  assert.equal(hive.port, 0);
  assert.equal(hive.address, "");
  assert.deepEqual(hive.addresses, []);
});

test("closing ends the connections after their replies, frees the address, and may be done twice", async () => {
  const unix = join(folder, "b.sock");
  const hive = await Hive.start({ port: 0, unix });
  const { port } = hive;
  await using client = await RespClient.connect({ port });
  assert.equal(await call(client, "PING"), "PONG");
  await Promise.all([hive.close(), hive.close()]);
  await hive.closed;
  await client.closed;
  assert.ok(!existsSync(unix));
  await using successor = await Hive.start({ port, unix });
  assert.equal(successor.port, port);
});

test("closing does not wait for a client that never reads", async () => {
  const limits = { closeTimeoutMs: 50, outputSoftBytesMax: 1 << 20 };
  const hive = await Hive.start({ port: 0, limits });
  await using client = await RespClient.connect({ port: hive.port });
  await call(client, "SET", "k", "v".repeat(8 << 20));
  client.socket.pause();
  client.sendAll(Array.from({ length: 8 }, () => ["GET", "k"]));
  // Until the replies are there that it does not read.
  const peer = [...hive.engine.clients.values()][0]!.peer;
  while (peer.outputBytes <= limits.outputSoftBytesMax) await new Promise((resolve) => setImmediate(resolve));
  await hive.close();
  client.socket.resume();
  await client.closed;
});

test("closing ends connections that have said nothing at once, and none of them is answered", async () => {
  const hive = await Hive.start({ port: 0, limits: { closeTimeoutMs: 600_000 } });
  const silent = await Promise.all(Array.from({ length: 5 }, () => RespClient.connect({ port: hive.port })));
  await using spoke = await RespClient.connect({ port: hive.port });
  assert.equal(await call(spoke, "PING"), "PONG");
  const closing = hive.close();
  for (const client of silent) client.send(["SET", "k", "v"]);
  await closing;
  for (const client of silent) await client.closed;
  await spoke.closed;
});

test("a hive on a unix socket alone opens no port", async () => {
  const unix = join(folder, "d.sock");
  await using hive = await Hive.start({ port: false, unix });
  assert.equal(hive.port, 0);
  assert.equal(hive.address, unix);
  assert.deepEqual(hive.addresses, [unix]);
  await using client = await RespClient.connect({ path: unix });
  const shown = await call(client, "CONFIG", "GET", "port", "bind", "unixsocket");
  assert.deepEqual(shown, ["port", "0", "bind", "", "unixsocket", unix]);
  await assert.rejects(Hive.start({ port: false }), { code: "REFUSED_SETTING", message: /nobody could reach/ });
});

test("SHUTDOWN closes the hive", async () => {
  const hive = await Hive.start({ port: 0 });
  await using client = await RespClient.connect({ port: hive.port });
  client.send(["SHUTDOWN", "NOSAVE"]);
  await hive.closed;
  await client.closed;
});

test("a hive that cannot listen leaves nothing open", async () => {
  const unix = join(folder, "c.sock");
  await using hive = await Hive.start({ port: 0, unix });
  await assert.rejects(Hive.start({ port: 0, unix }), { code: "ADDRESS_IN_USE" });
  await assert.rejects(Hive.start({ port: hive.port }), { code: "ADDRESS_IN_USE" });
  await assert.rejects(Hive.start({ host: "0.0.0.0", port: 0 }), { code: "REFUSED_SETTING" });
  await assert.rejects(Hive.start({ port: 0, limits: { connectionsMax: 0 } }), { code: "REFUSED_SETTING" });
});

test("memory and its policy are settings, and time comes from the clock", async () => {
  const clock = new ManualClock();
  await using hive = await Hive.start({
    port: 0,
    clock,
    maxMemoryBytes: 64 << 20,
    maxMemoryPolicy: "allkeys-lru",
  });
  await using client = await RespClient.connect({ port: hive.port });
  assert.deepEqual(await call(client, "CONFIG", "GET", "maxmemory", "maxmemory-policy"), [
    "maxmemory",
    `${64 << 20}`,
    "maxmemory-policy",
    "allkeys-lru",
  ]);
  await call(client, "SET", "k", "v", "PX", "1000");
  clock.advance(999);
  assert.equal(await call(client, "GET", "k"), "v");
  clock.advance(1);
  assert.equal(await call(client, "GET", "k"), null);
});

test("notices say who and why", async () => {
  const notices: string[] = [];
  await using hive = await Hive.start({ port: 0, onNotice: (message) => notices.push(message) });
  await using client = await RespClient.connect({ port: hive.port });
  client.write("*1\r\n$x\r\n");
  await client.closed;
  await using tls = await RespClient.connect({ port: hive.port });
  tls.write("\x16\x03\x01");
  await tls.closed;
  assert.match(notices[0]!, /^127\.0\.0\.1:\d+ invalid bulk length$/);
  assert.match(notices[1]!, /^127\.0\.0\.1:\d+ asked for tls, and there is no such door$/);
});

test("five thousand connections at once are each answered", async () => {
  await using hive = await Hive.start({ port: 0 });
  const clients: RespClient[] = [];
  for (let i = 0; i < 5000; i += 100) {
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => RespClient.connect({ port: hive.port })))));
  }
  for (const [i, client] of clients.entries()) client.send(["ECHO", `${i}`]);
  for (const [i, client] of clients.entries()) assert.equal((await client.readReply()).value, `${i}`);
  for (const client of clients) client.socket.destroy();
});
