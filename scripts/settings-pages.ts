// Settings pages: docs/settings.md and docs/memhive.schema.json, written from the table of settings.
//
//   npm run docs          writes both anew; test/docs/settings-pages.test.ts compares them with the table

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { JsonSchema } from "../src/server/settings/kinds.ts";
import type { Group, Setting } from "../src/server/settings/setting.ts";
import { GROUP_TITLES, SETTINGS } from "../src/server/settings/table.ts";

const PAGE = new URL("../docs/settings.md", import.meta.url);
const SCHEMA = new URL("../docs/memhive.schema.json", import.meta.url);

const INTRODUCTION = `# Settings

What can be set before a hive starts. Written from the table of settings by \`npm run docs\`; do not edit.

A setting has one name and four ways: a flag of \`memhive serve\`, a variable of the environment, a place in a settings file (\`--config memhive.json\`), and an option of \`Hive.start()\`. A flag beats the environment, the environment the file, the file the default; an embedded hive has its options alone. All that is given is checked at start, and an error names the setting and where its value came from:

\`\`\`
memhive: memhive.json: limits.valueBytesMax: expected bytes such as 64mb (from 1 on), got "lots"
memhive: environment MEMHIVE_PORT: expected a whole number from 0 to 65535, got http
\`\`\`

\`memhive config\` prints every setting with its value, its unit and its source, for the same flags, environment and file. Values in a file are JSON: \`"port": 4483\`, \`"limits": { "valueBytesMax": "64mb" }\`; [memhive.schema.json](memhive.schema.json), in the package too, describes it for editors that read \`"$schema"\`. Paths in a file are relative to its folder. Sizes are in bytes, or with \`kb\`, \`mb\`, \`gb\` (powers of 1024); times in milliseconds, or with \`s\`, \`m\`, \`h\`, \`d\`. A variable that is empty is not set. What can be changed while a hive runs is changed by \`CONFIG SET\` ([redis-differences.md](redis-differences.md)).
`;

const LIMITS_INTRODUCTION = `How much of everything. Each has the flag \`--limit NAME=VALUE\`, as often as you like, and a place under \`"limits"\` in the file. The reasons are in \`src/base/limits.ts\`.
`;

/** docs/settings.md for these rows. */
export function settingsPage(rows: readonly Setting[]): string {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return [
    INTRODUCTION,
    ...groups.map((group) =>
      section(
        group,
        rows.filter((row) => row.group === group),
      ),
    ),
  ].join("\n");
}

function section(group: Group, rows: readonly Setting[]): string {
  const title = `## ${GROUP_TITLES[group]}\n\n`;
  if (group === "limits") {
    const head = "| limit | default | variable | what it bounds |\n| --- | --- | --- | --- |";
    const lines = rows.map(
      (row) => `| \`${row.name.slice("limits.".length)}\` | ${initial(row)} | \`${row.environment}\` | ${row.help} |`,
    );
    return `${title}${LIMITS_INTRODUCTION}\n${head}\n${lines.join("\n")}\n\n\`--limit valueBytesMax=16mb\` sets one.\n`;
  }
  const head = "| name | flag | variable | default | what it does |\n| --- | --- | --- | --- | --- |";
  return `${title}${head}\n${rows.map(line).join("\n")}\n`;
}

function line(row: Setting): string {
  const flags = [row.flag && `\`--${row.flag}${value(row)}\``, row.offFlag && `\`--${row.offFlag}\``].filter(Boolean);
  const notes = [
    row.inFile ? "" : "not in a file",
    row.taker === "command" ? "the command's alone, no option of `Hive.start()`" : "",
    row.secret ? "a secret: shown as set or not set" : "",
  ].filter(Boolean);
  const help = notes.length === 0 ? row.help : `${row.help} (${notes.join("; ")})`;
  const cells = [`\`${row.name}\``, flags.join(", "), `\`${row.environment}\``, initial(row), help];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function value({ kind }: Setting): string {
  return kind.name === "yes or no" ? "" : ` <${kind.placeholder}>`;
}

function initial(row: Setting): string {
  if (row.initial === undefined) return "–";
  const unit = row.kind.unit === "ms" && /^\d+$/.test(row.kind.show(row.initial)) ? " ms" : "";
  return `${row.kind.show(row.initial)}${unit}`;
}

type ObjectSchema = {
  type: "object";
  additionalProperties: false;
  properties: Record<string, unknown>;
};

/** The schema of a settings file with these rows. */
export function settingsSchema(rows: readonly Setting[]): JsonSchema {
  const root = newObject();
  root.properties["$schema"] = { type: "string" };
  for (const row of rows) {
    if (!row.inFile) continue;
    const parts = row.name.split(".");
    let object = root;
    for (const part of parts.slice(0, -1)) {
      object.properties[part] ??= newObject();
      object = object.properties[part] as ObjectSchema;
    }
    const standard = row.initial === undefined ? {} : { default: row.initial };
    object.properties[parts.at(-1)!] = { description: row.help, ...standard, ...row.kind.schema };
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Settings of a hive (memhive.json)",
    ...root,
  };
}

function newObject(): ObjectSchema {
  return { type: "object", additionalProperties: false, properties: {} };
}

/** As it stands in docs/. */
export function schemaText(rows: readonly Setting[]): string {
  return `${JSON.stringify(settingsSchema(rows), null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, settingsPage(SETTINGS));
  writeFileSync(SCHEMA, schemaText(SETTINGS));
}
