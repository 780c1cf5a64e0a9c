// Limits of HTTP: how long a request, and a connection without one, may take.

import type { Limits } from "../../src/base/limits.ts";
import { HttpClient } from "../kit/http-client.ts";
import { limited, passed } from "../kit/limited-hive.ts";

type Names = "httpRequestTimeoutMs" | "httpIdleTimeoutMs";

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

  async httpIdleTimeoutMs() {
    await using hive = await limited({ httpIdleTimeoutMs: 20 });
    await using client = await HttpClient.connect({ port: hive.hive.port });
    await client.request("GET", "/healthz");
    await client.closed;
  },
};
