// docs/commands.md and the command table say the same, both ways.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { commandsPage } from "../../scripts/commands-page.ts";
import type { Row } from "../../src/engine/row.ts";
import { HIVE_ROWS as ROWS } from "../../src/server/rows.ts";

const PAGE = readFileSync(new URL("../../docs/commands.md", import.meta.url), "utf8");

/** First words in capitals of every line of a table on the page. */
const listed = [...PAGE.matchAll(/^\| `([^`]+)` \|/gm)].map(([, call]) => call!.replaceAll("\\|", "|"));

const callable: Row[] = ROWS.flatMap((row) => {
  if (!row.subcommands) return [row];
  return row.arity === -1 ? [{ ...row, syntax: "" }, ...row.subcommands] : [...row.subcommands];
});

test("every command and subcommand is on the page with its arguments", () => {
  const calls = callable.map((row) => `${row.name} ${row.syntax}`.trim());
  const missing = calls.filter((call) => !listed.includes(call));
  assert.deepEqual(missing, [], "run `npm run docs`");
});

test("every command on the page exists", () => {
  const calls = new Set(callable.map((row) => `${row.name} ${row.syntax}`.trim()));
  assert.deepEqual(
    listed.filter((call) => !calls.has(call)),
    [],
    "run `npm run docs`",
  );
});

test("the page is what the script writes", () => {
  assert.equal(PAGE, commandsPage(ROWS), "run `npm run docs`");
});

test("every row has a summary in one line without a full stop", () => {
  for (const { name, summary } of callable) {
    assert.match(summary, /^[^\n|]+[^.\n|]$/, name);
    assert.ok(summary.length <= 120, `${name}: ${summary.length} characters`);
  }
});
