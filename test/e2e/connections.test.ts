// 5,000 connections open at once: every one is answered, with its own answer, and none is left behind.
//
//   5,000 sockets, all open ──▶ PING and GET of its own key, on each ──▶ all close ──▶ one client is left
//
// The hive is a process of its own, so each side needs a descriptor per connection and a few more.
// Where the system does not allow that many the test is skipped and says so; with CI=true it fails.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RespClient } from "../kit/resp-client.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const CONNECTIONS = 5_000;
/** What Node, its pipes and the test runner have open beside the connections. */
const OTHER_DESCRIPTORS = 100;
/** Handshakes under way at once, well below what a system queues for a listener (128 on old ones). */
const OPENED_AT_ONCE = 100;
const REPLY_TIMEOUT_MS = 30_000;

/** The reason not to run here; false with CI=true, where too few descriptors are a failure. */
function reasonToSkip(): string | false {
  if (process.env["CI"] === "true" || process.platform === "win32") return false;
  const limit = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();
  if (limit === "unlimited" || Number(limit) >= CONNECTIONS + OTHER_DESCRIPTORS) return false;
  return `needs ${CONNECTIONS + OTHER_DESCRIPTORS} file descriptors, and ulimit -Hn is ${limit}`;
}

/** A hive in a process of its own; `stop` ends it with SIGTERM and resolves with its exit code. */
async function startHive(): Promise<{ port: number; stop(): Promise<number | null> }> {
  const child = spawn(process.execPath, [MAIN, "serve", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const port = Number(/^memhive ready on 127\.0\.0\.1:(\d+)$/.exec(line)?.[1]);
  return {
    port,
    async stop() {
      child.kill("SIGTERM");
      const [code] = await exited;
      return code;
    },
  };
}

/** As many clients as asked for, in an order that stays: the first is number 0. */
async function openClients(port: number, count: number): Promise<RespClient[]> {
  const clients: RespClient[] = [];
  while (clients.length < count) {
    const group = Math.min(OPENED_AT_ONCE, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: group }, () => RespClient.connect({ port })))));
  }
  return clients;
}

async function clientCount(client: RespClient): Promise<number> {
  const { value } = await client.call("INFO", "clients");
  return Number(/connected_clients:(\d+)/.exec(String(value))?.[1]);
}

/** The reply bytes of one PING and one GET, as one text. */
async function askFor(client: RespClient, key: string): Promise<string> {
  client.sendAll([["PING"], ["GET", key]]);
  const replies = await client.readReplies(2, REPLY_TIMEOUT_MS);
  return Buffer.concat(replies.map(({ bytes }) => bytes)).toString("latin1");
}

test(`${CONNECTIONS} connections open at once are each answered, and are gone when they close`, {
  skip: reasonToSkip(),
}, async () => {
  const hive = await startHive();
  let code: number | null = null;
  try {
    await using watcher = await RespClient.connect({ port: hive.port });
    const pairs = Array.from({ length: CONNECTIONS }, (_, index) => [`key:${index}`, `value ${index}`]);
    assert.equal((await watcher.call("MSET", ...pairs.flat())).value, "OK");

    const clients = await openClients(hive.port, CONNECTIONS);
    try {
      const answers = await Promise.all(clients.map((client, index) => askFor(client, `key:${index}`)));
      assert.equal(await clientCount(watcher), CONNECTIONS + 1, "all of them are open while they are answered");
      for (const [index, answer] of answers.entries()) {
        const value = `value ${index}`;
        assert.equal(answer, `+PONG\r\n$${value.length}\r\n${value}\r\n`);
      }
      // Once more, the last first, on connections that have been quiet.
      const again = await Promise.all(
        clients.map((_, index) => askFor(clients.at(-1 - index)!, `key:${CONNECTIONS - 1 - index}`)),
      );
      assert.deepEqual(again, answers.toReversed());
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }

    const endMs = performance.now() + REPLY_TIMEOUT_MS;
    let count = await clientCount(watcher);
    while (count > 1 && performance.now() < endMs) count = await clientCount(watcher);
    assert.equal(count, 1, "only the watcher is left");
  } finally {
    code = await hive.stop();
  }
  assert.equal(code, 0);
});
