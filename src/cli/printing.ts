// Printing: replies and values for people, and for programs.
//
//   reply ──▶ showReply  "hello" · (integer) 1 · 1) "a"      as redis-cli shows them
//         ──▶ showJson   one line of JSON notation
//         ──▶ plain      a value as it is: what `memhive get` writes

import { isHiveError } from "../base/errors.ts";
import { toNotation } from "./notation.ts";

/** A reply of any command, as redis-cli shows it: several lines without an end of line. */
export function showReply(reply: unknown, indent: string = ""): string {
  if (reply === undefined || reply === null) return "(nil)";
  if (typeof reply === "string") return reply === "OK" && indent === "" ? "OK" : quoted(reply);
  if (typeof reply === "number") return Number.isInteger(reply) ? `(integer) ${reply}` : `(double) ${reply}`;
  if (typeof reply === "bigint") return `(integer) ${reply}`;
  if (typeof reply === "boolean") return `(${reply})`;
  if (reply instanceof Uint8Array) return quotedBytes(reply);
  if (isHiveError(reply)) return `(error) ${reply.code} ${reply.message}`;
  if (reply instanceof Map) return showPairs(reply, indent);
  if (reply instanceof Set) return showList([...reply], indent, "~");
  if (Array.isArray(reply)) return showList(reply, indent, ")");
  return showJson(reply);
}

/** One line. @throws {HiveError} BAD_VALUE: it is inside itself. */
export function showJson(value: unknown): string {
  return JSON.stringify(toNotation(value));
}

/** A stored value as it is: text and bytes themselves, the others in JSON notation. */
export function plain(value: unknown): string | Uint8Array {
  return typeof value === "string" || value instanceof Uint8Array ? value : showJson(value);
}

function showList(items: readonly unknown[], indent: string, mark: string): string {
  if (items.length === 0) return "(empty array)";
  const width = String(items.length).length;
  const inner = `${indent}${" ".repeat(width + 2)}`;
  const lines = items.map((item, i) => `${String(i + 1).padStart(width)}${mark} ${showReply(item, inner)}`);
  return lines.join(`\n${indent}`);
}

function showPairs(map: ReadonlyMap<unknown, unknown>, indent: string): string {
  if (map.size === 0) return "(empty map)";
  const width = String(map.size).length;
  const inner = `${indent}${" ".repeat(width + 2)}`;
  const lines = [...map].map(
    ([key, value], i) => `${String(i + 1).padStart(width)}# ${showReply(key, inner)} => ${showReply(value, inner)}`,
  );
  return lines.join(`\n${indent}`);
}

/** What a terminal must not take for a command of its own is escaped. */
function quoted(text: string): string {
  const escaped = text.replace(/[\\"]/g, "\\$&").replace(/[\p{Cc}\p{Cf}]/gu, (letter) => {
    const short: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    return short[letter] ?? [...Buffer.from(letter)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  });
  return `"${escaped}"`;
}

function quotedBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 34 || byte === 92) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${text}"`;
}
