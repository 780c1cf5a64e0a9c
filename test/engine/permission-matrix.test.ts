// The permission matrix: every command × every set of grants × keys inside and outside of them, over RESP
// and native, alone and inside a transaction, on a hive without keys and on one that has them all.
//
// What is needed stands in kit/needed-permissions.ts; a row that is not there fails the first test.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type HiveError, isHiveError } from "../../src/base/errors.ts";
import type { Row } from "../../src/engine/row.ts";
import { Hive } from "../../src/server/hive.ts";
import { HIVE_ROWS as ROWS } from "../../src/server/rows.ts";
import { NativeClient } from "../kit/native-client.ts";
import { NEEDS, type Need, OTHER_FORMS, UNREACHED, type Word, wordsOf } from "../kit/needed-permissions.ts";
import { RespClient, RespError } from "../kit/resp-client.ts";

const KINDS = ["read", "write", "run", "files", "admin"] as const;
type Kind = (typeof KINDS)[number];
/** What a token has: which permissions, and whether on all keys or on those that begin with "in:". */
type Holding = { kinds: readonly Kind[]; everywhere: boolean };
type Case = { need: Need; words: Word[]; inside: readonly boolean[] };

const rows: Row[] = ROWS.flatMap((row) => [row, ...(row.subcommands ?? [])]);
const needs = [...NEEDS.values(), ...OTHER_FORMS];
/** Every need with its keys inside, and with one of them outside: each in turn. */
const cases: Case[] = needs.flatMap((need) => {
  const words = wordsOf(need);
  const keys = words.flatMap((word, index) => (isKey(word) ? [index] : []));
  const outside = keys.length === 0 ? [-1] : [-1, ...keys];
  return outside.map((out) => ({ need, words, inside: words.map((_, index) => index !== out) }));
});
const holdings: Holding[] = Array.from({ length: 2 ** KINDS.length }, (_, bits) =>
  KINDS.filter((_, index) => ((bits >> index) & 1) === 1),
)
  .filter((kinds) => kinds.length > 0)
  .flatMap((kinds) => [
    { kinds, everywhere: false },
    { kinds, everywhere: true },
  ]);

let hive: Hive;
const secrets = new Map<Holding, string>();

before(async () => {
  hive = await Hive.start({ port: 0, tokens: true, limits: { authenticationDelayMs: 1, authenticationDelayMsMax: 1 } });
  for (const holding of holdings) {
    const pattern = holding.everywhere ? "*" : "in:*";
    const grants = holding.kinds.map((kind) => (kind === "admin" ? kind : `${kind}:${pattern}`));
    secrets.set(holding, (await hive.tokens.create({ grants })).token);
  }
});
after(() => hive.close());

function isKey({ reads, writes }: Word): boolean {
  return reads || writes;
}

function callOf({ words, inside }: Case): string[] {
  return words.map((word, index) => (isKey(word) ? `${inside[index] ? "in" : "out"}:${word.text}` : word.text));
}

function isAllowed({ need, words, inside }: Case, { kinds, everywhere }: Holding): boolean {
  const { grant, every, own } = need;
  if (grant !== undefined && !kinds.includes(grant)) return false;
  if (every !== undefined && !(kinds.includes(every) && everywhere)) return false;
  if (own !== undefined && !kinds.includes(own)) return false;
  return words.every((word, index) => {
    if (isKey(word) && !inside[index] && !everywhere) return false;
    return (!word.reads || kinds.includes("read")) && (!word.writes || kinds.includes("write"));
  });
}

function version(): number {
  return hive.engine.store.memory.entries.version;
}

/** Every key that a call may name, with what it wants to find there. */
function fill(): void {
  const { store } = hive.engine;
  for (const prefix of ["in", "out"]) {
    for (const name of ["a", "b"]) {
      const key = Buffer.from(`${prefix}:${name}`);
      store.keys.put(key, 0, key.length, 0, Buffer.from("1"), 0, 1, 0, Number.POSITIVE_INFINITY);
    }
  }
}

test("every row is in the list of needs, and the list has no other", () => {
  const names = rows.map(({ name }) => name).filter((name) => !UNREACHED.includes(name));
  assert.deepEqual([...NEEDS.keys()].toSorted(), names.toSorted());
});

for (const state of ["without keys", "with keys"] as const) {
  test(`RESP, ${state}: what is not granted is refused and changes nothing, what is granted is not`, async () => {
    let checked = 0;
    for (const holding of holdings) {
      await using client = await dial(holding);
      for (const allowed of [false, true]) {
        const chosen = cases.filter((each) => isAllowed(each, holding) === allowed);
        hive.engine.store.keys.clear();
        if (state === "with keys") fill();
        const before = version();
        const together = chosen.filter(({ need }) => need.alone !== true);
        const replies = await client.callAll(together.map(callOf));
        for (const [index, { value }] of replies.entries()) check(together[index]!, holding, allowed, value);
        for (const each of chosen.filter(({ need }) => need.alone === true)) {
          await using own = await dial(holding);
          check(each, holding, allowed, (await own.call(...callOf(each))).value);
        }
        if (!allowed) assert.equal(version(), before, "what was refused has changed nothing");
        checked += chosen.length;
      }
    }
    assert.equal(checked, cases.length * holdings.length);
  });
}

test("RESP: a refusal is the same whether the keys exist or not", async () => {
  for (const holding of holdings.filter(({ everywhere }) => !everywhere)) {
    await using client = await dial(holding);
    const calls = cases.filter((each) => !isAllowed(each, holding)).map(callOf);
    hive.engine.store.keys.clear();
    const before = await client.callAll(calls);
    fill();
    const afterwards = await client.callAll(calls);
    assert.deepEqual(
      afterwards.map(({ bytes }) => bytes.latin1Slice()),
      before.map(({ bytes }) => bytes.latin1Slice()),
    );
  }
});

test("RESP: inside MULTI a call is refused when it comes, and spoils the transaction", async () => {
  for (const holding of holdings) {
    await using client = await dial(holding);
    const refused = cases.filter((each) => !isAllowed(each, holding) && each.need.alone !== true);
    const calls = refused.flatMap((each) => [["MULTI"], callOf(each), ["SET", "in:canary", "1"], ["EXEC"]]);
    hive.engine.store.keys.clear();
    const before = version();
    const replies = await client.callAll(calls);
    for (let i = 0; i < refused.length; i++) {
      const [begun, answer, , end] = replies.slice(4 * i, 4 * i + 4).map(({ value }) => value);
      assert.equal(begun, "OK");
      assert.match(messageOf(answer), /^NOPERM /, callOf(refused[i]!).join(" "));
      assert.match(messageOf(end), /^EXECABORT /);
    }
    assert.equal(version(), before);
  }
});

test("native: the same matrix", async () => {
  for (const holding of holdings) {
    await using client = await NativeClient.connect(
      { port: hive.port },
      { token: secrets.get(holding)!, heartbeatMs: 0 },
    );
    for (const each of cases) {
      if (/^(QUIT|RESET|AUTH)/.test(each.need.call)) continue;
      const allowed = isAllowed(each, holding);
      const code = await codeOf(client.call(...callOf(each)));
      const flags = flagsOf(each.need);
      if (flags.includes("ordered")) assert.equal(code, "UNSUPPORTED", each.need.call);
      else
        assert.equal(
          code === "NO_PERMISSION",
          !allowed,
          `${callOf(each).join(" ")} with ${describe(holding)}: ${code}`,
        );
    }
  }
});

test("native: a transaction with a call that is not allowed runs none", async () => {
  for (const holding of holdings) {
    await using client = await NativeClient.connect(
      { port: hive.port },
      { token: secrets.get(holding)!, heartbeatMs: 0 },
    );
    hive.engine.store.keys.clear();
    const before = version();
    for (const each of cases) {
      if (isAllowed(each, holding) || flagsOf(each.need).some((flag) => flag === "ordered" || flag === "immediate"))
        continue;
      const error = await errorOf(client.transact(["SET", "in:canary", "1"], callOf(each)));
      const isFirst = isAllowed(CANARY, holding) ? /NOPERM/ : /NOPERM 'set'/;
      if (flagsOf(each.need).includes("noMulti") && isAllowed(CANARY, holding)) continue;
      assert.equal(error.code, "EXEC_ABORT", each.need.call);
      assert.match(error.message, isFirst);
    }
    assert.equal(version(), before);
  }
});

const CANARY: Case = {
  need: { call: "SET W:canary 1" },
  words: wordsOf({ call: "SET W:canary 1" }),
  inside: [true, true, true],
};

test("a stranger gets nothing but the ways in and out, over RESP", async () => {
  await using client = await RespClient.connect({ port: hive.port });
  const calls = cases.filter(({ need }) => !/^(HELLO|AUTH|RESET|QUIT)/.test(need.call)).map(callOf);
  const short = calls.filter((call) => call.length <= 10);
  for (const [index, { value }] of (await client.callAll(short)).entries()) {
    // A refused EXEC is told as the end of a transaction, as in Redis.
    assert.match(messageOf(value), /^(EXECABORT .*: )?NOAUTH Authentication required\.$/, short[index]!.join(" "));
  }
});

// Helpers of this file.

async function dial(holding: Holding): Promise<RespClient> {
  const client = await RespClient.connect({ port: hive.port });
  assert.equal((await client.call("AUTH", secrets.get(holding)!)).value, "OK");
  return client;
}

function check(each: Case, holding: Holding, allowed: boolean, value: unknown): void {
  const call = `${callOf(each).join(" ")} with ${describe(holding)}`;
  const isRefused = value instanceof RespError && value.message.startsWith("NOPERM ");
  assert.equal(isRefused, !allowed, `${call}: ${messageOf(value)}`);
  if (isRefused) assert.doesNotMatch(messageOf(value), /(in|out):/, "a refusal names no key");
}

function messageOf(value: unknown): string {
  return value instanceof RespError ? value.message : JSON.stringify(value);
}

function describe({ kinds, everywhere }: Holding): string {
  return `${kinds.join("+")} on ${everywhere ? "*" : "in:*"}`;
}

function flagsOf({ call }: Need): readonly string[] {
  const [first, second] = call.split(" ");
  const row = rows.find(({ name }) => name === `${first} ${second}`) ?? rows.find(({ name }) => name === first);
  return row!.flags;
}

async function codeOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return "OK";
  } catch (error) {
    if (isHiveError(error)) return error.code;
    throw error;
  }
}

async function errorOf(answer: Promise<unknown>): Promise<HiveError> {
  try {
    assert.fail(`answered with ${JSON.stringify(await answer)}`);
  } catch (error) {
    if (isHiveError(error)) return error;
    throw error;
  }
}
