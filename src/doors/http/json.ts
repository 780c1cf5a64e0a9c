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
import { encode, valueToJson } from "../../wire/value.ts";
import { type ReplyNode, Stored } from "./reply-tree.ts";
import { described } from "./status.ts";

export function jsonOf(node: ReplyNode): string {
  if (node === undefined) return "null";
  if (typeof node === "bigint") return String(node);
  if (typeof node !== "object") return JSON.stringify(node);
  if (node instanceof Stored) return storedJson(node);
  if (node instanceof HiveError) return JSON.stringify({ error: described(node) });
  if (Array.isArray(node)) return `[${node.map(jsonOf).join(",")}]`;
  return mapJson(node.pairs);
}

export function storedJson({ bytes, kind }: Stored): string {
  if (kind === KIND_VALUE) return valueToJson(bytes);
  const isText = kind === KIND_TEXT || (kind !== KIND_BYTES && isUtf8(bytes, 0, bytes.length));
  return isText ? JSON.stringify(bytes.toString()) : JSON.stringify({ $bytes: bytes.toString("base64") });
}

/** An object where all keys are text, else an array of pairs. */
function mapJson(pairs: readonly ReplyNode[]): string {
  const keys: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) keys.push(jsonOf(pairs[i]));
  const [before, between, after] = keys.every((key) => key.startsWith('"')) ? ["", ":", ""] : ["[", ",", "]"];
  const items = keys.map((key, i) => `${before}${key}${between}${jsonOf(pairs[2 * i + 1])}${after}`);
  return before === "" ? `{${items.join(",")}}` : `[${items.join(",")}]`;
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

export type Argument = { bytes: Uint8Array; kind: number };

/** Arguments in a buffer of their own. */
export function packed(parts: readonly Argument[]): Args {
  const args = new Args(parts.length);
  args.reset(Buffer.concat(parts.map(({ bytes }) => bytes)));
  let at = 0;
  for (const { bytes, kind } of parts) {
    args.push(at, bytes.length, kind);
    at += bytes.length;
  }
  return args;
}

function argumentOf(argument: unknown, limits: Limits): Argument {
  if (typeof argument === "string") return { bytes: Buffer.from(argument), kind: KIND_TEXT };
  const bytes = bytesOf(argument);
  return bytes === undefined ? valueArgument(argument, limits) : { bytes, kind: KIND_BYTES };
}

/** A JSON value as it is stored. @throws {HiveError} BAD_VALUE: it nests too deep. */
export function valueArgument(value: unknown, { valueDepthMax }: Limits): Argument {
  if (typeof value === "string") return { bytes: Buffer.from(value), kind: KIND_TEXT };
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
