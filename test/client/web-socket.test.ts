// The client over WebSocket: all that it does over TCP, with Node's own WebSocket.

import assert from "node:assert/strict";
import { type AddressInfo, createServer, connect as dialSocket, type Socket } from "node:net";
import { test } from "node:test";
import { connect } from "../../src/client/browser.ts";
import { connect as connectNode } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { makeCertificate } from "../kit/certificates.ts";
import { failure } from "../kit/fake-hive.ts";
import { HttpClient } from "../kit/http-client.ts";
import { limited, passed, STRANGERS_TOKEN } from "../kit/limited-hive.ts";

const UPGRADE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

test("calls, values of every size, many at once, and messages", async () => {
  await using hive = await Hive.start({ port: 0 });
  for (const dial of [connect, connectNode]) {
    const client = await dial(`ws://127.0.0.1:${hive.port}`);
    await client.put("k", new Map([["a", 1]]));
    assert.deepEqual(await client.get("k"), new Map([["a", 1]]));
    for (const size of [0, 125, 126, 65_535, 65_536, 3_000_000]) {
      const bytes = new Uint8Array(size).fill(size % 251);
      await client.put("bytes", bytes);
      assert.deepEqual(await client.get("bytes"), bytes);
    }
    const sums = await Promise.all(Array.from({ length: 5_000 }, () => client.incr("n")));
    assert.equal(new Set(sums).size, 5_000);
    await using messages = await client.subscribe("news");
    await client.publish("news", "hello");
    for await (const { value } of messages) {
      assert.equal(value, "hello");
      break;
    }
    await client.close();
  }
  await passed(() => hive.engine.clients.size === 0);
});

test("the token is that of the native protocol; a wrong one is told", async () => {
  await using hive = await Hive.start({ port: 0, token: STRANGERS_TOKEN });
  const url = `ws://127.0.0.1:${hive.port}`;
  const client = await connect(url, { token: STRANGERS_TOKEN });
  assert.equal(await client.ping(), "PONG");
  await client.close();
  assert.equal((await failure(connect(url, { token: "not what it should be" }))).code, "WRONG_PASSWORD");
  assert.equal((await failure(connect(url))).code, "NO_AUTH");
});

test("addresses that a page cannot open, and options that a WebSocket has not, are refused", async () => {
  assert.equal((await failure(connect("hive://127.0.0.1:1"))).code, "UNSUPPORTED");
  assert.equal((await failure(connectNode("wss://127.0.0.1:1", { tls: {} }))).code, "REFUSED_SETTING");
  assert.equal((await failure(connect("ws://127.0.0.1:1"))).code, "CONNECTION_LOST");
});

test("a hive that closes says so, and the client ends", async () => {
  const hive = await Hive.start({ port: 0, limits: { closeTimeoutMs: 100 } });
  const client = await connect(`ws://127.0.0.1:${hive.port}`, { reconnect: false });
  const waiting = failure(client.list("nothing").shift({ waitMs: 60_000 }));
  await client.ping();
  await hive.close();
  assert.match((await waiting).code, /HIVE_CLOSED|CONNECTION_LOST|UNBLOCKED/);
  await client.close();
});

test("text messages, wrong frames and messages above the limit end the connection alone", async () => {
  await using hive = await limited({
    frameBytesMax: 1_000,
    valueBytesMax: 500,
    keyBytesMax: 100,
    unauthenticatedBytesMax: 900,
  });
  const masked = (head: number[], payload: Buffer): Buffer =>
    Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
  const frames = [
    masked([0x81, 0x82], Buffer.from("hi")),
    Buffer.from([0x82, 2, 1, 1]),
    Buffer.from([0xff, 0x82, 0, 0, 0, 0, 1, 1]),
    masked([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0], Buffer.alloc(10)),
    masked([0x82, 0x84], Buffer.from("what")),
  ];
  for (const frame of frames) {
    await using client = await HttpClient.connect({ port: hive.hive.port });
    assert.equal((await client.request("GET", "/v1/socket", { headers: UPGRADE })).status, 101);
    client.write(frame);
    await client.closed;
  }
  await passed(() => hive.hive.engine.clients.size === 0);
});

test("what asks for no WebSocket, or for another version, is told what there is", async () => {
  await using hive = await limited({});
  await using client = await HttpClient.connect({ port: hive.hive.port });
  const plain = await client.request("GET", "/v1/socket");
  assert.equal(plain.status, 426);
  assert.equal(plain.headers["upgrade"], "websocket");
  const old = await client.request("GET", "/v1/socket", { headers: { ...UPGRADE, "Sec-WebSocket-Version": "7" } });
  assert.equal(old.status, 400);
  await client.closed;
  await using elsewhere = await HttpClient.connect({ port: hive.hive.port });
  assert.equal((await elsewhere.request("GET", "/healthz", { headers: UPGRADE })).status, 200);
  await elsewhere.closed;
});

test("over TLS too: wss://", async () => {
  const { cert, key } = makeCertificate({});
  await using hive = await Hive.start({ port: 0, tls: { cert, key, only: true } });
  await using client = await HttpClient.connect({ port: hive.port }, { ca: cert });
  const { status, headers } = await client.request("GET", "/v1/socket", { headers: UPGRADE });
  assert.equal(status, 101);
  assert.equal(headers["sec-websocket-extensions"], undefined);
  assert.equal((await failure(connect(`ws://127.0.0.1:${hive.port}`))).code, "CONNECTION_LOST");
});

test("a stranger's WebSocket ends in authenticationTimeoutMs", async () => {
  await using hive = await limited({ authenticationTimeoutMs: 20 }, { strangers: true });
  await using client = await HttpClient.connect({ port: hive.hive.port });
  assert.equal((await client.request("GET", "/v1/socket", { headers: UPGRADE })).status, 101);
  await client.closed;
});

test("who does not read a WebSocket is cut off, and holds up nobody", async () => {
  await using hive = await limited({ outputSoftTimeoutMs: 50, outputSoftBytesMax: 1_000_000 });
  const back: Socket[] = [];
  const proxy = createServer((near) => {
    const far = dialSocket(hive.hive.port, "127.0.0.1");
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on("error", () => {});
    far.on("close", () => near.destroy());
    back.push(far);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  const client = await connect(`ws://127.0.0.1:${port}`, { reconnect: false });
  await client.put("big", new Uint8Array(4_000_000));
  back[0]!.unpipe();
  back[0]!.pause();
  const reads = Array.from({ length: 10 }, () => failure(client.get("big")));
  await using other = await connectNode(`hive://127.0.0.1:${hive.hive.port}`);
  assert.equal(await other.ping(), "PONG");
  await passed(() => hive.notices.some((notice) => notice.includes("outputSoftTimeoutMs")));
  back[0]!.destroy();
  for (const { code } of await Promise.all(reads)) assert.equal(code, "CONNECTION_LOST");
  await client.close();
  proxy.close();
});
