// Near: what tells a native client that keeps values in its own memory which of them are no more (near-feeds.ts).

import { HiveError } from "../../base/errors.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { NearFeed } from "../near-feeds.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { StreamSubscriber } from "../subscribers.ts";
import { syntaxError } from "../values.ts";

/** @throws {HiveError} UNSUPPORTED, SYNTAX, KEY_TOO_BIG, NO_PERMISSION */
function near(context: Context, args: Args, _reply: Reply): Promise<void> {
  const { outflow, services, token } = context;
  if (outflow === undefined) {
    throw new HiveError("UNSUPPORTED", "NEAR is a stream of the native wire: CLIENT TRACKING is for this one");
  }
  const isPrefix = args.is(1, "PREFIX");
  if (!isPrefix && !args.is(1, "KEY")) throw syntaxError();
  const { keyBytesMax, subscriberBytesMax } = services.limits;
  if (args.length(2) > keyBytesMax) {
    throw new HiveError("KEY_TOO_BIG", `a name of ${args.length(2)} bytes exceeds keyBytesMax (${keyBytesMax})`);
  }
  if (isPrefix && token !== undefined && !token.grants.coversPrefix("read", args.bytes(2))) {
    throw new HiveError("NO_PERMISSION", "'near' needs read on all keys with the prefix in argument 2");
  }
  const { feeds } = services.tracking;
  const subscriber = new StreamSubscriber(outflow, subscriberBytesMax, () => feeds.close(feed));
  const feed = new NearFeed(args.latin1(2), isPrefix, subscriber);
  args.keep();
  outflow.begin(1);
  feeds.open(feed);
  return subscriber.until(context.signal);
}

export const NEAR_ROWS: readonly Row[] = [
  {
    name: "NEAR",
    family: "messages",
    arity: 3,
    flags: ["connection", "mayWait"],
    permission: "read",
    keys: { find: (args) => (args.is(1, "KEY") ? [2] : []) },
    summary: "Tells a native client, as a stream, what changes in a key, or which keys with a prefix do",
    syntax: "KEY key | PREFIX prefix",
    run: near,
  },
];
