// Dialing: over TCP and a unix socket, and what ends an attempt.

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { dial } from "../../src/net/dial.ts";

async function serveEcho(where: { port: number; host: string } | { path: string }): Promise<Server> {
  const server = createServer((socket) => void socket.on("error", () => {}).pipe(socket));
  server.listen(where);
  await once(server, "listening");
  return server;
}

async function echo(target: Parameters<typeof dial>[0]): Promise<string> {
  const { signal } = new AbortController();
  const transport = await dial(target, signal);
  const { promise, resolve } = Promise.withResolvers<string>();
  transport.receiver = {
    receive: (bytes, start, end) => resolve(Buffer.from(bytes).latin1Slice(start, end)),
    drained() {},
    finished() {},
    closed() {},
  };
  transport.writeLatin1("hello");
  const answer = await promise;
  assert.equal(getEventListeners(signal, "abort").length, 0);
  transport.destroy();
  return answer;
}

test("over TCP and over a unix socket bytes go both ways", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memhive-dial-"));
  const path = join(folder, "s.sock");
  const servers = [await serveEcho({ port: 0, host: "127.0.0.1" }), await serveEcho({ path })];
  try {
    const { port } = servers[0]!.address() as { port: number };
    assert.equal(await echo({ host: "127.0.0.1", port }), "hello");
    assert.equal(await echo({ path }), "hello");
  } finally {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("nobody there is the system's error, and the signal is let go", async () => {
  const server = await serveEcho({ port: 0, host: "127.0.0.1" });
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  const { signal } = new AbortController();
  await assert.rejects(dial({ host: "127.0.0.1", port }, signal), { code: "ECONNREFUSED" });
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("a signal ends the attempt, before it and while it runs, with its reason", async () => {
  const reason = new Error("enough");
  await assert.rejects(dial({ host: "127.0.0.1", port: 1 }, AbortSignal.abort(reason)), reason);
  const server = await serveEcho({ port: 0, host: "127.0.0.1" });
  try {
    const { port } = server.address() as { port: number };
    const abort = new AbortController();
    const attempt = dial({ host: "127.0.0.1", port }, abort.signal);
    abort.abort(reason);
    await assert.rejects(attempt, reason);
  } finally {
    server.close();
  }
});

test("a server that speaks no TLS is an error where TLS is wanted", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end("no TLS here\r\n");
  });
  server.listen({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  try {
    const { port } = server.address() as { port: number };
    await assert.rejects(dial({ host: "127.0.0.1", port }, new AbortController().signal, {}));
  } finally {
    server.close();
  }
});
