// Strings: what reads them whole. The rest of the family is in string-set.ts (what sets them),
// string-parts.ts (pieces of them) and string-numbers.ts (numbers in them).

import { KIND_VALUE, TYPE_MASK, TYPE_STRING } from "../../store/layout.ts";
import { NO_DEADLINE } from "../../store/placement.ts";
import { valueToText } from "../../wire/value.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { EVENT_GENERIC, EVENT_STRING, happened } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { replyBytes, replyString, wrongType } from "../values.ts";
import { COMPARE_STRING_ROWS } from "./compare-and-set.ts";
import { STRING_NUMBER_ROWS } from "./string-numbers.ts";
import { STRING_PART_ROWS } from "./string-parts.ts";
import { putArguments, STRING_SET_ROWS } from "./string-set.ts";

function get({ store }: Context, args: Args, reply: Reply): void {
  const ref = store.keys.read(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) return reply.nil();
  replyString(store, ref, reply);
}

function mget({ store }: Context, args: Args, reply: Reply): void {
  const { entries } = store.memory;
  reply.array(args.count - 1);
  for (let i = 1; i < args.count; i++) {
    const ref = store.keys.read(args.buffer, args.start(i), args.length(i), args.kind(i));
    if (ref === 0 || (entries.head(ref) & TYPE_MASK) !== TYPE_STRING) {
      reply.nil();
      continue;
    }
    const start = entries.valueStart(ref);
    replyBytes(reply, entries.bytesOf(ref), start, start + entries.valueLength(ref), entries.valueKind(ref));
  }
}

function getdel({ store }: Context, args: Args, reply: Reply): void {
  const ref = store.keys.read(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) return reply.nil();
  replyString(store, ref, reply);
  store.keys.remove(ref);
  happened(store, args, 1, EVENT_GENERIC, "del");
}

function getset({ store }: Context, args: Args, reply: Reply): void {
  const ref = store.keys.read(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) reply.nil();
  else replyString(store, ref, reply);
  putArguments(store, args, 1, 2, NO_DEADLINE);
  happened(store, args, 1, EVENT_STRING, "set");
}

function strlen({ store }: Context, args: Args, reply: Reply): void {
  const { entries } = store.memory;
  const ref = store.keys.read(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) return reply.integer(0);
  if ((entries.head(ref) & TYPE_MASK) !== TYPE_STRING) throw wrongType();
  const length = entries.valueLength(ref);
  if (entries.valueKind(ref) !== KIND_VALUE) return reply.integer(length);
  // What is not raw has the length of the text that GET answers with.
  const start = entries.valueStart(ref);
  reply.integer(Buffer.byteLength(valueToText(entries.bytesOf(ref), start, start + length)));
}

export const STRING_ROWS: readonly Row[] = [
  {
    name: "GET",
    family: "strings",
    arity: 2,
    flags: ["read", "fast"],
    permission: "read",
    keys: oneKey(),
    summary: "Returns the string value of a key",
    syntax: "key",
    run: get,
  },
  {
    name: "MGET",
    family: "strings",
    arity: -2,
    flags: ["read", "fast"],
    permission: "read",
    keys: { first: 1, last: -1, step: 1 },
    summary: "Returns the string values of several keys, nil for each that has none",
    syntax: "key [key ...]",
    run: mget,
  },
  {
    name: "STRLEN",
    family: "strings",
    arity: 2,
    flags: ["read", "fast"],
    permission: "read",
    keys: oneKey(),
    summary: "Returns the length of a string in bytes",
    syntax: "key",
    run: strlen,
  },
  {
    name: "GETDEL",
    family: "strings",
    arity: 2,
    flags: ["write", "fast"],
    permission: "write",
    keys: oneKey(1, "both"),
    summary: "Returns the string value of a key and deletes the key",
    syntax: "key",
    run: getdel,
  },
  {
    name: "GETSET",
    family: "strings",
    arity: 3,
    flags: ["write", "grows", "fast"],
    permission: "write",
    keys: oneKey(1, "both"),
    summary: "Sets the string value of a key and returns the one before",
    syntax: "key value",
    run: getset,
  },
  ...STRING_SET_ROWS,
  ...COMPARE_STRING_ROWS,
  ...STRING_PART_ROWS,
  ...STRING_NUMBER_ROWS,
];
