// The notation of items in test/wire/native-frames.json: what an item is, so that it can be written and compared.
//
//   "hello"                    TEXT                 {"raw": "ff"} {"bytes": "ff"}   RAW, BYTES, in hexadecimal
//   {"number": 1.5}            VALUE, a number      {"boolean": true} {"value": …}  VALUE, what JSON says
//   {"atom": "NIL"}            NIL, NO_ARRAY, OK    {"failed": ["CODE", "message"]}
//   {"array": []} {"set": []}  {"map": [[k, v]]}    {"open array": []} {"open map": []}   without a count

import { HiveError, isErrorCode } from "../../src/base/errors.ts";
import type { FrameWriter } from "../../src/wire/frame-writer.ts";

export type Notation = string | { readonly [kind: string]: unknown };

/** Writes the item that a notation stands for. */
export function writeNotation(writer: FrameWriter, item: Notation): void {
  if (typeof item === "string") return writer.text(item);
  const [[kind, content]] = Object.entries(item) as [[string, unknown]];
  const list = content as Notation[];
  const pairs = content as [Notation, Notation][];
  if (kind === "raw") writeHex(writer, content as string, 0);
  else if (kind === "bytes") writeHex(writer, content as string, 2);
  else if (kind === "number") writer.double(content as number);
  else if (kind === "boolean") writer.boolean(content as boolean);
  else if (kind === "value") writer.encoded(content);
  else if (kind === "atom") writeAtom(writer, content as string);
  else if (kind === "failed") writeFailed(writer, content as [string, string]);
  else if (kind === "array") writeAll(writer, list, () => writer.array(list.length));
  else if (kind === "set") writeAll(writer, list, () => writer.set(list.length));
  else if (kind === "map") writeAll(writer, pairs.flat(), () => writer.map(pairs.length));
  else {
    writeAll(writer, (content as unknown[]).flat() as Notation[], () =>
      writer.open(kind === "open map" ? "map" : "array"),
    );
    writer.close();
  }
}

function writeAll(writer: FrameWriter, items: readonly Notation[], begin: () => void): void {
  begin();
  for (const item of items) writeNotation(writer, item);
}

function writeHex(writer: FrameWriter, hex: string, kind: number): void {
  const bytes = Buffer.from(hex, "hex");
  writer.bulk(bytes, 0, bytes.length, kind);
}

function writeAtom(writer: FrameWriter, atom: string): void {
  if (atom === "NIL") writer.nil();
  else if (atom === "OK") writer.ok();
  else writer.nullArray();
}

function writeFailed(writer: FrameWriter, [code, message]: [string, string]): void {
  if (!isErrorCode(code)) throw new Error(`no code ${code}`);
  writer.error(code, message);
}

/** What a notation decodes to. */
export function contentOf(item: Notation): unknown {
  if (typeof item === "string") return item;
  const [[kind, content]] = Object.entries(item) as [[string, unknown]];
  if (kind === "raw" || kind === "bytes") return Uint8Array.from(Buffer.from(content as string, "hex"));
  if (kind === "atom") return { NIL: undefined, NO_ARRAY: null, OK: "OK" }[content as "NIL"];
  if (kind === "failed") return new HiveError((content as [never, string])[0], (content as [never, string])[1]);
  if (kind === "array" || kind === "open array") return (content as Notation[]).map(contentOf);
  if (kind === "set") return new Set((content as Notation[]).map(contentOf));
  if (kind === "map" || kind === "open map") {
    return new Map((content as Notation[][]).map(([key, value]) => [contentOf(key!), contentOf(value!)]));
  }
  return content;
}
