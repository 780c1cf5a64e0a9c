// Random calls of every row by tokens that may use no key of those that are there: nothing of what is in
// them is answered, and nothing is changed. What no row of the matrix thought of shows here.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenRegistry } from "../../src/engine/tokens.ts";
import { HIVE_ROWS as ROWS } from "../../src/server/rows.ts";
import { Random } from "../differential/random.ts";
import { startWire, type WireClient } from "../kit/wire-calls.ts";
import { allRows, drawCall } from "./frames.ts";

const SECRET = "S3CR3T";
/** Names that frames.ts draws, and every other argument of its pools may be a name as well. */
const NAMES = [
  "a",
  "b",
  "key:1",
  "table",
  "set",
  "counter",
  "\xff\x00\r\n",
  "",
  "field",
  "member",
  "value",
  "*",
  "k*",
  "0",
  "1",
  "10",
];
const CALLS = 20_000;
/** They change the connection, or wait. */
const LEFT_OUT = /^(AUTH|HELLO|QUIT|RESET|CLIENT REPLY|[PS]?SUBSCRIBE|B[LRZ].*|KEYSMATCH)$/;

function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

test("a token without a grant on any key that is there neither reads nor changes one", () => {
  const seed = Number(process.env["GRANTS_SEED"] ?? Date.now() % 1_000_000_007);
  const random = new Random(seed);
  const tokens = new TokenRegistry({ single: "the-one-and-only-token" });
  const { connect, store } = startWire({ tokens });
  const admin = connect();
  admin.call("AUTH", "the-one-and-only-token");
  for (const [index, name] of NAMES.entries()) {
    const key = latin1(name);
    if (index % 3 === 0) admin.call("SET", key, SECRET);
    else if (index % 3 === 1) admin.call("HSET", key, SECRET, SECRET, "field", SECRET);
    else admin.call("SADD", key, SECRET, `member ${SECRET}`);
  }
  const clients = [["read:in:*", "write:in:*"], ["write:in:*"], ["read:in:*"], ["run", "files"]].map((grants) => {
    const client = connect();
    assert.equal(client.call("AUTH", tokens.create({ grants }, 1000).token), "+OK\r\n");
    return client;
  });
  const rows = allRows(ROWS).filter(({ name }) => !LEFT_OUT.test(name));
  const { entries } = store.memory;
  const before = entries.version;
  for (let i = 0; i < CALLS; i++) {
    const client = random.pick(clients);
    const call = drawCall(random, random.pick(rows));
    // What echoes its own arguments could say the word, so none of them is it.
    const answer = client.call(...call.map(latin1));
    const shown = `seed ${seed}, call ${i}: ${JSON.stringify(call.map((word) => word.slice(0, 40)))}`;
    assert.ok(!answer.includes(SECRET), shown);
    assert.equal(entries.version, before, shown);
    assert.ok(!client.isClosed, shown);
    assert.notEqual(answer, "", shown);
  }
  assert.equal(store.keys.count, NAMES.length);
});

test("the same calls by a token that may use every key do read and change them", () => {
  const random = new Random(1);
  const tokens = new TokenRegistry();
  const { connect, store } = startWire({ tokens });
  const client: WireClient = connect();
  client.call("AUTH", tokens.create({ grants: ["read", "write"] }, 1000).token);
  const rows = allRows(ROWS).filter(({ name }) => !LEFT_OUT.test(name) && !name.startsWith("FLUSH"));
  for (let i = 0; i < CALLS; i++) {
    const call = drawCall(random, random.pick(rows));
    assert.notEqual(client.call(...call.map(latin1)), "", `call ${i}: ${JSON.stringify(call)}`);
  }
  assert.ok(store.memory.entries.version > 1000);
});
