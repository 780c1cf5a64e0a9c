// Clients of Redis over TLS, unchanged: redis-cli, ioredis, node-redis, with and without client certificates;
// and new certificates while all of them are busy, which drops nobody.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { makeAuthority, makeCertificate } from "../kit/certificates.ts";
import { installDebianPackages } from "../kit/debian-packages.ts";

const execute = promisify(execFile);
const noRedisCli = await installDebianPackages(["redis-tools"]);
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "memhive-e2e-tls-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const ca = makeAuthority("test authority");
const own = makeCertificate({ ca });
const ours = makeCertificate({ ca, name: "client" });
const expired = makeCertificate({ ca, name: "client", expiredDays: 1 });
const stranger = makeCertificate({ name: "client" });

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const FILES = {
  ca: file("ca.pem", ca.cert),
  cert: file("hive.pem", own.cert),
  key: file("hive.key", own.key),
  clientCert: file("client.pem", ours.cert),
  clientKey: file("client.key", ours.key),
};

for (const wanted of ["none", "required"] as const) {
  const pair = wanted === "none" ? {} : ours;
  const tls = { ...own, ca: ca.cert, clientCertificates: wanted };
  const how = wanted === "none" ? "without client certificates" : "with client certificates";

  test(`ioredis and node-redis over TLS, ${how}`, async () => {
    await using hive = await Hive.start({ port: 0, tls });
    const socket = { host: "localhost", port: hive.port, ca: ca.cert, ...pair };
    const io = new Redis({ host: "localhost", port: hive.port, tls: { ca: ca.cert, ...pair } });
    assert.equal(await io.set("io", "x".repeat(1_000_000)), "OK");
    assert.equal((await io.get("io"))!.length, 1_000_000);
    assert.deepEqual(await Promise.all(Array.from({ length: 300 }, (_, i) => io.echo(`${i}`))), counted(300));
    await io.quit();
    for (const RESP of [2, 3] as const) {
      const node = createClient({ socket: { ...socket, tls: true }, RESP });
      const errors: unknown[] = [];
      node.on("error", (error) => errors.push(error));
      await node.connect();
      assert.equal(await node.strLen("io"), 1_000_000);
      assert.deepEqual(await Promise.all(Array.from({ length: 300 }, (_, i) => node.echo(`${i}`))), counted(300));
      await node.close();
      assert.deepEqual(errors, []);
    }
  });

  test(`redis-cli over TLS, ${how}`, { skip: noRedisCli }, async () => {
    await using hive = await Hive.start({ port: 0, tls });
    const shown = wanted === "none" ? [] : ["--cert", FILES.clientCert, "--key", FILES.clientKey];
    const cli = async (...args: string[]): Promise<string> => {
      const { stdout } = await execute("redis-cli", ["-p", String(hive.port), "--tls", "--cacert", FILES.ca, ...args]);
      return stdout.trim();
    };
    assert.equal(await cli(...shown, "SET", "k", "v"), "OK");
    assert.equal(await cli(...shown, "GET", "k"), "v");
    assert.equal((await execute("redis-cli", ["-p", String(hive.port), "GET", "k"])).stdout, "v\n".repeat(1));
    if (wanted === "required") assert.match(await cli("GET", "k"), /ERR this hive wants a client certificate/);
  });
}

function counted(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${i}`);
}

test("ioredis with a client certificate that is missing, expired or self-signed is refused, and the hive says why", async () => {
  const notices: string[] = [];
  const onNotice = (notice: string): void => void notices.push(notice);
  await using hive = await Hive.start({ port: 0, tls: { ...own, ca: ca.cert }, onNotice });
  for (const [pair, message] of [
    [{}, /wants a client certificate/],
    [expired, /refused: CERT_HAS_EXPIRED/],
    [stranger, /refused: DEPTH_ZERO_SELF_SIGNED_CERT/],
  ] as const) {
    const options = { lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null };
    const io = new Redis({ host: "localhost", port: hive.port, tls: { ca: ca.cert, ...pair }, ...options });
    io.on("error", () => {});
    // What it sends first, or the call: one of them gets the refusal, and then the connection ends.
    await assert.rejects(io.connect().then(() => io.ping()));
    assert.match(notices.at(-1)!, message);
    io.disconnect();
  }
});

test("new certificates under load, by SIGHUP: nobody is dropped, and who connects later gets them", async () => {
  const args = [
    "serve",
    "--port",
    "0",
    "--tls-cert",
    FILES.cert,
    "--tls-key",
    FILES.key,
    "--tls-only",
    "--log-level",
    "warn",
  ];
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  after(() => child.kill("SIGKILL"));
  const lines: string[] = [];
  const notices = createInterface({ input: child.stderr });
  notices.on("line", (line) => lines.push(line));
  const [ready] = await once(createInterface({ input: child.stdout }), "line");
  const url = `hives://localhost:${/:(\d+)$/.exec(ready)![1]}`;
  const options = { tls: { ca: ca.cert }, reconnect: false } as const;
  const clients = await Promise.all(Array.from({ length: 8 }, () => connect(url, options)));
  let stopped = false;
  let calls = 0;
  const busy = clients.map(async (client, lane) => {
    while (!stopped) {
      await client.put(`k${lane}`, `v${calls}`);
      calls++;
    }
  });
  for (let round = 0; round < 6; round++) {
    const name = `round ${round}`;
    const made = makeCertificate({ ca, name });
    writeFileSync(FILES.cert, made.cert);
    // Every other time the pair does not fit, and the one before stays.
    if (round % 2 === 0) writeFileSync(FILES.key, made.key);
    const told = once(notices, "line");
    child.kill("SIGHUP");
    await told;
    assert.match(
      lines.at(-1)!,
      round % 2 === 0 ? /certificates were read again/ : /old certificates stay: .*hive\.key/,
    );
    const late = await connect(url, options);
    assert.equal(await late.ping(), "PONG");
    await late.close();
    const before = calls;
    while (calls < before + 100) await new Promise((resolve) => setImmediate(resolve));
  }
  stopped = true;
  await Promise.all(busy);
  for (const client of clients) await client.close();
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "exit"), [0, null]);
  assert.equal(lines.length, 6);
});

test("the command line dials hives:// with files or variables, and says what is wrong with them", async () => {
  await using hive = await Hive.start({ port: 0, tls: { ...own, ca: ca.cert } });
  const url = `hives://localhost:${hive.port}`;
  const env = { ...process.env, MEMHIVE_CA: FILES.ca, MEMHIVE_CERT: FILES.clientCert, MEMHIVE_KEY: FILES.clientKey };
  const run = (args: string[], more: NodeJS.ProcessEnv = {}) =>
    execute(process.execPath, [MAIN, ...args], { env: { ...process.env, MEMHIVE_URL: url, ...more } });
  const files = ["--ca", FILES.ca, "--cert", FILES.clientCert, "--key", FILES.clientKey];
  await run(["set", "greeting", "hello", ...files]);
  assert.equal((await run(["get", "greeting"], env)).stdout, "hello\n");
  await assert.rejects(run(["get", "greeting"]), {
    stderr: /BAD_CERTIFICATE.*pass the authority.*--ca FILE, or MEMHIVE_CA/,
  });
  await assert.rejects(run(["get", "greeting", "--ca", "/none"]), {
    stderr: /REFUSED_SETTING: --ca \(or MEMHIVE_CA\): ENOENT/,
  });
});

test("files that cannot be used are refused at start, by name", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [
      ["--tls-cert", FILES.clientCert, "--tls-key", FILES.clientCert],
      /tls\.key: \S+client\.pem has no private key in PEM form, but a certificate/,
    ],
    [
      ["--tls-cert", FILES.clientKey, "--tls-key", FILES.clientKey],
      /tls\.cert: \S+client\.key has no certificate in PEM form, but a private key/,
    ],
    [
      ["--tls-cert", FILES.ca, "--tls-key", FILES.clientKey],
      /client\.key is not the key of the certificate in \S+ca\.pem/,
    ],
    [["--tls-cert", "/none/x.pem", "--tls-key", FILES.clientKey], /cannot read \/none\/x\.pem: no such file/],
    [["--tls-cert", FILES.clientCert], /--tls-cert needs its private key: add --tls-key FILE/],
    [["--tls-key", FILES.clientKey], /--tls-key needs its certificate/],
    [["--tls-only"], /--tls-only needs TLS: add --tls-cert FILE --tls-key FILE/],
    [
      ["--tls-cert", FILES.clientCert, "--tls-key", FILES.clientKey, "--tls-client-certificates", "required"],
      /required needs tls\.ca/,
    ],
    [
      ["--tls-cert", FILES.clientCert, "--tls-key", FILES.clientKey, "--tls-client-certificates", "maybe"],
      /--tls-client-certificates: expected one of none, optional, required/,
    ],
  ];
  for (const [args, message] of cases) {
    await assert.rejects(execute(process.execPath, [MAIN, "serve", "--port", "0", ...args]), {
      code: 1,
      stderr: message,
    });
  }
});
