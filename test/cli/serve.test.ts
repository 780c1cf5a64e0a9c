// memhive serve, as a process: what it prints, how it ends, and what it says when it cannot start.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { RespClient } from "../kit/resp-client.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "memhive-serve-"));
const children: ChildProcess[] = [];
after(() => {
  // What a failed test left running.
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

type Running = {
  child: ChildProcess;
  port: number;
  ended: Promise<{ code: number | null; out: string; error: string }>;
};

function memhive(args: string[], env: NodeJS.ProcessEnv = {}): Omit<Running, "port"> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, npm_lifecycle_event: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let out = "";
  let error = "";
  child.stdout!.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    error += chunk;
  });
  const ended = once(child, "close").then(([code]) => ({ code, out, error }));
  return { child, ended };
}

async function serve(args: string[], env?: NodeJS.ProcessEnv): Promise<Running> {
  const running = memhive(["serve", "--port", "0", ...args], env);
  const [line] = await once(createInterface({ input: running.child.stdout! }), "line");
  const port = /^memhive ready on 127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
  assert.ok(port, `expected the ready line, got ${line}`);
  return { ...running, port: Number(port) };
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`it answers once it says that it is ready, and ${signal} ends it with 0`, async () => {
    const unix = join(folder, `${signal}.sock`);
    const { child, port, ended } = await serve(["--unix", unix]);
    await using client = await RespClient.connect({ port });
    await using local = await RespClient.connect({ path: unix });
    client.send(["SET", "k", "v"]);
    assert.equal((await client.readReply()).value, "OK");
    local.send(["GET", "k"]);
    assert.equal((await local.readReply()).value, "v");
    child.kill(signal);
    const { code, out, error } = await ended;
    assert.equal(code, 0);
    assert.equal(out, `memhive ready on 127.0.0.1:${port}\n`);
    const events = error.split("\n").map((line) => line.split(" ").slice(1).join(" ").trim());
    assert.match(events[0]!, /^info {2}starting {2}version=\d+\.\d+\.\d+ node=[\d.]+ settings\.port=0 settings\.unix=/);
    assert.equal(events[1], `info  ready  addresses=127.0.0.1:${port},${unix}`);
    assert.equal(events[2], "info  closing: no new connections, last replies go out  connections=2");
    assert.deepEqual(events.slice(3), ["info  closed", ""]);
    assert.ok(!existsSync(unix));
    await client.closed;
  });
}

test("a second signal right behind the first, as npm sends it, does not cut off the last replies", async () => {
  const { child, port, ended } = await serve([]);
  await using client = await RespClient.connect({ port });
  client.send(["SET", "k", "v".repeat(8 << 20)]);
  await client.readReply();
  client.socket.pause();
  client.sendAll(Array.from({ length: 4 }, () => ["GET", "k"]));
  // Another client is answered after the calls above have been: their replies wait for the reader.
  await using other = await RespClient.connect({ port });
  other.send(["PING"]);
  await other.readReply();
  child.kill("SIGINT");
  child.kill("SIGINT");
  child.kill("SIGINT");
  await other.closed;
  client.socket.resume();
  assert.equal((await client.readReply()).bytes.length, (8 << 20) + 12);
  assert.equal((await ended).code, 0);
});

test("on a unix socket alone it opens no port and says where it is", async () => {
  const unix = join(folder, "alone.sock");
  const { child, ended } = memhive(["serve", "--no-tcp", "--unix", unix], { npm_lifecycle_event: "start" });
  const [line] = await once(createInterface({ input: child.stdout! }), "line");
  assert.equal(line, `memhive ready on ${unix}`);
  await using client = await RespClient.connect({ path: unix });
  client.send(["PING"]);
  assert.equal((await client.readReply()).value, "PONG");
  child.kill("SIGTERM");
  const { code, out } = await ended;
  assert.equal(code, 0);
  assert.ok(out.includes(`redis-cli -s ${unix} GET greeting`), out);
});

test("it goes on when nobody reads what it prints any more", async () => {
  const { child, port, ended } = await serve([]);
  child.stdout!.destroy();
  child.stderr!.destroy();
  for (let i = 0; i < 3; i++) {
    await using browser = await RespClient.connect({ port });
    browser.write("GET / HTTP/1.1\r\n\r\n");
    await browser.closed;
  }
  await using client = await RespClient.connect({ port });
  client.send(["PING"]);
  assert.equal((await client.readReply()).value, "PONG");
  child.kill("SIGTERM");
  assert.equal((await ended).code, 0);
});

test("it answers while what it prints is not read, and keeps little of it", async () => {
  const { child, port, ended } = await serve([]);
  child.stderr!.pause();
  await using client = await RespClient.connect({ port });
  for (let i = 0; i < 200; i++) {
    await using peers = new AsyncDisposableStack();
    for (let j = 0; j < 20; j++) peers.use(await RespClient.connect({ port })).write("\xff");
    client.send(["PING"]);
    assert.equal((await client.readReply()).value, "PONG");
  }
  child.kill("SIGTERM");
  await once(child, "exit");
  child.stderr!.resume();
  const { code, error } = await ended;
  assert.equal(code, 0);
  assert.ok(error.split("\n").length < 4_000, "some were dropped");
});

test("an older Node is told what is needed", async () => {
  const older = 'Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.19.0"}})';
  const { code, out, error } = await memhive(["--version"], {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(older)}`,
  }).ended;
  assert.deepEqual({ code, out }, { code: 1, out: "" });
  assert.equal(error, "memhive: needs Node 22 or later, and this is 20.19.0\n");
});

test("SHUTDOWN ends it with 0", async () => {
  const { port, ended } = await serve([]);
  await using client = await RespClient.connect({ port });
  client.send(["SHUTDOWN", "NOSAVE"]);
  assert.equal((await ended).code, 0);
});

test("the memory options arrive", async () => {
  const { child, port, ended } = await serve(["--max-memory", "100mb", "--max-memory-policy", "allkeys-lfu"]);
  await using client = await RespClient.connect({ port });
  client.send(["CONFIG", "GET", "maxmemory", "maxmemory-policy"]);
  const { value } = await client.readReply();
  assert.deepEqual(value, ["maxmemory", `${100 << 20}`, "maxmemory-policy", "allkeys-lfu"]);
  child.kill("SIGTERM");
  await ended;
});

test("npm start says what to try next", async () => {
  const { child, port, ended } = await serve([], { npm_lifecycle_event: "start" });
  child.kill("SIGTERM");
  assert.match((await ended).out, new RegExp(`redis-cli -p ${port} SET greeting hello`));
});

test("a port that is taken is an error that says what to do, and ends it with 1", async () => {
  const { child, port, ended } = await serve([]);
  const second = await memhive(["serve", "--port", String(port)]).ended;
  assert.equal(second.code, 1);
  assert.equal(second.out, "");
  const lines = second.error.trimEnd().split("\n");
  assert.equal(
    lines.at(-1),
    `memhive: 127.0.0.1:${port} is in use by another process: stop it, or choose another port`,
  );
  child.kill("SIGTERM");
  await ended;
});

test("settings that are refused say why", async () => {
  for (const [args, message] of [
    [["--host", "0.0.0.0"], /without a token only this machine may reach a hive/],
    [["--no-tcp"], /no TCP port and no unix socket/],
    [["--no-tcp", "--port", "1", "--unix", "/x"], /--no-tcp means no --host and no --port/],
    [["--port", "70000"], /--port: expected a whole number from 0 to 65535, got 70000/],
    [["--max-memory", "lots"], /--max-memory: expected bytes such as 64mb, got lots/],
    [["--max-memory-policy", "none"], /--max-memory-policy: expected one of noeviction, allkeys-lru, .* got none/],
  ] as const) {
    const { code, error } = await memhive(["serve", ...args]).ended;
    assert.equal(code, 1);
    assert.match(error, message);
  }
});

test("--help and --version answer on standard output; a wrong call is an error", async () => {
  const help = await memhive(["serve", "--help"]).ended;
  assert.equal(help.code, 0);
  for (const option of ["--host", "--port", "--unix", "--no-tcp", "--max-memory", "--max-memory-policy"]) {
    assert.ok(help.out.includes(option), option);
  }
  const version = await memhive(["--version"]).ended;
  assert.equal(version.code, 0);
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
  const wrong = await memhive(["serve", "--no-such-option"]).ended;
  assert.equal(wrong.code, 2);
  assert.match(wrong.error, /unknown option '--no-such-option'/);
  assert.equal((await memhive(["no-such-command"]).ended).code, 2);
});
