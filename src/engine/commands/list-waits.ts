// List waits: the pops that wait until a list is there.
//
//   is there one? ──▶ the answer       no, and it may wait ──▶ BlockedCalls ──▶ serve │ expire
//
// Within MULTI nothing waits: then the answer is that there is nothing.

import { TYPE_LIST } from "../../store/layout.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { countedKeysAt } from "../counted-keys.ts";
import { waitArgument } from "../deadline.ts";
import { listToWrite, sideArgument } from "../elements.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { moveElement, parseSeveralPop, popFrom, popOne, type Sides } from "./list-pops.ts";

type Wait = {
  /** What the key must hold to be served from. */
  type: number;
  keys: readonly number[];
  timeoutMs: number;
  serve(index: number): boolean;
  /** The answer that there is nothing. */
  nothing(): void;
};

/** Answers now where it can, else waits. */
export function nowOrLater(context: Context, args: Args, reply: Reply, wait: Wait): void | Promise<void> {
  if (wait.keys.some((index) => wait.serve(index))) return;
  if (context.executing) return wait.nothing();
  const { keys, type, timeoutMs, serve } = wait;
  const { id: clientId, signal } = context;
  // In RESP2 time that is up is told by the absence of an array, whatever the answer would have been: as Redis does.
  const expire = (): void => (reply.typed ? wait.nothing() : reply.nullArray());
  return context.services.blocked.wait({
    clientId,
    signal,
    args,
    reply,
    keys,
    type,
    timeoutMs,
    serve,
    expire,
  });
}

function popWaiting(context: Context, args: Args, reply: Reply, atFront: boolean): void | Promise<void> {
  const { store } = context;
  const timeoutMs = waitArgument(args, args.count - 1, context.nowMs);
  const serve = (index: number): boolean => {
    const key = listToWrite(store, args, index);
    if (key === 0) return false;
    reply.array(2);
    reply.bulk(args.buffer, args.start(index), args.end(index), args.kind(index));
    popOne(store, args, index, key, atFront, reply);
    return true;
  };
  const keys = Array.from({ length: args.count - 2 }, (_, i) => i + 1);
  return nowOrLater(context, args, reply, {
    type: TYPE_LIST,
    keys,
    timeoutMs,
    serve,
    nothing: () => reply.nullArray(),
  });
}

function blmpop(context: Context, args: Args, reply: Reply): void | Promise<void> {
  const wanted = parseSeveralPop(args, 2);
  const timeoutMs = waitArgument(args, 1, context.nowMs);
  const serve = (index: number): boolean => popFrom(context.store, args, index, wanted, reply);
  return nowOrLater(context, args, reply, {
    type: TYPE_LIST,
    keys: wanted.keys,
    timeoutMs,
    serve,
    nothing: () => reply.nullArray(),
  });
}

function moveWaiting(context: Context, args: Args, reply: Reply, sides: Sides): void | Promise<void> {
  const timeoutMs = waitArgument(args, args.count - 1, context.nowMs);
  const serve = (): boolean => moveElement(context.store, args, sides, reply);
  return nowOrLater(context, args, reply, { type: TYPE_LIST, keys: [1], timeoutMs, serve, nothing: () => reply.nil() });
}

function blmove(context: Context, args: Args, reply: Reply): void | Promise<void> {
  const sides = { fromFront: sideArgument(args, 3), toFront: sideArgument(args, 4) };
  return moveWaiting(context, args, reply, sides);
}

function brpoplpush(context: Context, args: Args, reply: Reply): void | Promise<void> {
  return moveWaiting(context, args, reply, { fromFront: false, toFront: true });
}

const POP = {
  family: "lists",
  arity: -3,
  flags: ["write", "mayWait"],
  permission: "write",
  keys: { first: 1, last: -2, step: 1, access: "both" },
  syntax: "key [key ...] timeout",
} as const;

const MOVE = {
  ...POP,
  flags: ["write", "grows", "mayWait"],
  keys: { first: 1, last: 2, step: 1, access: ["both", "write"] },
} as const;

export const LIST_WAIT_ROWS: readonly Row[] = [
  {
    ...POP,
    name: "BLPOP",
    summary: "Removes and returns the first element of the first list that there is, or waits for one",
    run: (context, args, reply) => popWaiting(context, args, reply, true),
  },
  {
    ...POP,
    name: "BRPOP",
    summary: "Removes and returns the last element of the first list that there is, or waits for one",
    run: (context, args, reply) => popWaiting(context, args, reply, false),
  },
  {
    ...POP,
    name: "BLMPOP",
    arity: -5,
    keys: { find: countedKeysAt(2), access: "both" },
    summary: "Removes and returns elements of the first list that there is, or waits for one",
    syntax: "timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]",
    run: blmpop,
  },
  {
    ...MOVE,
    name: "BLMOVE",
    arity: 6,
    summary: "Moves an element from a list to another and returns it, or waits for one",
    syntax: "source destination LEFT | RIGHT LEFT | RIGHT timeout",
    run: blmove,
  },
  {
    ...MOVE,
    name: "BRPOPLPUSH",
    arity: 4,
    summary: "Moves the last element of a list to the front of another and returns it, or waits for one",
    syntax: "source destination timeout",
    run: brpoplpush,
  },
];
