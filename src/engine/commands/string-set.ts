// Strings, set whole: SET with its options, its older forms, and several at once.
//
//   SET key value [NX | XX] [GET] [EX … | PX … | EXAT … | PXAT … | KEEPTTL]
//
// Order of the checks is Redis's: words, then the time, then the type (with GET), then NX and XX. A
// deadline that has passed already leaves no key behind. Nothing here allocates where nothing fails.

import { HiveError, tooBig } from "../../base/errors.ts";
import { FLAG_TTL, TYPE_MASK, TYPE_STRING } from "../../store/layout.ts";
import { KEEP_DEADLINE, NO_DEADLINE } from "../../store/placement.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { deadlineArgument, UNIT_ABSOLUTE, UNIT_SECONDS } from "../deadline.ts";
import { EVENT_EXPIRED, EVENT_GENERIC, EVENT_MISS, EVENT_STRING, happened } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { type KeyAccess, oneKey, type Row } from "../row.ts";
import { replyString, syntaxError, wrongType } from "../values.ts";

const UNIT_NONE = -1;

/** What the options of the call under way say. One object, filled again by every call. */
const options = { absent: false, present: false, get: false, keep: false, persist: false, unit: UNIT_NONE, time: 0 };

/** The unit that the word in argument `index` says; UNIT_NONE where it is another word. */
function unitOf(args: Args, index: number): number {
  const length = args.length(index);
  if (length < 2) return UNIT_NONE;
  if (args.is(index, "EX")) return UNIT_SECONDS;
  if (args.is(index, "PX")) return 0;
  if (args.is(index, "EXAT")) return UNIT_SECONDS | UNIT_ABSOLUTE;
  return args.is(index, "PXAT") ? UNIT_ABSOLUTE : UNIT_NONE;
}

/** Reads the options of SET or GETEX from argument `first` on. @throws {HiveError} SYNTAX */
function parseOptions(args: Args, first: number, isSet: boolean): void {
  options.absent = options.present = options.get = options.keep = options.persist = false;
  options.unit = UNIT_NONE;
  for (let i = first; i < args.count; i++) {
    const unit = unitOf(args, i);
    if (unit !== UNIT_NONE) {
      // The same word twice is taken, and the second time counts.
      const fits = options.unit === UNIT_NONE || options.unit === unit;
      if (!fits || options.keep || options.persist || ++i === args.count) throw syntaxError();
      options.unit = unit;
      options.time = i;
    } else if (isSet && !options.present && args.is(i, "NX")) options.absent = true;
    else if (isSet && !options.absent && args.is(i, "XX")) options.present = true;
    else if (isSet && args.is(i, "GET")) options.get = true;
    else if (isSet && options.unit === UNIT_NONE && args.is(i, "KEEPTTL")) options.keep = true;
    else if (!isSet && options.unit === UNIT_NONE && args.is(i, "PERSIST")) options.persist = true;
    else throw syntaxError();
  }
}

/** Sets the key in argument `key` to the string in argument `value`. */
export function putArguments(store: Store, args: Args, key: number, value: number, deadlineMs: number): void {
  const buffer = args.buffer;
  if (deadlineMs <= store.nowMs) {
    const ref = store.keys.find(buffer, args.start(key), args.length(key), args.kind(key));
    const { funnel } = store.memory;
    if (ref !== 0) store.keys.remove(ref);
    // Set and gone at once: whoever watches the key has to hear of it, as in Redis.
    else if (funnel.on) funnel.before("set", 0, 0, buffer, args.start(key), args.length(key), args.kind(key));
    return;
  }
  store.keys.put(
    buffer,
    args.start(key),
    args.length(key),
    args.kind(key),
    buffer,
    args.start(value),
    args.length(value),
    args.kind(value),
    deadlineMs,
  );
}

/** The key in argument 1 was set, with a deadline, which may have passed. */
export function setWithDeadline(store: Store, args: Args, deadlineMs: number): void {
  happened(store, args, 1, EVENT_STRING, "set");
  happened(store, args, 1, EVENT_GENERIC, "expire");
  if (deadlineMs <= store.nowMs) happened(store, args, 1, EVENT_EXPIRED, "expired");
}

function putPair(store: Store, args: Args, key: number): void {
  putArguments(store, args, key, key + 1, NO_DEADLINE);
  happened(store, args, key, EVENT_STRING, "set");
}

function set(context: Context, args: Args, reply: Reply): void {
  const store = context.store;
  if (args.count === 3) {
    putArguments(store, args, 1, 2, NO_DEADLINE);
    happened(store, args, 1, EVENT_STRING, "set");
    return reply.ok();
  }
  parseOptions(args, 3, true);
  const { unit, time } = options;
  let deadlineMs = options.keep ? KEEP_DEADLINE : NO_DEADLINE;
  if (unit !== UNIT_NONE) deadlineMs = deadlineArgument(args, time, unit, store.nowMs, false, "set");
  const ref = store.keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (options.get) {
    if (ref === 0) {
      happened(store, args, 1, EVENT_MISS, "keymiss");
      reply.nil();
    } else replyString(store, ref, reply);
  }
  if (ref === 0 ? options.present : options.absent) {
    if (!options.get) reply.nil();
    return;
  }
  putArguments(store, args, 1, 2, deadlineMs);
  if (unit === UNIT_NONE) happened(store, args, 1, EVENT_STRING, "set");
  else setWithDeadline(store, args, deadlineMs);
  if (!options.get) reply.ok();
}

function setnx({ store }: Context, args: Args, reply: Reply): void {
  if (store.keys.find(args.buffer, args.start(1), args.length(1), args.kind(1)) !== 0) return reply.integer(0);
  putArguments(store, args, 1, 2, NO_DEADLINE);
  happened(store, args, 1, EVENT_STRING, "set");
  reply.integer(1);
}

function setex({ store }: Context, args: Args, reply: Reply): void {
  const deadlineMs = deadlineArgument(args, 2, UNIT_SECONDS, store.nowMs, false, "setex");
  putArguments(store, args, 1, 3, deadlineMs);
  setWithDeadline(store, args, deadlineMs);
  reply.ok();
}

function psetex({ store }: Context, args: Args, reply: Reply): void {
  const deadlineMs = deadlineArgument(args, 2, 0, store.nowMs, false, "psetex");
  putArguments(store, args, 1, 3, deadlineMs);
  setWithDeadline(store, args, deadlineMs);
  reply.ok();
}

function getex({ store }: Context, args: Args, reply: Reply): void {
  parseOptions(args, 2, false);
  const { unit, time } = options;
  const ref = store.keys.read(args.buffer, args.start(1), args.length(1), args.kind(1));
  if (ref === 0) return reply.nil();
  const head = store.memory.entries.head(ref);
  if ((head & TYPE_MASK) !== TYPE_STRING) throw wrongType();
  const deadlineMs = unit === UNIT_NONE ? NO_DEADLINE : deadlineArgument(args, time, unit, store.nowMs, false, "getex");
  replyString(store, ref, reply);
  // PERSIST of a key without a deadline is no change.
  if (unit === UNIT_NONE && (!options.persist || (head & FLAG_TTL) === 0)) return;
  const left = store.keys.setDeadline(ref, deadlineMs);
  happened(store, args, 1, EVENT_GENERIC, unit === UNIT_NONE ? "persist" : left === 0 ? "del" : "expire");
}

function mset({ store }: Context, args: Args, reply: Reply): void {
  checkPairs(store, args, "mset");
  for (let i = 1; i < args.count; i += 2) putPair(store, args, i);
  reply.ok();
}

function msetnx({ store }: Context, args: Args, reply: Reply): void {
  checkPairs(store, args, "msetnx");
  for (let i = 1; i < args.count; i += 2) {
    if (store.keys.find(args.buffer, args.start(i), args.length(i), args.kind(i)) !== 0) return reply.integer(0);
  }
  for (let i = 1; i < args.count; i += 2) putPair(store, args, i);
  reply.integer(1);
}

/** Refuses what one of the pairs would be refused for, before the first is set. */
function checkPairs(store: Store, args: Args, command: string): void {
  if (args.count % 2 === 0) {
    throw new HiveError("WRONG_ARITY", `wrong number of arguments for '${command}' command`);
  }
  const { keyBytesMax, valueBytesMax } = store.keys;
  for (let i = 1; i < args.count; i += 2) {
    if (args.length(i) > keyBytesMax) throw tooBig("KEY_TOO_BIG", "key", args.length(i), "keyBytesMax", keyBytesMax);
    if (args.length(i + 1) > valueBytesMax)
      throw tooBig("VALUE_TOO_BIG", "value", args.length(i + 1), "valueBytesMax", valueBytesMax);
  }
}

/** With GET among its options SET answers what the key held. */
function setAccess(args: Args): KeyAccess {
  for (let i = 3; i < args.count; i++) if (args.is(i, "GET")) return "both";
  return "write";
}

export const STRING_SET_ROWS: readonly Row[] = [
  {
    name: "SET",
    family: "strings",
    arity: -3,
    flags: ["write", "grows", "fast"],
    permission: "write",
    keys: oneKey(1, setAccess),
    summary: "Sets the string value of a key, whatever it held; with conditions, a time to live, and the value before",
    syntax:
      "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
    run: set,
  },
  {
    name: "SETNX",
    family: "strings",
    arity: 3,
    flags: ["write", "grows", "fast"],
    permission: "write",
    keys: oneKey(),
    summary: "Sets the string value of a key that is not there",
    syntax: "key value",
    run: setnx,
  },
  {
    name: "SETEX",
    family: "strings",
    arity: 4,
    flags: ["write", "grows", "fast"],
    permission: "write",
    keys: oneKey(),
    summary: "Sets the string value of a key and its time to live in seconds",
    syntax: "key seconds value",
    run: setex,
  },
  {
    name: "PSETEX",
    family: "strings",
    arity: 4,
    flags: ["write", "grows", "fast"],
    permission: "write",
    keys: oneKey(),
    summary: "Sets the string value of a key and its time to live in milliseconds",
    syntax: "key milliseconds value",
    run: psetex,
  },
  {
    name: "GETEX",
    family: "strings",
    arity: -2,
    flags: ["write", "fast"],
    permission: "write",
    keys: oneKey(1, "both"),
    summary: "Returns the string value of a key and sets or removes its time to live",
    syntax: "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
    run: getex,
  },
  {
    name: "MSET",
    family: "strings",
    arity: -3,
    flags: ["write", "grows", "steps"],
    permission: "write",
    keys: { first: 1, last: -1, step: 2 },
    summary: "Sets the string values of several keys, all or none",
    syntax: "key value [key value ...]",
    run: mset,
  },
  {
    name: "MSETNX",
    family: "strings",
    arity: -3,
    flags: ["write", "grows", "steps"],
    permission: "write",
    keys: { first: 1, last: -1, step: 2 },
    summary: "Sets the string values of several keys if none of them is there",
    syntax: "key value [key value ...]",
    run: msetnx,
  },
];
