// HELP: a subcommand that every container command gets, written from its rows.

import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";

/** The row with a HELP beside its other subcommands, if it has any. */
export function withHelp(row: Row): Row {
  const { subcommands, name } = row;
  if (!subcommands || subcommands.some((inner) => inner.name === `${name} HELP`)) return row;
  const lines = helpLines(row, subcommands);
  const help: Row = {
    name: `${name} HELP`,
    family: row.family,
    arity: 2,
    flags: ["connection"],
    permission: "none",
    summary: "Prints the subcommands",
    syntax: "",
    run: (_context, _args, reply) => replyLines(lines, reply),
  };
  return { ...row, subcommands: [...subcommands, help] };
}

function helpLines({ name }: Row, subcommands: readonly Row[]): string[] {
  return [
    `${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
    ...subcommands.flatMap((inner) => [
      `${inner.name.slice(name.length + 1)} ${inner.syntax}`.trim(),
      `    ${inner.summary}.`,
    ]),
    "HELP",
    "    Print this help.",
  ];
}

function replyLines(lines: readonly string[], reply: Reply): void {
  reply.array(lines.length);
  for (const line of lines) reply.status(line);
}
