// Sorted waits: the pops that wait until a sorted set is there, as those of lists do.

import { TYPE_SORTED } from "../../store/layout.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { countedKeysAt } from "../counted-keys.ts";
import { waitArgument } from "../deadline.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { replyMember, sortedToWrite } from "../sorted-members.ts";
import { nowOrLater } from "./list-waits.ts";
import { type End, parsePop, popFirst, take } from "./sorted-pops.ts";

function popWaiting(end: End): Row["run"] {
  return (context: Context, args: Args, reply: Reply): void | Promise<void> => {
    const { store } = context;
    const timeoutMs = waitArgument(args, args.count - 1, context.nowMs);
    const serve = (index: number): boolean => {
      const key = sortedToWrite(store, args, index);
      if (key === 0) return false;
      reply.array(3);
      reply.bulk(args.buffer, args.start(index), args.end(index), args.kind(index));
      take(store, args, { key, index }, { end, count: 1 }, (handle) => {
        replyMember(store, key, handle, reply);
        reply.double(store.sorted.score(key, handle));
      });
      return true;
    };
    const keys = Array.from({ length: args.count - 2 }, (_, i) => i + 1);
    const nothing = (): void => reply.nullArray();
    return nowOrLater(context, args, reply, { type: TYPE_SORTED, keys, timeoutMs, serve, nothing });
  };
}

function bzmpop(context: Context, args: Args, reply: Reply): void | Promise<void> {
  const pop = parsePop(args, 2);
  const timeoutMs = waitArgument(args, 1, context.nowMs);
  const serve = (index: number): boolean => {
    return popFirst(context.store, args, { ...pop, first: index, last: index }, reply);
  };
  const keys = Array.from({ length: pop.last - pop.first + 1 }, (_, i) => pop.first + i);
  const nothing = (): void => reply.nullArray();
  return nowOrLater(context, args, reply, { type: TYPE_SORTED, keys, timeoutMs, serve, nothing });
}

const POP = {
  family: "sorted",
  arity: -3,
  flags: ["write", "fast", "mayWait"],
  permission: "write",
  keys: { first: 1, last: -2, step: 1, access: "both" },
  syntax: "key [key ...] timeout",
} as const;

export const SORTED_WAIT_ROWS: readonly Row[] = [
  {
    ...POP,
    name: "BZPOPMIN",
    summary:
      "Removes and returns the member with the lowest score of the first sorted set that there is, or waits for one",
    run: popWaiting("min"),
  },
  {
    ...POP,
    name: "BZPOPMAX",
    summary:
      "Removes and returns the member with the highest score of the first sorted set that there is, or waits for one",
    run: popWaiting("max"),
  },
  {
    ...POP,
    name: "BZMPOP",
    arity: -5,
    flags: ["write", "mayWait"],
    keys: { find: countedKeysAt(2), access: "both" },
    summary: "Removes and returns members of the first sorted set that there is, or waits for one",
    syntax: "timeout numkeys key [key ...] MIN | MAX [COUNT count]",
    run: bzmpop,
  },
];
