// Fields that are set, read or taken together with what becomes of them: HSETEX, HGETEX, HGETDEL. As Redis has them since 8.0.
//
//   HSETEX key [FNX | FXX] [EX … | KEEPTTL] FIELDS n field value …   ──▶ 1 all were set, 0 none
//   HGETEX key [EX … | PERSIST] FIELDS n field …                     ──▶ the values
//   HGETDEL key FIELDS n field …                                     ──▶ the values, which are then gone
//
// A deadline that has passed already deletes the fields. All is checked before the first change.

import { HiveError } from "../../base/errors.ts";
import { TYPE_TABLE } from "../../store/layout.ts";
import { KEEP_DEADLINE, NO_DEADLINE } from "../../store/placement.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import {
  beginSteps,
  checkSizes,
  containerToWrite,
  createContainer,
  findField,
  replyFieldValue,
  writeField,
} from "../fields.ts";
import { EVENT_TABLE, happened, tookOut } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { syntaxError } from "../values.ts";
import { fieldDeadline, firstField, type Unit } from "./table-expiry.ts";

const NO_COUNT = "Number of fields must be a positive integer";

const UNITS: readonly (readonly [word: string, unit: Unit])[] = [
  ["EX", { ms: 1000, absolute: false }],
  ["PX", { ms: 1, absolute: false }],
  ["EXAT", { ms: 1000, absolute: true }],
  ["PXAT", { ms: 1, absolute: true }],
];

type Passing = {
  /** The argument FIELDS. */
  fields: number;
  condition: "FNX" | "FXX" | undefined;
  deadlineMs: number | undefined;
  /** KEEPTTL of HSETEX, PERSIST of HGETEX. */
  keeps: boolean;
  persists: boolean;
};

/** Reads the options in front of FIELDS. @throws {HiveError} SYNTAX, NOT_INTEGER, OUT_OF_RANGE */
function parsePassing(args: Args, command: "hsetex" | "hgetex", nowMs: number): Passing {
  const sets = command === "hsetex";
  const passing: Passing = {
    fields: args.count,
    condition: undefined,
    deadlineMs: undefined,
    keeps: false,
    persists: false,
  };
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "FIELDS")) return { ...passing, fields: i };
    const unit = UNITS.find(([word]) => args.is(i, word))?.[1];
    const isTime = unit !== undefined || args.is(i, "KEEPTTL") || args.is(i, "PERSIST");
    if (isTime && (passing.deadlineMs !== undefined || passing.keeps || passing.persists)) throw onlyOne(sets);
    if (unit !== undefined) passing.deadlineMs = fieldDeadline(args, { command, unit, nowMs, index: ++i });
    else if (sets && args.is(i, "KEEPTTL")) passing.keeps = true;
    else if (!sets && args.is(i, "PERSIST")) passing.persists = true;
    else if (sets && passing.condition === undefined && args.is(i, "FNX")) passing.condition = "FNX";
    else if (sets && passing.condition === undefined && args.is(i, "FXX")) passing.condition = "FXX";
    else throw syntaxError();
  }
  return passing;
}

function onlyOne(sets: boolean): HiveError {
  const words = `EX, PX, EXAT, PXAT or ${sets ? "KEEPTTL" : "PERSIST"}`;
  return new HiveError("SYNTAX", `Only one of ${words} arguments can be specified`);
}

function hsetex({ store, nowMs }: Context, args: Args, reply: Reply): void {
  const key = containerToWrite(store, args, 1, TYPE_TABLE);
  const { fields, condition, deadlineMs, keeps } = parsePassing(args, "hsetex", nowMs);
  const first = firstField(args, fields, NO_COUNT, 2);
  checkSizes(store, args, first, 2);
  if (condition !== undefined) {
    for (let i = first; i < args.count; i += 2) {
      const isThere = key !== 0 && findField(store, key, args, i) !== 0;
      if (isThere === (condition === "FNX")) return reply.integer(0);
    }
  }
  if (deadlineMs !== undefined && deadlineMs <= nowMs) removeAll(store, key, args, first);
  else setAll(store, key, args, first, keeps ? KEEP_DEADLINE : (deadlineMs ?? NO_DEADLINE));
  reply.integer(1);
}

/** Sets every second argument from `first` on, all or none. */
function setAll(store: Store, key: number, args: Args, first: number, deadlineMs: number): void {
  const armed = beginSteps(store, args);
  let target = key;
  try {
    if (key === 0) target = createContainer(store, args, 1, TYPE_TABLE);
    for (let i = first; i < args.count; i += 2) {
      const value = i + 1;
      const { buffer } = args;
      const [start, length, kind] = [args.start(value), args.length(value), args.kind(value)];
      target = writeField(store, target, args, i, buffer, start, length, kind, deadlineMs);
    }
  } catch (error) {
    if (armed) store.undo.rollback();
    else if (key === 0 && target !== 0) store.keys.remove(target);
    throw error;
  }
  if (armed) store.undo.commit();
  happened(store, args, 1, EVENT_TABLE, "hset");
  if (deadlineMs < NO_DEADLINE) happened(store, args, 1, EVENT_TABLE, "hexpire");
}

function removeAll(store: Store, key: number, args: Args, first: number): void {
  let target = key;
  let removed = false;
  for (let i = first; i < args.count && target !== 0; i += 2) {
    const field = findField(store, target, args, i);
    if (field === 0) continue;
    target = store.fields.delete(target, field);
    removed = true;
  }
  if (removed) tookOut(store, args, 1, EVENT_TABLE, "hdel", target);
}

function hgetex({ store, nowMs }: Context, args: Args, reply: Reply): void {
  let key = containerToWrite(store, args, 1, TYPE_TABLE);
  const { fields, deadlineMs, persists } = parsePassing(args, "hgetex", nowMs);
  const first = firstField(args, fields, NO_COUNT);
  reply.array(args.count - first);
  let changed = false;
  for (let i = first; i < args.count; i++) {
    const field = key === 0 ? 0 : findField(store, key, args, i);
    if (field === 0) {
      reply.nil();
      continue;
    }
    replyFieldValue(store, key, field, reply);
    const persisted = persists && store.fields.deadline(field) !== NO_DEADLINE;
    if (deadlineMs === undefined && !persisted) continue;
    key = store.fields.setDeadline(key, field, deadlineMs ?? NO_DEADLINE);
    changed = true;
  }
  if (!changed) return;
  if (deadlineMs !== undefined && deadlineMs <= nowMs) tookOut(store, args, 1, EVENT_TABLE, "hdel", key);
  else happened(store, args, 1, EVENT_TABLE, persists ? "hpersist" : "hexpire");
}

function hgetdel({ store }: Context, args: Args, reply: Reply): void {
  let key = containerToWrite(store, args, 1, TYPE_TABLE);
  const first = firstField(args, 2, NO_COUNT);
  reply.array(args.count - first);
  let changed = false;
  for (let i = first; i < args.count; i++) {
    const field = key === 0 ? 0 : findField(store, key, args, i);
    if (field === 0) {
      reply.nil();
      continue;
    }
    replyFieldValue(store, key, field, reply);
    key = store.fields.delete(key, field);
    changed = true;
  }
  if (changed) tookOut(store, args, 1, EVENT_TABLE, "hdel", key);
}

const TABLE = { family: "tables", permission: "write", keys: oneKey() } as const;

export const TABLE_PASSING_ROWS: readonly Row[] = [
  {
    ...TABLE,
    name: "HSETEX",
    arity: -6,
    flags: ["write", "grows", "fast"],
    summary: "Sets fields of a table and when they expire, all or none; with conditions",
    syntax:
      "key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]",
    run: hsetex,
  },
  {
    ...TABLE,
    name: "HGETEX",
    keys: oneKey(1, "both"),
    arity: -5,
    flags: ["write", "grows", "fast", "steps"],
    summary: "Returns the values of fields of a table, and sets or removes when they expire",
    syntax:
      "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] FIELDS numfields field [field ...]",
    run: hgetex,
  },
  {
    ...TABLE,
    name: "HGETDEL",
    keys: oneKey(1, "both"),
    arity: -5,
    flags: ["write", "fast"],
    summary: "Returns the values of fields of a table, and deletes them",
    syntax: "key FIELDS numfields field [field ...]",
    run: hgetdel,
  },
];
