// A socket as a transport: bytes both ways, backpressure, and each way a connection can end.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { EndCause, Receiver } from "../../src/base/transport.ts";
import { Encryption } from "../../src/net/encryption.ts";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import { makeCertificate } from "../kit/certificates.ts";

class Recorder implements Receiver {
  received = "";
  events: string[] = [];
  cause: EndCause | undefined;
  #changed: () => void = () => {};

  receive(buffer: Buffer, start: number, end: number): void {
    this.received += buffer.toString("latin1", start, end);
    this.#changed();
  }
  drained(): void {
    this.events.push("drained");
    this.#changed();
  }
  finished(): void {
    this.events.push("finished");
    this.#changed();
  }
  closed(cause: EndCause): void {
    this.events.push("closed");
    this.cause = cause;
    this.#changed();
  }
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

type Pair = {
  transport: SocketTransport;
  recorder: Recorder;
  client: Socket;
  gone: Promise<void>;
  /** The client's machine forgets the connection. */
  reset(): void;
};
type How = "reading into the shared buffer" | "reading as usual" | "over TLS";

async function pair(how: How = "reading into the shared buffer"): Promise<Pair> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = connect(port, "127.0.0.1");
  client.on("error", () => {});
  const [[accepted]] = (await Promise.all([once(server, "connection"), once(client, "connect")])) as [
    [Socket],
    unknown,
  ];
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const transport = new SocketTransport(accepted, {
    onGone: () => resolve(),
    shareBuffer: how !== "reading as usual",
  });
  server.close();
  const recorder = new Recorder();
  const reset = (): void => void client.resetAndDestroy();
  const secured = how === "over TLS" ? await encrypted(transport, client) : client;
  transport.receiver = recorder;
  return { transport, recorder, client: secured, gone, reset };
}

const certificate = makeCertificate({});
const encryption = await Encryption.open({
  ...certificate,
  handshakeTimeoutMs: 10_000,
  onNotice: (message) => assert.fail(message),
});

/** Both ends go on over TLS. Returns the client's. */
async function encrypted(transport: SocketTransport, raw: Socket): Promise<Socket> {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  transport.receiver = {
    receive: (bytes, start, end) => {
      assert.equal(transport.encrypted, false);
      const first = Buffer.from(bytes.subarray(start, end));
      transport.encrypt(encryption, { first, onReady: () => resolve(), onFailed: (reason) => assert.fail(reason) });
    },
    drained() {},
    finished() {},
    closed() {},
  };
  const client = connectTls({ socket: raw, ca: certificate.cert, servername: "localhost" });
  client.on("error", () => {});
  await Promise.all([ready, once(client, "secureConnect")]);
  assert.equal(transport.encrypted, true);
  return client;
}

async function readAll(client: Socket): Promise<string> {
  let text = "";
  for await (const chunk of client) text += (chunk as Buffer).toString("latin1");
  return text;
}

for (const how of ["reading into the shared buffer", "reading as usual", "over TLS"] as const) {
  test(`${how}: bytes go both ways, as a string and as a buffer`, async () => {
    const { transport, recorder, client, gone } = await pair(how);
    assert.match(transport.address, /^127\.0\.0\.1:\d+$/);
    assert.match(transport.localAddress, /^127\.0\.0\.1:\d+$/);
    client.write("ping");
    await recorder.until(() => recorder.received === "ping");
    transport.writeLatin1("h\xff");
    const out = transport.write(Buffer.from("allo!!"), 4);
    // TLS is never done with a write at once.
    if (how !== "over TLS") assert.equal(out && transport.pendingBytes === 0, true);
    transport.end();
    assert.equal(await readAll(client), "h\xffallo");
    await gone;
    assert.deepEqual(recorder.events, ["closed"]);
  });

  test(`${how}: what may leave later stays in order, is pending until then, and leaves with the end`, async () => {
    for (const end of ["end", "destroy"] as const) {
      const { transport, client, gone } = await pair(how);
      const text = readAll(client).catch(() => "reset");
      transport.writeLatin1("a", true);
      transport.writeLatin1("b", true);
      assert.equal(transport.pendingBytes, 2);
      transport.writeLatin1("c");
      transport.writeLatin1("d", true);
      transport.write(Buffer.from("e"), 1);
      transport.writeLatin1("f", true);
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      transport.writeLatin1("g", true);
      transport[end]();
      transport.writeLatin1("too late", true);
      // What TLS has encrypted is not in the kernel yet when the connection is destroyed.
      const whole = how === "over TLS" && end === "destroy" ? /^(abcdefg?|reset)$/ : /^abcdefg$/;
      assert.match(await text, whole);
      await gone;
    }
  });

  test(`${how}: a peer that ends is heard of, and can still be answered`, async () => {
    const { transport, recorder, client, gone } = await pair(how);
    client.end("question");
    await recorder.until(() => recorder.events.includes("finished"));
    assert.equal(recorder.received, "question");
    transport.writeLatin1("answer");
    transport.end();
    assert.equal(await readAll(client), "answer");
    await gone;
    assert.deepEqual(recorder.events, ["finished", "closed"]);
    assert.equal(recorder.cause!.kind, "end");
  });

  test(`${how}: what a peer does not read is pending until it does`, async () => {
    const { transport, recorder, client, gone } = await pair(how);
    client.pause();
    const big = Buffer.alloc(32 << 20, 97);
    assert.equal(transport.write(big, big.length), false, "the transport keeps the buffer");
    assert.ok(transport.pendingBytes > 0 && transport.pendingBytes <= big.length);
    transport.writeLatin1("end");
    transport.awaitDrained();
    assert.deepEqual(recorder.events, []);
    let bytes = 0;
    client.on("data", (chunk) => {
      bytes += chunk.length;
    });
    client.resume();
    await recorder.until(() => recorder.events.includes("drained"));
    assert.equal(transport.pendingBytes, 0);
    transport.end();
    await once(client, "end");
    assert.equal(bytes, big.length + 3);
    await gone;
  });

  test(`${how}: a paused connection is not read until it is resumed`, async () => {
    const { transport, recorder, client, gone } = await pair(how);
    transport.pause();
    await new Promise<void>((resolve) => client.write("later", () => resolve()));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(recorder.received, "");
    transport.resume();
    await recorder.until(() => recorder.received === "later");
    transport.destroy();
    await gone;
  });

  test(`${how}: a peer that resets is an error, and nothing is written any more`, async () => {
    const { transport, recorder, client, gone, reset } = await pair(how);
    client.write("x");
    await recorder.until(() => recorder.received === "x");
    reset();
    await gone;
    assert.deepEqual(recorder.events, ["closed"]);
    assert.equal(recorder.cause!.kind, "error");
    transport.writeLatin1("nobody");
    assert.equal(transport.write(Buffer.from("nobody"), 6), true);
    transport.end();
    transport.destroy();
  });

  test(`${how}: destroy closes at once`, async () => {
    const { transport, recorder, client, gone } = await pair(how);
    transport.destroy();
    await gone;
    assert.equal(await readAll(client), "");
    assert.equal(recorder.cause!.kind, "closed");
  });
}

test("what arrives after end() is thrown away, and the last write is not lost to a reset", async () => {
  const { transport, recorder, client, gone } = await pair();
  client.write("a".repeat(1_000_000));
  await recorder.until(() => recorder.received.length > 0);
  const received = recorder.received.length;
  transport.writeLatin1("bye");
  transport.end();
  assert.equal(await readAll(client), "bye");
  await gone;
  assert.equal(recorder.received.length, received);
});

test("two connections read into one buffer and do not see each other's bytes", async () => {
  const [one, two] = [await pair(), await pair()];
  one.client.write("1".repeat(100));
  two.client.write("2".repeat(50));
  await one.recorder.until(() => one.recorder.received.length === 100);
  await two.recorder.until(() => two.recorder.received.length === 50);
  assert.equal(one.recorder.received, "1".repeat(100));
  assert.equal(two.recorder.received, "2".repeat(50));
  for (const { transport, gone } of [one, two]) {
    transport.destroy();
    await gone;
  }
});
