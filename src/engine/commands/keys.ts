// Keys: what works on a key whatever it holds. The rest of the family is in key-expiry.ts (deadlines),
// key-walks.ts (the keys as a whole), key-copies.ts (COPY, DUMP, RESTORE) and key-details.ts (OBJECT, MEMORY).

import { HiveError } from "../../base/errors.ts";
import { TYPE_MASK } from "../../store/layout.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { EVENT_GENERIC, EVENT_NEW, happened } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { typeName } from "../type-names.ts";
import { KEY_COPY_ROWS } from "./key-copies.ts";
import { KEY_DETAIL_ROWS } from "./key-details.ts";
import { KEY_EXPIRY_ROWS } from "./key-expiry.ts";
import { KEY_WALK_ROWS } from "./key-walks.ts";
import { SORT_ROWS } from "./sort.ts";

/** The entry of the key that argument `index` names; 0 when there is none. Does not count as access. */
function find({ store }: Context, args: Args, index: number): number {
  return store.keys.find(args.buffer, args.start(index), args.length(index), args.kind(index));
}

function del(context: Context, args: Args, reply: Reply): void {
  let removed = 0;
  for (let i = 1; i < args.count; i++) {
    const ref = find(context, args, i);
    if (ref === 0) continue;
    context.store.keys.remove(ref);
    happened(context.store, args, i, EVENT_GENERIC, "del");
    removed++;
  }
  reply.integer(removed);
}

/** EXISTS and TOUCH: both count those that are there, one of them as often as it is named. */
function countKeys({ store: { keys } }: Context, args: Args, reply: Reply): void {
  let count = 0;
  for (let i = 1; i < args.count; i++) {
    if (keys.read(args.buffer, args.start(i), args.length(i), args.kind(i)) !== 0) count++;
  }
  reply.integer(count);
}

function type(context: Context, args: Args, reply: Reply): void {
  const ref = find(context, args, 1);
  reply.status(ref === 0 ? "none" : typeName(context.store.memory.entries.head(ref) & TYPE_MASK));
}

function rename(context: Context, args: Args, reply: Reply): void {
  const ref = findToRename(context, args);
  const old = find(context, args, 2);
  if (old === ref) return reply.ok();
  moveKey(context, args, ref, old !== 0);
  reply.ok();
}

function renamenx(context: Context, args: Args, reply: Reply): void {
  const ref = findToRename(context, args);
  if (find(context, args, 2) !== 0) return reply.integer(0);
  moveKey(context, args, ref, false);
  reply.integer(1);
}

function moveKey({ store }: Context, args: Args, ref: number, replaces: boolean): void {
  store.keys.rename(ref, args.buffer, args.start(2), args.length(2), args.kind(2));
  if (replaces) happened(store, args, 2, EVENT_NEW, "new");
  happened(store, args, 1, EVENT_GENERIC, "rename_from");
  happened(store, args, 2, EVENT_GENERIC, "rename_to");
}

function findToRename(context: Context, args: Args): number {
  const ref = find(context, args, 1);
  if (ref === 0) throw new HiveError("NO_KEY", "no such key");
  return ref;
}

const DEL: Row = {
  name: "DEL",
  family: "keys",
  arity: -2,
  flags: ["write"],
  permission: "write",
  keys: { first: 1, last: -1, step: 1 },
  summary: "Deletes keys, and returns how many were there",
  syntax: "key [key ...]",
  run: del,
};

const EXISTS: Row = {
  name: "EXISTS",
  family: "keys",
  arity: -2,
  flags: ["read", "fast"],
  permission: "read",
  keys: { first: 1, last: -1, step: 1 },
  summary: "Counts the keys that are there; one named twice counts twice",
  syntax: "key [key ...]",
  run: countKeys,
};

const RENAME: Row = {
  name: "RENAME",
  family: "keys",
  arity: 3,
  flags: ["write"],
  permission: "write",
  keys: { first: 1, last: 2, step: 1, access: ["both", "write"] },
  summary: "Gives a key another name; a key that has that name goes",
  syntax: "key newkey",
  run: rename,
};

export const KEY_ROWS: readonly Row[] = [
  DEL,
  { ...DEL, name: "UNLINK", summary: "Does what DEL does, which never waits for memory to be freed" },
  EXISTS,
  { ...EXISTS, name: "TOUCH", summary: "Notes an access to keys, and returns how many are there" },
  {
    name: "TYPE",
    family: "keys",
    arity: 2,
    flags: ["read", "fast"],
    permission: "read",
    keys: oneKey(),
    summary: "Returns the type of what a key holds",
    syntax: "key",
    run: type,
  },
  RENAME,
  { ...RENAME, name: "RENAMENX", summary: "Gives a key another name if no key has that", run: renamenx },
  ...KEY_EXPIRY_ROWS,
  ...KEY_WALK_ROWS,
  ...KEY_COPY_ROWS,
  ...SORT_ROWS,
  ...KEY_DETAIL_ROWS,
];
