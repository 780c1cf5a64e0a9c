// Structures: which classes there are, and the names that Memo had for what other commands do.
//
//   STRUCTURES ──▶ class → its commands      STRUCTURE key ──▶ the class, or the type      STRUCTURES RELOAD
//   SETSTRING SETSTRINGEX SETSTRINGNX LPOPRPUSH KEYSMATCH                                  not in Redis

import { HiveError } from "../../base/errors.ts";
import { KEYSPACE_ROOT, KIND_VALUE, TYPE_STRUCTURE } from "../../store/layout.ts";
import { eachEntry } from "../../store/walk.ts";
import { valueToText } from "../../wire/value.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { typeName } from "../type-names.ts";
import { replyBytes } from "../values.ts";
import { maySee } from "./key-walks.ts";
import { moveElement } from "./list-pops.ts";
import { STRING_SET_ROWS } from "./string-set.ts";

function structure({ store, services }: Context, args: Args, reply: Reply): void {
  const ref = store.keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) throw new HiveError("NO_KEY", "no such key");
  const type = store.memory.entries.type(ref);
  if (type !== TYPE_STRUCTURE || services.structures === undefined) return reply.text(typeName(type));
  reply.text(services.structures.nameOf(ref));
}

function structures({ services }: Context, _args: Args, reply: Reply): void {
  const classes = [...(services.structures?.list() ?? [])];
  reply.map(classes.length);
  for (const { name, statics, methods } of classes) {
    reply.text(name);
    reply.array(statics.length + methods.length);
    for (const command of [...statics, ...methods]) reply.text(command);
  }
}

function reload({ services }: Context, args: Args, reply: Reply): Promise<void> {
  args.keep();
  const known = services.structures;
  if (known === undefined) throw new HiveError("UNSUPPORTED", "this hive was started without structures");
  return known.reload().then((names) => {
    reply.array(names.length);
    for (const name of names) reply.text(name);
  });
}

/** Expressions in linear time. Loaded by the first call that has one. */
let expressions: typeof import("re2js").RE2JS | undefined;

function keysmatch(context: Context, args: Args, reply: Reply): void | Promise<void> {
  if (expressions !== undefined) return replyMatching(context, args, reply);
  args.keep();
  return import("re2js").then(({ RE2JS }) => {
    expressions = RE2JS;
    replyMatching(context, args, reply);
  });
}

/** The whole name has to match. An encoded name is matched by its text. */
function replyMatching(context: Context, args: Args, reply: Reply): void {
  const { patternBytesMax } = context.services.limits;
  if (args.length(1) > patternBytesMax) {
    throw new HiveError(
      "INVALID_ARGUMENT",
      `a pattern of ${args.length(1)} bytes exceeds patternBytesMax (${patternBytesMax})`,
    );
  }
  let pattern: ReturnType<NonNullable<typeof expressions>["compile"]>;
  try {
    pattern = expressions!.compile(args.text(1));
  } catch (error) {
    throw new HiveError("INVALID_ARGUMENT", `not a regular expression: ${(error as Error).message}`);
  }
  const { memory } = context.store;
  const { entries } = memory;
  const found: number[] = [];
  eachEntry(memory, KEYSPACE_ROOT, (ref) => {
    const start = entries.keyStart(ref);
    const end = start + entries.keyLength(ref);
    const bytes = entries.bytesOf(ref);
    const name = entries.keyKind(ref) === KIND_VALUE ? valueToText(bytes, start, end) : bytes.utf8Slice(start, end);
    if (pattern.matches(name) && maySee(context, ref)) found.push(ref);
  });
  reply.array(found.length);
  for (const ref of found) {
    const start = entries.keyStart(ref);
    replyBytes(reply, entries.bytesOf(ref), start, start + entries.keyLength(ref), entries.keyKind(ref));
  }
}

function lpoprpush({ store }: Context, args: Args, reply: Reply): void {
  if (!moveElement(store, args, { fromFront: true, toFront: false }, reply)) reply.nil();
}

/** The same command by the name that it had in Memo. */
function alias(name: string, rows: readonly Row[], of: string, facts: Partial<Row> = {}): Row {
  const row = rows.find((known) => known.name === of)!;
  return { ...row, summary: `${of}, by the name that it has in Memo`, ...facts, name };
}

export const STRUCTURE_ROWS: readonly Row[] = [
  {
    name: "STRUCTURE",
    family: "structures",
    arity: 2,
    flags: ["read", "fast"],
    permission: "read",
    keys: oneKey(),
    summary: "Returns the class of what a key holds, or its type where that is none",
    syntax: "key",
    run: structure,
  },
  {
    name: "STRUCTURES",
    family: "structures",
    arity: -1,
    flags: [],
    permission: "none",
    summary: "Returns the structures of the hive with their commands",
    syntax: "[RELOAD]",
    subcommands: [
      {
        name: "STRUCTURES RELOAD",
        family: "structures",
        arity: 2,
        flags: ["admin", "mayWait", "noMulti"],
        permission: "admin",
        summary: "Reads the files of structures again; what is broken leaves all as it was",
        syntax: "",
        run: reload,
      },
    ],
    run: structures,
  },
  {
    name: "KEYSMATCH",
    family: "structures",
    arity: 2,
    flags: ["read", "mayWait", "noMulti"],
    permission: "read",
    scope: "own",
    summary: "Returns the keys whose whole name matches a regular expression, in linear time",
    syntax: "regex",
    run: keysmatch,
  },
  {
    name: "LPOPRPUSH",
    family: "structures",
    arity: 3,
    flags: ["write", "grows"],
    permission: "write",
    keys: { first: 1, last: 2, step: 1, access: ["both", "write"] },
    summary: "Takes the first element of a list and puts it at the end of another one",
    syntax: "source destination",
    run: lpoprpush,
  },
  alias("SETSTRING", STRING_SET_ROWS, "SET", { family: "structures" }),
  alias("SETSTRINGEX", STRING_SET_ROWS, "SETEX", { family: "structures" }),
  alias("SETSTRINGNX", STRING_SET_ROWS, "SETNX", { family: "structures" }),
];
