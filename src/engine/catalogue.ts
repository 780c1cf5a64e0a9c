// Catalogue: what commands say about themselves, without what they do.
//
//   Row = RowFacts + run (row.ts) ──▶ CommandTable ──▶ Catalogue, as rows see it through their context
//
// COMMAND, INFO and permissions read it. It stands apart from row.ts because a row's code takes a
// context, and the context offers the catalogue.

import type { Limits } from "../base/limits.ts";
import { type Args, KIND_VALUE } from "./args.ts";
import type { Latency } from "./latency.ts";

/**
 * - read, write: touches the keys it names, and how
 * - admin: for operators
 * - fast: constant or logarithmic time; of such rows one call in 128 or so is timed, and those with many arguments
 * - grows: may need memory, so it is refused when there is none (`-OOM`)
 * - steps: changes as many entries as it has arguments, so the undo log is on while it runs when memory is
 *   nearly used up; a row that may need more than that arms it itself
 * - mayWait: may answer later (returns a promise); one that writes has changed nothing before it waits
 * - noMulti: refused inside MULTI
 * - immediate: runs at once even inside MULTI (EXEC, DISCARD, WATCH, …)
 * - endsMulti: a way out of MULTI, so it is never refused there for lack of memory
 * - beforeAuth: allowed on a connection that has not authenticated
 * - connection: concerns the connection, not the data
 * - ordered: changes what later calls of its connection mean, so it is refused where many callers share one
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
  | "endsMulti"
  | "ordered";

/**
 * Which grant a caller needs; `none` for what concerns only the caller's own connection. `run` is for code
 * that the hive has, `files` for folders that it serves.
 */
export type Permission = "none" | "read" | "write" | "run" | "files" | "admin";

/** What a call does with a key: tells of its value, changes it, or both. */
export type KeyAccess = "read" | "write" | "both";

/** Families, one file each under commands/. */
export type Family =
  | "keys"
  | "strings"
  | "tables"
  | "sets"
  | "sorted"
  | "lists"
  | "transactions"
  | "messages"
  | "devices"
  | "connection"
  | "structures"
  | "server";

/**
 * Where the keys are: from argument `first` to `last` (negative counts from the end) by `step`;
 * or `find`, which lists argument indexes, for commands that give a count or options before keys.
 *
 * `access` is what the call does with them where that is not what the row's permission says: for all, for
 * each in order (the last counts for those behind it too), or depending on the call.
 */
export type KeySpec = ({ first: number; last: number; step: number } | { find(args: Args): number[] }) & {
  access?: KeyAccess | readonly KeyAccess[] | ((args: Args) => KeyAccess);
};

/** A row without its code. */
export type RowFacts = {
  /** Upper case. A subcommand's is "CLIENT LIST". */
  name: string;
  family: Family;
  /** Arguments, the name included; negative: at least that many. As Redis counts. */
  arity: number;
  flags: readonly Flag[];
  permission: Permission;
  keys?: KeySpec;
  /**
   * Where the channels of a message are. The grants on keys count for them by their names: read to listen,
   * write to publish. With `channelPatterns` they are globs, and the grant has to cover all that they match.
   */
  channels?: KeySpec;
  channelPatterns?: true;
  /** Where globs of keys are, for a row that reads whatever they match: the grant has to cover all of that. */
  keyPatterns?: KeySpec;
  /**
   * For a row that reads or writes without naming a key. `every`: all keys at once, so its permission is
   * needed on each that there may be. `own`: it keeps to those that the caller may use, or to none.
   */
  scope?: "every" | "own";
  /**
   * For a row whose key is none of its arguments: its name, made of them. The row's permission is needed on it.
   * @throws {HiveError} INVALID_ARGUMENT
   */
  keyName?: (args: Args, limits: Limits) => Buffer;
  /** One line for people, no full stop. */
  summary: string;
  /** The arguments in the usual notation, e.g. "key value [NX | XX] [GET]". */
  syntax: string;
};

/** A command of the table, with what is counted about it. */
export interface CommandEntry {
  readonly row: RowFacts;
  /** "client|list", as error messages, COMMAND and CLIENT LIST have it. */
  readonly wireName: string;
  /** The fewest arguments, the name included, and the most. */
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  readonly calls: number;
  readonly errors: number;
  readonly rejected: number;
  /** Time of all calls. */
  readonly microseconds: number;
  /** How long calls took; undefined before the first that was timed. */
  readonly latency: Latency | undefined;
  readonly subcommands: ReadonlyMap<string, CommandEntry> | undefined;
  /** The subcommand that the second word of a call names. */
  subcommand(args: Args): CommandEntry | undefined;
}

/** All commands. CommandTable implements it. */
export interface Catalogue {
  /** By upper case name; subcommands are under their command. */
  readonly all: ReadonlyMap<string, CommandEntry>;
  /** Every command and subcommand. */
  each(): Iterable<CommandEntry>;
  /** The command of a call, not looking at a second word. */
  find(args: Args): CommandEntry | undefined;
  /** The command or subcommand with this name ("get", "client|list", "CLIENT LIST"). */
  named(name: string): CommandEntry | undefined;
}

type OneKey = { first: number; last: number; step: number } & Pick<KeySpec, "access">;

/** A key at argument `index` and nowhere else. */
export function oneKey(index: number = 1, access?: KeySpec["access"]): OneKey {
  return { first: index, last: index, step: 1, ...(access === undefined ? {} : { access }) };
}

/** The argument indexes of a call's keys. */
export function keyIndexes(row: RowFacts, args: Args): number[] {
  return row.keys === undefined ? [] : placesOf(row.keys, args);
}

export function placesOf(spec: KeySpec, args: Args): number[] {
  if ("find" in spec) return spec.find(args);
  const last = spec.last < 0 ? args.count + spec.last : Math.min(spec.last, args.count - 1);
  const indexes: number[] = [];
  for (let index = spec.first; index <= last; index += spec.step) indexes.push(index);
  return indexes;
}

/** Whether one of the call's keys is an encoded value, which no key can be. */
export function hasTypedKey(row: RowFacts, args: Args): boolean {
  return row.keys !== undefined && keyIndexes(row, args).some((index) => args.kinds[index] === KIND_VALUE);
}
