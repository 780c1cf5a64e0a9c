// The commands of a hive as help texts: for completion and hints of the command line.

import { ROWS } from "../engine/commands/table.ts";

export type CommandHelp = { name: string; syntax: string; summary: string; family: string };

/** Every command and subcommand, by name. */
export const COMMANDS: readonly CommandHelp[] = ROWS.flatMap((row) => [row, ...(row.subcommands ?? [])])
  .map(({ name, syntax, summary, family }) => ({ name, syntax, summary, family }))
  .sort((one, other) => (one.name < other.name ? -1 : 1));
