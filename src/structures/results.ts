// Results: arguments of a call as JavaScript, and what a method returns as a reply.
//
//   RESP     text, or bytes where it is not UTF-8        ◀─▶ arrays, maps and sets element by element
//   native   text, bytes and values as they were given   ◀─▶ everything but text and bytes as one value

import { isUtf8 } from "node:buffer";
import { HiveError } from "../base/errors.ts";
import { type Args, KIND_BYTES, KIND_VALUE } from "../engine/args.ts";
import type { Reply } from "../engine/reply.ts";
import { decode, encodeInto, Scratch } from "../wire/value.ts";
import { isPlain, unwrapped } from "./storable.ts";

const scratch = new Scratch();

export function argumentOf(args: Args, index: number): unknown {
  const kind = args.kind(index);
  if (kind === KIND_VALUE) return decode(args.buffer, args.start(index), args.end(index));
  if (kind === KIND_BYTES || !isText(args, index)) return Uint8Array.from(args.bytes(index));
  return args.text(index);
}

/** A short name is looked at here: a call into the runtime costs as much as 50 bytes. */
function isText(args: Args, index: number): boolean {
  if (args.length(index) > 48) return isUtf8(args.bytes(index));
  const { buffer } = args;
  const end = args.end(index);
  for (let i = args.start(index); i < end; i++) if (buffer[i]! > 127) return isUtf8(args.bytes(index));
  return true;
}

/** @param native Whether the caller's wire has all types. @throws {HiveError} BAD_VALUE: it returned what no wire has */
export function replyResult(reply: Reply, result: unknown, native: boolean): void {
  switch (typeof result) {
    case "undefined":
      return reply.nil();
    case "string":
      return reply.text(result);
    case "boolean":
      return reply.boolean(result);
    case "number":
      return Number.isSafeInteger(result) && !Object.is(result, -0) ? reply.integer(result) : reply.double(result);
    case "bigint":
      return native ? replyEncoded(reply, result) : reply.bigint(result);
    case "object":
      break;
    default:
      throw new HiveError("BAD_VALUE", `a command returned a ${typeof result}, which cannot be sent`);
  }
  if (result === null) return native ? replyEncoded(reply, null) : reply.nil();
  const raw = unwrapped(result);
  if (raw instanceof Uint8Array) return reply.bulk(raw, 0, raw.length, KIND_BYTES);
  if (native) return replyEncoded(reply, raw);
  if (Array.isArray(raw)) {
    reply.array(raw.length);
    for (let i = 0; i < raw.length; i++) replyResult(reply, raw[i], false);
  } else if (raw instanceof Map) replyPairs(reply, [...raw]);
  else if (raw instanceof Set) {
    reply.set(raw.size);
    for (const value of raw) replyResult(reply, value, false);
  } else if (isPlain(raw as object)) replyPairs(reply, Object.entries(raw as object));
  else replyEncoded(reply, raw);
}

function replyPairs(reply: Reply, pairs: readonly (readonly [unknown, unknown])[]): void {
  reply.map(pairs.length);
  for (const [key, value] of pairs) {
    replyResult(reply, key, false);
    replyResult(reply, value, false);
  }
}

function replyEncoded(reply: Reply, value: unknown): void {
  const start = scratch.end;
  encodeInto(value, scratch);
  const { bytes, end } = scratch;
  reply.value(bytes, start, end);
  if (start === 0) scratch.reset();
  else scratch.end = start;
}
