// A Redis starts empty on a port of its own, and ends without a trace.

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { installDebianPackages, startRedis } from "./redis-server.ts";
import { RespClient } from "./resp-client.ts";

const skip = await installDebianPackages(["redis-server", "redis-tools"]);

test("two servers run at once, each empty, with the settings they were given", { skip }, async () => {
  await using one = await startRedis({ args: ["--maxmemory", "7mb"] });
  await using two = await startRedis();
  assert.notEqual(one.port, two.port);

  await using client = await RespClient.connect({ port: one.port });
  const replies = await client.callAll([["DBSIZE"], ["CONFIG", "GET", "maxmemory"], ["CONFIG", "GET", "save"]]);
  assert.deepEqual(
    replies.map(({ value }) => value),
    [0, ["maxmemory", "7340032"], ["save", ""]],
  );
});

test("a server listens on a unix socket as well, and takes many pipelined calls", { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-kit-"));
  try {
    const path = join(folder, "redis.sock");
    await using _redis = await startRedis({ unix: path });
    await using client = await RespClient.connect({ path });
    const replies = await client.callAll(Array.from({ length: 10_000 }, () => ["INCR", "n"]));
    assert.equal(replies.at(-1)!.value, 10_000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a closed server is gone, and closing twice is fine", { skip }, async () => {
  const redis = await startRedis();
  await Promise.all([redis.close(), redis.close()]);

  assert.equal(existsSync(`/proc/${redis.pid}`), false);
  const [error] = await once(connect(redis.port, "127.0.0.1"), "error");
  assert.equal(error.code, "ECONNREFUSED");
});

test("a server that cannot start says why", { skip }, async () => {
  await assert.rejects(
    startRedis({ args: ["--no-such-setting", "1"] }),
    /did not start on port \d+:\n.*no-such-setting/s,
  );
});

test("a port that is taken is an error where the caller chose it", { skip }, async () => {
  await using redis = await startRedis();
  await assert.rejects(startRedis({ port: redis.port }), /did not start on port/);
});
