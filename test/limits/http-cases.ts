// Limits of HTTP: how long a request, and a connection without one, may take.

import assert from "node:assert/strict";
import type { Limits } from "../../src/base/limits.ts";
import { HttpClient } from "../kit/http-client.ts";
import { limited, passed } from "../kit/limited-hive.ts";

type Names = "httpRequestTimeoutMs" | "httpIdleTimeoutMs" | "httpTextBytesMax";

export const HTTP_CASES: Readonly<Record<Names & keyof Limits, () => Promise<void>>> = {
  async httpRequestTimeoutMs() {
    await using hive = await limited({ httpRequestTimeoutMs: 20 });
    await using head = await HttpClient.connect({ port: hive.hive.port });
    head.write("GET /healthz HTTP/1.1\r\nHost:");
    await head.closed;
    await using body = await HttpClient.connect({ port: hive.hive.port });
    body.write("PUT /v1/tables/t/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab");
    await body.closed;
    await passed(() => hive.notices.length === 2);
  },

  async httpTextBytesMax() {
    await using hive = await limited({ httpTextBytesMax: 100 });
    await using client = await HttpClient.connect({ port: hive.hive.port });
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify("x".repeat(98));
    assert.equal((await client.request("PUT", "/v1/tables/t/k", { headers, body })).status, 204);
    const call = JSON.stringify(["SET", "k", "x".repeat(98)]);
    const { status, json } = await client.request("POST", "/v1/call", { headers, body: call });
    assert.equal(status, 413);
    assert.match(JSON.stringify(json), /FRAME_TOO_BIG/);
    assert.equal((await client.request("PUT", "/v1/tables/t/k", { body: "x".repeat(1_000) })).status, 204);
  },

  async httpIdleTimeoutMs() {
    await using hive = await limited({ httpIdleTimeoutMs: 20 });
    await using client = await HttpClient.connect({ port: hive.hive.port });
    await client.request("GET", "/healthz");
    await client.closed;
  },
};
