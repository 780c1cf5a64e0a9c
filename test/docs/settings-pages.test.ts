// docs/settings.md and docs/memhive.schema.json say what the table of settings says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { schemaText, settingsPage } from "../../scripts/settings-pages.ts";
import { parseSettings } from "../../src/server/settings/file.ts";
import { SETTINGS } from "../../src/server/settings/table.ts";

function read(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
}

test("both files are those that `npm run docs` writes", () => {
  assert.equal(read("settings.md"), settingsPage(SETTINGS), "run `npm run docs`");
  assert.equal(read("memhive.schema.json"), schemaText(SETTINGS), "run `npm run docs`");
});

type Schema = { properties: Record<string, Schema>; additionalProperties: boolean; default?: unknown };

/** Every default of the schema at its place. */
function defaultsOf({ properties }: Schema): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, inner]) => {
      if (inner.properties !== undefined) return [[name, defaultsOf(inner)]];
      return inner.default === undefined ? [] : [[name, inner.default]];
    }),
  );
}

test("a file with every default of the schema is one that a hive takes", () => {
  const schema = JSON.parse(read("memhive.schema.json")) as Schema;
  assert.equal(schema.additionalProperties, false);
  const values = parseSettings(JSON.stringify(defaultsOf(schema)), "memhive.json", SETTINGS);
  for (const row of SETTINGS) {
    if (!row.inFile || row.initial === undefined) continue;
    assert.deepEqual(row.kind.read(values.get(row.name), ""), row.initial, row.name);
  }
});
