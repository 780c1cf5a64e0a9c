// Tokens as real clients send them: redis-cli, ioredis, node-redis and our own; and the command.

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { installDebianPackages } from "../kit/debian-packages.ts";
import { RespClient } from "../kit/resp-client.ts";
import { type Ended, runMemhive } from "../kit/run-memhive.ts";

const execute = promisify(execFile);
const noRedisCli = await installDebianPackages(["redis-tools"]);
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "memhive-e2e-tokens-"));
const children: ChildProcess[] = [];

let hive: Hive;
let all: string;
let users: { token: string; id: string };

before(async () => {
  hive = await Hive.start({ port: 0, tokens: true });
  all = (await hive.tokens.create({ grants: ["all"] })).token;
  const { token, info } = await hive.tokens.create({ name: "ada", grants: ["read:users:*", "write:users:*"] });
  users = { token, id: info.id };
});
after(async () => {
  await hive.close();
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("redis-cli: -a, --user and --pass, REDISCLI_AUTH, RESP3", { skip: noRedisCli }, async () => {
  const port = String(hive.port);
  const cli = async (args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const { stdout, stderr } = await execute("redis-cli", ["-p", port, ...args], { env: { ...process.env, ...env } });
    return (stdout + stderr.replace(/Warning: Using a password.*\n/, "")).trimEnd();
  };
  assert.equal(await cli(["GET", "users:ada"]), "NOAUTH Authentication required.");
  assert.equal(await cli(["-a", users.token, "SET", "users:ada", "1815"]), "OK");
  assert.equal(await cli(["-3", "--user", "ada", "--pass", users.token, "GET", "users:ada"]), "1815");
  assert.equal(await cli(["ACL", "WHOAMI"], { REDISCLI_AUTH: users.token }), users.id);
  assert.match(
    await cli(["GET", "secret"], { REDISCLI_AUTH: users.token }),
    /^NOPERM 'get' needs read on the key in argument 1/,
  );
  assert.match(await cli(["-a", "wrong", "PING"]), /AUTH failed: WRONGPASS/);
});

test("ioredis: password, username, a transaction, and a grant that is missing", async () => {
  for (const options of [{ password: users.token }, { username: "ada", password: users.token }]) {
    const client = new Redis(hive.port, { ...options, retryStrategy: () => null });
    try {
      assert.equal(await client.set("users:io", "1"), "OK");
      assert.deepEqual(await client.multi().incr("users:io").get("users:io").exec(), [
        [null, 2],
        [null, "2"],
      ]);
      await assert.rejects(client.get("secret"), /NOPERM/);
      await assert.rejects(client.multi().incr("secret").exec(), /EXECABORT/);
      assert.deepEqual(await client.keys("*"), await client.keys("users:*"));
    } finally {
      client.disconnect();
    }
  }
});

test("node-redis: RESP2 and RESP3, and what a wrong password is told", async () => {
  for (const RESP of [2, 3] as const) {
    const client = createClient({ RESP, username: "default", password: users.token, socket: { port: hive.port } });
    client.on("error", () => {});
    await client.connect();
    try {
      assert.equal(await client.set(`users:node${RESP}`, "1"), "OK");
      await assert.rejects(client.get("secret"), /NOPERM/);
    } finally {
      client.destroy();
    }
  }
  const wrong = createClient({
    password: "wrong",
    socket: { port: hive.port, reconnectStrategy: false },
  });
  wrong.on("error", () => {});
  await assert.rejects(wrong.connect(), /WRONGPASS/);
});

test("our client: a token, what is missing, and the end of a token that is revoked", async () => {
  const { token, info } = await hive.tokens.create({ grants: ["read:users:*"] });
  const client = await connect(`hive://127.0.0.1:${hive.port}`, { token, reconnect: false });
  assert.equal(await client.get("users:none"), undefined);
  await assert.rejects(client.put("users:none", 1), { code: "NO_PERMISSION", message: /needs write/ });
  await assert.rejects(client.get("secret"), { code: "NO_PERMISSION", message: /outside of its read grants/ });
  await hive.tokens.revoke(info.id);
  await assert.rejects(client.get("users:none"), (error: { code: string }) => error.code !== "NO_PERMISSION");
  await client.close();
});

// The command.

function memhive(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const onStart = (child: ChildProcess): void => void children.push(child);
  return runMemhive(args, { env: { npm_lifecycle_event: undefined, ...env }, onStart });
}

type Serving = { port: number; child: ChildProcess; errors: () => string };

async function serve(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Serving> {
  const child = spawn(process.execPath, [MAIN, "serve", "--port", "0", ...args], {
    env: { ...process.env, npm_lifecycle_event: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { port: Number(/:(\d+)$/.exec(line)![1]), child, errors: () => errors };
}

test("memhive token create, list and revoke: one file, its codes, and a hive that runs with it", async () => {
  const file = join(folder, "tokens.json");
  const env = { MEMHIVE_TOKENS: file };
  const made = await memhive(
    ["token", "create", "--grant", "read:users:*", "--name", "ada", "--keys", "5", "--expires", "30d"],
    env,
  );
  assert.equal(made.code, 0);
  assert.match(made.out, /^hive_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\n$/, "the token alone");
  const token = made.out.trim();
  const id = token.split("_")[1]!;
  assert.match(made.error, new RegExp(`^${id} name=ada grants=read:users:\\* keys=5 created=.* expires=.*`));
  assert.ok(!made.error.includes(token.slice(18)));

  const { port } = await serve(["--tokens", file]);
  await using client = await RespClient.connect({ port });
  assert.equal((await client.call("AUTH", token)).value, "OK");

  const json = await memhive(["token", "create", "--tokens", file, "--grant", "all", "--json"]);
  const second = JSON.parse(json.out) as { token: string; id: string };
  const listed = await memhive(["token", "list", "--json"], env);
  assert.deepEqual(
    listed.out
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id),
    [id, second.id],
  );
  assert.ok(!/hash|hive_/.test(listed.out), "neither secrets nor their hashes");

  const revoked = await memhive(["token", "revoke", id, "nobody"], env);
  assert.deepEqual([revoked.code, revoked.out], [3, `revoked ${id}\n`]);
  assert.match(revoked.error, /there is no token nobody/);
  await client.closed;

  const wrong = await memhive(["token", "create", "--grant", "reed:*"], env);
  assert.equal(wrong.code, 2);
  assert.match(wrong.error, /grant reed:\*: expected read, write/);
  for (const args of [
    ["token", "create"],
    ["token", "create", "--grant", "read", "--expires", "soon"],
    ["token"],
    ["token", "create", "--grant", "read", "--bytes", "0"],
  ]) {
    assert.equal((await memhive(args, env)).code, 2, args.join(" "));
  }
  assert.equal((await memhive(["token", "list"], { MEMHIVE_TOKENS: "" })).code, 1);
});

test("memhive serve: --token-file, MEMHIVE_TOKEN and --token, of which the last is warned about", async () => {
  const secret = "the-one-and-only-token";
  const file = join(folder, "one-token");
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  const forms: [args: string[], env: NodeJS.ProcessEnv, errors: RegExp][] = [
    [["--token-file", file], {}, /^$/],
    [[], { MEMHIVE_TOKEN: secret }, /^$/],
    [["--token", secret], {}, /^\S+ warn {2}--token shows in ps to every user of this machine/],
  ];
  for (const [args, env, errors] of forms) {
    const serving = await serve(args, env);
    await using client = await RespClient.connect({ port: serving.port });
    assert.equal((await client.call("AUTH", "wrong")).bytes.latin1Slice().split(" ")[0], "-WRONGPASS");
    assert.equal((await client.call("AUTH", secret)).value, "OK");
    serving.child.kill("SIGTERM");
    await once(serving.child, "close");
    const lines = serving
      .errors()
      .split("\n")
      .filter((line) => line.includes(" warn ") && !line.includes("came with a wrong token"));
    assert.match(lines.join("\n").trim(), errors);
    assert.ok(!serving.errors().includes(secret));
  }
  chmodSync(file, 0o644);
  const refusals: [args: string[], message: RegExp][] = [
    [["--token", secret, "--token-file", file], /are two tokens/],
    [["--token", "short"], /at least 16 characters/],
    [["--token-file", join(folder, "none")], /--token-file .*no such file/],
    [["--tokens", join(folder, "none")], /there is no such file: memhive token create/],
    [["--host", "0.0.0.0"], /without a token only this machine may reach a hive/],
  ];
  for (const [args, message] of refusals) {
    const { code, out, error } = await memhive(["serve", "--port", "0", ...args]);
    assert.equal(code, 1, args.join(" "));
    assert.equal(out, "");
    assert.match(error, message);
  }
});

test("a hive on every address with a token serves the network's clients", async () => {
  const { port } = await serve(["--host", "0.0.0.0"], { MEMHIVE_TOKEN: all });
  await using client = await RespClient.connect({ port });
  assert.equal((await client.call("HELLO", "3", "AUTH", "default", all)).bytes.latin1Slice(0, 1), "%");
});
