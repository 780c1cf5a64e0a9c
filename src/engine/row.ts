// Row: one command of the table.
//
// Dispatch, permissions, key positions, COMMAND, docs/commands.md and completion are all read from
// the rows; nothing about a command is said twice. A row never sees a wire format, and policy
// (authentication, permission, memory, transactions) is applied around it by the engine.

import type { Args } from "./args.ts";
import type { Context } from "./context.ts";
import type { Reply } from "./reply.ts";

/**
 * - read, write: touches the keys it names, and how
 * - admin: for operators
 * - fast: constant or logarithmic time; such rows are not timed for the slow log unless they have many arguments
 * - grows: may need memory, so it is refused when there is none (`-OOM`)
 * - steps: changes as many entries as it has arguments, so the undo log is on while it runs when memory is
 *   nearly used up; a row that may need more than that arms it itself
 * - mayWait: may answer later (returns a promise)
 * - noMulti: refused inside MULTI
 * - immediate: runs at once even inside MULTI (EXEC, DISCARD, WATCH, …)
 * - endsMulti: a way out of MULTI, so it is never refused there for lack of memory
 * - beforeAuth: allowed on a connection that has not authenticated
 * - connection: concerns the connection, not the data
 */
export type Flag =
  | "read"
  | "write"
  | "admin"
  | "fast"
  | "grows"
  | "steps"
  | "mayWait"
  | "noMulti"
  | "immediate"
  | "beforeAuth"
  | "connection"
  | "endsMulti";

/** Which grant a caller needs; `none` for what concerns only the caller's own connection. */
export type Permission = "none" | "read" | "write" | "admin";

/** Families, one file each under commands/. */
export type Family = "keys" | "strings" | "tables" | "sets" | "transactions" | "connection" | "server";

/**
 * Where the keys are: from argument `first` to `last` (negative counts from the end) by `step`;
 * or `find`, which lists argument indexes, for commands that give a count or options before keys.
 */
export type KeySpec = { first: number; last: number; step: number } | { find(args: Args): number[] };

export type Row = {
  /** Upper case. A subcommand's is "CLIENT LIST". */
  name: string;
  family: Family;
  /** Arguments, the name included; negative: at least that many. As Redis counts. */
  arity: number;
  flags: readonly Flag[];
  permission: Permission;
  keys?: KeySpec;
  /** One line for people, no full stop. */
  summary: string;
  /** The arguments in the usual notation, e.g. "key value [NX | XX] [GET]". */
  syntax: string;
  /**
   * For a container command ("CLIENT"): its subcommands, by their second word. `run` is then only
   * called without one, where the arity allows that (COMMAND). Each container gets a HELP of its own.
   */
  subcommands?: readonly Row[];
  /**
   * Answers through `reply`, exactly one value. It answers at once where it can; a row with
   * `mayWait` may return a promise, and then calls args.keep() before its first await.
   * @throws {HiveError} to fail; what was written to `reply` is taken back first.
   */
  run(context: Context, args: Args, reply: Reply): void | Promise<void>;
};

/** A key at argument `index` and nowhere else. */
export function oneKey(index: number = 1): KeySpec {
  return { first: index, last: index, step: 1 };
}

/** The argument indexes of a call's keys. */
export function keyIndexes(row: Row, args: Args): number[] {
  const spec = row.keys;
  if (!spec) return [];
  if ("find" in spec) return spec.find(args);
  const last = spec.last < 0 ? args.count + spec.last : Math.min(spec.last, args.count - 1);
  const indexes: number[] = [];
  for (let index = spec.first; index <= last; index += spec.step) indexes.push(index);
  return indexes;
}
