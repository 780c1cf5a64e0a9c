// The tokens file: what is written is read, what is broken is told by file and entry, and one process at a
// time changes it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import { addToken, changeTokens, removeToken } from "../../src/server/tokens-change.ts";
import { readTokens, type TokensContent, writeTokens } from "../../src/server/tokens-file.ts";

const folder = mkdtempSync(join(tmpdir(), "memhive-tokens-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function newPath(): string {
  return join(folder, `${++files}.json`);
}

function add(path: string, grants: string[] = ["read"]): Promise<{ token: string; info: { id: string } }> {
  return changeTokens(path, DEFAULT_LIMITS, (content) =>
    addToken(content, { grants }, { nowMs: 1000, limits: DEFAULT_LIMITS }),
  );
}

test("what is written is read, and is its owner's alone", async () => {
  const path = newPath();
  const { info } = await add(path, ["read:users:*", "write:users:*"]);
  await add(path);
  const { content, isPrivate } = readTokens(path, DEFAULT_LIMITS);
  assert.deepEqual(content.tokens.map(({ id, owner, grants }) => ({ id, owner, grants }))[0], {
    id: info.id,
    owner: content.nextOwner - 2,
    grants: ["read:users:*", "write:users:*"],
  });
  assert.deepEqual([content.tokens.length, isPrivate], [2, true]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(folder).filter((name) => !name.endsWith(".json")),
    [],
    "no left-overs",
  );
  chmodSync(path, 0o644);
  assert.equal(readTokens(path, DEFAULT_LIMITS).isPrivate, false);
});

test("an owner number is not used again after its token was revoked", async () => {
  const path = newPath();
  const { info } = await add(path);
  const first = readTokens(path, DEFAULT_LIMITS).content.tokens[0]!.owner;
  assert.ok(await changeTokens(path, DEFAULT_LIMITS, (content) => removeToken(content, info.id)));
  await add(path);
  assert.equal(readTokens(path, DEFAULT_LIMITS).content.tokens[0]!.owner, first + 1);
  const other = newPath();
  await add(other);
  // Snapshots keep the owners of keys: those of another file are not to be this one's.
  assert.notEqual(readTokens(other, DEFAULT_LIMITS).content.tokens[0]!.owner, first);
});

test("a link stays a link, and the file behind it is changed", async () => {
  const [path, link] = [newPath(), newPath()];
  await add(path);
  symlinkSync(path, link);
  await add(link);
  assert.equal(readTokens(path, DEFAULT_LIMITS).content.tokens.length, 2);
});

test("what is no good is refused, and the message names the file, the entry and the field", async () => {
  const path = newPath();
  await add(path);
  const good = JSON.parse(readFileSync(path, "utf8")) as { tokens: object[] } & Record<string, unknown>;
  const entry = good.tokens[0]!;
  const changed = (change: object): string =>
    JSON.stringify({ ...good, tokens: [entry, { ...entry, id: "0".repeat(12), owner: 9, ...change }] });
  const bad: [text: string, message: RegExp][] = [
    ["", /no JSON/],
    ["hive_secret", /no JSON/],
    [JSON.stringify(good).slice(0, -5), /no JSON/],
    ["[]", /expected an object/],
    [JSON.stringify({ ...good, version: 2 }), /version 2: this memhive knows 1/],
    [JSON.stringify({ ...good, extra: 1 }), /"extra": there is no such field/],
    [JSON.stringify({ ...good, nextOwner: 0 }), /nextOwner: expected a whole number above 0, got 0/],
    [JSON.stringify({ ...good, tokens: {} }), /tokens: expected an array/],
    [changed({ id: "hive_secret" }), /token 2: id: expected 12 hexadecimal digits$/],
    [changed({ id: (entry as { id: string }).id }), /token 2: id [0-9a-f]{12} is there twice/],
    [changed({ owner: (entry as { owner: number }).owner }), /token 2: owner \d+ is there twice/],
    [changed({ hash: "hive_secret_of_somebody" }), /token 2 \(0{12}\): hash: expected the 64 hexadecimal digits/],
    [changed({ grants: "read" }), /token 2 \(0{12}\): grants: expected an array of texts, got "read"/],
    [changed({ grants: ["reed:*"] }), /token 2 \(0{12}\): grant reed:\*: expected read, write/],
    [changed({ grants: [] }), /grants: at least one/],
    [changed({ quotas: { byte: 1 } }), /token 2 \(0{12}\): quotas: "byte": there is no such field/],
    [changed({ quotas: { bytes: "1kb" } }), /quotas: bytes: expected a number, got "1kb"/],
    [changed({ quotas: { keys: -1 } }), /quota keys: expected a whole number above 0, got -1/],
    [changed({ expiresAtMs: "soon" }), /expiresAtMs: expected a number/],
    [changed({ owner: 2 ** 31 }), /owner: expected a whole number from 1/],
    [changed({ restriction: true }), /"restriction": there is no such field/],
    [changed({ name: 1 }), /name: expected a text, got 1/],
  ];
  for (const [text, message] of bad) {
    writeFileSync(path, text);
    assert.throws(
      () => readTokens(path, DEFAULT_LIMITS),
      (error: Error & { code: string }) => {
        assert.equal(error.code, "REFUSED_SETTING");
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(`tokens file ${path}: `), error.message);
        assert.doesNotMatch(error.message, /hive_secret/, "what may be a secret is not shown");
        return true;
      },
    );
  }
  assert.throws(
    () => readTokens(join(folder, "nothing"), DEFAULT_LIMITS),
    /there is no such file: memhive token create/,
  );
});

test("a change that fails leaves the file and no lock behind", async () => {
  const path = newPath();
  await add(path);
  const before = readFileSync(path, "utf8");
  await assert.rejects(add(path, ["bogus"]), { code: "INVALID_ARGUMENT" });
  assert.equal(readFileSync(path, "utf8"), before);
  assert.ok(!existsSync(`${path}.lock`));
  assert.throws(() => writeTokens(join(folder, "no", "folder"), EMPTY), {
    code: "REFUSED_SETTING",
    message: /cannot be written/,
  });
});

const EMPTY: TokensContent = { nextOwner: 1, tokens: [] };

test("the lock of a process that is gone is taken away, that of one that lives is not", async () => {
  const path = newPath();
  writeFileSync(`${path}.lock`, "4194999\n");
  await add(path);
  assert.equal(readTokens(path, DEFAULT_LIMITS).content.tokens.length, 1);
  writeFileSync(`${path}.lock`, `${process.ppid}\n`);
  let isDone = false;
  const later = add(path).then(() => {
    isDone = true;
  });
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(!isDone);
  rmSync(`${path}.lock`);
  await later;
});

test("processes that make tokens at once lose none", async () => {
  const path = newPath();
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, [main, "token", "create", "--tokens", path, "--grant", "read"], { stdio: "ignore" }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, "close"))[0]));
  assert.deepEqual(codes, [0, 0, 0, 0, 0, 0]);
  const { tokens, nextOwner } = readTokens(path, DEFAULT_LIMITS).content;
  assert.deepEqual(
    tokens.map(({ owner }) => owner),
    [6, 5, 4, 3, 2, 1].map((before) => nextOwner - before),
  );
});
