// Sorted algebra: what several sorted sets, or sets, have together, in common, or the first alone.
//
//   keys, weights, AGGREGATE ──▶ union │ intersection │ difference ──▶ a sorted set under way ──▶ a reply │ renamed
//
// The result is built in the store, where it is in order at once and counts as memory, under a name that
// no caller can have: for an answer too, and then it goes again. Members of a set have the score 1.

import { HiveError } from "../../base/errors.ts";
import type { Slice } from "../../store/collections.ts";
import { TYPE_SET, TYPE_SORTED } from "../../store/layout.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { countedKeysAt } from "../counted-keys.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { scoreArgument } from "../scores.ts";
import { addUnfinished, dropUnfinished, replyRange, storeSorted } from "../sorted-members.ts";
import { syntaxError, wrongType } from "../values.ts";

type Operation = "union" | "inter" | "diff";

/** One input; key 0 for one that does not exist. */
type Source = { key: number; isSorted: boolean; count: number; weight: number };

type Aggregate = (one: number, other: number) => number;

type Query = { sources: Source[]; aggregate: Aggregate; withScores: boolean; limit: number };

/** Called with a member of the result and its score. Returns true to go no further. */
type Visit = (member: Slice, score: number) => boolean | void;

const sum: Aggregate = (one, other) => notNaN(one + other);
const PAGE = 64;

/** As Redis has it, infinity and minus infinity together are 0. */
function notNaN(score: number): number {
  return score === score ? score : 0;
}

/** @param index Of the number of keys. @param form What may be said behind the keys. */
function parse(
  store: Store,
  args: Args,
  index: number,
  operation: Operation,
  form: "answer" | "store" | "count",
): Query {
  const keys = args.integer(index);
  if (keys < 1) {
    const message = `at least 1 input key is needed for '${args.text(0).toLowerCase()}' command`;
    throw new HiveError("INVALID_ARGUMENT", message);
  }
  if (keys > args.count - index - 1) throw syntaxError();
  const sources: Source[] = [];
  for (let i = index + 1; i <= index + keys; i++) sources.push(sourceIn(store, args, i));
  const query: Query = { sources, aggregate: sum, withScores: false, limit: 0 };
  const isWeighted = operation !== "diff" && form !== "count";
  for (let i = index + keys + 1; i < args.count; i++) {
    const rest = args.count - i;
    if (isWeighted && rest > keys && args.is(i, "WEIGHTS")) {
      for (const source of sources) source.weight = scoreArgument(args, ++i, "weight value is not a float");
    } else if (isWeighted && rest >= 2 && args.is(i, "AGGREGATE")) query.aggregate = aggregateIn(args, ++i);
    else if (form === "answer" && args.is(i, "WITHSCORES")) query.withScores = true;
    else if (form === "count" && rest >= 2 && args.is(i, "LIMIT")) {
      query.limit = Number(args.tryInt64(++i) ?? -1n);
      if (query.limit < 0) throw new HiveError("OUT_OF_RANGE", "LIMIT can't be negative");
    } else throw syntaxError();
  }
  return query;
}

function sourceIn(store: Store, args: Args, index: number): Source {
  const key = store.keys.read(args.buffer, args.start(index), args.length(index), args.kind(index));
  if (key === 0) return { key, isSorted: false, count: 0, weight: 1 };
  const type = store.memory.entries.type(key);
  if (type !== TYPE_SET && type !== TYPE_SORTED) throw wrongType();
  const isSorted = type === TYPE_SORTED;
  return { key, isSorted, count: isSorted ? store.sorted.count(key) : store.fields.count(key), weight: 1 };
}

function aggregateIn(args: Args, index: number): Aggregate {
  if (args.is(index, "SUM")) return sum;
  if (args.is(index, "MIN")) return (one, other) => (other < one ? other : one);
  if (args.is(index, "MAX")) return (one, other) => (other > one ? other : one);
  throw syntaxError();
}

/** Calls back with each member of a source until the callback returns true. */
function eachMember(store: Store, { key, isSorted }: Source, visit: Visit): void {
  if (key === 0) return;
  const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };
  let cursor = 0;
  let isDone = false;
  const container = isSorted ? store.sorted : store.fields;
  do {
    cursor = container.scan(key, cursor, PAGE, (handle) => {
      if (isDone) return;
      const score = isSorted ? store.sorted.score(key, handle) : 1;
      isDone = visit(container.name(key, handle, slice), score) === true;
    });
  } while (cursor !== 0 && !isDone);
}

/** The score of a member in a source; undefined where it is none. */
function scoreIn(store: Store, { key, isSorted }: Source, { bytes, start, end, kind }: Slice): number | undefined {
  if (key === 0) return undefined;
  if (!isSorted) return store.fields.find(key, bytes, start, end - start, kind) === 0 ? undefined : 1;
  const handle = store.sorted.find(key, bytes, start, end - start, kind);
  return handle === 0 ? undefined : store.sorted.score(key, handle);
}

/** The smallest is walked, the others are asked from small to large. */
function intersect(store: Store, { sources, aggregate }: Query, visit: Visit): void {
  const [first, ...others] = sources.toSorted((one, other) => one.count - other.count);
  eachMember(store, first!, (member, own) => {
    let score = notNaN(own * first!.weight);
    for (const source of others) {
      const there = scoreIn(store, source, member);
      if (there === undefined) return false;
      // Not-a-number takes the whole sum with it here, and in a union only its own part: as in Redis.
      score = aggregate(score, there * source.weight);
    }
    return visit(member, score);
  });
}

/** Calls back with a member of the first that no other has. */
function subtract(store: Store, { sources }: Query, visit: Visit): void {
  const [first, ...others] = sources;
  eachMember(store, first!, (member, score) => {
    for (const source of others) if (scoreIn(store, source, member) !== undefined) return false;
    return visit(member, score);
  });
}

/** Builds the result under way, from nothing. Returns its entry; 0 where it is empty. */
function build(store: Store, query: Query, operation: Operation, empty: number): number {
  let key = empty;
  const add: Visit = (member, score) => {
    key = addUnfinished(store, key, member, score);
  };
  if (operation === "inter") intersect(store, query, add);
  else if (operation === "diff") subtract(store, query, add);
  else {
    const { aggregate } = query;
    for (const source of query.sources.toSorted((one, other) => one.count - other.count)) {
      eachMember(store, source, (member, own) => {
        const score = notNaN(own * source.weight);
        const before = key === 0 ? undefined : scoreIn(store, { ...source, key, isSorted: true }, member);
        add(member, before === undefined ? score : aggregate(before, score));
      });
    }
  }
  return key;
}

function answering(operation: Operation): Row["run"] {
  return ({ store }: Context, args: Args, reply: Reply): void => {
    const query = parse(store, args, 1, operation, "answer");
    try {
      const key = build(store, query, operation, 0);
      if (key === 0) return reply.array(0);
      const range = { isReverse: false, withScores: query.withScores };
      replyRange(store, key, { from: 0, to: store.sorted.count(key) }, range, reply);
    } finally {
      dropUnfinished(store);
    }
  };
}

function storing(operation: Operation): Row["run"] {
  return ({ store }: Context, args: Args, reply: Reply): void => {
    const query = parse(store, args, 2, operation, "store");
    reply.integer(storeSorted(store, args, 1, `z${operation}store`, (empty) => build(store, query, operation, empty)));
  };
}

function zintercard({ store }: Context, args: Args, reply: Reply): void {
  const query = parse(store, args, 1, "inter", "count");
  let count = 0;
  intersect(store, query, () => ++count === query.limit);
  reply.integer(count);
}

const READ = {
  family: "sorted",
  arity: -3,
  flags: ["read"],
  permission: "read",
  keys: { find: countedKeysAt(1) },
} as const;
const STORE = {
  family: "sorted",
  arity: -4,
  flags: ["write", "grows"],
  permission: "write",
  keys: { find: destinationAndSources, access: ["write", "read"] },
} as const;
/** None where the number of sources is no good: the command refuses such a call, and so does COMMAND GETKEYS. */
function destinationAndSources(args: Args): number[] {
  const sources = countedKeysAt(2)(args);
  return sources.length === 0 ? [] : [1, ...sources];
}

const WEIGHTED = "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]";

export const SORTED_ALGEBRA_ROWS: readonly Row[] = [
  {
    ...READ,
    name: "ZUNION",
    summary: "Returns the members that any of the sorted sets has",
    syntax: `${WEIGHTED} [WITHSCORES]`,
    run: answering("union"),
  },
  {
    ...READ,
    name: "ZINTER",
    summary: "Returns the members that all sorted sets have",
    syntax: `${WEIGHTED} [WITHSCORES]`,
    run: answering("inter"),
  },
  {
    ...READ,
    name: "ZDIFF",
    summary: "Returns the members that only the first sorted set has",
    syntax: "numkeys key [key ...] [WITHSCORES]",
    run: answering("diff"),
  },
  {
    ...STORE,
    name: "ZUNIONSTORE",
    summary: "Stores the members that any of the sorted sets has",
    syntax: `destination ${WEIGHTED}`,
    run: storing("union"),
  },
  {
    ...STORE,
    name: "ZINTERSTORE",
    summary: "Stores the members that all sorted sets have",
    syntax: `destination ${WEIGHTED}`,
    run: storing("inter"),
  },
  {
    ...STORE,
    name: "ZDIFFSTORE",
    summary: "Stores the members that only the first sorted set has",
    syntax: "destination numkeys key [key ...]",
    run: storing("diff"),
  },
  {
    ...READ,
    name: "ZINTERCARD",
    summary: "Returns how many members all sorted sets have",
    syntax: "numkeys key [key ...] [LIMIT limit]",
    run: zintercard,
  },
];
