// Set picks: members at random, left in the set (SRANDMEMBER) or taken out of it (SPOP).
//
// SPOP without a count is a hot path: draw, answer, delete, without garbage.

import { HiveError } from "../../base/errors.ts";
import { TYPE_SET } from "../../store/layout.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { containerToRead, containerToWrite, replyName } from "../fields.ts";
import { EVENT_SET, tookOut } from "../happened.ts";
import { checkPicks, countArgument, pickDistinct, pickRepeated } from "../picks.ts";
import { random } from "../random.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { syntaxError } from "../values.ts";

function spop(context: Context, args: Args, reply: Reply): void {
  if (args.count > 2) return popSeveral(context, args, reply);
  const store = context.store;
  const key = containerToWrite(store, args, 1, TYPE_SET);
  if (key === 0) return reply.nil();
  const member = store.fields.random(key, random);
  replyName(store, key, member, reply);
  tookOut(store, args, 1, EVENT_SET, "spop", store.fields.delete(key, member));
}

function popSeveral({ store }: Context, args: Args, reply: Reply): void {
  if (args.count > 3) throw syntaxError();
  const count = args.tryInt64(2) ?? -1n;
  if (count < 0n) throw new HiveError("OUT_OF_RANGE", "value is out of range, must be positive");
  let key = containerToWrite(store, args, 1, TYPE_SET);
  if (key === 0 || count === 0n) return reply.set(0);
  const size = store.fields.count(key);
  if (count >= size) {
    reply.set(size);
    store.fields.each(key, (member) => replyName(store, key, member, reply));
    store.keys.remove(key);
    return tookOut(store, args, 1, EVENT_SET, "spop", 0);
  }
  // All are answered before the first is taken out: a reply that gets too big takes nothing.
  const picks = pickDistinct(store, key, Number(count));
  reply.set(picks.length);
  for (const member of picks) replyName(store, key, member, reply);
  // From the last to the first: in a packed set those behind a member move when it goes.
  for (const member of picks.sort((one, other) => other - one)) key = store.fields.delete(key, member);
  tookOut(store, args, 1, EVENT_SET, "spop", key);
}

function srandmember({ store, services }: Context, args: Args, reply: Reply): void {
  if (args.count > 3) throw syntaxError();
  if (args.count === 2) {
    const key = containerToRead(store, args, 1, TYPE_SET);
    if (key === 0) return reply.nil();
    return replyName(store, key, store.fields.random(key, random), reply);
  }
  const count = countArgument(args, 2);
  const key = containerToRead(store, args, 1, TYPE_SET);
  if (key === 0 || count === 0) return reply.array(0);
  if (count < 0) {
    checkPicks(-count, services.limits);
    reply.array(-count);
    return pickRepeated(store, key, -count, (member) => replyName(store, key, member, reply));
  }
  const picks = pickDistinct(store, key, count);
  reply.array(picks.length);
  for (const member of picks) replyName(store, key, member, reply);
}

export const SET_PICK_ROWS: readonly Row[] = [
  {
    name: "SPOP",
    family: "sets",
    arity: -2,
    flags: ["write", "fast"],
    permission: "write",
    keys: oneKey(1, "both"),
    summary: "Removes members of a set at random and returns them",
    syntax: "key [count]",
    run: spop,
  },
  {
    name: "SRANDMEMBER",
    family: "sets",
    arity: -2,
    flags: ["read"],
    permission: "read",
    keys: oneKey(),
    summary: "Returns members of a set at random",
    syntax: "key [count]",
    run: srandmember,
  },
];
