// Listing a table: all of its fields, pages of them, or some at random.
//
// Each of these looks at as many fields as it answers with, so a callback a call costs nothing that
// shows. HRANDFIELD answers with pairs as arrays of two where the wire has types, flat elsewhere, and
// HGETALL with a map, as Redis 7.0 does.

import { HiveError } from "../../base/errors.ts";
import { TYPE_TABLE } from "../../store/layout.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import { scanContainer } from "../container-scan.ts";
import type { Context } from "../context.ts";
import { containerToRead, replyFieldValue, replyName } from "../fields.ts";
import { checkPicks, countArgument, pickDistinct, pickRepeated } from "../picks.ts";
import { random } from "../random.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { syntaxError } from "../values.ts";

/** Twice as many elements as this would not fit 64 bits, for which Redis has an error of its own. */
const PAIRS_MAX = 2 ** 62;

function hgetall({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_TABLE);
  if (key === 0) return reply.map(0);
  reply.map(store.fields.count(key));
  store.fields.each(key, (field) => replyPair(store, key, field, reply));
}

function hkeys({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_TABLE);
  if (key === 0) return reply.array(0);
  reply.array(store.fields.count(key));
  store.fields.each(key, (field) => replyName(store, key, field, reply));
}

function hvals({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_TABLE);
  if (key === 0) return reply.array(0);
  reply.array(store.fields.count(key));
  store.fields.each(key, (field) => replyFieldValue(store, key, field, reply));
}

function hscan(context: Context, args: Args, reply: Reply): void {
  const { store } = context;
  const { key, found, next, noValues } = scanContainer(context, args, TYPE_TABLE, "NOVALUES");
  reply.array(2);
  reply.text(`${next}`);
  reply.array(noValues ? found.length : found.length * 2);
  for (const field of found) {
    if (noValues) replyName(store, key, field, reply);
    else replyPair(store, key, field, reply);
  }
}

function hrandfield({ store, services }: Context, args: Args, reply: Reply): void {
  if (args.count === 2) {
    const key = containerToRead(store, args, 1, TYPE_TABLE);
    const field = key === 0 ? 0 : store.fields.random(key, random);
    if (field === 0) return reply.nil();
    return replyName(store, key, field, reply);
  }
  const count = countArgument(args, 2);
  const withValues = args.count === 4 && args.is(3, "WITHVALUES");
  if (args.count > 3 && !withValues) throw syntaxError();
  if (withValues && Math.abs(count) >= PAIRS_MAX) throw new HiveError("OUT_OF_RANGE", "value is out of range");
  const key = containerToRead(store, args, 1, TYPE_TABLE);
  if (key === 0 || count === 0 || store.fields.count(key) === 0) return reply.array(0);
  const nested = withValues && reply.typed;
  const answer = (field: number): void => {
    if (nested) reply.array(2);
    replyName(store, key, field, reply);
    if (withValues) replyFieldValue(store, key, field, reply);
  };
  const perPick = withValues && !nested ? 2 : 1;
  if (count < 0) {
    checkPicks(-count, services.limits);
    reply.array(-count * perPick);
    pickRepeated(store, key, -count, answer);
  } else {
    const picks = pickDistinct(store, key, count);
    reply.array(picks.length * perPick);
    for (const field of picks) answer(field);
  }
}

function replyPair(store: Store, key: number, field: number, reply: Reply): void {
  replyName(store, key, field, reply);
  replyFieldValue(store, key, field, reply);
}

const READ = { family: "tables", flags: ["read"], permission: "read", keys: oneKey() } as const;

export const TABLE_LISTING_ROWS: readonly Row[] = [
  {
    ...READ,
    name: "HGETALL",
    arity: 2,
    summary: "Returns all fields of a table with their values",
    syntax: "key",
    run: hgetall,
  },
  {
    ...READ,
    name: "HKEYS",
    arity: 2,
    summary: "Returns the names of all fields of a table",
    syntax: "key",
    run: hkeys,
  },
  {
    ...READ,
    name: "HVALS",
    arity: 2,
    summary: "Returns the values of all fields of a table",
    syntax: "key",
    run: hvals,
  },
  {
    ...READ,
    name: "HSCAN",
    arity: -3,
    summary: "Returns fields of a table page by page",
    syntax: "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
    run: hscan,
  },
  {
    ...READ,
    name: "HRANDFIELD",
    arity: -2,
    summary: "Returns fields of a table at random",
    syntax: "key [count [WITHVALUES]]",
    run: hrandfield,
  },
];
