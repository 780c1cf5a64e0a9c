// Limits of connections: how many there are, and how long each may take or be silent.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Limits } from "../../src/base/limits.ts";
import { Connections } from "../../src/net/connections.ts";
import { Listener } from "../../src/net/listen.ts";
import { makeCertificate } from "../kit/certificates.ts";
import { limited, ownAddress, passed } from "../kit/limited-hive.ts";
import { RespClient } from "../kit/resp-client.ts";
import { lastWords } from "./input-cases.ts";

const HIVE = fileURLToPath(new URL("limited-process.ts", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

type Names =
  | "authenticationTimeoutMs"
  | "firstBytesTimeoutMs"
  | "tlsHandshakeTimeoutMs"
  | "connectionsMax"
  | "connectionsPerAddressMax"
  | "pendingConnectionsMax"
  | "heartbeatMs"
  | "noticeBytesMax"
  | "closeTimeoutMs";

export const CONNECTION_CASES: Readonly<Record<Names & keyof Limits, () => Promise<void>>> = {
  async authenticationTimeoutMs() {
    await using hive = await limited({ authenticationTimeoutMs: 20 }, { strangers: true });
    await using client = await hive.resp();
    client.write("*1\r\n$4\r\nPING\r\n");
    await client.closed;
    await using native = await hive.native(null);
    native.write(Buffer.from("\xc1hive\x01", "latin1"));
    await native.closed;
    assert.deepEqual(
      hive.notices.map((notice) => notice.replace(/^\S+ /, "")),
      ["no authentication in time", "no handshake in time"],
    );
  },

  async firstBytesTimeoutMs() {
    await using hive = await limited({ firstBytesTimeoutMs: 20 });
    await using silent = await hive.resp();
    await using half = await hive.resp();
    half.write("PIN");
    await Promise.all([silent.closed, half.closed]);
  },

  async tlsHandshakeTimeoutMs() {
    await using hive = await limited({ tlsHandshakeTimeoutMs: 20 }, { tls: makeCertificate({}) });
    await using client = await hive.resp();
    client.write("\x16\x03\x01");
    await client.closed;
    assert.match(hive.notices[0]!, /not done within tlsHandshakeTimeoutMs \(20\)/);
  },

  async connectionsMax() {
    await using hive = await limited({ connectionsMax: 2 });
    await using one = await hive.resp();
    await using two = await hive.native();
    await one.call("PING");
    await using three = await hive.resp();
    await three.closed;
    assert.equal(three.unread().toString(), "-ERR max number of clients reached\r\n");
    assert.equal(await two.call("PING"), "PONG");
  },

  async connectionsPerAddressMax() {
    const host = ownAddress();
    // Without a network there is no address that is counted; test/net/connections.test.ts holds the rest.
    if (host === undefined) return;
    const connections = new Connections(100, 2);
    const crowds: string[] = [];
    const listener = await Listener.open(
      { host: "0.0.0.0", port: 0 },
      {
        doors: { resp: () => ({ receive() {}, drained() {}, finished() {}, closed() {} }) },
        ...{ lineBytesMax: 100, timeoutMs: 60_000, backlog: 100, connections, allowRemote: true },
        onCrowd: (address) => crowds.push(address),
        onRefused() {},
        onError: (error) => assert.fail(error),
      },
    );
    const dial = (from: string): Promise<RespClient> => RespClient.connect({ host: from, port: listener.port });
    await using _one = await dial(host);
    await using _two = await dial(host);
    await using three = await dial(host);
    await using four = await dial(host);
    for (const refused of [three, four]) {
      await refused.closed;
      assert.equal(refused.unread().toString(), "-ERR max number of clients of one address reached\r\n");
    }
    assert.equal(crowds.length, 1);
    // This machine itself is not counted by address.
    const local = await Promise.all(Array.from({ length: 5 }, () => dial("127.0.0.1")));
    await passed(() => connections.count === 7);
    for (const client of local) await client.close();
    listener.close();
  },

  async pendingConnectionsMax() {
    const folder = mkdtempSync(join(tmpdir(), "memhive-pending-"));
    const path = join(folder, "s");
    const hive = await startLimited({ unix: path, limits: { pendingConnectionsMax: 1 } });
    // It stands still, so the kernel holds what connects: two at the most.
    process.kill(hive.pid, "SIGSTOP");
    const sockets: Socket[] = [];
    let refused: NodeJS.ErrnoException | undefined;
    for (let i = 0; i < 10 && refused === undefined; i++) {
      const socket = connect(path);
      sockets.push(socket);
      await new Promise<void>((resolve) => {
        socket.once("connect", resolve);
        socket.once("error", (error) => {
          refused = error;
          resolve();
        });
      });
    }
    process.kill(hive.pid, "SIGCONT");
    assert.equal(refused?.code, "EAGAIN");
    assert.equal(sockets.length, 3);
    for (const socket of sockets) socket.destroy();
    hive.stop();
    rmSync(folder, { recursive: true, force: true });
  },

  async heartbeatMs() {
    await using hive = await limited({ heartbeatMs: 10 });
    await using native = await hive.native({ heartbeatMs: 10 });
    await native.closed;
    assert.match(hive.notices[0]!, /the client has been silent for too long/);
  },

  async noticeBytesMax() {
    const args = ["serve", "--port", "0"];
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const [ready] = await once(createInterface({ input: child.stdout }), "line");
    const port = Number(/:(\d+)$/.exec(ready)![1]);
    // Nobody reads standard error: its pipe fills up, then what may wait in the process.
    for (let sent = 0; sent < 4000; sent += 50) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => RespClient.connect({ port })));
      await Promise.all(clients.map((client) => lastWords(client, "*1\r\n$x\r\n")));
    }
    let text = "";
    child.stderr.on("data", (chunk) => {
      text += chunk;
    });
    // One more, once there is room again.
    while (!/lines of the log were dropped before this/.test(text)) {
      await using client = await RespClient.connect({ port });
      await lastWords(client, "*1\r\n$x\r\n");
    }
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  },

  async closeTimeoutMs() {
    await using hive = await limited({ closeTimeoutMs: 20 });
    await using client = await hive.resp();
    await client.call("SET", "k", "v".repeat(8 << 20));
    client.socket.pause();
    client.sendAll(Array.from({ length: 4 }, () => ["GET", "k"]));
    const { peer } = [...hive.hive.engine.clients.values()][0]!;
    await passed(() => peer.outputBytes > 8 << 20);
    // Nobody reads the replies: it ends all the same.
    await hive.hive.close();
    client.socket.resume();
    await client.closed;
    assert.ok(client.unread().length < 32 << 20);
  },
};

type Process = { pid: number; stop(): void };

/** A hive in a process of its own, with any options. */
export async function startLimited(options: object): Promise<Process> {
  const child = spawn(process.execPath, [HIVE, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  await once(createInterface({ input: child.stdout }), "line");
  return { pid: child.pid!, stop: () => void child.kill("SIGKILL") };
}
