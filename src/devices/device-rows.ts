// Device rows: DEVICE.PUT and its kin: the memory of a device, by labels.
//
//   DEVICE.PUT sensor-7 temperature 21.5 PX 60000      DEVICE.FETCH sensor-7 temperature ──▶ 21.5
//
// The memory is the table $device:sensor-7, which HGETALL and every other door read with the grant for it.

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Args } from "../engine/args.ts";
import type { Context } from "../engine/context.ts";
import { deadlineArgument, UNIT_SECONDS } from "../engine/deadline.ts";
import { findField, replyFieldValue, replyName } from "../engine/fields.ts";
import type { Reply } from "../engine/reply.ts";
import type { Row } from "../engine/row.ts";
import { syntaxError } from "../engine/values.ts";
import { NO_DEADLINE } from "../store/placement.ts";
import { type DeviceName, deviceName } from "./device-names.ts";
import type { Memories, Place } from "./memories.ts";
import { isOwnName, labelCount } from "./own-field.ts";

export function keyName(args: Args, limits: Limits): Buffer {
  return deviceName(args, limits).key;
}

export function placeOf({ services }: Context, args: Args): Place {
  const device = deviceName(args, services.limits);
  return { key: device.key, device };
}

/** `[EX seconds | PX milliseconds]` in argument `index` and the one behind it, which are the last. @throws {HiveError} SYNTAX, … */
export function labelDeadline({ nowMs }: Context, args: Args, index: number, command: string): number {
  if (args.count === index) return NO_DEADLINE;
  if (args.count !== index + 2) throw syntaxError();
  if (args.is(index, "EX")) return deadlineArgument(args, index + 1, UNIT_SECONDS, nowMs, false, command);
  if (args.is(index, "PX")) return deadlineArgument(args, index + 1, 0, nowMs, false, command);
  throw syntaxError();
}

/** The labels of a memory. */
export function replyLabels({ store }: Context, key: number, reply: Reply): void {
  reply.open("array");
  if (key !== 0) {
    const slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };
    store.fields.each(key, (field) => {
      const { bytes, start, end, kind } = store.fields.name(key, field, slice);
      if (!isOwnName(bytes, start, end, kind)) replyName(store, key, field, reply);
    });
  }
  reply.close();
}

/** What a device has and may have; @param labels Those of the memory or session that was asked for. */
export function replyUsage(
  memories: Memories,
  context: Context,
  device: DeviceName,
  labels: number,
  reply: Reply,
): void {
  const { bytes, bytesMax, allBytes, allBytesMax } = memories.usage(context, device);
  const all = memories.labels(context, device);
  const pairs: [string, number][] = [
    ["bytes", bytes],
    ["bytes-max", bytesMax],
    ["labels", labels],
    ["device-labels", all.labels],
    ["labels-max", memories.labelsMax(context, device)],
    ["sessions", all.sessions],
    ["all-bytes", allBytes],
    ["all-bytes-max", allBytesMax],
  ];
  reply.map(pairs.length);
  for (const [name, value] of pairs) {
    reply.text(name);
    if (Number.isFinite(value)) reply.integer(value);
    else reply.nil();
  }
}

/** Whether argument `index` is the name that no label has. */
export function isOwn(args: Args, index: number): boolean {
  return isOwnName(args.buffer, args.start(index), args.end(index), args.kind(index));
}

export function noLabel(): HiveError {
  return new HiveError("INVALID_ARGUMENT", "no label is false: the hive keeps something of its own under that name");
}

const READ = { family: "devices", flags: ["read", "fast"], permission: "read", keyName } as const;
const WRITE = { family: "devices", flags: ["write", "fast"], permission: "write", keyName } as const;

export function deviceRows(memories: Memories): Row[] {
  const read = (context: Context, args: Args): number => {
    const { key } = placeOf(context, args);
    return context.store.keys.read(key, 0, key.length, 0);
  };
  return [
    {
      ...WRITE,
      flags: ["write", "grows", "fast"],
      name: "DEVICE.PUT",
      arity: -4,
      summary: "Sets a label of a device's memory, within its caps",
      syntax: "device label value [EX seconds | PX milliseconds]",
      run(context, args, reply) {
        if (isOwn(args, 2)) throw noLabel();
        const deadlineMs = labelDeadline(context, args, 4, "device.put");
        memories.put(context, args, placeOf(context, args), 2, deadlineMs);
        reply.ok();
      },
    },
    {
      ...READ,
      name: "DEVICE.FETCH",
      arity: 3,
      summary: "Returns the value of a label of a device's memory",
      syntax: "device label",
      run(context, args, reply) {
        const key = read(context, args);
        const field = key === 0 || isOwn(args, 2) ? 0 : findField(context.store, key, args, 2);
        if (field === 0) reply.nil();
        else replyFieldValue(context.store, key, field, reply);
      },
    },
    {
      ...READ,
      name: "DEVICE.HAS",
      arity: 3,
      summary: "Tells whether a device's memory has a label",
      syntax: "device label",
      run(context, args, reply) {
        const key = read(context, args);
        reply.integer(key !== 0 && !isOwn(args, 2) && findField(context.store, key, args, 2) !== 0 ? 1 : 0);
      },
    },
    {
      ...WRITE,
      name: "DEVICE.DELETE",
      arity: -3,
      summary: "Deletes labels of a device's memory",
      syntax: "device label [label ...]",
      run(context, args, reply) {
        for (let i = 2; i < args.count; i++) if (isOwn(args, i)) throw noLabel();
        reply.integer(memories.delete(context, args, placeOf(context, args), 2));
      },
    },
    {
      ...READ,
      flags: ["read"],
      name: "DEVICE.LABELS",
      arity: 2,
      summary: "Returns the labels of a device's memory",
      syntax: "device",
      run: (context, args, reply) => replyLabels(context, read(context, args), reply),
    },
    {
      ...WRITE,
      name: "DEVICE.CLEAR",
      arity: 2,
      summary: "Deletes all labels of a device; its sessions go on",
      syntax: "device",
      run(context, args, reply) {
        reply.integer(memories.clear(context, placeOf(context, args)) ? 1 : 0);
      },
    },
    {
      ...READ,
      name: "DEVICE.USAGE",
      arity: 2,
      summary: "Returns what a device has, its sessions included, and may have",
      syntax: "device",
      run(context, args, reply) {
        const place = placeOf(context, args);
        const key = memories.find(context, place);
        const labels = key === 0 ? 0 : labelCount(context.store, key);
        replyUsage(memories, context, place.device, labels, reply);
      },
    },
  ];
}
