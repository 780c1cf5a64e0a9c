// What one door stores, every door reads: each type, written through each door as key, field, member and
// value, and read through each. Doors: native (the client), RESP (exact bytes), and the command line,
// which is a client of its own with a notation for what a terminal cannot type.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseNotation } from "../../src/cli/notation.ts";
import { showJson } from "../../src/cli/printing.ts";
import { type Client, connect, isHiveError, type Key } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";
import { encode, valueToText } from "../../src/wire/value.ts";
import { RespClient } from "../kit/resp-client.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const utf8 = new TextEncoder();

/** Each type that can be stored, by name. */
const VALUES: Readonly<Record<string, unknown>> = {
  text: "grüße",
  "empty text": "",
  "decimal text": "42",
  bytes: Uint8Array.of(0, 255, 13, 10),
  integer: 42,
  "negative integer": -129,
  "safe integer": Number.MAX_SAFE_INTEGER,
  bigint: 2n ** 60n,
  "small bigint": 7n,
  double: 0.1,
  "negative zero": -0,
  NaN: Number.NaN,
  true: true,
  false: false,
  null: null,
  undefined,
  array: [1, "a", null],
  object: { born: 1815, tags: ["math"] },
  Map: new Map<unknown, unknown>([
    ["a", 1],
    [2, "b"],
  ]),
  Set: new Set([1, "a"]),
  Date: new Date(1_600_000_000_123),
  RegExp: /a+b/gi,
  Float64Array: Float64Array.of(1.5, -2),
  Error: Object.assign(new RangeError("too far"), { stack: undefined }),
};
/** Those that can be a field or a member. */
const NAMES = ["text", "decimal text", "bytes", "integer", "negative integer", "bigint", "double", "true", "Date"];

/** What RESP reads: raw bytes as they are, a number as decimal text, the others as JSON. */
function respForm(value: unknown): string {
  if (typeof value === "string") return Buffer.from(value).toString("latin1");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  return Buffer.from(valueToText(encode(value))).toString("latin1");
}

/** Errors are compared by what of them is stored. */
function same(actual: unknown, expected: unknown): void {
  if (expected instanceof Error) {
    assert.ok(actual instanceof Error);
    assert.deepEqual([actual.name, actual.message], [expected.name, expected.message]);
  } else assert.deepStrictEqual(actual, expected);
}

/** One `memhive cli --json` that reads lines and answers each with a line. */
class CommandLine {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  constructor(url: string) {
    this.#child = spawn(process.execPath, [MAIN, "cli", "--url", url, "--json"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Text as a quoted word, bytes with \x, everything else in notation behind "=". */
  async call(name: string, ...args: unknown[]): Promise<unknown> {
    this.#child.stdin.write(`${[name, ...args.map(typed)].join(" ")}\n`);
    const { value } = await this.#lines.next();
    return value.startsWith("(error) ") ? value : parseNotation(value);
  }

  async close(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.stdin.end();
    assert.deepEqual(await gone, [0, null]);
  }
}

function typed(value: unknown): string {
  if (typeof value === "string") return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  if (!(value instanceof Uint8Array)) return `=${showJson(value)}`;
  return `"${[...value].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;
}

let hive: Hive;
let native: Client;
let resp: RespClient;
let line: CommandLine;

before(async () => {
  hive = await Hive.start({ port: 0 });
  native = await connect(`hive://127.0.0.1:${hive.port}`);
  resp = await RespClient.connect({ port: hive.port });
  line = new CommandLine(`hive://127.0.0.1:${hive.port}`);
});
after(async () => {
  await line.close();
  await resp.close();
  await native.close();
  await hive.close();
});

/** A call over RESP. A string, or an array of strings, comes with a character per byte. */
async function overResp(...args: (string | Uint8Array)[]): Promise<unknown> {
  resp.send(args.map((arg) => (typeof arg === "string" ? utf8.encode(arg) : arg)));
  const reply = await resp.readReply();
  const bytes = reply.bytes.toString("latin1");
  const one = /^(?:\*1\r\n)?\$\d+\r\n([\s\S]*)\r\n$/.exec(bytes)?.[1];
  if (one === undefined) return reply.value;
  return reply.type === "*" ? [one] : one;
}

type Write = (key: string, field: Key, value: unknown) => Promise<unknown>;

/** How a door writes a value: the value of a key, and of a field. */
const WRITERS: Readonly<Record<string, { key: (key: string, value: unknown) => Promise<unknown>; field: Write }>> = {
  native: {
    key: (key, value) => native.put(key, value),
    field: (key, field, value) => native.table<unknown, Key>(key).set(field, value),
  },
  "command line": {
    key: (key, value) => line.call("SET", key, value),
    field: (key, field, value) => line.call("HSET", key, field, value),
  },
};

for (const [door, write] of Object.entries(WRITERS)) {
  describe(`written through ${door}`, () => {
    for (const [type, value] of Object.entries(VALUES)) {
      test(`${type} as a value is read by every door`, async () => {
        const key = `${door} ${type}`;
        await write.key(key, value);
        same(await native.get(key), value);
        assert.equal(await overResp("GET", key), respForm(value));
        same(await line.call("GET", key), value);

        const table = `table ${key}`;
        await write.field(table, "field", value);
        same(await native.table(table).get("field"), value);
        assert.equal(await overResp("HGET", table, "field"), respForm(value));
        same(await line.call("HGET", table, "field"), value);
      });
    }

    for (const type of NAMES) {
      const name = VALUES[type] as Key;

      test(`${type} as a field is read by every door`, async () => {
        const table = `fields ${door} ${type}`;
        await write.field(table, name, "value");
        assert.equal(await native.table<string, Key>(table).get(name), "value");
        assert.deepEqual(await Array.fromAsync(native.table<string, Key>(table).keys()), [name]);
        assert.deepEqual(await overResp("HKEYS", table), [respForm(name)]);
        assert.equal(await line.call("HGET", table, name), "value");
        // RESP names raw fields, and integers by their digits: HKEYS never shows what HGET cannot find.
        const named =
          typeof name === "string" || name instanceof Uint8Array || Number.isInteger(name) || typeof name === "bigint";
        const asked = name instanceof Uint8Array ? name : String(name);
        assert.equal(await overResp("HGET", table, asked), named ? "value" : null);
      });

      test(`${type} as a member is read by every door`, async () => {
        const set = `set ${door} ${type}`;
        if (door === "native") await native.setOf<Key>(set).push(name);
        else await line.call("SADD", set, name);
        assert.equal(await native.setOf<Key>(set).has(name), true);
        assert.deepEqual(await Array.fromAsync(native.setOf<Key>(set).values()), [name]);
        assert.deepEqual(await overResp("SMEMBERS", set), [respForm(name)]);
        assert.equal(await line.call("SISMEMBER", set, name), 1);
      });
    }

    test("integer 1 and text 1 are two fields and two members", async () => {
      const key = `two of ${door}`;
      await write.field(key, 1, "number");
      await write.field(key, "1", "text");
      const table = native.table<string, Key>(key);
      assert.deepEqual([await table.get(1), await table.get("1"), await table.size()], ["number", "text", 2]);
      assert.equal(await overResp("HGET", key, "1"), "text", "raw comes first");
    });
  });
}

describe("written through RESP", () => {
  for (const [type, raw] of [
    ["text", utf8.encode("grüße")],
    ["decimal text", utf8.encode("42")],
    ["bytes", Uint8Array.of(0, 255, 13, 10)],
  ] as const) {
    const text = type === "bytes" ? undefined : new TextDecoder().decode(raw);

    test(`${type} as a value is read by every door`, async () => {
      const key = `resp ${type}`;
      await overResp("SET", key, raw);
      await overResp("HSET", `table ${key}`, "field", raw);
      if (text === undefined) {
        await assert.rejects(native.get(key), (error) => isHiveError(error) && error.code === "NOT_TEXT");
      } else {
        assert.equal(await native.get(key), text);
        assert.equal(await native.table(`table ${key}`).get("field"), text);
      }
      assert.deepEqual(await native.get(key, { as: "bytes" }), raw);
      assert.deepEqual(await native.table(`table ${key}`).getBytes("field"), raw);
      assert.deepEqual(await line.call("GET", key), text ?? raw);
    });

    test(`${type} as a key, field and member is the one that a client means`, async () => {
      const name = text ?? raw;
      await overResp("SET", raw, "key");
      assert.equal(await native.get(name), "key");
      await overResp("HSET", `resp fields ${type}`, raw, "value");
      assert.equal(await native.table<string, Key>(`resp fields ${type}`).get(name), "value");
      await overResp("SADD", `resp set ${type}`, raw);
      assert.equal(await native.setOf<Key>(`resp set ${type}`).has(name), true);
      assert.equal(await line.call("SISMEMBER", `resp set ${type}`, name), 1);
      await native.delete(name);
    });
  }
});

test("a key is text or bytes: other types are refused, whichever door they come through", async () => {
  for (const key of [1, 2n, true, new Date(0)]) {
    const refused = (error: unknown): boolean => isHiveError(error) && error.code === "BAD_VALUE";
    await assert.rejects(native.send(["SET", key, "v"]), refused);
    assert.match(String(await line.call("SET", key, "v")), /^\(error\) BAD_VALUE /);
  }
});

test("numbers are counted in the kind that they have, over every door", async () => {
  await native.put("native counter", 41);
  assert.equal(await overResp("INCR", "native counter"), 42);
  assert.equal(await native.get("native counter"), 42);
  await overResp("SET", "resp counter", "41");
  assert.equal(await native.incr("resp counter"), 42);
  assert.equal(await native.get("resp counter"), "42", "what RESP stored as text stays text");
  await native.table("native counters").increment("hits", 5);
  assert.equal(await overResp("HINCRBY", "native counters", "hits", "1"), 6);
  assert.equal(await native.table("native counters").get("hits"), 6);
});
