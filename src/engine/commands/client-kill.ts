// CLIENT KILL: ends connections, by address (the old form) or by filters that must all fit (the new one).

import { HiveError } from "../../base/errors.ts";
import { QUOTED_BYTES_MAX, quoteBytes } from "../../base/quoted.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import type { Reply } from "../reply.ts";
import { syntaxError } from "../values.ts";
import { clientType, isOfType } from "./client-list.ts";

/** Which connections; what is undefined is not asked for. */
type Filter = {
  id?: number;
  address?: string;
  localAddress?: string;
  user?: string;
  /** As clientType() reads it. */
  type?: string;
  ageMsMin?: number;
  skipMe: boolean;
};

export function clientKill(context: Context, args: Args, reply: Reply): void {
  if (args.count === 3) {
    const killed = kill(context, { address: args.text(2), skipMe: false });
    if (killed === 0) throw new HiveError("NO_CLIENT", "No such client");
    return reply.ok();
  }
  reply.integer(kill(context, readFilter(context, args)));
}

function readFilter(context: Context, args: Args): Filter {
  const filter: Filter = { skipMe: true };
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "ID")) filter.id = positive(args, i + 1, "client-id should be greater than 0");
    else if (args.is(i, "TYPE")) filter.type = clientType(args, i + 1);
    else if (args.is(i, "ADDR")) filter.address = args.text(i + 1);
    else if (args.is(i, "LADDR")) filter.localAddress = args.text(i + 1);
    else if (args.is(i, "USER")) filter.user = knownUser(context, args, i + 1);
    else if (args.is(i, "SKIPME")) filter.skipMe = yesOrNo(args, i + 1);
    else if (args.is(i, "MAXAGE")) {
      filter.ageMsMin = 1000 * positive(args, i + 1, "maxage should be greater than 0");
    } else throw syntaxError();
  }
  return filter;
}

function positive(args: Args, index: number, message: string): number {
  let value = 0;
  try {
    value = args.integer(index);
  } catch {}
  if (value < 1) throw new HiveError("INVALID_ARGUMENT", message);
  return value;
}

/** The user in argument `index`: the id of a token, or "default". @throws {HiveError} INVALID_ARGUMENT */
function knownUser(context: Context, args: Args, index: number): string {
  const user = args.latin1(index);
  if (context.services.authenticator.knows(user)) return user;
  const shown = quoteBytes(args.buffer, args.start(index), args.end(index), QUOTED_BYTES_MAX);
  throw new HiveError("INVALID_ARGUMENT", `No such user '${shown}'`);
}

function yesOrNo(args: Args, index: number): boolean {
  if (args.is(index, "YES")) return true;
  if (args.is(index, "NO")) return false;
  throw syntaxError();
}

/** Ends what fits, this connection last: after its replies. Returns how many. */
function kill(context: Context, filter: Filter): number {
  let killed = 0;
  let killsMe = false;
  for (const client of [...context.services.clients.values()]) {
    if (!fits(client, filter) || (filter.skipMe && client === context)) continue;
    killed++;
    if (client === context) killsMe = true;
    else client.peer.close("now");
  }
  if (killsMe) context.peer.close("drain");
  return killed;
}

function fits(client: Context, filter: Filter): boolean {
  const { id, address, localAddress, user, type, ageMsMin } = filter;
  if (user !== undefined && client.user !== user) return false;
  if (id !== undefined && client.id !== id) return false;
  if (address !== undefined && client.peer.address !== address) return false;
  if (localAddress !== undefined && client.peer.localAddress !== localAddress) return false;
  if (type !== undefined && !isOfType(client, type)) return false;
  return ageMsMin === undefined || client.nowMs - client.createdAtMs >= ageMsMin;
}
