// Sorted ranges: members by rank, by score or by name, from either end.
//
//   arguments ──▶ RangeQuery ──▶ ranks `from` to `to` ──▶ a reply │ a new sorted set │ a count │ they are removed
//
// Whatever a range is of, it is a range of ranks: the tree counts what is below a score or a name.

import { HiveError } from "../../base/errors.ts";
import type { Slice } from "../../store/collections.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { EVENT_SORTED, tookOut } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { nameRange, type Ranks, ranksOf, ranksOfNames, ranksOfScores, scoreRange } from "../scores.ts";
import { addUnfinished, replyRange, sortedToRead, sortedToWrite, storeSorted } from "../sorted-members.ts";
import { syntaxError } from "../values.ts";

type By = "rank" | "score" | "name";

/** What a command has said already; the rest may be among its options. */
type Given = { by?: By; isReverse?: boolean; isStore?: boolean };

type RangeQuery = {
  by: By;
  isReverse: boolean;
  withScores: boolean;
  offset: number;
  /** Below 0: all. */
  limit: number;
  /** Ranks of what is asked for in the set `key`, without offset and limit. */
  ranks(store: Store, key: number): Ranks;
};

const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

/** @param first The argument with the lower end; the other one stands behind it. */
function parseRange(args: Args, first: number, given: Given): RangeQuery {
  let { by, isReverse } = given;
  let withScores = false;
  let offset = 0;
  let limit = -1;
  for (let i = first + 2; i < args.count; i++) {
    if (given.isStore !== true && args.is(i, "WITHSCORES")) withScores = true;
    else if (i + 2 < args.count && args.is(i, "LIMIT")) {
      offset = args.integer(i + 1);
      limit = args.integer(i + 2);
      i += 2;
    } else if (isReverse === undefined && args.is(i, "REV")) isReverse = true;
    else if (by === undefined && args.is(i, "BYLEX")) by = "name";
    else if (by === undefined && args.is(i, "BYSCORE")) by = "score";
    else throw syntaxError();
  }
  by ??= "rank";
  isReverse ??= false;
  if (limit !== -1 && by === "rank") {
    const message = "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
    throw new HiveError("SYNTAX", message);
  }
  if (withScores && by === "name") {
    throw new HiveError("SYNTAX", "syntax error, WITHSCORES not supported in combination with BYLEX");
  }
  // Backwards, the higher end of scores and names comes first.
  const isSwapped = isReverse && by !== "rank";
  const ranks = ranksBy(by, args, isSwapped ? first + 1 : first, isSwapped ? first : first + 1, isReverse);
  return { by, isReverse, withScores, offset, limit, ranks };
}

/** Reads the ends of a range, at once. @throws {HiveError} NOT_INTEGER, NOT_FLOAT, INVALID_ARGUMENT */
function ranksBy(by: By, args: Args, min: number, max: number, isReverse: boolean): RangeQuery["ranks"] {
  if (by === "score") {
    const range = scoreRange(args, min, max);
    return (store, key) => ranksOfScores(store, key, range);
  }
  if (by === "name") {
    const range = nameRange(args, min, max);
    return (store, key) => ranksOfNames(store, key, args, range);
  }
  const start = args.integer(min);
  const end = args.integer(max);
  return ({ sorted }, key) => {
    const count = sorted.count(key);
    const { from, to } = ranksOf(start, end, count);
    return isReverse ? { from: count - to, to: count - from } : { from, to };
  };
}

/** The ranks of a query with its offset and limit, which count from the end that it begins at. */
function resolve(store: Store, key: number, { ranks, isReverse, offset, limit, by }: RangeQuery): Ranks {
  const { from, to } = ranks(store, key);
  if (by === "rank") return { from, to };
  const there = offset < 0 ? 0 : Math.max(0, to - from - offset);
  const count = limit < 0 ? there : Math.min(limit, there);
  if (isReverse) return { from: to - offset - count, to: to - offset };
  return { from: from + offset, to: from + offset + count };
}

function ranging(given: Given): Row["run"] {
  return ({ store }: Context, args: Args, reply: Reply): void => {
    const query = parseRange(args, 2, given);
    const key = sortedToRead(store, args, 1);
    if (key === 0) return reply.array(0);
    replyRange(store, key, resolve(store, key, query), query, reply);
  };
}

function zrangestore({ store }: Context, args: Args, reply: Reply): void {
  const query = parseRange(args, 3, { isStore: true });
  const source = sortedToRead(store, args, 2);
  const count = storeSorted(store, args, 1, "zrangestore", (empty) => {
    if (source === 0) return empty;
    const { from, to } = resolve(store, source, query);
    let key = empty;
    store.sorted.range(source, from, to, false, (handle) => {
      const score = store.sorted.score(source, handle);
      key = addUnfinished(store, key, store.sorted.name(source, handle, slice), score);
    });
    return key;
  });
  reply.integer(count);
}

function counting(by: By): Row["run"] {
  return ({ store }: Context, args: Args, reply: Reply): void => {
    const ranks = ranksBy(by, args, 2, 3, false);
    const key = sortedToRead(store, args, 1);
    if (key === 0) return reply.integer(0);
    const { from, to } = ranks(store, key);
    reply.integer(Math.max(0, to - from));
  };
}

function removing(by: By, event: string): Row["run"] {
  return ({ store }: Context, args: Args, reply: Reply): void => {
    const ranks = ranksBy(by, args, 2, 3, false);
    const key = sortedToWrite(store, args, 1);
    if (key === 0) return reply.integer(0);
    const { from, to } = ranks(store, key);
    const removed = Math.max(0, to - from);
    if (removed > 0) tookOut(store, args, 1, EVENT_SORTED, event, store.sorted.deleteRange(key, from, to));
    reply.integer(removed);
  };
}

const READ = { family: "sorted", flags: ["read"], permission: "read", keys: oneKey() } as const;
const COUNT = { ...READ, arity: 4, flags: ["read", "fast"], syntax: "key min max" } as const;
const REMOVE = { family: "sorted", arity: 4, flags: ["write"], permission: "write", keys: oneKey() } as const;

export const SORTED_RANGE_ROWS: readonly Row[] = [
  {
    ...READ,
    name: "ZRANGE",
    arity: -4,
    summary: "Returns members by rank, score or name",
    syntax: "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
    run: ranging({}),
  },
  {
    ...READ,
    name: "ZRANGESTORE",
    arity: -5,
    flags: ["write", "grows"],
    permission: "write",
    keys: { first: 1, last: 2, step: 1, access: ["write", "read"] },
    summary: "Stores members by rank, score or name in another sorted set",
    syntax: "destination source min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]",
    run: zrangestore,
  },
  {
    ...READ,
    name: "ZREVRANGE",
    arity: -4,
    summary: "Returns members by rank, from the highest score on",
    syntax: "key start stop [WITHSCORES]",
    run: ranging({ by: "rank", isReverse: true }),
  },
  {
    ...READ,
    name: "ZRANGEBYSCORE",
    arity: -4,
    summary: "Returns members by score",
    syntax: "key min max [WITHSCORES] [LIMIT offset count]",
    run: ranging({ by: "score", isReverse: false }),
  },
  {
    ...READ,
    name: "ZREVRANGEBYSCORE",
    arity: -4,
    summary: "Returns members by score, from the highest on",
    syntax: "key max min [WITHSCORES] [LIMIT offset count]",
    run: ranging({ by: "score", isReverse: true }),
  },
  {
    ...READ,
    name: "ZRANGEBYLEX",
    arity: -4,
    summary: "Returns members of equal scores by name",
    syntax: "key min max [LIMIT offset count]",
    run: ranging({ by: "name", isReverse: false }),
  },
  {
    ...READ,
    name: "ZREVRANGEBYLEX",
    arity: -4,
    summary: "Returns members of equal scores by name, from the last on",
    syntax: "key max min [LIMIT offset count]",
    run: ranging({ by: "name", isReverse: true }),
  },
  { ...COUNT, name: "ZCOUNT", summary: "Returns how many members have a score in a range", run: counting("score") },
  { ...COUNT, name: "ZLEXCOUNT", summary: "Returns how many members have a name in a range", run: counting("name") },
  {
    ...REMOVE,
    name: "ZREMRANGEBYRANK",
    summary: "Removes members by rank and returns how many there were",
    syntax: "key start stop",
    run: removing("rank", "zremrangebyrank"),
  },
  {
    ...REMOVE,
    name: "ZREMRANGEBYSCORE",
    summary: "Removes members by score and returns how many there were",
    syntax: "key min max",
    run: removing("score", "zremrangebyscore"),
  },
  {
    ...REMOVE,
    name: "ZREMRANGEBYLEX",
    summary: "Removes members of equal scores by name and returns how many there were",
    syntax: "key min max",
    run: removing("name", "zremrangebylex"),
  },
];
