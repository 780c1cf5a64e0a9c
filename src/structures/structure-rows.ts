// Rows of the command table for classes: one for each static command, one for each name of key commands.
//
//   facts of Fifo, Station ──▶ names checked ──▶ FIFOADD: Fifo's own      POP: by the class of the key's value

import { HiveError } from "../base/errors.ts";
import { NAME_BYTES_MAX } from "../engine/command-table.ts";
import { oneKey, type Row } from "../engine/row.ts";
import type { ClassFacts, CommandFacts } from "./class-facts.ts";

export type RowParts = {
  /** Whether the hive has a command of this name that is no structure's. */
  isTaken(name: string): boolean;
  runStatic(cls: string, name: string): Row["run"];
  runMethod(name: string): Row["run"];
};

/** @throws {HiveError} INVALID_ARGUMENT: a name that is taken, or too long */
export function rowsOf(classes: readonly ClassFacts[], parts: RowParts): Row[] {
  const owners = new Map<string, string>();
  const rows: Row[] = [];
  for (const { name: cls, statics } of classes) {
    for (const facts of statics) {
      checkName(facts.name, cls, owners.get(facts.name), parts);
      owners.set(facts.name, cls);
      rows.push(staticRow(cls, facts, parts));
    }
  }
  const shared = new Map<string, { cls: string; facts: CommandFacts }[]>();
  for (const { name: cls, methods } of classes) {
    for (const facts of methods) {
      checkName(facts.name, cls, owners.get(facts.name), parts);
      shared.set(facts.name, [...(shared.get(facts.name) ?? []), { cls, facts }]);
    }
  }
  for (const [name, known] of shared) rows.push(methodRow(name, known, parts));
  return rows;
}

function checkName(name: string, cls: string, owner: string | undefined, { isTaken }: RowParts): void {
  const refuse = (why: string): HiveError => new HiveError("INVALID_ARGUMENT", `${cls}.${name}: ${why}`);
  if (name.length > NAME_BYTES_MAX) throw refuse(`a name has at most ${NAME_BYTES_MAX} letters`);
  if (owner !== undefined) throw refuse(`${owner} has the static command ${name}`);
  if (isTaken(name)) throw refuse(`the hive has a command ${name}`);
}

function staticRow(cls: string, { name, reads, syntax, summary }: CommandFacts, { runStatic }: RowParts): Row {
  return {
    name,
    family: "structures",
    // How many it takes it says itself: `limit?: number` counts in a function's length as well.
    arity: -1,
    flags: reads ? ["read", "mayWait"] : ["write", "grows", "mayWait"],
    permission: "run",
    summary: summary ?? `${cls}: a command of a structure`,
    syntax,
    run: runStatic(cls, name),
  };
}

function methodRow(name: string, known: readonly { cls: string; facts: CommandFacts }[], { runMethod }: RowParts): Row {
  const reads = known.every(({ facts }) => facts.reads);
  const { facts } = known[0]!;
  return {
    name,
    family: "structures",
    arity: -2,
    flags: reads ? ["read", "mayWait"] : ["write", "grows", "mayWait"],
    permission: "run",
    keys: oneKey(1, reads ? "read" : "both"),
    summary: facts.summary ?? `${known.map(({ cls }) => cls).join(", ")}: a command on a key`,
    syntax: ["key", known.length === 1 ? facts.syntax : "[argument ...]"].join(" ").trim(),
    run: runMethod(name),
  };
}
