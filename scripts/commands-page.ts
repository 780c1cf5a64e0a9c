// Commands page: docs/commands.md, written from the rows of the command table.
//
//   npm run docs          writes it anew
//   commandsPage(ROWS)    the page as text; test/docs/commands.test.ts compares it with the file

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Family, Row } from "../src/engine/row.ts";
import { HIVE_ROWS as ROWS } from "../src/server/rows.ts";

const PAGE = new URL("../docs/commands.md", import.meta.url);

const TITLES: Readonly<Record<Family, string>> = {
  keys: "Keys",
  strings: "Strings",
  tables: "Tables (hashes)",
  sets: "Sets",
  sorted: "Sorted sets",
  lists: "Lists",
  transactions: "Transactions",
  messages: "Publish and subscribe",
  devices: "Devices and sessions",
  connection: "Connection",
  structures: "Structures",
  server: "Server",
};

const INTRODUCTION = `# Commands

What a hive understands, by family. Written from the command table by \`npm run docs\`; do not edit.

Semantics, options and error texts are those of Redis 7.4; [redis-differences.md](redis-differences.md) says where a hive differs. Arguments in \`[brackets]\` are optional, \`|\` separates alternatives, \`...\` repeats. *Needs* is the permission that a token must grant on the keys; *then* stands between that on the first key and that on the others. *In MULTI* says what happens between MULTI and EXEC: most commands are queued, some run at once, some are refused.
`;

/** The page for these rows. */
export function commandsPage(rows: readonly Row[]): string {
  const families = Object.keys(TITLES) as Family[];
  const sections = families.map((family) =>
    section(
      family,
      rows.filter((row) => row.family === family),
    ),
  );
  return [INTRODUCTION, ...sections].join("\n");
}

function section(family: Family, rows: readonly Row[]): string {
  const lines = rows.flatMap((row) => (row.subcommands ? [...own(row), ...row.subcommands] : [row])).map(line);
  const head = "| command | what it does | needs | in MULTI |\n| --- | --- | --- | --- |";
  return `## ${TITLES[family]}\n\n${head}\n${lines.join("\n")}\n`;
}

/** A container command that also works alone. */
function own(row: Row): Row[] {
  return row.arity === -1 ? [{ ...row, syntax: "" }] : [];
}

function line(row: Row): string {
  const call = `\`${`${row.name} ${row.syntax}`.trim()}\``.replaceAll("|", "\\|");
  return `| ${call} | ${row.summary} | ${needs(row)} | ${inMulti(row)} |`;
}

/** What a token must grant, on which keys where that is not the same for all. */
function needs({ permission, keys, scope }: Row): string {
  if (permission === "none") return "–";
  if (scope === "every") return `${permission} on every key`;
  const access = keys?.access;
  if (permission === "admin") return access === undefined ? "admin" : "admin, and read on a key";
  if (access === undefined) return permission;
  if (typeof access === "function") return "write; with GET read, too";
  const words = (typeof access === "string" ? [access] : access).map((one) =>
    one === "both" ? "read and write" : one,
  );
  return words.join(", then ");
}

function inMulti({ flags }: Row): string {
  if (flags.includes("noMulti")) return "refused";
  return flags.includes("immediate") ? "at once" : "queued";
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, commandsPage(ROWS));
