// The test client reads what a server may send, however it is cut, and tells how a connection ended.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { encodeCall, RespClient, RespError, type RespValue } from "./resp-client.ts";
import { ReplyBuffer } from "./resp-reply.ts";

const REPLIES: [bytes: string, type: string, value: RespValue][] = [
  ["+OK\r\n", "+", "OK"],
  ["-WRONGTYPE Operation\r\n", "-", new RespError("WRONGTYPE Operation")],
  [":-42\r\n", ":", -42],
  [":9223372036854775807\r\n", ":", 9223372036854775807n],
  ["$0\r\n\r\n", "$", ""],
  ["$4\r\na\r\nb\r\n", "$", "a\r\nb"],
  ["$-1\r\n", "$", null],
  ["*-1\r\n", "*", null],
  ["*0\r\n", "*", []],
  ["*3\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n_\r\n", "*", [1, ["a", []], null]],
  ["#t\r\n", "#", true],
  [",3.5\r\n", ",", 3.5],
  [",-inf\r\n", ",", Number.NEGATIVE_INFINITY],
  ["(123456789012345678901234567890\r\n", "(", 123456789012345678901234567890n],
  ["=7\r\ntxt:abc\r\n", "=", "abc"],
  ["!5\r\nERR x\r\n", "!", new RespError("ERR x")],
  [
    "%2\r\n+a\r\n:1\r\n+b\r\n%0\r\n",
    "%",
    new Map<RespValue, RespValue>([
      ["a", 1],
      ["b", new Map()],
    ]),
  ],
  ["~2\r\n+a\r\n+b\r\n", "~", new Set(["a", "b"])],
  [">2\r\n+invalidate\r\n_\r\n", ">", ["invalidate", null]],
  ["|1\r\n+ttl\r\n:5\r\n+OK\r\n", "+", "OK"],
];

test("every kind of reply is found and decoded, also one byte at a time", () => {
  for (const step of [1, 2, 3, 1000]) {
    const buffer = new ReplyBuffer();
    const stream = Buffer.from(REPLIES.map(([bytes]) => bytes).join(""), "latin1");
    const taken = [];
    for (let at = 0; at < stream.length; at += step) {
      buffer.add(stream.subarray(at, at + step));
      for (let reply = buffer.tryTake(); reply; reply = buffer.tryTake()) taken.push(reply);
    }
    assert.equal(taken.length, REPLIES.length);
    for (const [index, [bytes, type, value]] of REPLIES.entries()) {
      assert.equal(taken[index]!.bytes.toString("latin1"), bytes);
      assert.equal(taken[index]!.type, type);
      assert.deepEqual(taken[index]!.value, value);
    }
    assert.equal(buffer.rest().length, 0);
  }
});

test("a reply of many megabytes in small chunks takes time in proportion to its length", { timeout: 20_000 }, () => {
  const buffer = new ReplyBuffer();
  const items = 300_000;
  const stream = Buffer.from(`*${items}\r\n${"$3\r\nabc\r\n".repeat(items)}`);
  for (let at = 0; at < stream.length; at += 1000) {
    assert.equal(buffer.tryTake(), undefined);
    buffer.add(stream.subarray(at, at + 1000));
  }
  assert.equal((buffer.tryTake()!.value as RespValue[]).length, items);
});

test("what is no RESP is refused", () => {
  for (const bytes of ["hello\r\n", "*x\r\n", "$-2\r\n"]) {
    const buffer = new ReplyBuffer();
    buffer.add(Buffer.from(bytes));
    assert.throws(() => buffer.tryTake(), /no RESP/);
  }
});

test("a call is an array of bulk strings, and lengths count bytes", () => {
  assert.equal(encodeCall(["GET", "ü"]).toString(), "*2\r\n$3\r\nGET\r\n$2\r\nü\r\n");
  assert.deepEqual(encodeCall([new Uint8Array([0, 255])]), Buffer.from("*1\r\n$2\r\n\x00\xff\r\n", "latin1"));
});

test("replies come in order, whether they were awaited before or after they arrived", async () => {
  await using server = await startPeer((socket) => socket.write("+1\r\n+2\r\n+3\r\n"));
  await using client = await RespClient.connect({ port: server.port });

  const [first, second] = await Promise.all([client.readReply(), client.readReply()]);
  assert.deepEqual([first.value, second.value, (await client.readReply()).value], ["1", "2", "3"]);
});

test("a read fails with what came when the server closes, and afterwards at once", async () => {
  await using server = await startPeer((socket) => socket.end("+OK\r\n$5\r\nab"));
  await using client = await RespClient.connect({ port: server.port });

  assert.equal((await client.readReply()).value, "OK");
  await assert.rejects(client.readReply(), /closed the connection; received and unread \(6 bytes\): "\$5\\r\\nab"/);
  await assert.rejects(client.readReply(), /closed the connection/);
  await client.closed;
  assert.equal(client.unread().toString(), "$5\r\nab");
});

test("a read that gets no reply fails after its timeout, and the next one gets the reply", async () => {
  await using server = await startPeer((socket) => socket.on("data", () => socket.write("+late\r\n")));
  await using client = await RespClient.connect({ port: server.port });

  await assert.rejects(client.readReply(1), /no reply within 1 ms/);
  client.write("PING\r\n");
  assert.equal((await client.readReply()).value, "late");
});

/** A server that does `greet` with each connection. */
async function startPeer(greet: (socket: Socket) => void): Promise<AsyncDisposable & { port: number }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    greet(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
