// TLS on the one port: what is told from the first byte, what a handshake may not do, and new certificates.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Hive, type HiveOptions } from "../../src/server/hive.ts";
import { makeAuthority, makeCertificate } from "../kit/certificates.ts";
import { until } from "../kit/native-hive.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-encryption-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const ca = makeAuthority("test authority");
const own = makeCertificate({ ca });

type Started = { hive: Hive; notices: string[]; [Symbol.asyncDispose](): Promise<void> };

async function start(options: HiveOptions = {}): Promise<Started> {
  const notices: string[] = [];
  const onNotice = (message: string): void => void notices.push(message);
  const hive = await Hive.start({ port: 0, tls: own, onNotice, ...options });
  return { hive, notices, [Symbol.asyncDispose]: () => hive.close() };
}

async function dial({ hive }: Started): Promise<Socket> {
  const socket = connect(hive.port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

async function secure(started: Started, options: object = {}): Promise<TLSSocket> {
  const socket = connectTls({ port: started.hive.port, host: "127.0.0.1", ca: ca.cert, ...options });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

/** All that a socket sends until it ends, one character per byte. */
async function rest(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.latin1Slice();
  });
  await closed(socket);
  return text;
}

/** Also by an error. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => void socket.once("close", () => resolve()));
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  return String((await once(socket, "data"))[0]);
}

test("plain and encrypted connections share the port, and every wire is inside TLS too", async () => {
  await using started = await start();
  const plain = await dial(started);
  assert.equal(await ask(plain, "PING\r\n"), "+PONG\r\n");
  const encrypted = await secure(started);
  assert.equal(await ask(encrypted, "*1\r\n$4\r\nPING\r\n"), "+PONG\r\n");
  const web = await secure(started);
  assert.match(await ask(web, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), /^HTTP\/1\.1 200 /);
  const [version, cipher] = [encrypted.getProtocol(), encrypted.getCipher().version];
  assert.equal(version, "TLSv1.3", cipher);
  const older = await secure(started, { maxVersion: "TLSv1.2" });
  assert.equal(await ask(older, "PING\r\n"), "+PONG\r\n");
  for (const socket of [plain, encrypted, web, older]) socket.destroy();
});

test("a handshake that comes byte by byte is done, and the first call may come with its end", async () => {
  await using started = await start();
  const raw = await dial(started);
  const slow = connectTls({ socket: drip(raw), ca: ca.cert, servername: "localhost" });
  slow.write("PING\r\n");
  assert.equal(String((await once(slow, "data"))[0]), "+PONG\r\n");
  slow.destroy();
});

/** `raw`, whose writes leave a byte each. */
function drip(raw: Socket): Socket {
  raw.setNoDelay(true);
  const write = raw._write.bind(raw);
  raw._writev = null as never;
  raw._write = (chunk: Buffer, encoding, callback) => {
    const next = (at: number): void => {
      if (at >= chunk.length) return callback();
      write(chunk.subarray(at, at + 1), encoding, (error) => (error ? callback(error) : setImmediate(next, at + 1)));
    };
    next(0);
  };
  return raw;
}

test("TLS 1.1 is refused", async () => {
  await using started = await start();
  const options = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
  await assert.rejects(secure(started, options));
  await until(() =>
    started.notices.some((notice) => /the handshake of TLS failed: .*unsupported protocol/.test(notice)),
  );
});

test("never TLS in TLS: inside, the byte of TLS is refused like any wire without a door", async () => {
  await using started = await start();
  const outer = await secure(started);
  outer.write(Buffer.from([0x16, 3, 1, 2, 0]));
  assert.equal(await rest(outer), "\x15\x03\x03\x00\x02\x02\x28");
  assert.match(started.notices.at(-1)!, /asked for tls, and there is no such door/);
});

test("garbage behind the byte of TLS ends the connection and nothing else", async () => {
  await using started = await start();
  const beside = await secure(started);
  const sent = [
    "\x16PING\r\nPING\r\n",
    "\x16",
    "\x16\x03\x01\xff\xff".padEnd(80_000, "x"),
    "\x16\x03\x01\x00\x05hello",
  ];
  for (const bytes of sent) {
    const socket = await dial(started);
    socket.end(Buffer.from(bytes, "latin1"));
    await rest(socket);
  }
  let state = 1;
  for (let i = 0; i < 300; i++) {
    const bytes = Buffer.alloc(1 + (i % 700), 0x16);
    for (let at = 1; at < bytes.length; at++) {
      state = (state * 48_271) % 0x7fffffff;
      // The first three are what a record of TLS begins with, so that what follows is looked at.
      bytes[at] = at < 3 ? 3 : state & 0xff;
    }
    const socket = await dial(started);
    socket.end(bytes);
    await rest(socket);
  }
  assert.equal(await ask(beside, "PING\r\n"), "+PONG\r\n");
  assert.ok(started.notices.length > 100);
  for (const notice of started.notices) assert.match(notice, /^127\.0\.0\.1:\d+ the handshake of TLS failed: /);
  beside.destroy();
});

test("bytes that are not TLS behind the handshake end that connection alone", async () => {
  await using started = await start();
  const beside = await secure(started);
  const raw = await dial(started);
  const broken = connectTls({ socket: raw, ca: ca.cert, servername: "localhost" });
  let failure = "";
  broken.on("error", (error) => {
    failure = error.message;
  });
  await once(broken, "secureConnect");
  assert.equal(await ask(broken, "PING\r\n"), "+PONG\r\n");
  raw.write("PING\r\nPING\r\n");
  await closed(broken);
  assert.match(failure, /alert|ECONNRESET/i);
  assert.equal(await ask(beside, "PING\r\n"), "+PONG\r\n");
  beside.destroy();
});

test("a handshake that stops is ended after its time, whether it has begun or nearly ended", async () => {
  await using started = await start({ limits: { tlsHandshakeTimeoutMs: 30 } });
  const silent = await dial(started);
  silent.write(Buffer.from([0x16]));
  await rest(silent);
  const halfway = await dial(started);
  halfway.write(await clientHello());
  assert.equal(((await once(halfway, "data"))[0] as Buffer)[0], 0x16, "the hive's part");
  await rest(halfway);
  await until(() => started.notices.length === 2);
  for (const notice of started.notices) assert.match(notice, /not done within tlsHandshakeTimeoutMs \(30\)/);
});

/** What a client of TLS sends first. */
async function clientHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", resolve);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connectTls({ port: (server.address() as { port: number }).port, host: "127.0.0.1" });
  client.on("error", () => {});
  const hello = await promise;
  client.destroy();
  server.close();
  return hello;
}

test("closing the hive ends handshakes that are under way, and says nothing of them", async () => {
  const started = await start({ limits: { closeTimeoutMs: 600_000 } });
  const socket = await dial(started);
  socket.write(Buffer.from([0x16, 3, 1]));
  await until(() => started.hive.engine.clients.size === 0);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  await started.hive.close();
  await rest(socket);
  assert.deepEqual(started.notices, []);
});

test("a client that renegotiates gets nothing for it", async () => {
  await using started = await start();
  const socket = await secure(started, { maxVersion: "TLSv1.2" });
  assert.equal(await ask(socket, "PING\r\n"), "+PONG\r\n");
  const refused = await new Promise((resolve) => {
    if (!socket.renegotiate({ rejectUnauthorized: true }, (error) => resolve(error))) resolve("not begun");
    socket.on("error", resolve);
  });
  assert.match(String(refused), /no renegotiation|not begun/i);
  socket.destroy();
});

test("only encrypted: plain connections are refused in their own form, unix sockets are let in", async () => {
  const unix = join(folder, "only.sock");
  await using started = await start({ tls: { ...own, only: true }, unix });
  const wires: [sent: string, answer: RegExp][] = [
    ["PING\r\n", /^-ERR this hive takes encrypted connections only: redis-cli --tls/],
    ["GET / HTTP/1.1\r\n", /^HTTP\/1\.1 403 Forbidden\r\n.*this hive takes encrypted connections only/s],
    ["\xc1hive\x01", /^\x83.*NOT_ENCRYPTED.*encrypted connections only/s],
    ["\xff", /^$/],
  ];
  for (const [sent, answer] of wires) {
    const socket = await dial(started);
    socket.write(Buffer.from(sent, "latin1"));
    assert.match(await rest(socket), answer);
  }
  const local = connect(unix);
  assert.equal(await ask(local, "PING\r\n"), "+PONG\r\n");
  const encrypted = await secure(started);
  assert.equal(await ask(encrypted, "PING\r\n"), "+PONG\r\n");
  for (const socket of [local, encrypted]) socket.destroy();
});

test("files are read again: new connections get the new certificate, open ones stay, broken files change nothing", async () => {
  const [cert, key] = [join(folder, "hive.crt"), join(folder, "hive.key")];
  const write = (made: { cert: string; key: string }): void => {
    writeFileSync(cert, made.cert);
    writeFileSync(key, made.key);
  };
  write(own);
  await using started = await start({ tls: { cert, key } });
  const { hive, notices } = started;
  const before = await secure(started);
  assert.equal(before.getPeerCertificate().subject.CN, "localhost");

  write(makeCertificate({ ca, name: "renewed" }));
  hive.reload();
  assert.match(notices.at(-1)!, /certificates were read again/);
  const renewed = await secure(started);
  assert.equal(renewed.getPeerCertificate().subject.CN, "renewed");

  writeFileSync(key, own.key);
  hive.reload();
  assert.match(
    notices.at(-1)!,
    /the old certificates stay: .*hive\.key is not the key of the certificate in .*hive\.crt/,
  );
  assert.throws(() => hive.reloadCertificates(), { code: "REFUSED_SETTING" });
  rmSync(cert);
  hive.reload();
  assert.match(notices.at(-1)!, /the old certificates stay: .*cannot read .*hive\.crt: no such file/);
  const still = await secure(started);
  assert.equal(still.getPeerCertificate().subject.CN, "renewed");
  for (const socket of [before, renewed, still]) {
    assert.equal(await ask(socket, "PING\r\n"), "+PONG\r\n");
    socket.destroy();
  }
});

test("a session that a refused client resumes is no way in, one that was let in is until its authority is not trusted", async () => {
  const authority = join(folder, "clients.crt");
  writeFileSync(authority, ca.cert);
  await using started = await start({ tls: { ...own, ca: authority } });
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const versions = { minVersion: version, maxVersion: version };
    const visit = async (options: object): Promise<{ answer: string; session: Buffer | undefined }> => {
      const socket = connectTls({ port: started.hive.port, host: "127.0.0.1", ca: ca.cert, ...versions, ...options });
      let session: Buffer | undefined;
      socket.on("session", (given: Buffer) => {
        session = given;
      });
      socket.on("error", () => {});
      const answer = await ask(socket, "PING\r\n");
      socket.destroy();
      return { answer, session };
    };
    const { cert, key } = makeCertificate({ ca });
    const stranger = await visit({});
    assert.match(stranger.answer, /^-ERR this hive wants a client certificate/);
    assert.match((await visit({ session: stranger.session })).answer, /^-ERR this hive wants a client certificate/);
    const friend = await visit({ cert, key });
    assert.equal(friend.answer, "+PONG\r\n");
    assert.equal((await visit({ cert, key, session: friend.session })).answer, "+PONG\r\n");
    writeFileSync(authority, makeAuthority("another one").cert);
    started.hive.reloadCertificates();
    assert.match(
      (await visit({ cert, key, session: friend.session })).answer,
      /^-ERR the client's certificate is refused/,
    );
    writeFileSync(authority, ca.cert);
    started.hive.reloadCertificates();
  }
});
