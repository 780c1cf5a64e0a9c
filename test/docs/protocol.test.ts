// docs/protocol.md and the sources say the same, both ways; and every frame in its examples is one.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "../../src/base/limits.ts";
import * as frames from "../../src/wire/frame.ts";
import { FrameReader } from "../../src/wire/frame.ts";
import { readHello, readWelcome } from "../../src/wire/handshake.ts";
import * as items from "../../src/wire/items.ts";
import { ItemReader } from "../../src/wire/items.ts";
import { CREDIT_MAX } from "../../src/wire/streams.ts";
import { VIEW_KINDS } from "../../src/wire/value-extensions.ts";
import * as format from "../../src/wire/value-format.ts";

const PAGE = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

/** Number → name of the rows that `row` finds. */
function table(row: RegExp, radix: number): Record<string, number> {
  return Object.fromEntries([...PAGE.matchAll(row)].map(([, number, name]) => [name, Number.parseInt(number!, radix)]));
}

/** The constants of a module whose names begin with `prefix`. */
function constants(module: object, prefix: string): Record<string, number> {
  const found = Object.entries(module).filter(([name, value]) => name.startsWith(prefix) && typeof value === "number");
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]));
}

test("kinds of frames", () => {
  const known = Object.entries(frames).filter(
    ([name, value]) => typeof value === "number" && value >= 0x80 && value <= 0xff && !name.startsWith("REFS_"),
  );
  assert.deepEqual(table(/^\| `([0-9a-f]{2})` \| ([A-Z]+) \|/gm, 16), Object.fromEntries(known));
  assert.match(PAGE, new RegExp(`Kinds \`${frames.REFS_FIRST.toString(16)}\` to \`${frames.REFS_LAST.toString(16)}\``));
  assert.equal(PAGE.match(/C1 68 69 76 65/g)?.length, 1);
  assert.deepEqual([...frames.PREAMBLE], [0xc1, ...Buffer.from("hive"), frames.PROTOCOL_VERSION]);
});

test("kinds of items, sizes and atoms", () => {
  assert.deepEqual(
    table(/^\| (\d) \| ([A-Z]+) \| (?:bytes|items|pairs|its number) \|/gm, 10),
    constants(items, "ITEM_"),
  );
  assert.deepEqual(table(/^\| (\d) \| ([A-Z_]+) \| (?!bytes|items|pairs|its number)/gm, 10), constants(items, "ATOM_"));
  assert.deepEqual([items.SIZE_8, items.SIZE_16, items.SIZE_32, items.SIZE_OPEN], [28, 29, 30, 31]);
});

test("limits", () => {
  const { unauthenticatedBytesMax, authenticationTimeoutMs } = DEFAULT_LIMITS;
  assert.match(PAGE, new RegExp(`and ${unauthenticatedBytesMax.toLocaleString("en")} before it`));
  assert.match(PAGE, new RegExp(`\\(${authenticationTimeoutMs / 1000} s\\)`));
  assert.match(PAGE, new RegExp(`more than \`${CREDIT_MAX.toString(16)}\` bytes`));
  assert.match(PAGE, new RegExp(`\\(\`00000000\` to \`${frames.ID_MAX.toString(16)}\`\\)`));
  assert.match(PAGE, new RegExp(`at most ${format.BIGINT_BYTES_MAX.toLocaleString("en")};`));
});

test("the fields of the handshake are those that are read", () => {
  const named = (from: string): string[] => {
    const rows = PAGE.slice(PAGE.indexOf(from)).split("\n\n")[0]!.split("\n").slice(2);
    return rows.flatMap((row) => [...row.split("|")[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
  };
  const limits = PAGE.match(/\| `limits` \| map \| `([\w ]+)`/)![1]!.split(" ");
  const number = Object.fromEntries(limits.map((name) => [name, 7]));
  const hello = { token: "t", name: "n", library: "l", libraryVersion: "1", heartbeatMs: 7, features: ["f"] };
  const welcome = {
    version: 1,
    hive: "1.0",
    runId: "r",
    connectionId: 7,
    heartbeatMs: 7,
    limits: number,
    features: [],
    shared: { folder: "/dev/shm/f", layout: 7 },
  };
  assert.deepEqual(Object.keys(readHello(hello)), named("| HELLO | type"));
  assert.deepEqual(Object.keys(readWelcome(welcome)), named("| WELCOME | type"));
  assert.deepEqual(readWelcome(welcome), welcome);
  assert.deepEqual(readWelcome({ ...welcome, shared: { why: "w" } }).shared, { why: "w" });
  assert.throws(() => readWelcome({ ...welcome, shared: { folder: 7, layout: 7 } }), { code: "BAD_FRAME" });
});

test("extensions and kinds of views", () => {
  const names = { Date: "DATE", undefined: "UNDEFINED", reference: "REFERENCE", Map: "MAP", Set: "SET" };
  const more = { bigint: "BIGINT", view: "VIEW", RegExp: "REGEXP", Error: "ERROR", instance: "INSTANCE", code: "CODE" };
  const spelled: Record<string, string> = { ...names, ...more };
  const rows = table(
    /^\| (-?\d) \| (Date|undefined|reference|Map|Set|bigint|view|RegExp|Error|instance|code) \|/gm,
    10,
  );
  const found = Object.fromEntries(Object.entries(rows).map(([name, number]) => [spelled[name], number]));
  assert.deepEqual(found, constants(format, "EXT_"));
  const views = PAGE.replaceAll("\n", " ").match(/Kinds of a view: ([^.]+)\./)![1]!;
  assert.deepEqual(
    views.split(", "),
    VIEW_KINDS.map(({ name }, kind) => `${kind} ${name}`),
  );
});

test("every frame of the examples is one, and its items are whole", () => {
  const examples = [...PAGE.slice(PAGE.indexOf("## 7.")).matchAll(/^(8[0-9a-d] [0-9a-f |]+)$/gm)];
  assert.ok(examples.length >= 12, `${examples.length} examples`);
  for (const [, line = ""] of examples) {
    const bytes = Buffer.from(line.replace(/[ |]/g, ""), "hex");
    const reader = new FrameReader(1_000);
    reader.feed(bytes, 0, bytes.length);
    assert.ok(reader.next(), line);
    assert.equal(reader.pendingBytes, 0, line);
    const { kind } = reader;
    if (kind === frames.CREDIT) continue;
    const body = new ItemReader();
    const flags = kind === frames.CALL ? reader.bytes[reader.start]! : -1;
    const skipped = flags < 0 ? 0 : flags === frames.CALL_STREAMS ? 5 : 1;
    body.reset(reader.bytes, reader.start + skipped, reader.end);
    while (!body.done) body.next();
  }
});
