// Expiry of fields: when a field of a table goes by itself. As Redis has it since 7.4.
//
//   HEXPIRE key seconds [NX|XX|GT|LT] FIELDS numfields field …  ──▶ one code a field
//
//   setters    -2 no such field   0 condition not met   1 set       2 deleted: the time is past
//   readers    -2 no such field  -1 no expiry           the time, left or absolute
//   HPERSIST   -2 no such field  -1 no expiry           1 removed
//
// A key that does not exist is a table without fields. The type of the key is checked first, then the
// arguments from left to right, all before the first change.

import { HiveError } from "../../base/errors.ts";
import { NO_DEADLINE } from "../../store/keyspace.ts";
import { TYPE_TABLE } from "../../store/layout.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { containerToRead, containerToWrite, findField } from "../fields.ts";
import { EVENT_TABLE, happened, tookOut } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";

const NO_FIELD = -2;
const NO_EXPIRY = -1;
const NOT_MET = 0;
const DONE = 1;
const DELETED = 2;

/** The latest expiry in epoch milliseconds, as Redis has it: 46 bits. */
const DEADLINE_MAX_MS: number = 2 ** 46 - 1;

export type Unit = { ms: 1 | 1000; absolute: boolean };
type Condition = "NX" | "XX" | "GT" | "LT";
const CONDITIONS: readonly Condition[] = ["NX", "XX", "GT", "LT"];

function setter(command: string, unit: Unit): Row["run"] {
  return ({ store, nowMs }: Context, args: Args, reply: Reply): void => {
    let key = containerToWrite(store, args, 1, TYPE_TABLE);
    const deadlineMs = fieldDeadline(args, { command, unit, nowMs });
    const condition = CONDITIONS.find((word) => args.is(3, word));
    const first = firstField(args, condition ? 4 : 3, "Parameter `numFields` should be greater than 0");
    reply.array(args.count - first);
    let changed = false;
    for (let i = first; i < args.count; i++) {
      const field = key === 0 ? 0 : findField(store, key, args, i);
      if (field === 0) {
        reply.integer(NO_FIELD);
      } else if (!isMet(condition, store.fields.deadline(field), deadlineMs)) {
        reply.integer(NOT_MET);
      } else {
        key = store.fields.setDeadline(key, field, deadlineMs);
        changed = true;
        reply.integer(deadlineMs <= nowMs ? DELETED : DONE);
      }
    }
    if (!changed) return;
    if (deadlineMs <= nowMs) tookOut(store, args, 1, EVENT_TABLE, "hdel", key);
    else happened(store, args, 1, EVENT_TABLE, "hexpire");
  };
}

/** The time in argument `index` (2) as epoch milliseconds. @throws {HiveError} NOT_INTEGER, OUT_OF_RANGE */
export function fieldDeadline(
  args: Args,
  options: { command: string; unit: Unit; nowMs: number; index?: number },
): number {
  const { command, unit, nowMs, index = 2 } = options;
  const time = args.integer(index);
  if (time < 0) throw new HiveError("OUT_OF_RANGE", "invalid expire time, must be >= 0");
  const deadlineMs = time * unit.ms + (unit.absolute ? 0 : nowMs);
  if (time > Math.floor(DEADLINE_MAX_MS / unit.ms) || deadlineMs > DEADLINE_MAX_MS) {
    throw new HiveError("OUT_OF_RANGE", `invalid expire time in '${command}' command`);
  }
  return deadlineMs;
}

/**
 * Reads `FIELDS numfields field …` from argument `index` on. Returns the first field's argument.
 * @param each Arguments for each field: 2 where a value follows it.
 * @throws {HiveError} SYNTAX, OUT_OF_RANGE
 */
export function firstField(args: Args, index: number, noCount: string, each: 1 | 2 = 1): number {
  if (!args.is(index, "FIELDS")) {
    throw new HiveError("SYNTAX", "Mandatory argument FIELDS is missing or not at the right position");
  }
  const count = args.tryInt64(index + 1) ?? 0n;
  if (count < 1n) throw new HiveError("OUT_OF_RANGE", noCount);
  if (count * BigInt(each) !== BigInt(args.count - index - 2)) {
    throw new HiveError("SYNTAX", "The `numfields` parameter must match the number of arguments");
  }
  return index + 2;
}

function isMet(condition: Condition | undefined, before: number, deadlineMs: number): boolean {
  switch (condition) {
    case "NX":
      return before === NO_DEADLINE;
    case "XX":
      return before !== NO_DEADLINE;
    case "GT": // no expiry is later than any
      return deadlineMs > before;
    case "LT":
      return deadlineMs < before;
    default:
      return true;
  }
}

function reader(unit: Unit): Row["run"] {
  return ({ store, nowMs }: Context, args: Args, reply: Reply): void => {
    const key = containerToRead(store, args, 1, TYPE_TABLE);
    const first = firstField(args, 2, "Number of fields must be a positive integer");
    reply.array(args.count - first);
    for (let i = first; i < args.count; i++) {
      const field = key === 0 ? 0 : findField(store, key, args, i);
      const deadlineMs = field === 0 ? 0 : store.fields.deadline(field);
      if (field === 0) reply.integer(NO_FIELD);
      else if (deadlineMs === NO_DEADLINE) reply.integer(NO_EXPIRY);
      else reply.integer(Math.ceil((deadlineMs - (unit.absolute ? 0 : nowMs)) / unit.ms));
    }
  };
}

function hpersist({ store }: Context, args: Args, reply: Reply): void {
  let key = containerToWrite(store, args, 1, TYPE_TABLE);
  const first = firstField(args, 2, "Number of fields must be a positive integer");
  reply.array(args.count - first);
  let changed = false;
  for (let i = first; i < args.count; i++) {
    const field = key === 0 ? 0 : findField(store, key, args, i);
    if (field === 0) {
      reply.integer(NO_FIELD);
    } else if (store.fields.deadline(field) === NO_DEADLINE) {
      reply.integer(NO_EXPIRY);
    } else {
      key = store.fields.setDeadline(key, field, NO_DEADLINE);
      changed = true;
      reply.integer(DONE);
    }
  }
  if (changed) happened(store, args, 1, EVENT_TABLE, "hpersist");
}

const SET = {
  family: "tables",
  arity: -6,
  flags: ["write", "grows", "fast", "steps"],
  permission: "write",
  keys: oneKey(),
} as const;
const READ = { family: "tables", arity: -5, flags: ["read", "fast"], permission: "read", keys: oneKey() } as const;

export const TABLE_EXPIRY_ROWS: readonly Row[] = [
  {
    ...SET,
    name: "HEXPIRE",
    summary: "Lets fields of a table expire in so many seconds",
    syntax: "key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
    run: setter("hexpire", { ms: 1000, absolute: false }),
  },
  {
    ...SET,
    name: "HPEXPIRE",
    summary: "Lets fields of a table expire in so many milliseconds",
    syntax: "key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
    run: setter("hpexpire", { ms: 1, absolute: false }),
  },
  {
    ...SET,
    name: "HEXPIREAT",
    summary: "Lets fields of a table expire at a time in seconds",
    syntax: "key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
    run: setter("hexpireat", { ms: 1000, absolute: true }),
  },
  {
    ...SET,
    name: "HPEXPIREAT",
    summary: "Lets fields of a table expire at a time in milliseconds",
    syntax: "key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]",
    run: setter("hpexpireat", { ms: 1, absolute: true }),
  },
  {
    ...READ,
    name: "HTTL",
    summary: "Returns how many seconds fields of a table have left",
    syntax: "key FIELDS numfields field [field ...]",
    run: reader({ ms: 1000, absolute: false }),
  },
  {
    ...READ,
    name: "HPTTL",
    summary: "Returns how many milliseconds fields of a table have left",
    syntax: "key FIELDS numfields field [field ...]",
    run: reader({ ms: 1, absolute: false }),
  },
  {
    ...READ,
    name: "HEXPIRETIME",
    summary: "Returns when fields of a table expire, in seconds",
    syntax: "key FIELDS numfields field [field ...]",
    run: reader({ ms: 1000, absolute: true }),
  },
  {
    ...READ,
    name: "HPEXPIRETIME",
    summary: "Returns when fields of a table expire, in milliseconds",
    syntax: "key FIELDS numfields field [field ...]",
    run: reader({ ms: 1, absolute: true }),
  },
  {
    ...READ,
    name: "HPERSIST",
    flags: ["write", "fast", "steps"],
    permission: "write",
    summary: "Removes the expiry of fields of a table",
    syntax: "key FIELDS numfields field [field ...]",
    run: hpersist,
  },
];
