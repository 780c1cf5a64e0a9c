// JSON of the HTTP door: replies as text, and arguments from it.
//
//   ReplyNode ──▶ jsonOf() ──▶ text            [ "SET", "k", { a: 1 } ] ──▶ argumentsOf() ──▶ Args
//
// Text is a string, an encoded value its JSON (wire/value-text.ts says what JSON has no word for), bytes
// are {"$bytes": "base64"}.

import { HiveError } from "../../base/errors.ts";
import type { Limits } from "../../base/limits.ts";
import { Args, KIND_BYTES, KIND_TEXT, KIND_VALUE } from "../../engine/args.ts";
import { isUtf8 } from "../../wire/utf8.ts";
import { encode, JsonText } from "../../wire/value.ts";
import { type ReplyNode, Stored } from "./reply-tree.ts";
import { described } from "./status.ts";

/** Of a unit of a string. */
const UTF8_BYTES_MAX = 3;
const SHORT_TEXT = 64;
/** Bytes at a time, in whole groups of three. */
const BASE64_PIECE = 49_152;

/** @param bytesMax outputBytesMax @throws {HiveError} OUTPUT_TOO_BIG */
export function jsonOf(node: ReplyNode, bytesMax: number): string | Uint8Array {
  const json = new JsonText(bytesMax);
  addNode(json, node);
  return json.whole();
}

/** What a call answers. @throws {HiveError} OUTPUT_TOO_BIG */
export function resultJson(node: ReplyNode, bytesMax: number): string | Uint8Array {
  const json = new JsonText(bytesMax);
  json.add('{"result":');
  addNode(json, node);
  json.add("}");
  return json.whole();
}

function addNode(json: JsonText, node: ReplyNode): void {
  if (node === undefined) json.add("null");
  else if (typeof node === "bigint") json.add(String(node));
  else if (typeof node !== "object") json.add(JSON.stringify(node));
  else if (node instanceof Stored) addStored(json, node);
  else if (node instanceof HiveError) json.add(JSON.stringify({ error: described(node) }));
  else if (Array.isArray(node)) addItems(json, node);
  else addMap(json, node.pairs);
}

function addStored(json: JsonText, stored: Stored): void {
  const { bytes, kind } = stored;
  if (kind === KIND_VALUE) return json.value(bytes);
  if (isText(stored)) return json.add(JSON.stringify(bytes.toString()));
  json.add('{"$bytes":"');
  for (let at = 0; at < bytes.length; at += BASE64_PIECE) json.add(bytes.toString("base64", at, at + BASE64_PIECE));
  json.add('"}');
}

function isText({ bytes, kind }: Stored): boolean {
  return kind === KIND_TEXT || (kind !== KIND_BYTES && kind !== KIND_VALUE && isUtf8(bytes, 0, bytes.length));
}

function addItems(json: JsonText, nodes: readonly ReplyNode[]): void {
  json.add("[");
  for (let i = 0; i < nodes.length; i++) {
    if (i > 0) json.add(",");
    addNode(json, nodes[i]);
  }
  json.add("]");
}

/** An object where all keys are text, else an array of pairs. */
function addMap(json: JsonText, pairs: readonly ReplyNode[]): void {
  const keys = pairs.filter((_, i) => i % 2 === 0);
  const isObject = keys.every(isTextKey);
  json.add(isObject ? "{" : "[");
  for (let i = 0; i < pairs.length; i += 2) {
    if (i > 0) json.add(",");
    if (!isObject) json.add("[");
    addNode(json, pairs[i]);
    json.add(isObject ? ":" : ",");
    addNode(json, pairs[i + 1]);
    if (!isObject) json.add("]");
  }
  json.add(isObject ? "}" : "]");
}

/** Whether the JSON of a key is a text, as that of a Date is. */
function isTextKey(key: ReplyNode): boolean {
  if (!(key instanceof Stored)) return typeof key === "string";
  if (key.kind !== KIND_VALUE) return isText(key);
  const json = new JsonText();
  json.value(key.bytes);
  return json.text().startsWith('"');
}

/** What stands in a body. @throws {HiveError} BAD_VALUE */
export function parseJson(body: Buffer): unknown {
  if (!isUtf8(body, 0, body.length)) throw new HiveError("BAD_VALUE", "the body is not UTF-8");
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new HiveError("BAD_VALUE", `the body is no JSON: ${(error as Error).message.slice(0, 200)}`, {
      cause: error,
    });
  }
}

/** One call. @throws {HiveError} BAD_VALUE, TOO_MANY_ARGUMENTS */
export function argumentsOf(call: unknown, limits: Limits): Args {
  if (!Array.isArray(call) || call.length === 0 || typeof call[0] !== "string") {
    throw new HiveError("BAD_VALUE", 'a call is an array that begins with its name: ["GET", "key"]');
  }
  const { argumentsMax } = limits;
  if (call.length > argumentsMax) {
    throw new HiveError("TOO_MANY_ARGUMENTS", `a call has more than argumentsMax (${argumentsMax}) arguments`);
  }
  return packed(call.map((argument) => argumentOf(argument, limits)));
}

/** A string is text. */
export type Argument = string | { bytes: Uint8Array; kind: number };

/** Arguments in a buffer of their own. */
export function packed(parts: readonly Argument[]): Args {
  const args = new Args(parts.length);
  let room = 0;
  for (const part of parts) room += typeof part === "string" ? roomFor(part) : part.bytes.length;
  const buffer = Buffer.allocUnsafe(room);
  args.reset(buffer);
  let at = 0;
  for (const part of parts) {
    const start = at;
    if (typeof part === "string") at = writeText(buffer, at, part);
    else {
      buffer.set(part.bytes, at);
      at += part.bytes.length;
    }
    args.push(start, at - start, typeof part === "string" ? KIND_TEXT : part.kind);
  }
  return args;
}

function roomFor(text: string): number {
  return text.length > SHORT_TEXT ? Buffer.byteLength(text) : text.length * UTF8_BYTES_MAX;
}

/** Most are short and ASCII: then a loop is quicker than a call. Returns where it ends. */
function writeText(buffer: Buffer, start: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127 || text.length > SHORT_TEXT) return start + buffer.write(text, start);
    buffer[start + i] = code;
  }
  return start + text.length;
}

function argumentOf(argument: unknown, limits: Limits): Argument {
  if (typeof argument === "string") return argument;
  const bytes = bytesOf(argument);
  return bytes === undefined ? valueArgument(argument, limits) : { bytes, kind: KIND_BYTES };
}

/** A JSON value as it is stored. @throws {HiveError} BAD_VALUE: it nests too deep. */
export function valueArgument(value: unknown, { valueDepthMax }: Limits): Argument {
  if (typeof value === "string") return value;
  return { bytes: encode(value, { depthMax: valueDepthMax }), kind: KIND_VALUE };
}

/** Of {"$bytes": "base64"}. @throws {HiveError} BAD_VALUE */
function bytesOf(argument: unknown): Buffer | undefined {
  if (typeof argument !== "object" || argument === null || !("$bytes" in argument)) return undefined;
  const text = argument.$bytes;
  if (Object.keys(argument).length !== 1 || typeof text !== "string") return undefined;
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new HiveError("BAD_VALUE", "$bytes is not base64");
  return Buffer.from(text, "base64");
}
