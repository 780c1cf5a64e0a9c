// Lists: elements pushed, read and changed, and the family's rows.
//
//   lists        LPUSH RPUSH LPUSHX RPUSHX LLEN LINDEX LRANGE LSET LINSERT LTRIM LREM LPOS
//   list-pops    LPOP RPOP LMPOP LMOVE RPOPLPUSH
//   list-waits   BLPOP BRPOP BLMPOP BLMOVE BRPOPLPUSH
//
// A list without elements is no key. Hot path: LPUSH, RPUSH, LPOP, RPOP, LRANGE.

import { HiveError } from "../../base/errors.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { listToRead, listToWrite, matcher, pushElements, replyElement, replyElements } from "../elements.ts";
import { EVENT_LIST, happened, tookOut } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { syntaxError } from "../values.ts";
import { LIST_POP_ROWS } from "./list-pops.ts";
import { positions } from "./list-positions.ts";
import { LIST_WAIT_ROWS } from "./list-waits.ts";

const INT64_MIN = -(2n ** 63n);

function push({ store }: Context, args: Args, reply: Reply, atFront: boolean): void {
  const key = pushElements(store, listToWrite(store, args, 1), args, 2, atFront);
  reply.integer(store.lists.count(key));
}

function lpush(context: Context, args: Args, reply: Reply): void {
  push(context, args, reply, true);
}

function rpush(context: Context, args: Args, reply: Reply): void {
  push(context, args, reply, false);
}

function pushExisting(context: Context, args: Args, reply: Reply, atFront: boolean): void {
  if (listToWrite(context.store, args, 1) === 0) return reply.integer(0);
  push(context, args, reply, atFront);
}

function llen({ store }: Context, args: Args, reply: Reply): void {
  const key = listToRead(store, args, 1);
  reply.integer(key === 0 ? 0 : store.lists.count(key));
}

/** The index that a number from the front, or a negative one from the end, means. May be none that there is. */
function indexFrom(index: number, count: number): number {
  return index < 0 ? index + count : index;
}

function lindex({ store }: Context, args: Args, reply: Reply): void {
  const key = listToRead(store, args, 1);
  if (key === 0) return reply.nil();
  const count = store.lists.count(key);
  const index = indexFrom(args.integer(2), count);
  if (index < 0 || index >= count) return reply.nil();
  replyElement(store, key, index, reply);
}

function lrange({ store }: Context, args: Args, reply: Reply): void {
  const [from, to] = [args.integer(2), args.integer(3)];
  const key = listToRead(store, args, 1);
  if (key === 0) return reply.array(0);
  const count = store.lists.count(key);
  const start = Math.max(0, indexFrom(from, count));
  const end = Math.min(count - 1, indexFrom(to, count));
  replyElements(store, key, { index: start, many: Math.max(0, end - start + 1), back: false }, reply);
}

function lset({ store }: Context, args: Args, reply: Reply): void {
  const key = listToWrite(store, args, 1);
  if (key === 0) throw new HiveError("NO_KEY", "no such key");
  const count = store.lists.count(key);
  const index = indexFrom(args.integer(2), count);
  if (index < 0 || index >= count) throw new HiveError("OUT_OF_RANGE", "index out of range");
  store.lists.set(key, index, args.buffer, args.start(3), args.length(3), args.kind(3));
  happened(store, args, 1, EVENT_LIST, "lset");
  reply.ok();
}

function linsert({ store }: Context, args: Args, reply: Reply): void {
  const isAfter = args.is(2, "AFTER");
  if (!isAfter && !args.is(2, "BEFORE")) throw syntaxError();
  const key = listToWrite(store, args, 1);
  if (key === 0) return reply.integer(0);
  const [index] = positions(store, key, matcher(args, 3), { rank: 1, count: 1, length: Number.POSITIVE_INFINITY });
  if (index === undefined) return reply.integer(-1);
  const { lists } = store;
  const next = lists.insert(key, index + (isAfter ? 1 : 0), args.buffer, args.start(4), args.length(4), args.kind(4));
  happened(store, args, 1, EVENT_LIST, "linsert");
  reply.integer(lists.count(next));
}

function ltrim({ store }: Context, args: Args, reply: Reply): void {
  const [from, to] = [args.integer(2), args.integer(3)];
  const key = listToWrite(store, args, 1);
  if (key === 0) return reply.ok();
  const count = store.lists.count(key);
  const start = Math.min(count, Math.max(0, indexFrom(from, count)));
  const end = Math.min(count, indexFrom(to, count) + 1);
  let left = 0;
  if (end <= start) store.keys.remove(key);
  else left = store.lists.remove(store.lists.remove(key, end, count - end), 0, start);
  tookOut(store, args, 1, EVENT_LIST, "ltrim", left);
  reply.ok();
}

function lrem({ store }: Context, args: Args, reply: Reply): void {
  const count = args.integer(2);
  const key = listToWrite(store, args, 1);
  if (key === 0) return reply.integer(0);
  const limit = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count);
  const left = store.lists.sift(key, count < 0, limit, matcher(args, 3));
  if (store.lists.removed > 0) tookOut(store, args, 1, EVENT_LIST, "lrem", left);
  reply.integer(store.lists.removed);
}

/** An integer whose opposite is one too. */
function wholeRange(args: Args, index: number): number {
  if (args.int64(index) === INT64_MIN) {
    const message = `value is out of range, value must between ${-(2n ** 63n) + 1n} and ${2n ** 63n - 1n}`;
    throw new HiveError("OUT_OF_RANGE", message);
  }
  return args.integer(index);
}

function notNegative(args: Args, index: number, name: string): number {
  const value = args.tryInt64(index) ?? -1n;
  if (value < 0n) throw new HiveError("OUT_OF_RANGE", `${name} can't be negative`);
  return Number(value);
}

function lpos({ store }: Context, args: Args, reply: Reply): void {
  let rank = 1;
  let count: number | undefined;
  let length = 0;
  for (let i = 3; i < args.count; i++) {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "RANK")) {
      rank = wholeRange(args, ++i);
      if (rank !== 0) continue;
      const message =
        "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list";
      throw new HiveError("OUT_OF_RANGE", message);
    } else if (args.is(i, "COUNT")) count = notNegative(args, ++i, "COUNT");
    else if (args.is(i, "MAXLEN")) length = notNegative(args, ++i, "MAXLEN");
    else throw syntaxError();
  }
  const key = listToRead(store, args, 1);
  const unlimited = Number.POSITIVE_INFINITY;
  const wanted = { rank, count: count === undefined ? 1 : count || unlimited, length: length || unlimited };
  const found = key === 0 ? [] : positions(store, key, matcher(args, 2), wanted);
  if (count === undefined) {
    if (found.length === 0) reply.nil();
    else reply.integer(found[0]!);
    return;
  }
  reply.array(found.length);
  for (const index of found) reply.integer(index);
}

const READ = { family: "lists", flags: ["read"], permission: "read", keys: oneKey() } as const;
const WRITE = { family: "lists", flags: ["write"], permission: "write", keys: oneKey() } as const;
const PUSH = { ...WRITE, arity: -3, flags: ["write", "grows", "fast"], syntax: "key element [element ...]" } as const;

export const LIST_ROWS: readonly Row[] = [
  { ...PUSH, name: "LPUSH", summary: "Puts elements in front of a list, one after the other", run: lpush },
  { ...PUSH, name: "RPUSH", summary: "Puts elements behind a list", run: rpush },
  {
    ...PUSH,
    name: "LPUSHX",
    keys: oneKey(1, "both"),
    summary: "Puts elements in front of a list that is there",
    run: (context, args, reply) => pushExisting(context, args, reply, true),
  },
  {
    ...PUSH,
    name: "RPUSHX",
    keys: oneKey(1, "both"),
    summary: "Puts elements behind a list that is there",
    run: (context, args, reply) => pushExisting(context, args, reply, false),
  },
  {
    ...READ,
    name: "LLEN",
    arity: 2,
    flags: ["read", "fast"],
    summary: "Returns how many elements a list has",
    syntax: "key",
    run: llen,
  },
  {
    ...READ,
    name: "LINDEX",
    arity: 3,
    summary: "Returns an element by its index, from the end where it is negative",
    syntax: "key index",
    run: lindex,
  },
  {
    ...READ,
    name: "LRANGE",
    arity: 4,
    summary: "Returns the elements between two indexes",
    syntax: "key start stop",
    run: lrange,
  },
  {
    ...READ,
    name: "LPOS",
    arity: -3,
    summary: "Returns the index of an element, or of several",
    syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
    run: lpos,
  },
  {
    ...WRITE,
    name: "LSET",
    arity: 4,
    flags: ["write", "grows"],
    summary: "Sets an element by its index",
    syntax: "key index element",
    run: lset,
  },
  {
    ...WRITE,
    name: "LINSERT",
    arity: 5,
    flags: ["write", "grows"],
    keys: oneKey(1, "both"),
    summary: "Puts an element before or after the first that equals another",
    syntax: "key BEFORE | AFTER pivot element",
    run: linsert,
  },
  {
    ...WRITE,
    name: "LTRIM",
    arity: 4,
    summary: "Removes all elements but those between two indexes",
    syntax: "key start stop",
    run: ltrim,
  },
  {
    ...WRITE,
    name: "LREM",
    arity: 4,
    keys: oneKey(1, "both"),
    summary: "Removes elements that equal another, from the end where the count is negative",
    syntax: "key count element",
    run: lrem,
  },
  ...LIST_POP_ROWS,
  ...LIST_WAIT_ROWS,
];
