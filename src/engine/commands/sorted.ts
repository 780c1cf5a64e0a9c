// Sorted sets: members and their scores one by one, and the family's rows.
//
//   sorted           ZADD ZINCRBY ZREM ZSCORE ZMSCORE ZCARD ZRANK ZREVRANK ZRANDMEMBER ZSCAN
//   sorted-ranges    ZRANGE and its kin, ZRANGESTORE, ZCOUNT ZLEXCOUNT, ZREMRANGEBY…
//   sorted-pops      ZPOPMIN ZPOPMAX ZMPOP       sorted-waits   BZPOPMIN BZPOPMAX BZMPOP
//   sorted-algebra   ZUNION ZINTER ZDIFF, their STORE forms, ZINTERCARD
//
// Hot path: ZADD of one member, ZSCORE, ZRANK.

import { doubleText } from "../../base/double-text.ts";
import { HiveError } from "../../base/errors.ts";
import type { Slice } from "../../store/collections.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { beginSteps, checkSizes } from "../fields.ts";
import { EVENT_SORTED, happened, tookOut } from "../happened.ts";
import { checkPicks, countArgument } from "../picks.ts";
import { random } from "../random.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { parseCursor, parseScanOptions, passesPattern } from "../scan-options.ts";
import { scoreArgument } from "../scores.ts";
import { findMember, replyMember, replyScored, setMember, sortedToRead, sortedToWrite } from "../sorted-members.ts";
import { syntaxError } from "../values.ts";
import { SORTED_ALGEBRA_ROWS } from "./sorted-algebra.ts";
import { SORTED_POP_ROWS } from "./sorted-pops.ts";
import { SORTED_RANGE_ROWS } from "./sorted-ranges.ts";
import { SORTED_WAIT_ROWS } from "./sorted-waits.ts";

/** With pairs to answer no more than this many: half of 63 bits. */
const PAIRS_MAX = 2 ** 62;

type AddOptions = { first: number; nx: boolean; xx: boolean; gt: boolean; lt: boolean; ch: boolean; incr: boolean };

const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };
/** What one call of add() did: whether the member is new, whether its score changed, and what it is; NaN where nothing was to be done. */
const added = { isNew: false, isChanged: false, score: 0 };

function zadd(context: Context, args: Args, reply: Reply): void {
  addAll(context, args, reply, false);
}

function zincrby(context: Context, args: Args, reply: Reply): void {
  addAll(context, args, reply, true);
}

function addAll({ store }: Context, args: Args, reply: Reply, isIncrement: boolean): void {
  const options = parseAddOptions(args, isIncrement);
  const { first } = options;
  const count = args.count - first;
  checkAddOptions(options, count);
  for (let i = first; i < args.count; i += 2) scoreArgument(args, i);
  const key = sortedToWrite(store, args, 1);
  if (key === 0 && options.xx) return options.incr ? reply.nil() : reply.integer(0);
  if (count > 2) checkSizes(store, args, first + 1, 1);
  const armed = count > 2 && beginSteps(store, args);
  let target = key;
  let news = 0;
  let changes = 0;
  try {
    for (let i = first; i < args.count; i += 2) {
      target = add(store, target, args, i, options);
      if (added.isNew) news++;
      else if (added.isChanged) changes++;
    }
  } catch (error) {
    if (armed) store.undo.rollback();
    throw error;
  }
  if (armed) store.undo.commit();
  if (news + changes > 0) happened(store, args, 1, EVENT_SORTED, options.incr ? "zincr" : "zadd");
  if (!options.incr) return reply.integer(options.ch ? news + changes : news);
  if (added.score !== added.score) reply.nil();
  else reply.double(added.score);
}

function parseAddOptions(args: Args, isIncrement: boolean): AddOptions {
  const options = { first: 2, nx: false, xx: false, gt: false, lt: false, ch: false, incr: isIncrement };
  for (; options.first < args.count; options.first++) {
    const i = options.first;
    if (args.is(i, "NX")) options.nx = true;
    else if (args.is(i, "XX")) options.xx = true;
    else if (args.is(i, "CH")) options.ch = true;
    else if (args.is(i, "INCR")) options.incr = true;
    else if (args.is(i, "GT")) options.gt = true;
    else if (args.is(i, "LT")) options.lt = true;
    else break;
  }
  return options;
}

function checkAddOptions({ nx, xx, gt, lt, incr }: AddOptions, count: number): void {
  if (count % 2 !== 0 || count === 0) throw syntaxError();
  if (nx && xx) throw new HiveError("SYNTAX", "XX and NX options at the same time are not compatible");
  if ((gt && nx) || (lt && nx) || (gt && lt)) {
    throw new HiveError("SYNTAX", "GT, LT, and/or NX options at the same time are not compatible");
  }
  if (incr && count > 2) throw new HiveError("SYNTAX", "INCR option supports a single increment-element pair");
}

/** One score and member. Returns the key's entry, 0 while there is none, and says in `added` what it did. */
function add(store: Store, key: number, args: Args, index: number, options: AddOptions): number {
  const { sorted } = store;
  const { nx, xx, gt, lt, incr } = options;
  added.isNew = false;
  added.isChanged = false;
  added.score = Number.NaN;
  let score = scoreArgument(args, index);
  const handle = key === 0 ? 0 : findMember(store, key, args, index + 1);
  if (handle === 0 ? xx : nx) return key;
  let target = key;
  if (handle !== 0) {
    const before = sorted.score(key, handle);
    if (incr) score += before;
    if (score !== score) throw new HiveError("NOT_FLOAT", "resulting score is not a number (NaN)");
    if ((lt && score >= before) || (gt && score <= before)) return key;
    added.isChanged = score !== before;
    if (added.isChanged) target = setMember(store, key, args, index + 1, handle, score);
  } else {
    if (key === 0) target = sorted.create(args.buffer, args.start(1), args.length(1), args.kind(1));
    try {
      target = setMember(store, target, args, index + 1, 0, score);
    } catch (error) {
      if (key === 0) store.keys.remove(target);
      throw error;
    }
    added.isNew = true;
  }
  added.score = score;
  return target;
}

function zrem({ store }: Context, args: Args, reply: Reply): void {
  let key = sortedToWrite(store, args, 1);
  let removed = 0;
  for (let i = 2; i < args.count && key !== 0; i++) {
    const member = findMember(store, key, args, i);
    if (member === 0) continue;
    key = store.sorted.delete(key, member);
    removed++;
  }
  if (removed > 0) tookOut(store, args, 1, EVENT_SORTED, "zrem", key);
  reply.integer(removed);
}

function replyScore(store: Store, key: number, args: Args, index: number, reply: Reply): void {
  const member = key === 0 ? 0 : findMember(store, key, args, index);
  if (member === 0) reply.nil();
  else reply.double(store.sorted.score(key, member));
}

function zscore({ store }: Context, args: Args, reply: Reply): void {
  replyScore(store, sortedToRead(store, args, 1), args, 2, reply);
}

function zmscore({ store }: Context, args: Args, reply: Reply): void {
  const key = sortedToRead(store, args, 1);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) replyScore(store, key, args, i, reply);
}

function zcard({ store }: Context, args: Args, reply: Reply): void {
  const key = sortedToRead(store, args, 1);
  reply.integer(key === 0 ? 0 : store.sorted.count(key));
}

function ranking(isReverse: boolean): Row["run"] {
  return ({ store }: Context, args: Args, reply: Reply): void => {
    if (args.count > 4) throw syntaxError();
    const withScore = args.count === 4;
    if (withScore && !args.is(3, "WITHSCORE")) throw syntaxError();
    const key = sortedToRead(store, args, 1);
    const member = key === 0 ? 0 : findMember(store, key, args, 2);
    if (member === 0) return withScore ? reply.nullArray() : reply.nil();
    const rank = store.sorted.rank(key, member);
    if (withScore) reply.array(2);
    reply.integer(isReverse ? store.sorted.count(key) - 1 - rank : rank);
    if (withScore) reply.double(store.sorted.score(key, member));
  };
}

function zrandmember({ store, services }: Context, args: Args, reply: Reply): void {
  const { sorted } = store;
  if (args.count === 2) {
    const key = sortedToRead(store, args, 1);
    if (key === 0) return reply.nil();
    return replyMember(store, key, sorted.at(key, Math.floor(random() * sorted.count(key))), reply);
  }
  const count = countArgument(args, 2);
  const withScores = args.count === 4 && args.is(3, "WITHSCORES");
  if (args.count > 3 && !withScores) throw syntaxError();
  if (withScores && Math.abs(count) >= PAIRS_MAX) throw new HiveError("OUT_OF_RANGE", "value is out of range");
  const key = sortedToRead(store, args, 1);
  if (key === 0 || count === 0) return reply.array(0);
  const size = sorted.count(key);
  if (count < 0) checkPicks(-count, services.limits);
  const picks = count < 0 ? undefined : distinctRanks(Math.min(count, size), size);
  const picked = picks === undefined ? -count : picks.length;
  reply.array(withScores && !reply.typed ? picked * 2 : picked);
  for (let i = 0; i < picked; i++) {
    const member = sorted.at(key, picks === undefined ? Math.floor(random() * size) : picks[i]!);
    if (withScores) replyScored(store, key, member, reply);
    else replyMember(store, key, member, reply);
  }
}

/** `count` different numbers below `size`, each with the same chance (R. Floyd's sampling, in CACM 30, 1987). */
function distinctRanks(count: number, size: number): number[] {
  const ranks = new Set<number>();
  for (let last = size - count; last < size; last++) {
    const rank = Math.floor(random() * (last + 1));
    ranks.add(ranks.has(rank) ? last : rank);
  }
  return [...ranks];
}

function zscan({ store, services }: Context, args: Args, reply: Reply): void {
  const cursor = parseCursor(args, 2);
  const key = sortedToRead(store, args, 1);
  const found: number[] = [];
  let next = 0;
  if (key !== 0) {
    const options = parseScanOptions(args, 3, "", services.limits);
    next = store.sorted.scan(key, cursor, options.count, (handle) => {
      const { bytes, start, end } = store.sorted.name(key, handle, slice);
      if (passesPattern(options, args, bytes, start, end)) found.push(handle);
    });
  }
  reply.array(2);
  reply.text(`${next}`);
  reply.array(found.length * 2);
  const isPacked = key !== 0 && store.fields.isPacked(key);
  for (const member of found) {
    replyMember(store, key, member, reply);
    reply.text(scanText(store.sorted.score(key, member), isPacked));
  }
}

/** As Redis writes scores in pages: integers of small sets with all their digits. */
function scanText(score: number, isPacked: boolean): string {
  if (isPacked && Number.isInteger(score) && Math.abs(score) < 2 ** 63) return BigInt(score).toString();
  return doubleText(score);
}

const READ = { family: "sorted", flags: ["read", "fast"], permission: "read", keys: oneKey() } as const;
const WRITE = { family: "sorted", flags: ["write", "fast"], permission: "write", keys: oneKey() } as const;

export const SORTED_ROWS: readonly Row[] = [
  {
    ...WRITE,
    name: "ZADD",
    arity: -4,
    flags: ["write", "grows", "fast"],
    keys: oneKey(1, (args) => (parseAddOptions(args, false).incr ? "both" : "write")),
    summary: "Adds members to a sorted set, or gives them other scores",
    syntax: "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
    run: zadd,
  },
  {
    ...WRITE,
    name: "ZINCRBY",
    arity: 4,
    flags: ["write", "grows", "fast"],
    keys: oneKey(1, "both"),
    summary: "Adds to the score of a member and returns it",
    syntax: "key increment member",
    run: zincrby,
  },
  {
    ...WRITE,
    name: "ZREM",
    arity: -3,
    summary: "Removes members from a sorted set and returns how many there were",
    syntax: "key member [member ...]",
    run: zrem,
  },
  {
    ...READ,
    name: "ZSCORE",
    arity: 3,
    summary: "Returns the score of a member",
    syntax: "key member",
    run: zscore,
  },
  {
    ...READ,
    name: "ZMSCORE",
    arity: -3,
    summary: "Returns the scores of several members",
    syntax: "key member [member ...]",
    run: zmscore,
  },
  {
    ...READ,
    name: "ZCARD",
    arity: 2,
    summary: "Returns how many members a sorted set has",
    syntax: "key",
    run: zcard,
  },
  {
    ...READ,
    name: "ZRANK",
    arity: -3,
    summary: "Returns how many members have a lower score",
    syntax: "key member [WITHSCORE]",
    run: ranking(false),
  },
  {
    ...READ,
    name: "ZREVRANK",
    arity: -3,
    summary: "Returns how many members have a higher score",
    syntax: "key member [WITHSCORE]",
    run: ranking(true),
  },
  {
    ...READ,
    name: "ZRANDMEMBER",
    arity: -2,
    flags: ["read"],
    summary: "Returns members of a sorted set at random",
    syntax: "key [count [WITHSCORES]]",
    run: zrandmember,
  },
  {
    ...READ,
    name: "ZSCAN",
    arity: -3,
    flags: ["read"],
    summary: "Returns members of a sorted set, with their scores, page by page",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    run: zscan,
  },
  ...SORTED_RANGE_ROWS,
  ...SORTED_POP_ROWS,
  ...SORTED_WAIT_ROWS,
  ...SORTED_ALGEBRA_ROWS,
];
