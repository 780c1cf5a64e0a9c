// Keys, all of them: listed, walked in steps, one at random, counted, thrown away.

import { KEYSPACE_ROOT, KIND_VALUE, TYPE_MASK } from "../../store/layout.ts";
import type { Memory } from "../../store/memory.ts";
import { randomKey } from "../../store/random-key.ts";
import { eachEntry, scanEntries } from "../../store/walk.ts";
import { valueToText } from "../../wire/value.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { isEverything, matchesGlob } from "../glob.ts";
import { random } from "../random.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { checkPattern, parseCursor, parseScanOptions } from "../scan-options.ts";
import { typeName } from "../type-names.ts";
import { replyBytes, syntaxError } from "../values.ts";

/** Whether the name of a key matches the pattern in argument `pattern`; an encoded name by its text. */
function matches({ entries }: Memory, ref: number, args: Args, pattern: number): boolean {
  const from = args.start(pattern);
  const to = args.end(pattern);
  const start = entries.keyStart(ref);
  const end = start + entries.keyLength(ref);
  if (entries.keyKind(ref) !== KIND_VALUE) {
    return matchesGlob(args.buffer, from, to, entries.bytesOf(ref), start, end);
  }
  const text = Buffer.from(valueToText(entries.bytesOf(ref), start, end));
  return matchesGlob(args.buffer, from, to, text, 0, text.length);
}

/** Whether the caller may read the key, so may know of it. */
export function maySee({ token, store }: Context, ref: number): boolean {
  if (token === undefined || token.grants.everywhere("read")) return true;
  const { entries } = store.memory;
  const start = entries.keyStart(ref);
  const end = start + entries.keyLength(ref);
  if (entries.keyKind(ref) !== KIND_VALUE) return token.grants.covers("read", entries.bytesOf(ref), start, end);
  const text = Buffer.from(valueToText(entries.bytesOf(ref), start, end));
  return token.grants.covers("read", text, 0, text.length);
}

function replyNames({ entries }: Memory, refs: readonly number[], reply: Reply): void {
  reply.array(refs.length);
  for (const ref of refs) replyName(entries, ref, reply);
}

function replyName(entries: Memory["entries"], ref: number, reply: Reply): void {
  const start = entries.keyStart(ref);
  replyBytes(reply, entries.bytesOf(ref), start, start + entries.keyLength(ref), entries.keyKind(ref));
}

function keys(context: Context, args: Args, reply: Reply): void {
  const { services } = context;
  const { memory } = context.store;
  checkPattern(args, 1, services.limits);
  const all = isEverything(args.buffer, args.start(1), args.end(1));
  const found: number[] = [];
  eachEntry(memory, KEYSPACE_ROOT, (ref) => {
    if ((all || matches(memory, ref, args, 1)) && maySee(context, ref)) found.push(ref);
  });
  replyNames(memory, found, reply);
}

function scan(context: Context, args: Args, reply: Reply): void {
  const { services } = context;
  const { memory } = context.store;
  const cursor = parseCursor(args, 1);
  const options = parseScanOptions(args, 2, "TYPE", services.limits);
  const found: number[] = [];
  const next = scanEntries(memory, KEYSPACE_ROOT, cursor, options.count, (ref) => {
    const type = memory.entries.head(ref) & TYPE_MASK;
    if (options.type !== 0 && !args.is(options.type, typeName(type).toUpperCase())) return;
    if (options.pattern !== 0 && !matches(memory, ref, args, options.pattern)) return;
    if (maySee(context, ref)) found.push(ref);
  });
  reply.array(2);
  reply.text(`${next}`);
  replyNames(memory, found, reply);
}

function randomkey({ store }: Context, _args: Args, reply: Reply): void {
  const ref = randomKey(store.keys, random);
  if (ref === 0) return reply.nil();
  replyName(store.memory.entries, ref, reply);
}

function dbsize({ store }: Context, _args: Args, reply: Reply): void {
  reply.integer(store.keys.count);
}

/** The keys go at once, their memory in slices: SYNC and ASYNC are the same. */
function flush({ store, services }: Context, args: Args, reply: Reply): void {
  const isKnown = args.count === 1 || (args.count === 2 && (args.is(1, "ASYNC") || args.is(1, "SYNC")));
  if (!isKnown) throw syntaxError();
  // Caches of clients may hold that there is nothing: they are told of it either way.
  if (store.keys.count === 0) services.tracking.flushed();
  store.keys.clear();
  reply.ok();
}

const FLUSHALL: Row = {
  name: "FLUSHALL",
  family: "keys",
  arity: -1,
  flags: ["write"],
  permission: "write",
  scope: "every",
  summary: "Deletes all keys",
  syntax: "[ASYNC | SYNC]",
  run: flush,
};

export const KEY_WALK_ROWS: readonly Row[] = [
  {
    name: "KEYS",
    family: "keys",
    arity: 2,
    flags: ["read"],
    permission: "read",
    scope: "own",
    summary: "Returns all keys that match a pattern, in one go; SCAN goes in steps",
    syntax: "pattern",
    run: keys,
  },
  {
    name: "SCAN",
    family: "keys",
    arity: -2,
    flags: ["read"],
    permission: "read",
    scope: "own",
    summary: "Walks all keys in steps: what is there from the first to the last is returned",
    syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type]",
    run: scan,
  },
  {
    name: "RANDOMKEY",
    family: "keys",
    arity: 1,
    flags: ["read"],
    permission: "read",
    scope: "every",
    summary: "Returns a key, each with the same chance",
    syntax: "",
    run: randomkey,
  },
  {
    name: "DBSIZE",
    family: "keys",
    arity: 1,
    flags: ["read", "fast"],
    permission: "read",
    scope: "every",
    summary: "Counts all keys",
    syntax: "",
    run: dbsize,
  },
  FLUSHALL,
  { ...FLUSHALL, name: "FLUSHDB", summary: "Deletes all keys: a hive has one database" },
];
