// Addresses: what may be bound, what a busy one says, and what is left when a listener closes.

import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Receiver, Transport } from "../../src/base/transport.ts";
import { Connections } from "../../src/net/connections.ts";
import { type ListenAddress, Listener, type ListenerOptions } from "../../src/net/listen.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-listen-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const LOOPBACK: ListenAddress = { host: "127.0.0.1", port: 0 };

/** Sends back what it gets. */
function echo(transport: Transport): Receiver {
  return {
    receive: (buffer, start, end) => transport.writeLatin1(Buffer.from(buffer.subarray(start, end)).toString("latin1")),
    drained() {},
    finished: () => transport.end(),
    closed() {},
  };
}

function options(changes: Partial<ListenerOptions> = {}): ListenerOptions & { connections: Connections } {
  return {
    doors: { resp: echo },
    lineBytesMax: 8192,
    timeoutMs: 60_000,
    backlog: 16,
    connections: new Connections(100),
    onRefused() {},
    onError: (error) => assert.fail(error),
    ...changes,
  };
}

async function dial(listener: Listener): Promise<Socket> {
  const socket = listener.port === 0 ? connect(listener.address) : connect(listener.port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** All that a socket sends until it ends. */
async function rest(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += (chunk as Buffer).toString("latin1");
  return text;
}

test("a free port is chosen for 0, and connections are counted until they are gone", async () => {
  const { connections, ...others } = options();
  const listener = await Listener.open(LOOPBACK, { ...others, connections });
  assert.equal(listener.address, `127.0.0.1:${listener.port}`);
  const socket = await dial(listener);
  socket.write("*hello");
  assert.equal(String((await once(socket, "data"))[0]), "*hello");
  assert.equal(connections.count, 1);
  socket.end();
  await once(socket, "close");
  await connections.drain(1000);
  assert.equal(connections.count, 0);
  listener.close();
});

test("a port that is taken is refused with what to do about it", async () => {
  const listener = await Listener.open(LOOPBACK, options());
  await assert.rejects(Listener.open({ host: "127.0.0.1", port: listener.port }, options()), {
    code: "ADDRESS_IN_USE",
    message: `127.0.0.1:${listener.port} is in use by another process: stop it, or choose another port`,
  });
  listener.close();
});

test("only loopback can be bound", async () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "example.com", ""]) {
    await assert.rejects(Listener.open({ host, port: 0 }, options()), {
      code: "REFUSED_SETTING",
      message:
        /without a token only this machine may reach a hive; set a token first, or use 127\.0\.0\.1, ::1 or a unix socket/,
    });
  }
  for (const host of ["127.0.0.1", "127.1.2.3", "localhost"]) {
    (await Listener.open({ host, port: 0 }, options())).close();
  }
});

test("an address that cannot be bound says why", async () => {
  await assert.rejects(Listener.open({ host: "127.0.0.1", port: 70_000 }, options()), { code: "CANNOT_LISTEN" });
  await assert.rejects(Listener.open({ path: join(folder, "no", "such", "folder") }, options()), {
    code: "CANNOT_LISTEN",
    message: /no such file or directory/,
  });
  const long = join(folder, "x".repeat(120));
  await assert.rejects(Listener.open({ path: long }, options()), {
    code: "CANNOT_LISTEN",
    message: new RegExp(`a socket's path of ${long.length} bytes exceeds the system's \\d+$`),
  });
  const deep = `/${"x".repeat(94)}/s`;
  await assert.rejects(Listener.open({ path: deep }, options()), {
    code: "CANNOT_LISTEN",
    message: /a socket's folder has a path of \d+ bytes at the most, and this one's has 95$/,
  });
});

test("a unix socket is for its owner alone, and its file goes with it", async () => {
  const path = join(folder, "a.sock");
  const listener = await Listener.open({ path }, options());
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(listener.address, path);
  assert.deepEqual(readdirSync(folder), ["a.sock"], "nothing else is left beside it");
  const socket = await dial(listener);
  socket.write("*hello");
  assert.equal(String((await once(socket, "data"))[0]), "*hello");
  socket.destroy();
  listener.close();
  assert.deepEqual(readdirSync(folder), []);
});

test("the file of a process that died is replaced, that of one that lives is not", async () => {
  const path = join(folder, "b.sock");
  // A listener that goes away without removing its file leaves what a process leaves that is killed.
  const dead = createServer().listen(join(folder, "dead"));
  await once(dead, "listening");
  (await import("node:fs")).renameSync(join(folder, "dead"), path);
  dead.close();
  await once(dead, "close");
  assert.ok(existsSync(path));

  const listener = await Listener.open({ path }, options());
  await assert.rejects(Listener.open({ path }, options()), { code: "ADDRESS_IN_USE", message: /running process/ });
  (await dial(listener)).destroy();
  listener.close();
  assert.ok(!existsSync(path));
});

test("a file that is no socket is left alone", async () => {
  const path = join(folder, "notes.txt");
  writeFileSync(path, "mine");
  chmodSync(path, 0o644);
  await assert.rejects(Listener.open({ path }, options()), { code: "CANNOT_LISTEN", message: /which is no socket/ });
  assert.equal(statSync(path).size, 4);
});

test("a closing listener does not remove the file of its successor", async () => {
  const path = join(folder, "c.sock");
  const one = await Listener.open({ path }, options());
  rmSync(path);
  const two = await Listener.open({ path }, options());
  one.close();
  assert.ok(existsSync(path));
  two.close();
});

test("a connection above the limit is told so and closed; when one goes, the next is let in", async () => {
  const connections = new Connections(1);
  const listener = await Listener.open(LOOPBACK, options({ connections }));
  const first = await dial(listener);
  const second = await dial(listener);
  assert.equal(await rest(second), "-ERR max number of clients reached\r\n");
  first.end("*x");
  assert.equal(await rest(first), "*x");
  while (connections.count > 0) await new Promise((resolve) => setImmediate(resolve));
  const third = await dial(listener);
  third.end("*y");
  assert.equal(await rest(third), "*y");
  listener.close();
});

test("draining waits for the last connection, and destroys those that stay", async () => {
  const connections = new Connections(10);
  const listener = await Listener.open(LOOPBACK, options({ connections }));
  const socket = await dial(listener);
  socket.on("error", () => {});
  socket.write("*x");
  await once(socket, "data");
  listener.close();
  const closed = once(socket, "close");
  await connections.drain(1);
  await closed;
  assert.equal(connections.count, 0);
});

test("closing ends the connections that have said nothing, and leaves the others", async () => {
  const { connections, ...others } = options();
  const listener = await Listener.open(LOOPBACK, { ...others, connections });
  const silent = await dial(listener);
  const half = await dial(listener);
  half.write("PIN");
  const speaks = await dial(listener);
  speaks.write("*hello");
  await once(speaks, "data");
  listener.close();
  for (const socket of [silent, half]) {
    socket.on("error", () => {});
    socket.resume();
    if (!socket.closed) await once(socket, "close");
  }
  speaks.write("again");
  assert.equal(String((await once(speaks, "data"))[0]), "again");
  assert.equal(connections.count, 1);
  speaks.destroy();
});
