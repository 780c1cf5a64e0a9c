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

/** As deep as a value of the hive may nest. */
const DEPTH_MAX = 64;
/** Of a reply in RESP, the elements of its elements among them. */
const ELEMENTS_MAX = 1_048_576;

const scratch = new Scratch();

export function argumentOf(args: Args, index: number): unknown {
  const kind = args.kind(index);
  if (kind === KIND_VALUE) return decode(args.buffer, args.start(index), args.end(index));
  if (kind === KIND_BYTES || !isText(args, index)) return Uint8Array.from(args.bytes(index));
  return index === KEY_INDEX ? keyText(args) : args.text(index);
}

/** Mostly a key, and that of the call before: to compare it costs less than to make the text anew. */
const KEY_INDEX = 1;
const KEY_BYTES_MAX = 32;
const lastKey = { bytes: new Uint8Array(KEY_BYTES_MAX), length: -1, text: "" };

function keyText(args: Args): string {
  const { buffer } = args;
  const start = args.start(KEY_INDEX);
  const length = args.length(KEY_INDEX);
  if (length > KEY_BYTES_MAX) return args.text(KEY_INDEX);
  const { bytes } = lastKey;
  if (length === lastKey.length) {
    let i = 0;
    while (i < length && bytes[i] === buffer[start + i]) i++;
    if (i === length) return lastKey.text;
  }
  for (let i = 0; i < length; i++) bytes[i] = buffer[start + i]!;
  lastKey.length = length;
  lastKey.text = args.text(KEY_INDEX);
  return lastKey.text;
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
  replyUnwrapped(reply, unwrapped(result), native);
}

/** The same for a result without wrappers: of a worker, say. */
export function replyUnwrapped(reply: Reply, result: unknown, native: boolean): void {
  replyPart(reply, result, { native, elements: 0 }, 0);
}

/** A reply under way, with how much of it there is: one object at many places is many elements. */
type Tree = { readonly native: boolean; elements: number };

function replyPart(reply: Reply, result: unknown, tree: Tree, depth: number): void {
  const { native } = tree;
  if (depth > DEPTH_MAX) throw new HiveError("BAD_VALUE", `a result nests deeper than ${DEPTH_MAX}, or in itself`);
  if (++tree.elements > ELEMENTS_MAX)
    throw new HiveError("BAD_VALUE", `a result has more than ${ELEMENTS_MAX} elements`);
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
  if (result instanceof Uint8Array) return reply.bulk(result, 0, result.length, KIND_BYTES);
  if (native) return replyEncoded(reply, result);
  if (Array.isArray(result)) {
    reply.array(result.length);
    for (let i = 0; i < result.length; i++) replyPart(reply, result[i], tree, depth + 1);
  } else if (result instanceof Map) replyPairs(reply, [...result], tree, depth + 1);
  else if (result instanceof Set) {
    reply.set(result.size);
    for (const value of result) replyPart(reply, value, tree, depth + 1);
  } else if (isPlain(result)) replyPairs(reply, Object.entries(result), tree, depth + 1);
  else replyEncoded(reply, result);
}

function replyPairs(reply: Reply, pairs: readonly (readonly [unknown, unknown])[], tree: Tree, depth: number): void {
  reply.map(pairs.length);
  for (const [key, value] of pairs) {
    replyPart(reply, key, tree, depth);
    replyPart(reply, value, tree, depth);
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
