// The arguments of a structure's command: how many it takes, and what its schemas make of them.

import { HiveError } from "../base/errors.ts";
import type { Args } from "../engine/args.ts";
import { argumentOf } from "./results.ts";
import type { ArgumentSchemas } from "./structure.ts";

const REST = "...";

/** How a command's arguments look in COMMAND DOCS: their names where it declares them. */
export function syntaxOf(schemas: ArgumentSchemas | undefined): string {
  if (schemas === undefined) return "[argument ...]";
  return Object.keys(schemas)
    .map((name) => (name.startsWith(REST) ? `[${name.slice(REST.length)} ...]` : name))
    .join(" ");
}

/** The arguments from number `first` on. @throws {HiveError} WRONG_ARITY, INVALID_ARGUMENT, which names the argument */
export function argumentsFrom(
  args: Args,
  first: number,
  { name, schemas }: { name: string; schemas: ArgumentSchemas | undefined },
): unknown[] {
  const values: unknown[] = [];
  for (let i = first; i < args.count; i++) values.push(argumentOf(args, i));
  return schemas === undefined ? values : checked(values, schemas, name);
}

/** What the schemas make of them. @throws {HiveError} WRONG_ARITY, INVALID_ARGUMENT */
export function checked(values: readonly unknown[], schemas: ArgumentSchemas, command: string): unknown[] {
  const names = Object.keys(schemas);
  const last = names.at(-1);
  const hasRest = last?.startsWith(REST) ?? false;
  if (values.length > names.length && !hasRest) throw wrongArity(command);
  const count = hasRest ? Math.max(values.length, names.length - 1) : names.length;
  const given: unknown[] = [];
  for (let i = 0; i < count; i++) {
    const name = names[Math.min(i, names.length - 1)]!;
    const result = schemas[name]!["~standard"].validate(values[i]);
    const word = name.startsWith(REST) ? name.slice(REST.length) : name;
    if (result instanceof Promise) {
      throw new HiveError(
        "INVALID_ARGUMENT",
        `${command}: the schema of ${word} answers later, which arguments cannot wait for`,
      );
    }
    if (result.issues !== undefined) {
      const why = result.issues[0]?.message ?? "not what its schema says";
      throw new HiveError("INVALID_ARGUMENT", `${command}: ${word}: ${why}`, { detail: { argument: word } });
    }
    given.push(result.value);
  }
  // A missing one stays missing, so that a parameter's own default counts.
  while (given.length > values.length && given.at(-1) === undefined) given.pop();
  return given;
}

function wrongArity(command: string): HiveError {
  return new HiveError("WRONG_ARITY", `wrong number of arguments for '${command.toLowerCase()}' command`);
}
