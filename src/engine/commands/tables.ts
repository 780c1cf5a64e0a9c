// Tables: fields one by one, and the family's rows. Redis calls a table a hash.
//
//   tables          HSET HMSET HSETNX HGET HMGET HDEL HEXISTS HLEN HSTRLEN
//   table-listing   HGETALL HKEYS HVALS HSCAN HRANDFIELD
//   table-numbers   HINCRBY HINCRBYFLOAT
//   table-expiry    HEXPIRE and its kin, HTTL and its kin, HPERSIST
//   table-passing   HSETEX HGETEX HGETDEL
//   compare-and-set HCAS HCAD, and CAS CAD of strings
//
// A table without fields is no key: what removes the last field removes the key, and what adds the
// first one makes it. Hot path: HSET, HGET.

import type { Slice } from "../../store/collections.ts";
import { KIND_VALUE, TYPE_TABLE } from "../../store/layout.ts";
import type { Store } from "../../store/store.ts";
import { valueToText } from "../../wire/value.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import {
  beginSteps,
  checkSizes,
  containerToRead,
  containerToWrite,
  createContainer,
  findField,
  replyFieldValue,
  setField,
  wrongArity,
} from "../fields.ts";
import { EVENT_TABLE, happened, tookOut } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { COMPARE_FIELD_ROWS } from "./compare-and-set.ts";
import { TABLE_EXPIRY_ROWS } from "./table-expiry.ts";
import { TABLE_LISTING_ROWS } from "./table-listing.ts";
import { TABLE_NUMBER_ROWS } from "./table-numbers.ts";
import { TABLE_PASSING_ROWS } from "./table-passing.ts";

const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

function hset({ store }: Context, args: Args, reply: Reply): void {
  if ((args.count & 1) !== 0) throw wrongArity("hset");
  const key = containerToWrite(store, args, 1, TYPE_TABLE);
  reply.integer(setPairs(store, key, args));
}

function hmset({ store }: Context, args: Args, reply: Reply): void {
  if ((args.count & 1) !== 0) throw wrongArity("hmset");
  const key = containerToWrite(store, args, 1, TYPE_TABLE);
  setPairs(store, key, args);
  reply.ok();
}

function hsetnx({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToWrite(store, args, 1, TYPE_TABLE);
  if (key !== 0 && findField(store, key, args, 2) !== 0) return reply.integer(0);
  reply.integer(setPairs(store, key, args));
}

/** Sets the fields that argument 2 and those behind it name, all or none. Returns how many are new. */
function setPairs(store: Store, key: number, args: Args): number {
  if (args.count === 4 && key !== 0) {
    setField(store, key, args, 2, 3);
    const isNew = store.fields.created;
    happened(store, args, 1, EVENT_TABLE, "hset");
    return isNew ? 1 : 0;
  }
  checkSizes(store, args, 2, 2);
  const armed = beginSteps(store, args);
  let target = key;
  let created = 0;
  try {
    if (key === 0) target = createContainer(store, args, 1, TYPE_TABLE);
    for (let i = 2; i < args.count; i += 2) {
      target = setField(store, target, args, i, i + 1);
      if (store.fields.created) created++;
    }
  } catch (error) {
    if (armed) store.undo.rollback();
    else if (key === 0 && target !== 0) store.keys.remove(target);
    throw error;
  }
  if (armed) store.undo.commit();
  happened(store, args, 1, EVENT_TABLE, "hset");
  return created;
}

function hget({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_TABLE);
  const field = key === 0 ? 0 : findField(store, key, args, 2);
  if (field === 0) return reply.nil();
  replyFieldValue(store, key, field, reply);
}

function hmget({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_TABLE);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const field = key === 0 ? 0 : findField(store, key, args, i);
    if (field === 0) reply.nil();
    else replyFieldValue(store, key, field, reply);
  }
}

function hdel({ store }: Context, args: Args, reply: Reply): void {
  let key = containerToWrite(store, args, 1, TYPE_TABLE);
  let deleted = 0;
  for (let i = 2; i < args.count && key !== 0; i++) {
    const field = findField(store, key, args, i);
    if (field === 0) continue;
    key = store.fields.delete(key, field);
    deleted++;
  }
  if (deleted > 0) tookOut(store, args, 1, EVENT_TABLE, "hdel", key);
  reply.integer(deleted);
}

function hexists({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_TABLE);
  reply.integer(key !== 0 && findField(store, key, args, 2) !== 0 ? 1 : 0);
}

function hlen({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_TABLE);
  reply.integer(key === 0 ? 0 : store.fields.count(key));
}

function hstrlen({ store }: Context, args: Args, reply: Reply): void {
  const key = containerToRead(store, args, 1, TYPE_TABLE);
  const field = key === 0 ? 0 : findField(store, key, args, 2);
  if (field === 0) return reply.integer(0);
  const { bytes, start, end, kind } = store.fields.value(key, field, slice);
  reply.integer(kind === KIND_VALUE ? Buffer.byteLength(valueToText(bytes, start, end)) : end - start);
}

const READ = { family: "tables", flags: ["read", "fast"], permission: "read", keys: oneKey() } as const;
const WRITE = { family: "tables", flags: ["write", "grows", "fast"], permission: "write", keys: oneKey() } as const;

export const TABLE_ROWS: readonly Row[] = [
  {
    ...WRITE,
    name: "HSET",
    arity: -4,
    summary: "Sets fields of a table and returns how many are new",
    syntax: "key field value [field value ...]",
    run: hset,
  },
  {
    ...WRITE,
    name: "HMSET",
    arity: -4,
    summary: "Sets fields of a table",
    syntax: "key field value [field value ...]",
    run: hmset,
  },
  {
    ...WRITE,
    name: "HSETNX",
    arity: 4,
    summary: "Sets a field of a table where it does not exist",
    syntax: "key field value",
    run: hsetnx,
  },
  {
    ...READ,
    name: "HGET",
    arity: 3,
    summary: "Returns the value of a field of a table",
    syntax: "key field",
    run: hget,
  },
  {
    ...READ,
    name: "HMGET",
    arity: -3,
    summary: "Returns the values of fields of a table",
    syntax: "key field [field ...]",
    run: hmget,
  },
  {
    ...WRITE,
    name: "HDEL",
    arity: -3,
    flags: ["write", "fast"],
    summary: "Deletes fields of a table and returns how many there were",
    syntax: "key field [field ...]",
    run: hdel,
  },
  {
    ...READ,
    name: "HEXISTS",
    arity: 3,
    summary: "Tells whether a field of a table exists",
    syntax: "key field",
    run: hexists,
  },
  {
    ...READ,
    name: "HLEN",
    arity: 2,
    summary: "Returns how many fields a table has",
    syntax: "key",
    run: hlen,
  },
  {
    ...READ,
    name: "HSTRLEN",
    arity: 3,
    summary: "Returns the length of the value of a field, in bytes",
    syntax: "key field",
    run: hstrlen,
  },
  ...TABLE_NUMBER_ROWS,
  ...TABLE_LISTING_ROWS,
  ...TABLE_EXPIRY_ROWS,
  ...TABLE_PASSING_ROWS,
  ...COMPARE_FIELD_ROWS,
];
