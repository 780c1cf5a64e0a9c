// ValueReply: a command's answer as JavaScript, for structures that play it.
//
//   row ──▶ reply.array(2) reply.text("a") reply.integer(1) ──▶ ["a", 1]        an error is thrown

import { isUtf8 } from "node:buffer";
import { type ErrorCode, HiveError } from "../base/errors.ts";
import type { Collection, Reply } from "../engine/reply.ts";
import { ScalarReply } from "../engine/scalar-reply.ts";
import { KIND_BYTES } from "../store/layout.ts";
import { decode } from "../wire/value.ts";

type Open = { kind: Collection; left: number; values: unknown[] };

export class ValueReply extends ScalarReply implements Reply {
  #root: unknown = undefined;
  #open: Open[] = [];
  #error: HiveError | undefined = undefined;

  /** What was answered. @throws {HiveError} the command failed */
  take(): unknown {
    if (this.#error !== undefined) throw this.#error;
    return this.#root;
  }

  protected add(value: unknown): void {
    let whole = value;
    for (;;) {
      const inner = this.#open.at(-1);
      if (inner === undefined) {
        this.#root = whole;
        return;
      }
      inner.values.push(whole);
      if (inner.left < 0 || --inner.left > 0) return;
      this.#open.pop();
      whole = built(inner);
    }
  }

  #begin(kind: Collection, left: number): void {
    const collection: Open = { kind, left, values: [] };
    if (left === 0) this.add(built(collection));
    else this.#open.push(collection);
  }

  bulk(bytes: Uint8Array, start: number, end: number, kind?: number): void {
    const part = bytes.subarray(start, end);
    const isText = kind !== KIND_BYTES && isUtf8(part);
    this.add(isText ? Buffer.from(part.buffer, part.byteOffset, part.length).utf8Slice() : Uint8Array.from(part));
  }

  value(bytes: Uint8Array, start: number, end: number): void {
    this.add(decode(bytes, start, end));
  }

  array(count: number): void {
    this.#begin("array", count);
  }

  map(count: number): void {
    this.#begin("map", count * 2);
  }

  set(count: number): void {
    this.#begin("set", count);
  }

  push(count: number): void {
    this.#begin("array", count);
  }

  open(kind: Collection): void {
    this.#open.push({ kind, left: -1, values: [] });
  }

  close(): void {
    this.add(built(this.#open.pop()!));
  }

  error(code: ErrorCode, message: string): void {
    this.#error ??= new HiveError(code, message);
  }

  mark(): number {
    return 0;
  }

  rewind(): void {
    this.#root = undefined;
    this.#open = [];
  }
}

function built({ kind, values }: Open): unknown {
  if (kind === "array") return values;
  if (kind === "set") return new Set(values);
  const map = new Map<unknown, unknown>();
  for (let i = 0; i + 1 < values.length; i += 2) map.set(values[i], values[i + 1]);
  return map;
}
