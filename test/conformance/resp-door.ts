// The RESP door's conformance suite: what a client may rely on, whatever engine stands behind.
//
//   describeRespDoor("LocalEngine", () => new LocalEngine({ … }));
//
// Over real sockets, with a client that shows exact bytes. Every test has a hive of its own.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Limits, limitsWith } from "../../src/base/limits.ts";
import { RespDoor } from "../../src/doors/resp/door.ts";
import { GATE_AUTH } from "../../src/engine/context.ts";
import type { Runner } from "../../src/engine/engine.ts";
import { Connections } from "../../src/net/connections.ts";
import { type ListenAddress, Listener } from "../../src/net/listen.ts";
import { encodeCall, RespClient, type RespValue } from "../kit/resp-client.ts";

type Served = AsyncDisposable & { listener: Listener; connections: Connections; notices: string[] };
type Options = { limits?: Partial<Limits>; address?: ListenAddress; strangers?: boolean };

async function serve(makeRunner: () => Runner, options: Options = {}): Promise<Served> {
  const limits = limitsWith(options.limits ?? {});
  const runner = options.strangers ? withStrangers(makeRunner()) : makeRunner();
  const notices: string[] = [];
  const door = new RespDoor({ runner, limits, onNotice: (_, message) => notices.push(message) });
  const connections = new Connections(limits.connectionsMax);
  const listener = await Listener.open(options.address ?? { host: "127.0.0.1", port: 0 }, {
    doors: { resp: (transport) => door.open(transport) },
    lineBytesMax: limits.firstLineBytesMax,
    timeoutMs: limits.firstBytesTimeoutMs,
    backlog: 64,
    connections,
    onRefused: (_, wire) => notices.push(`refused ${wire}`),
    onError: (error) => assert.fail(error),
  });
  const dispose = async (): Promise<void> => {
    listener.close();
    door.close();
    await connections.drain(2000);
  };
  return { listener, connections, notices, [Symbol.asyncDispose]: dispose };
}

/** An engine whose connections begin without authentication. */
function withStrangers(runner: Runner): Runner {
  const open = runner.open.bind(runner);
  runner.open = (peer) => {
    const context = open(peer);
    context.gate |= GATE_AUTH;
    return context;
  };
  return runner;
}

async function dial({ listener }: Served): Promise<RespClient> {
  return RespClient.connect(listener.port === 0 ? { path: listener.address } : { port: listener.port });
}

async function call(client: RespClient, ...args: (string | Uint8Array)[]): Promise<RespValue> {
  client.send(args);
  return (await client.readReply()).value;
}

async function answerOf(client: RespClient, ...args: string[]): Promise<string> {
  return String((await client.call(...args)).value);
}

async function bytesOf(client: RespClient, count: number): Promise<string> {
  let text = "";
  for (let i = 0; i < count; i++) text += (await client.readReply()).bytes.toString("latin1");
  return text;
}

/** @param makeRunner Makes an engine with an empty store. */
export function describeRespDoor(name: string, makeRunner: () => Runner): void {
  describe(`the RESP door over ${name}`, () => {
    describeRequests(makeRunner);
    describeReplies(makeRunner);
    describeEnds(makeRunner);
    describeStrangers(makeRunner);
    describeSlowReaders(makeRunner);
  });
}

function describeRequests(makeRunner: () => Runner): void {
  test("a call that waits for a key holds up its own connection only, and ends with it", async () => {
    await using hive = await serve(makeRunner);
    await using waiting = await dial(hive);
    await using gone = await dial(hive);
    await using other = await dial(hive);
    gone.send(["BLPOP", "l", "0"]);
    waiting.sendAll([
      ["BLPOP", "l", "0"],
      ["GET", "k"],
    ]);
    await other.call("SET", "k", "v");
    await gone.close();
    while ((await answerOf(other, "CLIENT", "LIST")).split("\n").length > 3) await other.call("PING");
    await other.callAll([
      ["RPUSH", "l", "a"],
      ["SET", "k", "w"],
    ]);
    assert.equal(await bytesOf(waiting, 2), "*2\r\n$1\r\nl\r\n$1\r\na\r\n$1\r\nw\r\n");
    assert.equal((await other.call("EXISTS", "l")).value, 0, "one was taken, for the one who is there");
  });

  test("replies come in the order of the calls, in a pipeline of thousands", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const calls = Array.from({ length: 5000 }, (_, i) =>
      i % 2 === 0 ? ["SET", `k${i}`, `${i}`] : ["GET", `k${i - 1}`],
    );
    const replies = await client.callAll(calls);
    for (const [i, { value }] of replies.entries()) assert.equal(value, i % 2 === 0 ? "OK" : `${i - 1}`);
  });

  test("calls that are split at any byte run once each", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const stream = Buffer.concat([
      encodeCall(["SET", "key", Buffer.from([0, 13, 10, 255])]),
      Buffer.from("append key x\r\n"),
      encodeCall(["GET", "key"]),
    ]);
    for (const byte of stream) client.write(Buffer.of(byte));
    assert.equal(await bytesOf(client, 3), "+OK\r\n:5\r\n$5\r\n\x00\r\n\xffx\r\n");
  });

  test("inline calls and arrays mix", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write('set greeting "hello \\x77orld"\r\n*2\r\n$3\r\nGET\r\n$8\r\ngreeting\r\n\r\nget greeting\n');
    assert.equal(await bytesOf(client, 3), "+OK\r\n$11\r\nhello world\r\n$11\r\nhello world\r\n");
  });

  test("a value of 8 MiB goes in and comes out, and others are served beside it", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    await using other = await dial(hive);
    const value = Buffer.alloc(8 << 20, "0123456789abcdef");
    client.send(["SET", "big", value]);
    assert.equal(await call(other, "PING"), "PONG");
    assert.equal((await client.readReply()).value, "OK");
    client.send(["GET", "big"]);
    assert.equal(await call(other, "PING"), "PONG");
    const { bytes } = await client.readReply();
    assert.ok(bytes.subarray(bytes.length - 2 - value.length, -2).equals(value));
  });

  test("a call of very many arguments is one call", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const members = Array.from({ length: 50_000 }, (_, i) => `member:${i}`);
    assert.equal(await call(client, "SADD", "set", ...members), members.length);
    assert.equal(await call(client, "SCARD", "set"), members.length);
  });

  test("a call that is wrong leaves the connection alive", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write("*1\r\n$3\r\nGET\r\n*1\r\n$0\r\n\r\nnosuchcommand a b\r\nSADD s a\r\nGET s\r\nPING\r\n");
    assert.equal(
      await bytesOf(client, 6),
      "-ERR wrong number of arguments for 'get' command\r\n" +
        "-ERR unknown command '', with args beginning with: \r\n" +
        "-ERR unknown command 'nosuchcommand', with args beginning with: 'a' 'b' \r\n" +
        ":1\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n+PONG\r\n",
    );
  });

  test("a unix socket takes the same calls", async () => {
    const folder = mkdtempSync(join(tmpdir(), "memhive-door-"));
    try {
      await using hive = await serve(makeRunner, { address: { path: join(folder, "hive.sock") } });
      await using client = await dial(hive);
      assert.equal(await call(client, "SET", "k", "v"), "OK");
      assert.equal(await call(client, "GET", "k"), "v");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function describeReplies(makeRunner: () => Runner): void {
  test("each connection has the protocol that it asked for", async () => {
    await using hive = await serve(makeRunner);
    await using old = await dial(hive);
    await using modern = await dial(hive);
    modern.send(["HELLO", "3"]);
    assert.equal((await modern.readReply()).type, "%");
    await call(old, "HSET", "t", "f", "1");
    for (const client of [old, modern]) client.write("HGETALL t\r\nGET none\r\n");
    assert.equal(await bytesOf(old, 2), "*2\r\n$1\r\nf\r\n$1\r\n1\r\n$-1\r\n");
    assert.equal(await bytesOf(modern, 2), "%1\r\n$1\r\nf\r\n$1\r\n1\r\n_\r\n");
    modern.write("HELLO 2\r\nGET none\r\n");
    const [hello, none] = [await modern.readReply(), await modern.readReply()];
    assert.equal(hello.type, "*");
    assert.equal(none.bytes.toString(), "$-1\r\n");
  });

  test("CLIENT REPLY is obeyed to the call", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write("CLIENT REPLY OFF\r\nSET k v\r\nGET k\r\nCLIENT REPLY ON\r\nGET k\r\n");
    assert.equal(await bytesOf(client, 2), "+OK\r\n$1\r\nv\r\n");
    client.write("CLIENT REPLY SKIP\r\nGET k\r\nPING\r\n");
    assert.equal(await bytesOf(client, 1), "+PONG\r\n");
  });

  test("a transaction in a pipeline is answered call by call, and other connections wait for its end", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write("MULTI\r\nSET n 1\r\nINCR n\r\nnosuch\r\nEXEC\r\nMULTI\r\nINCR n\r\nGET n\r\nEXEC\r\n");
    assert.equal(
      await bytesOf(client, 9),
      "+OK\r\n+QUEUED\r\n+QUEUED\r\n-ERR unknown command 'nosuch', with args beginning with: \r\n" +
        "-EXECABORT Transaction discarded because of previous errors.\r\n" +
        "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n$1\r\n1\r\n",
    );
  });

  test("a long pipeline of big replies arrives whole", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    const value = "v".repeat(100_000);
    await call(client, "SET", "k", value);
    const replies = await client.callAll(Array.from({ length: 200 }, () => ["GET", "k"]));
    for (const reply of replies) assert.equal(reply.value, value);
  });
}

function describeEnds(makeRunner: () => Runner): void {
  test("QUIT is answered, then the connection ends", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write("SET k v\r\nQUIT\r\nSET k w\r\n");
    assert.equal(await bytesOf(client, 2), "+OK\r\n+OK\r\n");
    await client.closed;
    await using other = await dial(hive);
    assert.equal(await call(other, "GET", "k"), "v");
  });

  test("what is no request is told so after the replies before it, and the connection ends", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write("PING\r\n*1\r\n$x\r\nPING\r\n");
    assert.equal(await bytesOf(client, 2), "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n");
    await client.closed;
    assert.equal(client.unread().length, 0);
  });

  test("a client that ends after its calls gets all replies", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.socket.end(`${"PING\r\n".repeat(500)}GET unfin`);
    assert.equal(await bytesOf(client, 500), "+PONG\r\n".repeat(500));
    await client.closed;
  });

  test("a client that goes away in the middle of a call leaves nothing behind", async () => {
    await using hive = await serve(makeRunner);
    const client = await dial(hive);
    client.write("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\nabc");
    client.socket.resetAndDestroy();
    await client.closed;
    await using other = await dial(hive);
    assert.equal(await call(other, "EXISTS", "k"), 0);
    while (hive.connections.count > 1) await new Promise((resolve) => setImmediate(resolve));
  });

  test("a page that posts is cut off, and HTTP is told that it has the wrong door", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    client.write("PING\r\nhost: 127.0.0.1\r\nSET k v\r\n");
    assert.equal(await bytesOf(client, 1), "+PONG\r\n");
    await client.closed;
    assert.equal(client.unread().length, 0);

    await using browser = await dial(hive);
    browser.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await browser.closed;
    assert.match(browser.unread().toString(), /^HTTP\/1\.1 501 /);
    assert.ok(hive.notices.includes("refused http"));
  });

  test("a client that another kills is closed", async () => {
    await using hive = await serve(makeRunner);
    await using client = await dial(hive);
    await using victim = await dial(hive);
    const id = await call(victim, "CLIENT", "ID");
    assert.equal(await call(client, "CLIENT", "KILL", "ID", String(id)), 1);
    await victim.closed;
    assert.equal(await call(client, "PING"), "PONG");
  });

  test("when the door closes, replies that are due still arrive", async () => {
    const hive = await serve(makeRunner);
    await using client = await dial(hive);
    assert.equal(await call(client, "SET", "k", "v".repeat(1 << 20)), "OK");
    client.send(["GET", "k"]);
    await client.readReply();
    const closing = hive[Symbol.asyncDispose]();
    await client.closed;
    await closing;
    assert.equal(hive.connections.count, 0);
  });
}

function describeStrangers(makeRunner: () => Runner): void {
  test("before authentication only a few commands run, with small calls", async () => {
    await using hive = await serve(makeRunner, { strangers: true });
    await using client = await dial(hive);
    client.write("GET k\r\nMULTI\r\n");
    assert.equal(await bytesOf(client, 2), "-NOAUTH Authentication required.\r\n".repeat(2));
    client.write("*11\r\n");
    assert.equal(await bytesOf(client, 1), "-ERR Protocol error: unauthenticated multibulk length\r\n");
    await client.closed;
    await using other = await dial(hive);
    other.write("*2\r\n$3\r\nGET\r\n$16385\r\n");
    assert.equal(await bytesOf(other, 1), "-ERR Protocol error: unauthenticated bulk length\r\n");
    await other.closed;
  });

  test("three unknown inline commands before authentication close the connection", async () => {
    await using hive = await serve(makeRunner, { strangers: true });
    await using client = await dial(hive);
    client.write("EHLO example.com\r\nMAIL FROM:<a>\r\nDATA\r\nGET k\r\n");
    for (let i = 0; i < 3; i++) assert.match((await client.readReply()).bytes.toString(), /^-ERR unknown command/);
    await client.closed;
    assert.equal(client.unread().length, 0);
  });

  test("a connection that does not authenticate in time is closed", async () => {
    await using hive = await serve(makeRunner, { strangers: true, limits: { authenticationTimeoutMs: 5 } });
    await using client = await dial(hive);
    client.write("*");
    await client.closed;
    assert.deepEqual(hive.notices, ["no authentication in time"]);
  });
}

function describeSlowReaders(makeRunner: () => Runner): void {
  const limits: Partial<Limits> = { outputSoftBytesMax: 1 << 20, outputSoftTimeoutMs: 20 };

  test("a client that does not read is cut off, and the others do not notice", async () => {
    await using hive = await serve(makeRunner, { limits });
    await using other = await dial(hive);
    await call(other, "SET", "k", "v".repeat(1 << 20));
    await using deaf = await dial(hive);
    deaf.socket.pause();
    deaf.sendAll(Array.from({ length: 64 }, () => ["GET", "k"]));
    while (hive.notices.length === 0) assert.equal(await call(other, "PING"), "PONG");
    assert.match(hive.notices[0]!, /^read nothing of \d+ bytes for outputSoftTimeoutMs \(20\)$/);
    deaf.socket.resume();
    await deaf.closed;
  });

  test("a client that reads slowly gets everything", async () => {
    await using hive = await serve(makeRunner, { limits: { ...limits, outputSoftTimeoutMs: 5000 } });
    await using client = await dial(hive);
    await call(client, "SET", "k", "v".repeat(1 << 20));
    client.socket.pause();
    client.sendAll(Array.from({ length: 32 }, () => ["GET", "k"]));
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
    client.socket.resume();
    for (let i = 0; i < 32; i++) assert.equal(((await client.readReply()).value as string).length, 1 << 20);
    assert.deepEqual(hive.notices, []);
  });
}
