// Who is let in over HTTP: tokens, strangers, and pages of others.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpClient } from "../../kit/http-client.ts";
import { call, code, JSON_TYPE, startHttp } from "../../kit/http-hive.ts";
import { limited, passed, STRANGERS_TOKEN } from "../../kit/limited-hive.ts";

// Tokens.

test("without a token a hive that wants one answers 401 and ends, the body unread", async () => {
  await using hive = await startHttp({ token: STRANGERS_TOKEN });
  await using client = await hive.client();
  client.write("PUT /v1/tables/t/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n");
  const reply = await client.reply();
  assert.equal(reply.status, 401);
  assert.equal(reply.headers["www-authenticate"], "Bearer");
  assert.equal(code(reply), "NO_AUTH");
  await client.closed;
});

test("a wrong token makes its address wait, as on every door", async () => {
  await using hive = await limited({ authenticationDelayMs: 1 }, { strangers: true });
  await using client = await HttpClient.connect({ port: hive.hive.port });
  const wrong = { ...call("PING"), headers: { ...JSON_TYPE, Authorization: "Bearer wrong" } };
  const reply = await client.request("POST", "/v1/call", wrong);
  assert.equal(reply.status, 401);
  assert.equal(code(reply), "WRONG_PASSWORD");
  await client.closed;
  assert.match(hive.notices.join("\n"), /came with a wrong token over http/);
  assert.doesNotMatch(hive.notices.join("\n") + JSON.stringify(reply.json), /Bearer/);
  await using again = await HttpClient.connect({ port: hive.hive.port });
  const right = { ...call("PING"), headers: { ...JSON_TYPE, Authorization: `Bearer ${STRANGERS_TOKEN}` } };
  assert.deepEqual((await again.request("POST", "/v1/call", right)).json, { result: "PONG" });
});

test("the token is that of each request: grants do not outlive it, and none is none", async () => {
  await using hive = await startHttp({ tokens: true });
  const reader = hive.hive.tokens.create({ grants: ["read:users"] });
  const writer = hive.hive.tokens.create({ grants: ["write:*", "read:*"], quotas: { keys: 1 } });
  await using client = await hive.client();
  const as = (token: string, ...words: unknown[]) =>
    client.request("POST", "/v1/call", {
      ...call(...words),
      headers: { ...JSON_TYPE, Authorization: `Bearer ${token}` },
    });
  assert.equal((await as((await writer).token, "HSET", "users", "ada", 1)).status, 200);
  assert.equal(code(await as((await writer).token, "SET", "second", "x")), "QUOTA");
  assert.deepEqual((await as((await reader).token, "HGET", "users", "ada")).json, { result: 1 });
  const refused = await as((await reader).token, "HSET", "users", "ada", 2);
  assert.equal(refused.status, 403);
  assert.equal(code(refused), "NO_PERMISSION");
  assert.equal((await client.request("GET", "/v1/tables/users/ada")).status, 401);
  await client.closed;
  await passed(() => hive.hive.engine.clients.size === 0);
});

test("a token that is revoked ends its connections", async () => {
  await using hive = await startHttp({ tokens: true });
  const { token, info } = await hive.hive.tokens.create({ grants: ["all"] });
  await using client = await hive.client();
  const headers = { ...JSON_TYPE, Authorization: `Bearer ${token}` };
  assert.equal((await client.request("POST", "/v1/call", { ...call("PING"), headers })).status, 200);
  await hive.hive.tokens.revoke(info.id);
  await client.closed;
});

test("strangers that say nothing, or something forever, end in authenticationTimeoutMs", async () => {
  await using hive = await limited({ authenticationTimeoutMs: 20 }, { strangers: true });
  await using idle = await HttpClient.connect({ port: hive.hive.port });
  await idle.request("GET", "/healthz");
  await idle.closed;
  await using slow = await HttpClient.connect({ port: hive.hive.port });
  slow.write("GET /healthz HTTP/1.1\r\nX:");
  await slow.closed;
});

test("of a body that holds the token strangers send the rest in authenticationTimeoutMs, others in their own time", async () => {
  const limits = { authenticationTimeoutMs: 100, httpRequestTimeoutMs: 60_000 };
  await using hive = await startHttp({ token: STRANGERS_TOKEN, limits });
  const head = "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 40000\r\n";
  const token = `<?xml version='1.0'?><methodCall><methodName>x</methodName><params><param><value>${STRANGERS_TOKEN}</value></param>`;
  const stranger = async (): Promise<HttpClient> => {
    const client = await hive.client();
    client.write(`${head}\r\n`);
    return client;
  };
  await using first = await stranger();
  await using known = await hive.client();
  // The token is looked for when more has come than strangers may send.
  known.write(`${head}\r\n${token}${" ".repeat(20_000)}`);
  await using bearer = await hive.client();
  bearer.write(
    `PUT /v1/tables/t/k HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${STRANGERS_TOKEN}\r\nContent-Length: 4\r\n\r\nab`,
  );
  await first.closed;
  // One that came behind the others is gone, and they are there.
  await using last = await stranger();
  await last.closed;
  bearer.write("cd");
  assert.equal((await bearer.reply()).status, 204);
  known.write("x".repeat(40_000 - 20_000 - token.length));
  assert.match((await known.reply()).body.toString(), /malformed|not supported|no /);
});

// Pages of others.

test("a page of another origin is refused, without CORS headers, whatever its token", async () => {
  await using hive = await startHttp({ token: STRANGERS_TOKEN });
  for (const headers of [
    { Origin: "https://evil.example" },
    { Origin: "null" },
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site" },
  ]) {
    await using client = await hive.client();
    const reply = await client.request("POST", "/v1/call", {
      ...call("PING"),
      headers: { ...JSON_TYPE, Authorization: `Bearer ${STRANGERS_TOKEN}`, ...headers } as Record<string, string>,
    });
    assert.equal(reply.status, 403);
    assert.equal(reply.headers["access-control-allow-origin"], undefined);
    const upgrade = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    };
    await using socket = await hive.client();
    const refused = await socket.request("GET", "/v1/socket", {
      headers: { ...upgrade, ...headers } as Record<string, string>,
    });
    assert.equal(refused.status, 403);
    await socket.closed;
  }
});

test("our own pages may call, and those of http.origins, which get CORS", async () => {
  await using hive = await startHttp({ http: { origins: ["https://app.example"] } });
  await using client = await hive.client();
  const own = { Host: `localhost:${hive.hive.port}`, Origin: `http://localhost:${hive.hive.port}` };
  const same = await client.request("POST", "/v1/call", {
    ...call("PING"),
    headers: { ...JSON_TYPE, ...own, "Sec-Fetch-Site": "same-origin" },
  });
  assert.equal(same.status, 200);
  assert.equal(same.headers["access-control-allow-origin"], undefined);
  const named = { Origin: "https://app.example" };
  const asked = await client.request("OPTIONS", "/v1/call", {
    headers: { ...named, "Access-Control-Request-Method": "POST" },
  });
  assert.equal(asked.status, 204);
  assert.match(asked.headers["access-control-allow-headers"]!, /authorization/);
  const reply = await client.request("POST", "/v1/call", { ...call("NOSUCH"), headers: { ...JSON_TYPE, ...named } });
  assert.equal(reply.headers["access-control-allow-origin"], "https://app.example");
  assert.equal(reply.headers["vary"], "Origin");
  assert.equal(code(reply), "UNKNOWN_COMMAND");
});

test("without a token the Host is an address, localhost or one that is named", async () => {
  await using hive = await startHttp({ http: { hosts: ["Hive.example"] } });
  await using client = await hive.client();
  for (const Host of [
    "localhost",
    "LOCALHOST:4483",
    "127.0.0.1:4483",
    "[::1]:4483",
    "192.168.0.7",
    "hive.example:80",
  ]) {
    assert.equal((await client.request("GET", "/v1/openapi.json", { headers: { Host } })).status, 200, Host);
  }
  for (const Host of ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "evil.example:4483", ""]) {
    assert.equal((await client.request("GET", "/v1/openapi.json", { headers: { Host } })).status, 403, Host);
  }
  await using guarded = await startHttp({ token: STRANGERS_TOKEN });
  await using known = await guarded.client();
  const headers = { Host: "any.example", Authorization: `Bearer ${STRANGERS_TOKEN}` };
  assert.equal((await known.request("GET", "/v1/openapi.json", { headers })).status, 200);
});
