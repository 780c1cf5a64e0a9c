// /metrics: what Prometheus reads, and who may.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../../src/client/node.ts";
import { Hive } from "../../../src/server/hive.ts";
import { HttpClient } from "../../kit/http-client.ts";

/** "name{labels}" → value. Fails where a line is no sample. */
function samples(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      assert.match(line, /^[a-z_]+(\{([a-z_]+="[^"]*",?)*\})? -?[\d.e+-]+$/);
      return [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))];
    }),
  );
}

test("calls, latencies, memory, connections, keys and quotas are there", async () => {
  await using hive = await Hive.start({ port: 0, tokens: true });
  const { token, info } = await hive.tokens.create({ grants: ["all"], quotas: { keys: 10 } });
  await using client = await connect(`hive://127.0.0.1:${hive.port}`, { token });
  for (let i = 0; i < 1_000; i++) await client.put(`k${i % 5}`, "x");
  await client.send(["LPUSH", "k1", "x"]).catch(() => {});
  await using scraper = await HttpClient.connect({ port: hive.port });
  const headers = { Authorization: `Bearer ${token}` };
  const reply = await scraper.request("GET", "/metrics", { headers });
  assert.match(reply.headers["content-type"]!, /^text\/plain; version=0\.0\.4/);
  const found = samples(reply.body.toString());
  assert.equal(found.get('memhive_calls_total{command="set"}'), 1_000);
  assert.equal(found.get('memhive_failed_calls_total{command="lpush"}'), 1);
  assert.equal(found.get('memhive_errors_total{code="WRONG_TYPE"}'), 1);
  assert.equal(found.get('memhive_connections{door="native"}'), 1);
  assert.equal(found.get('memhive_connections{door="http"}'), 1);
  assert.equal(found.get("memhive_keys"), 5);
  assert.equal(found.get(`memhive_quota_used{token="${info.id}",quota="keys"}`), 5);
  assert.equal(found.get(`memhive_quota_max{token="${info.id}",quota="keys"}`), 10);
  assert.ok(found.get('memhive_memory_bytes{kind="pages"}')! > 0);
  assert.ok(found.has('memhive_loop_delay_seconds{quantile="0.99"}'));
  const buckets = [...found].filter(([name]) => name.startsWith('memhive_call_duration_seconds_bucket{command="set"'));
  const counts = buckets.map(([, count]) => count);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
    "cumulative",
  );
  assert.equal(counts.at(-1), found.get('memhive_call_duration_seconds_count{command="set"}'));
});

test("who may not read everything is not told of keys, and who is no admin not of tokens", async () => {
  await using hive = await Hive.start({ port: 0, tokens: true });
  await using scraper = await HttpClient.connect({ port: hive.port });
  assert.equal((await scraper.request("GET", "/metrics")).status, 401);
  const { token } = await hive.tokens.create({ grants: ["read:some"], quotas: { keys: 1 } });
  await using known = await HttpClient.connect({ port: hive.port });
  const reply = await known.request("GET", "/metrics", { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(reply.status, 200);
  const found = samples(reply.body.toString());
  assert.ok(!found.has("memhive_keys"));
  assert.ok(![...found.keys()].some((name) => name.startsWith("memhive_quota")));
  assert.equal(
    (await known.request("POST", "/metrics", { headers: { Authorization: `Bearer ${token}` } })).status,
    405,
  );
});
