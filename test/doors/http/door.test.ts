// The HTTP door on a real hive: what keeps a connection, what ends it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeCertificate } from "../../kit/certificates.ts";
import { HttpClient } from "../../kit/http-client.ts";
import { call, code, JSON_TYPE, startHttp } from "../../kit/http-hive.ts";
import { limited, passed, STRANGERS_TOKEN } from "../../kit/limited-hive.ts";
import { RespClient } from "../../kit/resp-client.ts";

test("health pages answer everybody, with any Host and Origin", async () => {
  await using hive = await startHttp({ token: STRANGERS_TOKEN });
  await using client = await hive.client();
  const headers = { Host: "evil.example", Origin: "https://evil.example" };
  assert.deepEqual((await client.request("GET", "/healthz", { headers })).json, { status: "ok" });
  assert.deepEqual((await client.request("GET", "/readyz", { headers })).json, { status: "ready" });
  const head = await client.request("HEAD", "/healthz");
  assert.equal(head.status, 200);
  assert.equal(head.headers["content-length"], "15");
});

test("one connection serves many requests, and pipelined ones in order", async () => {
  await using hive = await startHttp();
  await using client = await hive.client();
  for (let i = 0; i < 100; i++) client.send("POST", "/v1/call", call("RPUSH", "list", String(i)));
  for (let i = 0; i < 100; i++) assert.deepEqual((await client.reply()).json, { result: i + 1 });
  assert.match(String((await hive.hive.engine).clients.size), /^1$/);
});

test("a call that waits holds up the requests behind it and nobody else", async () => {
  await using hive = await startHttp();
  await using client = await hive.client();
  await using other = await hive.client();
  client.send("POST", "/v1/call", call("BLPOP", "list", "0"));
  client.send("GET", "/healthz");
  await other.request("POST", "/v1/call", call("RPUSH", "list", "x"));
  assert.deepEqual((await client.reply()).json, { result: ["list", "x"] });
  assert.deepEqual((await client.reply()).json, { status: "ok" });
});

test("a call that waits ends with its connection", async () => {
  await using hive = await startHttp();
  const client = await hive.client();
  client.send("POST", "/v1/call", call("BLPOP", "list", "0"));
  const { engine } = hive.hive;
  await passed(() => [...engine.clients.keys()].some((id) => engine.blocked.isWaiting(id)));
  client.socket.destroy();
  await passed(() => engine.clients.size === 0);
});

test("a connection that ends in the middle of everything ends nothing else", async () => {
  await using hive = await startHttp();
  for (let i = 0; i < 30; i++) {
    const client = await hive.client();
    client.send("PUT", "/v1/tables/t/k", { body: "x".repeat(100_000) });
    for (let j = 0; j < i; j++) client.send("GET", "/v1/tables/t/k");
    client.send("POST", "/v1/call", call("BLPOP", "list", "0"));
    client.write("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 50\r\n\r\n<?xml");
    if (i % 2 === 0) await client.reply();
    if (i % 3 === 0) client.socket.resetAndDestroy();
    else client.socket.destroy();
  }
  await passed(() => hive.hive.engine.clients.size === 0);
  await using client = await hive.client();
  assert.equal((await client.request("GET", "/healthz")).status, 200);
});

test("requests arrive whole one byte at a time", async () => {
  await using hive = await startHttp();
  await using client = await hive.client();
  const body = '["SET","k","v"]';
  const text = `POST /v1/call HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  for (const byte of Buffer.from(text)) client.write(Buffer.from([byte]));
  assert.deepEqual((await client.reply()).json, { result: "OK" });
});

test("a chunked body, and one that waits for 100 Continue", async () => {
  await using hive = await startHttp();
  await using client = await hive.client();
  client.write(
    "PUT /v1/tables/t/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
  );
  assert.equal((await client.reply()).status, 204);
  const { body } = await client.request("GET", "/v1/tables/t/k", { headers: { Accept: "text/plain" } });
  assert.equal(body.toString(), "abcde");
  client.write("PUT /v1/tables/t/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  assert.equal((await client.reply()).status, 100);
  client.write("xyz");
  assert.equal((await client.reply()).status, 204);
});

test("who sends no more still gets the answer", async () => {
  await using hive = await startHttp();
  await using client = await hive.client();
  client.socket.end("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  assert.equal((await client.reply()).status, 200);
  await client.closed;
});

const UPGRADE = {
  ...{ Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" },
  "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

test("a WebSocket behind a request without an answer waits for it", async () => {
  await using hive = await startHttp();
  await using client = await hive.client();
  client.send("POST", "/v1/call", call("BLPOP", "list", "0"));
  client.send("GET", "/v1/socket", { headers: UPGRADE });
  await using other = await hive.client();
  await other.request("POST", "/v1/call", call("RPUSH", "list", "x"));
  assert.deepEqual((await client.reply()).json, { result: ["list", "x"] });
  assert.equal((await client.reply()).status, 101);
});

test("where Node reads the requests it ends the connection, and nothing else", async () => {
  await using hive = await startHttp();
  await using client = await hive.client();
  const { body, headers } = call("BLPOP", "list", "0");
  client.send("POST", "/v1/call", { body, headers: { ...headers, TE: "trailers" } });
  client.send("GET", "/v1/socket", { headers: UPGRADE });
  await client.closed;
  await using other = await hive.client();
  assert.equal((await other.request("GET", "/healthz")).status, 200);
  other.send("CONNECT", "example.org:443");
  await other.closed;
});

test("HTTP/1.0 is answered and ends", async () => {
  await using hive = await startHttp();
  await using client = await hive.client();
  client.write("GET /healthz HTTP/1.0\r\n\r\n");
  assert.equal((await client.reply()).status, 200);
  await client.closed;
});

test("over TLS, and over a unix socket with any Host", async () => {
  const { cert, key } = makeCertificate({});
  const folder = mkdtempSync(join(tmpdir(), "memhive-http-"));
  const unix = join(folder, "hive.sock");
  try {
    await using hive = await startHttp({ tls: { cert, key }, unix });
    await using secure = await HttpClient.connect({ port: hive.hive.port }, { ca: cert });
    assert.deepEqual((await secure.request("POST", "/v1/call", call("SET", "k", "v"))).json, { result: "OK" });
    const own = { ...JSON_TYPE, Origin: "https://localhost" };
    assert.equal((await secure.request("POST", "/v1/call", { ...call("GET", "k"), headers: own })).status, 200);
    await using local = await HttpClient.connect({ path: unix });
    const any = { ...call("GET", "k"), headers: { ...JSON_TYPE, Host: "docker" } };
    assert.deepEqual((await local.request("POST", "/v1/call", any)).json, { result: "v" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("what is no HTTP, and a head that is too big, get an error and the end", async () => {
  await using hive = await limited({});
  await using broken = await HttpClient.connect({ port: hive.hive.port });
  broken.write("GET / HTTP/1.1\r\nno header\r\n\r\n");
  assert.equal(code(await broken.reply()), "BAD_FRAME");
  await broken.closed;
  await using big = await HttpClient.connect({ port: hive.hive.port });
  big.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
  const reply = await big.reply();
  assert.equal(reply.status, 431);
  assert.equal(code(reply), "FRAME_TOO_BIG");
  await big.closed;
});

test("a body above the limit is refused unread", async () => {
  await using hive = await limited({
    frameBytesMax: 1_000,
    valueBytesMax: 500,
    keyBytesMax: 100,
    unauthenticatedBytesMax: 900,
  });
  for (const head of ["Content-Length: 1000000", "Transfer-Encoding: chunked"]) {
    await using client = await HttpClient.connect({ port: hive.hive.port });
    client.write(`PUT /v1/tables/t/k HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n`);
    if (head.startsWith("T")) client.write(`800\r\n${"x".repeat(0x800)}\r\n`);
    const reply = await client.reply();
    assert.equal(reply.status, 413);
    assert.equal(code(reply), "FRAME_TOO_BIG");
    await client.closed;
  }
  await using client = await HttpClient.connect({ port: hive.hive.port });
  const big = await client.request("PUT", "/v1/tables/t/k", { body: "x".repeat(501) });
  assert.equal(big.status, 413);
  assert.equal(code(big), "VALUE_TOO_BIG");
});

test("who does not read gets no more memory than limits allow, and is cut off", async () => {
  await using hive = await limited({ outputSoftTimeoutMs: 50 });
  await using client = await HttpClient.connect({ port: hive.hive.port });
  const value = "x".repeat(16 * 1024 * 1024);
  await client.request("PUT", "/v1/tables/t/k", { body: value });
  client.socket.pause();
  for (let i = 0; i < 10; i++) client.send("GET", "/v1/tables/t/k");
  await passed(() => hive.notices.some((notice) => notice.includes("outputSoftTimeoutMs")));
});

test("a request that asks for another protocol and has a body is refused, not served without it", async () => {
  await using hive = await startHttp();
  for (const body of ["Content-Length: 5\r\n\r\n12345", "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n"]) {
    await using client = await hive.client();
    client.write(
      `PUT /v1/tables/t/k HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${body}`,
    );
    const reply = await client.reply();
    assert.equal(reply.status, 400);
    assert.match(reply.body.toString(), /send it without Upgrade/);
    await client.closed;
  }
  await using client = await hive.client();
  assert.equal((await client.request("GET", "/v1/tables/t/k")).status, 404, "nothing was stored");
});

test("a value that is too long for one text is refused, and ends nothing", async (t) => {
  await using hive = await startHttp();
  await using client = await hive.client();
  await client.request("PUT", "/v1/tables/t/k", {
    headers: { "Content-Type": "text/plain" },
    body: "x".repeat(12_345),
  });
  const { toString: textOf } = Buffer.prototype;
  t.mock.method(Buffer.prototype, "toString", function (this: Buffer, ...args: Parameters<typeof textOf>) {
    if (this.length !== 12_345) return textOf.apply(this, args);
    // As Node says it of 512 MiB.
    throw Object.assign(new Error("Cannot create a string longer than 0x1fffffe8 characters"), {
      code: "ERR_STRING_TOO_LONG",
    });
  });
  const reply = await client.request("GET", "/v1/tables/t/k");
  assert.deepEqual([reply.status, code(reply)], [507, "OUTPUT_TOO_BIG"]);
});

// The end.

test("a hive that closes answers what runs, ends what idles, and refuses the rest", async () => {
  const { hive, client: connect } = await startHttp();
  const busy = await connect();
  const idle = await connect();
  await idle.request("GET", "/healthz");
  busy.send("POST", "/v1/call", call("BLPOP", "list", "0"));
  await passed(() => [...hive.engine.clients.keys()].some((id) => hive.engine.blocked.isWaiting(id)));
  const resp = await RespClient.connect({ port: hive.port });
  const closing = hive.close();
  await idle.closed;
  await resp.closed;
  busy.socket.destroy();
  await closing;
});

test("connections of HTTP are in CLIENT LIST, and CLIENT KILL ends them", async () => {
  await using hive = await startHttp();
  await using client = await hive.client();
  await client.request("POST", "/v1/call", call("PING"));
  await using other = await hive.client();
  const { json } = await other.request("POST", "/v1/call", call("CLIENT", "LIST"));
  const lines = (json as { result: string }).result.trim().split("\n");
  assert.equal(lines.length, 2);
  const id = /id=(\d+) addr=\S+ .*cmd=ping/.exec(lines.find((line) => line.includes("cmd=ping"))!)![1];
  await other.request("POST", "/v1/call", call("CLIENT", "KILL", "ID", id));
  await client.closed;
});

test("commands that change what later ones mean are refused", async () => {
  await using hive = await startHttp();
  await using client = await hive.client();
  for (const words of [["MULTI"], ["SUBSCRIBE", "c"], ["CLIENT", "REPLY", "OFF"]]) {
    const reply = await client.request("POST", "/v1/call", call(...words));
    assert.equal(code(reply), "UNSUPPORTED", words.join(" "));
  }
});
