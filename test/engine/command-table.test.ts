// The command table: rows found from the bytes of a call, in any case, and nothing that only looks alike.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Args } from "../../src/engine/args.ts";
import { CommandTable } from "../../src/engine/command-table.ts";
import { ROWS } from "../../src/engine/commands/table.ts";
import type { Row } from "../../src/engine/row.ts";

const table = new CommandTable(ROWS);

test("every row is found by its name in any case", () => {
  for (const { name } of ROWS) {
    for (const form of [name, name.toLowerCase(), `${name[0]}${name.slice(1).toLowerCase()}`]) {
      assert.equal(table.find(Args.of(form))?.name, name);
    }
  }
});

test("other names are not found", () => {
  const names = ["", " ", "GE", "GETT", "GET ", " GET", "G\u0000T", "__proto__", "constructor", "x".repeat(500)];
  for (const name of [...names, "client|list", "CLIENT LIST", "\u00c7ET", "ge\x14", "[et"]) {
    assert.equal(table.find(Args.of(name)), undefined, JSON.stringify(name));
  }
});

test("subcommands are found by the second word", () => {
  const client = table.find(Args.of("client"))!;
  assert.equal(client.subcommand(Args.of("client", "LiSt"))?.name, "CLIENT LIST");
  assert.equal(client.subcommand(Args.of("client", "nosuch")), undefined);
  assert.equal(client.subcommand(Args.of("client", "")), undefined);
  assert.equal(table.named("client|list")?.wireName, "client|list");
  assert.equal(table.named("client|nosuch"), undefined);
  assert.equal(table.named("get|x"), undefined);
});

test("each() gives every command and subcommand once", () => {
  const names = [...table.each()].map((command) => command.wireName);
  assert.equal(new Set(names).size, names.length);
  assert.equal(names.length, ROWS.length + ROWS.reduce((sum, row) => sum + (row.subcommands?.length ?? 0), 0));
});

test("two rows of one name are a mistake", () => {
  assert.throws(() => new CommandTable([ROWS[0]!, ROWS[0]!]), /two commands are named/);
});

test("a row that does not say what it needs is a mistake, a subcommand too", () => {
  const row: Row = { ...ROWS[0]!, name: "TEST" };
  const { keys: _, ...withoutKeys } = row;
  const bad: [row: object, message: RegExp][] = [
    [{ ...row, permission: undefined }, /TEST declares no permission/],
    [withoutKeys, /TEST declares no keys and no scope/],
    [{ ...row, permission: "admin" }, /TEST declares no access to its keys/],
    [{ ...row, subcommands: [{ ...row, name: "TEST IT", permission: undefined }] }, /TEST IT declares no permission/],
  ];
  for (const [each, message] of bad) assert.throws(() => new CommandTable([each as Row]), message);
  assert.doesNotThrow(() => new CommandTable([row, { ...withoutKeys, name: "ALL", scope: "every" }]));
});

test("every row names its permission, and what writes is not for readers", () => {
  for (const { row } of table.each()) {
    if (row.flags.includes("write")) assert.notEqual(row.permission, "read", row.name);
    if (row.flags.includes("admin")) assert.equal(row.permission, "admin", row.name);
    if (row.keys) assert.notEqual(row.permission, "none", row.name);
    assert.ok(!(row.flags.includes("read") && row.flags.includes("write")), row.name);
  }
});
