// Feed: what happens to keys, in order, from a position on.
//
//   native    FEED position pattern … as a stream ──▶ [run id, number] · then one element a change (change-view.ts)
//
// It is a stream and nothing else, so RESP is told where to look: keyspace notifications are what Redis's clients
// know. A watcher may see what its grants let it read, as with the globs of PSUBSCRIBE.

import { HiveError } from "../../base/errors.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import type { Row } from "../row.ts";

function feed(context: Context, args: Args): Promise<void> {
  const { outflow, services, token, signal } = context;
  if (outflow === undefined) {
    const message = "FEED is a stream of the native wire: read it with hive.watch(), or use notify-keyspace-events";
    throw new HiveError("UNSUPPORTED", message);
  }
  const patterns: Buffer[] = [];
  for (let i = 2; i < args.count; i++) patterns.push(Buffer.from(args.bytes(i)));
  const watching = services.feed.watch({ patterns, grants: token?.grants, since: args.latin1(1), outflow, signal });
  args.keep();
  context.feeds++;
  return watching.finally(() => {
    context.feeds--;
  });
}

export const FEED_ROWS: readonly Row[] = [
  {
    name: "FEED",
    family: "messages",
    arity: -3,
    flags: ["connection", "mayWait", "noMulti"],
    permission: "read",
    keyPatterns: { first: 2, last: -1, step: 1 },
    summary: "Tells what happens to the keys that patterns match, from a position on or from now on ($)",
    syntax: "position | $ pattern [pattern ...]",
    run: feed,
  },
];
