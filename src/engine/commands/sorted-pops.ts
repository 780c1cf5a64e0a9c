// Sorted pops: the members with the lowest or the highest scores, taken out.
//
// All are answered before the first goes: a reply that gets too big takes nothing.

import { HiveError } from "../../base/errors.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { countedKeysAt } from "../counted-keys.ts";
import { EVENT_SORTED, tookOut } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { replyMember, replyScored, sortedToWrite } from "../sorted-members.ts";
import { syntaxError } from "../values.ts";

/** Which end members are taken from. */
export type End = "min" | "max";

/** A sorted set to take from: its entry, and the argument that names it. */
export type Source = { key: number; index: number };

/** Calls back for up to `count` members from one end, in that order, and takes them out. */
export function take(
  store: Store,
  args: Args,
  { key, index }: Source,
  { end, count }: { end: End; count: number },
  visit: (handle: number) => void,
): void {
  const { sorted } = store;
  const size = sorted.count(key);
  const from = end === "min" ? 0 : Math.max(0, size - count);
  const to = end === "min" ? Math.min(size, count) : size;
  sorted.range(key, from, to, end === "max", visit);
  tookOut(store, args, index, EVENT_SORTED, end === "min" ? "zpopmin" : "zpopmax", sorted.deleteRange(key, from, to));
}

function popping(end: End): Row["run"] {
  return ({ store }: Context, args: Args, reply: Reply): void => {
    if (args.count > 3) throw syntaxError();
    const count = args.count === 3 ? positive(args, 2, 0, "value is out of range, must be positive") : 1;
    const key = sortedToWrite(store, args, 1);
    if (key === 0 || count === 0) return reply.array(0);
    const taken = Math.min(count, store.sorted.count(key));
    const isNested = args.count === 3 && reply.typed;
    reply.array(isNested ? taken : taken * 2);
    take(store, args, { key, index: 1 }, { end, count: taken }, (handle) => {
      if (isNested) return replyScored(store, key, handle, reply);
      replyMember(store, key, handle, reply);
      reply.double(store.sorted.score(key, handle));
    });
  };
}

/** A number of at least `min` in argument `index`. @throws {HiveError} OUT_OF_RANGE with `message` */
function positive(args: Args, index: number, min: number, message: string): number {
  const value = Number(args.tryInt64(index) ?? -1n);
  if (value < min) throw new HiveError("OUT_OF_RANGE", message);
  return value;
}

/** The keys of a call that counts them, the end that it takes from, and how many members. */
export type PopSeveral = { first: number; last: number; end: End; count: number };

/** @param index Of the number of keys. @throws {HiveError} SYNTAX, OUT_OF_RANGE */
export function parsePop(args: Args, index: number): PopSeveral {
  const keys = positive(args, index, 1, "numkeys should be greater than 0");
  const where = index + keys + 1;
  if (where >= args.count) throw syntaxError();
  const isMin = args.is(where, "MIN");
  if (!isMin && !args.is(where, "MAX")) throw syntaxError();
  let count = 0;
  for (let i = where + 1; i < args.count; i += 2) {
    if (count > 0 || !args.is(i, "COUNT") || i + 1 === args.count) throw syntaxError();
    count = positive(args, i + 1, 1, "count should be greater than 0");
  }
  return { first: index + 1, last: where - 1, end: isMin ? "min" : "max", count: Math.max(1, count) };
}

/** Takes from the first key of several that there is. Returns whether there was one; else nothing was answered. */
export function popFirst(store: Store, args: Args, { first, last, end, count }: PopSeveral, reply: Reply): boolean {
  for (let i = first; i <= last; i++) {
    const key = sortedToWrite(store, args, i);
    if (key === 0) continue;
    const taken = Math.min(count, store.sorted.count(key));
    reply.array(2);
    reply.bulk(args.buffer, args.start(i), args.end(i), args.kind(i));
    reply.array(taken);
    take(store, args, { key, index: i }, { end, count: taken }, (handle) => {
      reply.array(2);
      replyMember(store, key, handle, reply);
      reply.double(store.sorted.score(key, handle));
    });
    return true;
  }
  return false;
}

function zmpop({ store }: Context, args: Args, reply: Reply): void {
  const pop = parsePop(args, 1);
  if (!popFirst(store, args, pop, reply)) reply.nullArray();
}

const POP = {
  family: "sorted",
  arity: -2,
  flags: ["write", "fast"],
  permission: "write",
  keys: oneKey(1, "both"),
  syntax: "key [count]",
} as const;

export const SORTED_POP_ROWS: readonly Row[] = [
  {
    ...POP,
    name: "ZPOPMIN",
    summary: "Removes the members with the lowest scores and returns them",
    run: popping("min"),
  },
  {
    ...POP,
    name: "ZPOPMAX",
    summary: "Removes the members with the highest scores and returns them",
    run: popping("max"),
  },
  {
    ...POP,
    name: "ZMPOP",
    arity: -4,
    flags: ["write"],
    keys: { find: countedKeysAt(1), access: "both" },
    summary: "Removes members from the first of several sorted sets that there is",
    syntax: "numkeys key [key ...] MIN | MAX [COUNT count]",
    run: zmpop,
  },
];
