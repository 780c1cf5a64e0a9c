// test/differential/judge.test.ts
// What the judge lets pass, and what not: order, clocks, chance, and transactions element by element.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Args } from "./draw.ts";
import { encodeCommand } from "./frame.ts";
import { Judge, type Verdict } from "./judge.ts";

/** The verdict on the last of some exchanges on one connection. */
function judge(...exchanges: [command: string, theirs: string, ours: string][]): Verdict {
  const judging = new Judge(() => {});
  return exchanges
    .map(([command, theirs, ours]) => judging.judge({ args: command.split(" "), theirs, ours }))
    .at(-1) as Verdict;
}

/** An array of bulk strings, which is how a command looks. */
function list(...items: Args): string {
  return encodeCommand(items);
}

function allowed(verdict: Verdict): string | undefined {
  assert.equal(verdict.kind, undefined);
  return verdict.allowed;
}

test("equal bytes are equal, other bytes are not", () => {
  assert.equal(allowed(judge(["GET a", "$1\r\nx\r\n", "$1\r\nx\r\n"])), undefined);
  assert.equal(judge(["get a", "$1\r\nx\r\n", "$1\r\ny\r\n"]).kind, "other bulk");
  assert.equal(judge(["GET a", "$-1\r\n", ":0\r\n"]).kind, "$-1 (null) against integer");
  assert.equal(judge(["NOSUCH", "-ERR a 12\r\n", "-ERR b 13\r\n"]).kind, "-ERR a N against -ERR b N");
});

test("the order of a set's members is free, of a list of values it is not", () => {
  assert.equal(allowed(judge(["SMEMBERS a", list("x", "y"), list("y", "x")])), "order-of-elements");
  assert.ok(judge(["SMEMBERS a", list("x", "y"), list("y", "y")]).kind);
  assert.ok(judge(["SMEMBERS a", list("x", "y"), list("x", "y").replace("*", "~")]).kind);
  assert.ok(judge(["MGET a b", list("x", "y"), list("y", "x")]).kind);
});

test("fields may come in any order, each with its own value", () => {
  assert.equal(allowed(judge(["HGETALL a", list("f", "1", "g", "2"), list("g", "2", "f", "1")])), "order-of-elements");
  assert.ok(judge(["HGETALL a", list("f", "1", "g", "2"), list("f", "2", "g", "1")]).kind);
});

test("times may differ by seconds, the codes for no time may not", () => {
  assert.equal(allowed(judge(["TTL a", ":100000\r\n", ":99999\r\n"])), "clocks");
  assert.equal(allowed(judge(["PTTL a", ":100000\r\n", ":97000\r\n"])), "clocks");
  assert.ok(judge(["TTL a", ":100000\r\n", ":90000\r\n"]).kind);
  assert.ok(judge(["TTL a", ":-1\r\n", ":-2\r\n"]).kind);
  assert.ok(judge(["STRLEN a", ":100000\r\n", ":99999\r\n"]).kind);
});

test("random picks are members of the set just listed, as many as Redis gave, none twice", () => {
  const members: [string, string, string] = ["SMEMBERS a", list("x", "y", "z"), list("x", "y", "z")];
  assert.equal(allowed(judge(members, ["SRANDMEMBER a 2", list("x", "y"), list("z", "x")])), "random-picks");
  assert.equal(allowed(judge(members, ["SRANDMEMBER a -2", list("x", "y"), list("z", "z")])), "random-picks");
  assert.ok(judge(members, ["SRANDMEMBER a 2", list("x", "y"), list("z", "z")]).kind);
  assert.ok(judge(members, ["SRANDMEMBER a 2", list("x", "y"), list("x", "no")]).kind);
  assert.ok(judge(members, ["SRANDMEMBER a 2", list("x", "y"), list("x")]).kind);
  assert.equal(allowed(judge(["SPOP a 2", list("x", "y"), list("z", "x")])), "random-picks");
  assert.ok(judge(["SPOP a 100000", list("x", "y"), list("z", "x")]).kind);
});

test("an error is exact where an answer is free", () => {
  assert.ok(judge(["SMEMBERS a", "-WRONGTYPE x\r\n", "-WRONGTYPE y\r\n"]).kind);
  assert.ok(judge(["CLIENT ID", ":1\r\n", "-ERR x\r\n"]).kind);
});

test("EXEC is judged element by element, each under its own command", () => {
  const queued = "+QUEUED\r\n";
  const exchanges = (theirs: string, ours: string): Verdict =>
    judge(
      ["MULTI", "+OK\r\n", "+OK\r\n"],
      ["SMEMBERS a", queued, queued],
      ["GET b", queued, queued],
      ["EXEC", theirs, ours],
    );
  const [one, other, value] = [list("x", "y"), list("y", "x"), "$1\r\nv\r\n"];
  assert.equal(allowed(exchanges(`*2\r\n${one}${value}`, `*2\r\n${other}${value}`)), "order-of-elements");
  assert.equal(exchanges(`*2\r\n${one}${value}`, `*2\r\n${one}${other}`).kind, "in EXEC, bulk against array");
  assert.ok(exchanges(`*2\r\n${one}${value}`, `*1\r\n${one}`).kind);
  assert.ok(exchanges("*-1\r\n", "*0\r\n").kind);
});
