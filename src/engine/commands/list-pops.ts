// List pops: elements taken from an end, to be answered or to be put into another list.
//
//   LPOP RPOP LMPOP      LMOVE RPOPLPUSH: the other list gets it before this one loses it, since only getting can fail

import { HiveError } from "../../base/errors.ts";
import type { Slice } from "../../store/collections.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { countedKeysAt } from "../counted-keys.ts";
import { listToWrite, type Popped, popElements, poppedFrom, positiveArgument, sideArgument } from "../elements.ts";
import { wrongArity } from "../fields.ts";
import { EVENT_LIST, happened } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { replyBytes, syntaxError } from "../values.ts";

const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

function pop({ store }: Context, args: Args, reply: Reply, atFront: boolean): void {
  if (args.count > 2) return popSeveral(store, args, reply, atFront);
  const key = listToWrite(store, args, 1);
  if (key === 0) return reply.nil();
  popOne(store, args, 1, key, atFront, reply);
}

/** Answers with the element at an end of the list `key`, which argument `index` names, and takes it away. */
export function popOne(store: Store, args: Args, index: number, key: number, atFront: boolean, reply: Reply): void {
  const { lists } = store;
  const { bytes, start, end, kind } = lists.readEnd(key, atFront, slice);
  replyBytes(reply, bytes, start, end, kind);
  poppedFrom(store, args, index, atFront, lists.popRead(key, atFront));
}

function popSeveral(store: Store, args: Args, reply: Reply, atFront: boolean): void {
  if (args.count > 3) throw wrongArity(atFront ? "lpop" : "rpop");
  const many = args.tryInt64(2) ?? -1n;
  if (many < 0n) throw new HiveError("OUT_OF_RANGE", "value is out of range, must be positive");
  const key = listToWrite(store, args, 1);
  if (key === 0) return reply.nullArray();
  popElements(store, args, 1, key, { atFront, many: Number(many) }, reply);
}

function lpop(context: Context, args: Args, reply: Reply): void {
  pop(context, args, reply, true);
}

function rpop(context: Context, args: Args, reply: Reply): void {
  pop(context, args, reply, false);
}

/** Whether an element goes from the front, and to the front. */
export type Sides = { fromFront: boolean; toFront: boolean };

/**
 * Moves an element of the list in argument 1 to the one in argument 2, and answers with it. Returns false where
 * there is none. @throws {HiveError} WRONG_TYPE, KEY_TOO_BIG, OUT_OF_MEMORY: nothing was changed.
 */
export function moveElement(store: Store, args: Args, { fromFront, toFront }: Sides, reply: Reply): boolean {
  const { lists, keys } = store;
  const from = listToWrite(store, args, 1);
  if (from === 0) return false;
  const to = listToWrite(store, args, 2);
  const { bytes, start, end, kind } = lists.readEnd(from, fromFront, slice);
  // A copy: where both are one list, what is read moves while it is written.
  const element = Buffer.from(bytes.subarray(start, end));
  const target = to === 0 ? lists.create(args.buffer, args.start(2), args.length(2), args.kind(2)) : to;
  let pushed: number;
  try {
    pushed = lists.push(target, toFront, element, 0, element.length, kind);
  } catch (error) {
    if (to === 0) keys.remove(target);
    throw error;
  }
  happened(store, args, 2, EVENT_LIST, toFront ? "lpush" : "rpush");
  // Where both are one list, the element at the end that it was put to is not the one to take away.
  const isBehind = from === to && fromFront === toFront;
  const list = from === to ? pushed : from;
  const left = isBehind ? lists.remove(list, fromFront ? 1 : lists.count(list) - 2, 1) : lists.pop(list, fromFront);
  poppedFrom(store, args, 1, fromFront, left);
  replyBytes(reply, element, 0, element.length, kind);
  return true;
}

function lmove({ store }: Context, args: Args, reply: Reply): void {
  const sides = { fromFront: sideArgument(args, 3), toFront: sideArgument(args, 4) };
  if (!moveElement(store, args, sides, reply)) reply.nil();
}

function rpoplpush({ store }: Context, args: Args, reply: Reply): void {
  if (!moveElement(store, args, { fromFront: false, toFront: true }, reply)) reply.nil();
}

/** numkeys key [key …] LEFT | RIGHT [COUNT count], from argument `first` on. */
export type SeveralPop = Popped & { keys: number[] };

/** @throws {HiveError} SYNTAX, OUT_OF_RANGE */
export function parseSeveralPop(args: Args, first: number): SeveralPop {
  const keyCount = positiveArgument(args, first, "numkeys should be greater than 0");
  const side = first + keyCount + 1;
  if (side >= args.count) throw syntaxError();
  const atFront = sideArgument(args, side);
  let many = 0;
  for (let i = side + 1; i < args.count; i++) {
    if (many !== 0 || i + 1 === args.count || !args.is(i, "COUNT")) throw syntaxError();
    many = positiveArgument(args, ++i, "count should be greater than 0");
  }
  return { keys: Array.from({ length: keyCount }, (_, i) => first + 1 + i), atFront, many: many || 1 };
}

/** Answers with the key in argument `index` and what is taken from its list. Returns false where there is none. */
export function popFrom(store: Store, args: Args, index: number, wanted: SeveralPop, reply: Reply): boolean {
  const key = listToWrite(store, args, index);
  if (key === 0) return false;
  reply.array(2);
  reply.bulk(args.buffer, args.start(index), args.end(index), args.kind(index));
  popElements(store, args, index, key, wanted, reply);
  return true;
}

function lmpop({ store }: Context, args: Args, reply: Reply): void {
  const wanted = parseSeveralPop(args, 1);
  if (!wanted.keys.some((index) => popFrom(store, args, index, wanted, reply))) reply.nullArray();
}

const POP = {
  family: "lists",
  arity: -2,
  flags: ["write", "fast"],
  permission: "write",
  keys: oneKey(1, "both"),
  syntax: "key [count]",
} as const;

const MOVE = {
  family: "lists",
  flags: ["write", "grows"],
  permission: "write",
  keys: { first: 1, last: 2, step: 1, access: ["both", "write"] },
} as const;

export const LIST_POP_ROWS: readonly Row[] = [
  { ...POP, name: "LPOP", summary: "Removes and returns the first element of a list, or several", run: lpop },
  { ...POP, name: "RPOP", summary: "Removes and returns the last element of a list, or several", run: rpop },
  {
    ...POP,
    name: "LMPOP",
    arity: -4,
    flags: ["write"],
    keys: { find: countedKeysAt(1), access: "both" },
    summary: "Removes and returns elements of the first list that there is",
    syntax: "numkeys key [key ...] LEFT | RIGHT [COUNT count]",
    run: lmpop,
  },
  {
    ...MOVE,
    name: "LMOVE",
    arity: 5,
    summary: "Moves an element from an end of a list to an end of another and returns it",
    syntax: "source destination LEFT | RIGHT LEFT | RIGHT",
    run: lmove,
  },
  {
    ...MOVE,
    name: "RPOPLPUSH",
    arity: 3,
    summary: "Moves the last element of a list to the front of another and returns it",
    syntax: "source destination",
    run: rpoplpush,
  },
];
