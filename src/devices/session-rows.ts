// Session rows: SESSION.BEGIN and its kin.
//
//   SESSION.BEGIN sensor-7 PX 10000 SLIDING ──▶ k3Jf…      SESSION.PUT sensor-7 k3Jf… label value
//
// Every call but SESSION.STATE counts as use, which prolongs a sliding session. To one that has ended there is nothing
// to read; writing answers SESSION_GONE.

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Args } from "../engine/args.ts";
import type { Context } from "../engine/context.ts";
import { deadlineArgument, UNIT_SECONDS } from "../engine/deadline.ts";
import { findField, replyFieldValue } from "../engine/fields.ts";
import type { Row } from "../engine/row.ts";
import { syntaxError } from "../engine/values.ts";
import { KIND_VALUE } from "../store/layout.ts";
import { NO_DEADLINE } from "../store/placement.ts";
import { deviceName } from "./device-names.ts";
import { labelDeadline, replyLabels, replyUsage } from "./device-rows.ts";
import type { Memories, Place } from "./memories.ts";
import { labelCount } from "./own-field.ts";
import { gone, type SessionFacts, type Sessions } from "./sessions.ts";

function keyName(args: Args, limits: Limits): Buffer {
  return Buffer.from(deviceName(args, limits).sessionStart + args.text(2));
}

/** Of SESSION.BEGIN, which has no id yet: what the keys of all sessions of the device begin with. */
function keysStart(args: Args, limits: Limits): Buffer {
  return Buffer.from(deviceName(args, limits).sessionStart);
}

/** @throws {HiveError} INVALID_ARGUMENT */
function placeOf({ services }: Context, args: Args): Place {
  const key = keyName(args, services.limits);
  if (args.kind(2) === KIND_VALUE) throw new HiveError("INVALID_ARGUMENT", "the id of a session is text");
  return { key, device: deviceName(args, services.limits) };
}

/** Labels are raw: an encoded value is the name of what the session is. @throws {HiveError} INVALID_ARGUMENT */
function checkLabels(args: Args, last: number): void {
  for (let i = 3; i <= last; i++) {
    if (args.kind(i) === KIND_VALUE) throw new HiveError("INVALID_ARGUMENT", "a label of a session is text or bytes");
  }
}

/** `[EX seconds | PX milliseconds [SLIDING]] [ID session]` from argument 2 on. @throws {HiveError} SYNTAX, … */
function factsArgument({ nowMs, services }: Context, args: Args): SessionFacts & { id: string | undefined } {
  const facts = { ttlMs: Number.POSITIVE_INFINITY, sliding: false, id: undefined as string | undefined };
  let at = 2;
  if (args.is(at, "EX") || args.is(at, "PX")) {
    if (args.count < at + 2) throw syntaxError();
    const unit = args.is(at, "EX") ? UNIT_SECONDS : 0;
    facts.ttlMs = deadlineArgument(args, at + 1, unit, nowMs, false, "session.begin") - nowMs;
    at += 2;
  }
  if (args.is(at, "SLIDING")) {
    if (!Number.isFinite(facts.ttlMs))
      throw new HiveError("SYNTAX", "SLIDING needs EX or PX: a time that use prolongs");
    facts.sliding = true;
    at++;
  }
  if (args.is(at, "ID")) {
    if (args.count < at + 2) throw syntaxError();
    facts.id = idArgument(args, at + 1, services.limits);
    at += 2;
  }
  if (at !== args.count) throw syntaxError();
  return facts;
}

/** An id that the caller has chosen. @throws {HiveError} INVALID_ARGUMENT */
function idArgument(args: Args, index: number, { tokenNameBytesMax }: Limits): string {
  const length = args.length(index);
  if (args.kind(index) !== KIND_VALUE && length > 0 && length <= tokenNameBytesMax) return args.text(index);
  throw new HiveError("INVALID_ARGUMENT", `the id of a session is text of 1 to ${tokenNameBytesMax} bytes`);
}

const READ = { family: "devices", flags: ["write", "fast"], permission: "read", keyName } as const;
const WRITE = { family: "devices", flags: ["write", "fast"], permission: "write", keyName } as const;
const GROWS = { ...WRITE, flags: ["write", "grows", "fast"] } as const;

export function sessionRows(memories: Memories, sessions: Sessions): Row[] {
  /** The entry of a session that has not ended. @throws {HiveError} SESSION_GONE */
  const open = (context: Context, place: Place): number => {
    const key = sessions.use(context, place);
    if (key === 0) throw gone();
    return key;
  };
  return [
    {
      ...GROWS,
      keyName: keysStart,
      name: "SESSION.BEGIN",
      arity: -2,
      summary: "Begins a session of a device and returns its id",
      syntax: "device [EX seconds | PX milliseconds [SLIDING]] [ID session]",
      run(context, args, reply) {
        const device = deviceName(args, context.services.limits);
        const { id, ...facts } = factsArgument(context, args);
        reply.text(sessions.begin(context, device, facts, id));
      },
    },
    {
      ...GROWS,
      name: "SESSION.PUT",
      arity: -5,
      summary: "Sets a label of a session, within the caps of its device",
      syntax: "device session label value [EX seconds | PX milliseconds]",
      run(context, args, reply) {
        const place = placeOf(context, args);
        checkLabels(args, 3);
        const deadlineMs = labelDeadline(context, args, 5, "session.put");
        open(context, place);
        memories.put(context, args, place, 3, deadlineMs);
        reply.ok();
      },
    },
    {
      ...GROWS,
      name: "SESSION.MERGE",
      arity: 5,
      summary: "Puts the fields of an object over those of the one under a label",
      syntax: "device session label patch",
      run(context, args, reply) {
        checkLabels(args, 3);
        sessions.merge(context, args, placeOf(context, args), 3);
        reply.ok();
      },
    },
    {
      ...READ,
      name: "SESSION.FETCH",
      arity: 4,
      summary: "Returns the value of a label of a session",
      syntax: "device session label",
      run(context, args, reply) {
        checkLabels(args, 3);
        const key = sessions.use(context, placeOf(context, args));
        const field = key === 0 ? 0 : findField(context.store, key, args, 3);
        if (field === 0) reply.nil();
        else replyFieldValue(context.store, key, field, reply);
      },
    },
    {
      ...READ,
      name: "SESSION.HAS",
      arity: 4,
      summary: "Tells whether a session has a label",
      syntax: "device session label",
      run(context, args, reply) {
        checkLabels(args, 3);
        const key = sessions.use(context, placeOf(context, args));
        reply.integer(key !== 0 && findField(context.store, key, args, 3) !== 0 ? 1 : 0);
      },
    },
    {
      ...WRITE,
      name: "SESSION.DELETE",
      arity: -4,
      summary: "Deletes labels of a session",
      syntax: "device session label [label ...]",
      run(context, args, reply) {
        const place = placeOf(context, args);
        checkLabels(args, args.count - 1);
        open(context, place);
        reply.integer(memories.delete(context, args, place, 3));
      },
    },
    {
      ...READ,
      flags: ["write"],
      name: "SESSION.LABELS",
      arity: 3,
      summary: "Returns the labels of a session",
      syntax: "device session",
      run(context, args, reply) {
        const key = sessions.use(context, placeOf(context, args));
        replyLabels(context, key, reply);
      },
    },
    {
      ...WRITE,
      flags: ["write"],
      name: "SESSION.CLEAR",
      arity: 3,
      summary: "Deletes all labels of a session, which stays open",
      syntax: "device session",
      run(context, args, reply) {
        reply.integer(sessions.clear(context, placeOf(context, args)) ? 1 : 0);
      },
    },
    {
      ...READ,
      name: "SESSION.USAGE",
      arity: 3,
      summary: "Returns what the device of a session has, and may have, and the session's labels",
      syntax: "device session",
      run(context, args, reply) {
        const place = placeOf(context, args);
        const key = open(context, place);
        replyUsage(memories, context, place.device, labelCount(context.store, key), reply);
      },
    },
    {
      ...READ,
      flags: ["read", "fast"],
      name: "SESSION.STATE",
      arity: 3,
      summary: "Returns the time of a session and what it has left; nothing when it has ended",
      syntax: "device session",
      run(context, args, reply) {
        const facts = sessions.facts(context, placeOf(context, args));
        if (facts === undefined) return reply.nil();
        reply.map(3);
        for (const [name, value] of [
          ["ttl-ms", facts.ttlMs],
          ["left-ms", facts.leftMs],
        ] as const) {
          reply.text(name);
          if (Number.isFinite(value)) reply.integer(value);
          else reply.nil();
        }
        reply.text("sliding");
        reply.integer(facts.sliding ? 1 : 0);
      },
    },
    {
      ...WRITE,
      name: "SESSION.TOUCH",
      arity: -3,
      summary: "Prolongs a session, by its own time or by another one, which is its own then",
      syntax: "device session [EX seconds | PX milliseconds]",
      run(context, args, reply) {
        const deadlineMs = labelDeadline(context, args, 3, "session.touch");
        const ttlMs = deadlineMs === NO_DEADLINE ? undefined : deadlineMs - context.nowMs;
        reply.integer(sessions.touch(context, placeOf(context, args), ttlMs) ? 1 : 0);
      },
    },
    {
      ...WRITE,
      name: "SESSION.CLOSE",
      arity: 3,
      summary: "Ends a session; its data is overwritten",
      syntax: "device session",
      run(context, args, reply) {
        reply.integer(sessions.close(context, placeOf(context, args)) ? 1 : 0);
      },
    },
  ];
}
