// A hive with tokens: who gets in, what a change of the file does to a hive that runs, and in-process ends.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { connect } from "../../src/client/node.ts";
import { Hive, type HiveOptions } from "../../src/server/hive.ts";
import { addToken, changeTokens, removeToken } from "../../src/server/tokens-change.ts";
import { RespClient, RespError } from "../kit/resp-client.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-hive-tokens-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

async function fileWith(...grants: string[]): Promise<{ path: string; token: string; id: string }> {
  const path = join(folder, `${++files}.json`);
  const { token, info } = await create(path, grants);
  return { path, token, id: info.id };
}

function create(path: string, grants: string[]): Promise<{ token: string; info: { id: string } }> {
  return changeTokens(path, DEFAULT_LIMITS, (content) =>
    addToken(content, { grants }, { nowMs: Date.now(), limits: DEFAULT_LIMITS }),
  );
}

type Noticed = { hive: Hive; notices: string[]; noticed: (message: RegExp) => Promise<void> };

async function start(options: HiveOptions): Promise<Noticed & AsyncDisposable> {
  const notices: string[] = [];
  const hive = await Hive.start({ port: 0, ...options, onNotice: (message) => notices.push(message) });
  const noticed = async (message: RegExp): Promise<void> => {
    const fromMs = performance.now();
    while (!notices.some((notice) => message.test(notice))) {
      if (performance.now() - fromMs > 10_000) assert.fail(`no notice ${message}: ${notices.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  return { hive, notices, noticed, [Symbol.asyncDispose]: () => hive.close() };
}

async function dial({ hive }: Noticed, token: string): Promise<RespClient> {
  const client = await RespClient.connect({ port: hive.port });
  assert.equal((await client.call("AUTH", token)).value, "OK");
  return client;
}

test("a hive with one token lets in who has it, over both wires, and this process without", async () => {
  await using started = await start({ token: "the-one-and-only-token" });
  const { hive } = started;
  await using stranger = await RespClient.connect({ port: hive.port });
  assert.deepEqual((await stranger.call("GET", "k")).value, new RespError("NOAUTH Authentication required."));
  await using client = await dial(started, "the-one-and-only-token");
  assert.equal((await client.call("SET", "k", "v")).value, "OK");
  await using near = await connect(hive);
  assert.equal(await near.get("k"), "v");
  await assert.rejects(connect(`hive://127.0.0.1:${hive.port}`), { code: "NO_AUTH" });
  await using far = await connect(`hive://127.0.0.1:${hive.port}`, { token: "the-one-and-only-token" });
  assert.equal(await far.get("k"), "v");
  await assert.rejects(connect(`hive://127.0.0.1:${hive.port}`, { token: "the-one-and-only-tokem" }), {
    code: "WRONG_PASSWORD",
  });
});

test("a hive without a token listens on this machine alone, one with a token where it is told to", async () => {
  await assert.rejects(Hive.start({ host: "0.0.0.0", port: 0 }), {
    code: "REFUSED_SETTING",
    message: /without a token/,
  });
  await assert.rejects(Hive.start({ token: "too short", port: 0 }), {
    code: "REFUSED_SETTING",
    message: /at least 16/,
  });
  await using started = await start({ host: "0.0.0.0", token: "the-one-and-only-token" });
  assert.equal(started.hive.address, `0.0.0.0:${started.hive.port}`);
});

test("a hive makes, lists and revokes tokens of its own, and one that lets everybody in has none", async () => {
  await using started = await start({ tokens: true });
  const { hive } = started;
  const { token, info } = await hive.tokens.create({
    name: "ada",
    grants: ["read:users:*"],
    quotas: { connections: 1 },
  });
  assert.deepEqual(
    hive.tokens.list().map(({ id, name, grants }) => ({ id, name, grants })),
    [{ id: info.id, name: "ada", grants: ["read:users:*"] }],
  );
  await using client = await dial(started, token);
  assert.match(((await client.call("SET", "users:a", "1")).value as RespError).message, /^NOPERM 'set' needs write/);
  await assert.rejects(connect(`hive://127.0.0.1:${hive.port}`, { token }), {
    code: "QUOTA",
    message: /as many as it may \(1\)/,
  });
  assert.ok(await hive.tokens.revoke(info.id));
  assert.ok(!(await hive.tokens.revoke(info.id)));
  await client.closed;

  await using open = await start({});
  await assert.rejects(open.hive.tokens.create({ grants: ["read"] }), {
    code: "REFUSED_SETTING",
    message: /lets everybody in/,
  });
  assert.deepEqual(open.hive.tokens.list(), []);
});

test("a hive takes over what memhive token does to its file, and what it does itself is in the file", async () => {
  const { path, token, id } = await fileWith("read");
  await using started = await start({ tokens: path });
  const { hive, noticed } = started;
  await using client = await dial(started, token);
  const second = await create(path, ["all"]);
  await noticed(/^2 tokens read from/);
  await using other = await dial(started, second.token);
  await changeTokens(path, DEFAULT_LIMITS, (content) => removeToken(content, id));
  await client.closed;
  assert.equal((await other.call("PING")).value, "PONG");

  const own = await hive.tokens.create({ name: "own", grants: ["all"] });
  assert.match(readFileSync(path, "utf8"), new RegExp(own.info.id));
  await using third = await dial(started, own.token);
  assert.ok(await hive.tokens.revoke(own.info.id));
  assert.doesNotMatch(readFileSync(path, "utf8"), new RegExp(own.info.id));
  await third.closed;
});

test("behind a link a change is taken over wherever it is made, also when the link leads elsewhere", async () => {
  const real = join(folder, "real");
  const other = join(folder, "other");
  const linked = join(folder, "linked");
  for (const each of [real, other, linked]) mkdirSync(each);
  const path = join(linked, "tokens.json");
  const revoke = (at: string, id: string): Promise<boolean> =>
    changeTokens(join(at, "tokens.json"), DEFAULT_LIMITS, (content) => removeToken(content, id));
  const first = await create(join(real, "tokens.json"), ["read"]);
  const second = await create(join(other, "tokens.json"), ["read"]);
  symlinkSync(join(real, "tokens.json"), path);
  await using started = await start({ tokens: path });
  await using client = await dial(started, first.token);
  assert.ok(await revoke(real, first.info.id));
  await client.closed;
  symlinkSync(join(other, "tokens.json"), `${path}.new`);
  renameSync(`${path}.new`, path);
  await started.noticed(/1 tokens read/);
  await using later = await dial(started, second.token);
  assert.ok(await revoke(other, second.info.id));
  await later.closed;
});

test("a token that is narrowed in the file has less on its open connections", async () => {
  const { path, token } = await fileWith("all");
  await using started = await start({ tokens: path });
  await using client = await dial(started, token);
  assert.equal((await client.call("SET", "k", "v")).value, "OK");
  replace(path, readFileSync(path, "utf8").replace('"write:*",', ""));
  await started.noticed(/^1 tokens read from/);
  assert.match(String(((await client.call("SET", "k", "w")).value as RespError).message), /^NOPERM 'set' needs write/);
  assert.equal((await client.call("GET", "k")).value, "v");
});

test("a file that is broken is refused with a notice, and the old tokens stay, also on reload()", async () => {
  const { path, token } = await fileWith("all");
  await using started = await start({ tokens: path });
  await using client = await dial(started, token);
  const good = readFileSync(path, "utf8");
  replace(path, good.slice(0, 40));
  await started.noticed(/no JSON.*the tokens stay as they were/);
  assert.equal((await client.call("PING")).value, "PONG");
  await using another = await dial(started, token);
  rmSync(path);
  started.hive.reload();
  await started.noticed(/there is no such file.*the tokens stay as they were/);
  await assert.rejects(started.hive.tokens.create({ grants: ["read"] }), {
    code: "REFUSED_SETTING",
    message: /no such file/,
  });
  assert.equal((await another.call("PING")).value, "PONG");
  replace(path, good.replace('"tokens": [', '"tokens": [ '));
  started.hive.reload();
  await started.noticed(/^1 tokens read from/);
  assert.equal((await another.call("PING")).value, "PONG");
});

test("a hive does not start with a file that is not there or is broken", async () => {
  await assert.rejects(Hive.start({ port: 0, tokens: join(folder, "none.json") }), {
    code: "REFUSED_SETTING",
    message: /there is no such file: memhive token create makes one/,
  });
  const path = join(folder, "broken.json");
  writeFileSync(path, "{}");
  await assert.rejects(Hive.start({ port: 0, tokens: path }), { code: "REFUSED_SETTING", message: /version nothing/ });
});

test("a hive with a file says so when others may read it", async () => {
  const { path } = await fileWith("read");
  replace(path, readFileSync(path, "utf8"));
  await using started = await start({ tokens: path });
  assert.match(started.notices.join(), /others than its owner may read/);
});

/** As an editor or a tool would: another file in its place. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o644 });
  renameSync(`${path}.new`, path);
}
