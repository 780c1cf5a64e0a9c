// Spool row: DEVICE.SPOOL: readings that a client kept while the hive was away, each stored once.
//
//   DEVICE.SPOOL sensor-7 k3Jf… run:0  41 temperature 21.5 0   42 temperature 21.7 60000
//     ──▶ memory, last number, version now, version in a snapshot, nothing | [number, code, message] of what was refused
//
// Readings are stored in their order, each in a step of its own, up to the first that is refused. What has a number at
// or below the last of its producer was stored before. A caller that names another memory than the one that is there
// (a run of the hive, and how often it was restored) is told its name, and nothing is stored: it may have to send again
// what came before.

import { HiveError, isHiveError } from "../base/errors.ts";
import type { Args } from "../engine/args.ts";
import type { Context } from "../engine/context.ts";
import type { Reply } from "../engine/reply.ts";
import type { Row } from "../engine/row.ts";
import { syntaxError } from "../engine/values.ts";
import { runId } from "../store/header.ts";
import { NO_DEADLINE } from "../store/placement.ts";
import { isOwn, keyName, noLabel, placeOf } from "./device-rows.ts";
import type { Memories } from "./memories.ts";
import { lastSequence, producerArgument, sequencesWith } from "./sequences.ts";

/** The first reading, and the arguments of one: number, label, value, milliseconds that it has left or 0. */
const FIRST = 4;
const STEP = 4;
/** What fits the bytes of a sequence; a TTL that ends beyond what a clock can show is refused. */
const SEQUENCE_MAX: number = 2 ** 48 - 1;
const TTL_MS_MAX: number = 2 ** 52;

type Refusal = { sequence: number; error: HiveError };

export function spoolRow(memories: Memories): Row {
  return {
    name: "DEVICE.SPOOL",
    family: "devices",
    arity: -4,
    flags: ["write", "grows"],
    permission: "write",
    keyName,
    summary: "Stores readings that a client has kept, each once and in order, and says how far it came",
    syntax: "device producer memory [sequence label value milliseconds [sequence label value milliseconds ...]]",
    run(context, args, reply) {
      if ((args.count - FIRST) % STEP !== 0) throw syntaxError();
      const producer = producerArgument(args, 2);
      for (let i = FIRST; i < args.count; i += STEP) {
        count(args, i, SEQUENCE_MAX, "a sequence");
        count(args, i + 3, TTL_MS_MAX, "milliseconds");
      }
      const isHere = args.text(3) === memoryName(context);
      const refusal = isHere ? storeAll(memories, context, args, producer) : undefined;
      answer(
        context,
        reply,
        lastSequence(context.store, memories.find(context, placeOf(context, args)), producer),
        refusal,
      );
    },
  };
}

/** Another one when the hive starts, and when a snapshot is restored into it. */
function memoryName({ store, services }: Context): string {
  return `${runId(store.memory.segments.words[0]!)}:${services.persistence.durability.restores}`;
}

function storeAll(memories: Memories, context: Context, args: Args, producer: Buffer): Refusal | undefined {
  const { store, nowMs } = context;
  const place = placeOf(context, args);
  let last = lastSequence(store, memories.find(context, place), producer);
  for (let i = FIRST; i < args.count; i += STEP) {
    const sequence = args.integer(i);
    const leftMs = args.integer(i + 3);
    if (sequence <= last) continue;
    try {
      if (isOwn(args, i + 1)) throw noLabel();
      const deadlineMs = leftMs === 0 ? NO_DEADLINE : nowMs + leftMs;
      const own = sequencesWith(store, memories.find(context, place), producer, sequence);
      memories.put(context, args, place, i + 1, deadlineMs, own);
    } catch (error) {
      // Where the whole call is watched (a token with quotas), all of it is taken back: the caller sends less at a time.
      if (!isHiveError(error) || store.undo.armed) throw error;
      return { sequence, error };
    }
    last = sequence;
  }
  return undefined;
}

/** @throws {HiveError} INVALID_ARGUMENT, NOT_INTEGER */
function count(args: Args, index: number, max: number, what: string): number {
  const value = args.integer(index);
  if (value >= 0 && value <= max) return value;
  throw new HiveError("INVALID_ARGUMENT", `${what} is a number from 0 to ${max}, not ${value}`);
}

function answer(context: Context, reply: Reply, last: number, refusal: Refusal | undefined): void {
  const { storedVersion } = context.services.persistence.durability;
  reply.array(5);
  reply.text(memoryName(context));
  reply.integer(last);
  reply.integer(context.store.memory.entries.version);
  reply.integer(storedVersion);
  if (refusal === undefined) return reply.nil();
  reply.array(3);
  reply.integer(refusal.sequence);
  reply.text(refusal.error.code);
  reply.text(refusal.error.message);
}
