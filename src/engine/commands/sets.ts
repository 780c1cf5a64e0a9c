// Sets: members one by one, and the family's rows.
//
//   sets          SADD SREM SMOVE SISMEMBER SMISMEMBER SCARD SMEMBERS SSCAN
//   set-picks     SPOP SRANDMEMBER
//   set-algebra   SINTER SUNION SDIFF, their STORE forms, SINTERCARD
//
// A member is a field without a value; a set without members is no key. Hot path: SADD, SISMEMBER.

import type { Slice } from "../../store/collections.ts";
import { NO_DEADLINE } from "../../store/keyspace.ts";
import { KIND_RAW, TYPE_SET } from "../../store/layout.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import { scanContainer } from "../container-scan.ts";
import type { Context } from "../context.ts";
import {
  addMember,
  beginSteps,
  checkSizes,
  containerToRead,
  containerToWrite,
  createContainer,
  findField,
  replyName,
} from "../fields.ts";
import { EVENT_NEW, EVENT_SET, happened, tookOut } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { SET_ALGEBRA_ROWS } from "./set-algebra.ts";
import { SET_PICK_ROWS } from "./set-picks.ts";

const NO_BYTES = Buffer.alloc(0);
const slice: Slice = { bytes: NO_BYTES, start: 0, end: 0, kind: 0 };

function sadd({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToWrite(store, args, 1, TYPE_SET);
  if (args.count === 3 && key !== 0) {
    addMember(store, key, args, 2);
    if (!store.fields.created) return reply.integer(0);
    happened(store, args, 1, EVENT_SET, "sadd");
    return reply.integer(1);
  }
  reply.integer(addMembers(store, key, args));
}

/** Adds the members that argument 2 and those behind it name, all or none. Returns how many are new. */
function addMembers(store: Store, key: number, args: Args): number {
  checkSizes(store, args, 2, 1);
  const armed = beginSteps(store, args);
  let target = key;
  let added = 0;
  try {
    if (key === 0) target = createContainer(store, args, 1, TYPE_SET);
    for (let i = 2; i < args.count; i++) {
      target = addMember(store, target, args, i);
      if (store.fields.created) added++;
    }
  } catch (error) {
    if (armed) store.undo.rollback();
    else if (key === 0 && target !== 0) store.keys.remove(target);
    throw error;
  }
  if (armed) store.undo.commit();
  if (added > 0) happened(store, args, 1, EVENT_SET, "sadd");
  return added;
}

function srem({ store }: Context, args: Args, reply: Reply): void {
  let key = containerToWrite(store, args, 1, TYPE_SET);
  let removed = 0;
  for (let i = 2; i < args.count && key !== 0; i++) {
    const member = findField(store, key, args, i);
    if (member === 0) continue;
    key = store.fields.delete(key, member);
    removed++;
  }
  if (removed > 0) tookOut(store, args, 1, EVENT_SET, "srem", key);
  reply.integer(removed);
}

/** A new set, of which the caller tells when it is its turn. */
function createUntold(store: Store, args: Args, index: number): number {
  const { events } = store.memory;
  events.quiet = true;
  try {
    return createContainer(store, args, index, TYPE_SET);
  } finally {
    events.quiet = false;
  }
}

/** Adds to the one set before it takes from the other: adding may fail, taking away does not. */
function smove({ store }: Context, args: Args, reply: Reply): void {
  const { keys, fields } = store;
  const from = containerToWrite(store, args, 1, TYPE_SET);
  if (from === 0) return reply.integer(0);
  const to = containerToWrite(store, args, 2, TYPE_SET);
  const member = findField(store, from, args, 3);
  if (member === 0 || from === to) return reply.integer(member === 0 ? 0 : 1);
  const { bytes, start, end, kind } = fields.name(from, member, slice);
  const target = to === 0 ? createUntold(store, args, 2) : to;
  try {
    fields.set(target, bytes, start, end - start, kind, NO_BYTES, 0, 0, KIND_RAW, NO_DEADLINE, false);
  } catch (error) {
    if (to === 0) keys.remove(target);
    throw error;
  }
  const added = fields.created;
  const left = fields.delete(from, member);
  tookOut(store, args, 1, EVENT_SET, "srem", left);
  if (to === 0) happened(store, args, 2, EVENT_NEW, "new");
  if (added) happened(store, args, 2, EVENT_SET, "sadd");
  reply.integer(1);
}

function sismember({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_SET);
  reply.integer(key !== 0 && findField(store, key, args, 2) !== 0 ? 1 : 0);
}

function smismember({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_SET);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) reply.integer(key !== 0 && findField(store, key, args, i) !== 0 ? 1 : 0);
}

function scard({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_SET);
  reply.integer(key === 0 ? 0 : store.fields.count(key));
}

function smembers({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_SET);
  if (key === 0) return reply.set(0);
  reply.set(store.fields.count(key));
  store.fields.each(key, (member) => replyName(store, key, member, reply));
}

function sscan(context: Context, args: Args, reply: Reply): void {
  const { key, found, next } = scanContainer(context, args, TYPE_SET, "");
  reply.array(2);
  reply.text(`${next}`);
  reply.array(found.length);
  for (const member of found) replyName(context.store, key, member, reply);
}

const READ = { family: "sets", flags: ["read", "fast"], permission: "read", keys: oneKey() } as const;
const WRITE = { family: "sets", flags: ["write", "fast"], permission: "write", keys: oneKey() } as const;

export const SET_ROWS: readonly Row[] = [
  {
    ...WRITE,
    name: "SADD",
    arity: -3,
    flags: ["write", "grows", "fast"],
    summary: "Adds members to a set and returns how many are new",
    syntax: "key member [member ...]",
    run: sadd,
  },
  {
    ...WRITE,
    name: "SREM",
    arity: -3,
    summary: "Removes members from a set and returns how many there were",
    syntax: "key member [member ...]",
    run: srem,
  },
  {
    ...WRITE,
    name: "SMOVE",
    arity: 4,
    keys: { first: 1, last: 2, step: 1, access: ["both", "write"] },
    summary: "Moves a member from one set to another",
    syntax: "source destination member",
    run: smove,
  },
  {
    ...READ,
    name: "SISMEMBER",
    arity: 3,
    summary: "Tells whether a set has a member",
    syntax: "key member",
    run: sismember,
  },
  {
    ...READ,
    name: "SMISMEMBER",
    arity: -3,
    summary: "Tells of several members whether a set has them",
    syntax: "key member [member ...]",
    run: smismember,
  },
  {
    ...READ,
    name: "SCARD",
    arity: 2,
    summary: "Returns how many members a set has",
    syntax: "key",
    run: scard,
  },
  {
    ...READ,
    name: "SMEMBERS",
    arity: 2,
    flags: ["read"],
    summary: "Returns all members of a set",
    syntax: "key",
    run: smembers,
  },
  {
    ...READ,
    name: "SSCAN",
    arity: -3,
    flags: ["read"],
    summary: "Returns members of a set page by page",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    run: sscan,
  },
  ...SET_PICK_ROWS,
  ...SET_ALGEBRA_ROWS,
];
