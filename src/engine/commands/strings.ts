// Strings: GET, SET and their kin.

import { HiveError } from "../../base/errors.ts";
import { NO_DEADLINE } from "../../store/keyspace.ts";
import { KIND_VALUE, TYPE_MASK, TYPE_STRING } from "../../store/layout.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";

function get({ store }: Context, args: Args, reply: Reply): void {
  const ref = store.keys.read(args.buffer, args.start(1), args.length(1));
  if (ref === 0) return reply.nil();
  replyValue(store, ref, reply);
}

function replyValue(store: Context["store"], ref: number, reply: Reply): void {
  const { entries } = store.memory;
  if ((entries.head(ref) & TYPE_MASK) !== TYPE_STRING) throw wrongType();
  const start = entries.valueStart(ref);
  const end = start + entries.valueLength(ref);
  if (entries.valueKind(ref) === KIND_VALUE) reply.value(entries.bytesOf(ref), start, end);
  else reply.bulk(entries.bytesOf(ref), start, end);
}

export function wrongType(): HiveError {
  return new HiveError("WRONG_TYPE", "Operation against a key holding the wrong kind of value");
}

function set({ store }: Context, args: Args, reply: Reply): void {
  const buffer = args.buffer;
  store.keys.put(
    buffer,
    args.start(1),
    args.length(1),
    args.kind(1),
    buffer,
    args.start(2),
    args.length(2),
    args.kind(2),
    NO_DEADLINE,
  );
  reply.ok();
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
    name: "SET",
    family: "strings",
    arity: -3,
    flags: ["write", "grows", "fast"],
    permission: "write",
    keys: oneKey(),
    summary: "Sets the string value of a key",
    syntax:
      "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
    run: set,
  },
];
