// Reply: where a command writes its answer.
//
//   row ──▶ reply.integer(1) ──▶ [ RespReply | NativeReply | … ] ──▶ the door's output buffer
//
// Commands write values, never wire bytes; each door has one implementation. Every call writes at
// once into the door's scratch, so there is no reply object and no allocation. A command writes
// exactly one value: a scalar, or a collection header followed by that many values.

import type { ErrorCode } from "../base/errors.ts";

export type Collection = "array" | "set" | "map";

export interface Reply {
  /** True where the wire can tell maps, sets, booleans and doubles from arrays and strings. */
  readonly typed: boolean;

  nil(): void;
  /** The absence of an array (RESP2 `*-1`), as EXEC answers when a watched key changed. */
  nullArray(): void;
  /** The status OK. */
  ok(): void;
  /** A short word of the protocol: ASCII, no CR or LF. */
  status(text: string): void;
  /** A safe integer. */
  integer(value: number): void;
  bigint(value: bigint): void;
  double(value: number): void;
  boolean(value: boolean): void;
  /**
   * Raw bytes `start` to `end` of `bytes`, copied before this returns.
   * @param kind KIND_RAW (default), KIND_TEXT or KIND_BYTES: what their sender could say of them.
   */
  bulk(bytes: Uint8Array, start: number, end: number, kind?: number): void;
  /** A string, sent as UTF-8. */
  text(value: string): void;
  /** A text with a format ("txt", "mkd") where the wire knows such, else a string. */
  verbatim(format: string, value: string): void;
  /** One canonically encoded value (wire/value.ts), bytes `start` to `end` of `bytes`. */
  value(bytes: Uint8Array, start: number, end: number): void;

  /** `count` values follow. */
  array(count: number): void;
  /** `count` pairs follow: 2 × `count` values. */
  map(count: number): void;
  set(count: number): void;
  /** Out-of-band data of `count` values, where the wire has such; else an array. */
  push(count: number): void;
  /** A collection whose count is not known yet; close() ends the innermost. For a map, values are counted in pairs. */
  open(kind: Collection): void;
  close(): void;

  /** The command failed. A failure that is not a HiveError is not for here: let it be thrown. */
  error(code: ErrorCode, message: string): void;

  /** A place to come back to. */
  mark(): number;
  /** Takes back everything written since `mark`, open collections included. */
  rewind(mark: number): void;
}
