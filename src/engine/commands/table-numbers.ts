// Numbers in fields: counted up in place. The field keeps its kind and its expiry.

import { HiveError } from "../../base/errors.ts";
import type { Slice } from "../../store/collections.ts";
import { KEEP_DEADLINE } from "../../store/keyspace.ts";
import { TYPE_TABLE } from "../../store/layout.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { containerToWrite, createContainer, findField, writeField } from "../fields.ts";
import { EVENT_TABLE, happened } from "../happened.ts";
import { addLongDoubles, formatLongDouble, type LongDouble } from "../long-double.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import {
  addIntegers,
  integerArgument,
  kindOfAmount,
  readFloat,
  readInteger,
  replyInteger,
  type Written,
  writeFloat,
  writeInteger,
} from "../values.ts";

const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

function hincrby({ store }: Context, args: Args, reply: Reply): void {
  const increment = integerArgument(args, 3);
  const key = containerToWrite(store, args, 1, TYPE_TABLE);
  const field = key === 0 ? 0 : findField(store, key, args, 2);
  let before: number | bigint = 0;
  let kind = kindOfAmount(args, 3);
  if (field !== 0) {
    const { bytes, start, end } = store.fields.value(key, field, slice);
    kind = slice.kind;
    before = readInteger(bytes, start, end, kind) ?? notInteger();
  }
  const sum = addIntegers(before, increment);
  writeNumber(store, key, args, writeInteger(sum, kind, before));
  happened(store, args, 1, EVENT_TABLE, "hincrby");
  replyInteger(reply, sum);
}

function notInteger(): never {
  throw new HiveError("NOT_INTEGER", "hash value is not an integer");
}

function hincrbyfloat({ store }: Context, args: Args, reply: Reply): void {
  const increment = readFloat(args.buffer, args.start(3), args.end(3), args.kind(3));
  if (typeof increment === "string") throw new HiveError("NOT_FLOAT", "value is NaN or Infinity");
  const key = containerToWrite(store, args, 1, TYPE_TABLE);
  const field = key === 0 ? 0 : findField(store, key, args, 2);
  let kind = kindOfAmount(args, 3);
  let sum: LongDouble = increment;
  let stored: { bytes: Uint8Array; start: number } = { bytes: args.buffer, start: args.start(3) };
  if (field !== 0) {
    const { bytes, start, end } = store.fields.value(key, field, slice);
    kind = slice.kind;
    stored = slice;
    sum = addLongDoubles(readFloat(bytes, start, end, kind, "hash value is not a float"), increment);
  }
  const text = formatLongDouble(sum);
  writeNumber(store, key, args, writeFloat(text, kind, stored));
  happened(store, args, 1, EVENT_TABLE, "hincrbyfloat");
  reply.text(text);
}

/** Sets the field that argument 2 names; a table that does not exist is made. */
function writeNumber(store: Store, key: number, args: Args, number: Written): void {
  const target = key === 0 ? createContainer(store, args, 1, TYPE_TABLE) : key;
  try {
    writeField(store, target, args, 2, number.bytes, number.start, number.length, number.kind, KEEP_DEADLINE);
  } catch (error) {
    if (key === 0) store.keys.remove(target);
    throw error;
  }
}

const WRITE = {
  family: "tables",
  arity: 4,
  flags: ["write", "grows", "fast"],
  permission: "write",
  keys: oneKey(1, "both"),
} as const;

export const TABLE_NUMBER_ROWS: readonly Row[] = [
  {
    ...WRITE,
    name: "HINCRBY",
    summary: "Adds to the integer in a field of a table",
    syntax: "key field increment",
    run: hincrby,
  },
  {
    ...WRITE,
    name: "HINCRBYFLOAT",
    summary: "Adds to the decimal number in a field of a table",
    syntax: "key field increment",
    run: hincrbyfloat,
  },
];
