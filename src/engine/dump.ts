// Dump: the value of one key as bytes that RESTORE takes, in a format of our own.
//
//   type u8 | string:  kind u8, value bytes u32, value
//           | structure: the same, then for each part that the value names: payload bytes u32, its own payload
//           | table:   fields u32, then each: kinds u8 (name 2, value 2, TTL 1) | name bytes u32 | name
//           |                                 | value bytes u32 | value | deadline f64, where there is a TTL
//           | set:     the same without a value
//           | sorted:  as a table, each value the score f64
//           | list:    elements u32, then each: kind u8 | value bytes u32 | value
//   footer  | version u16 | CRC-32 of all before u32                            little endian throughout
//
// Redis's format follows from its memory, so the two do not take each other's. Who sends a payload may
// have made it: all of it is checked before the first change, values and names as any door checks them,
// and what cannot be seen before (a field twice) takes everything back.

import { isUtf8 } from "node:buffer";
import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Slice } from "../store/collections.ts";
import {
  KIND_RAW,
  KIND_TEXT,
  KIND_VALUE,
  TYPE_LIST,
  TYPE_SET,
  TYPE_SORTED,
  TYPE_STRING,
  TYPE_STRUCTURE,
  TYPE_TABLE,
} from "../store/layout.ts";
import { readPartNames } from "../store/parts.ts";
import { NO_DEADLINE } from "../store/placement.ts";
import type { Store } from "../store/store.ts";
import { walk, walkScalar } from "../wire/value.ts";
import { type Content, eachContent, SCORE_BYTES } from "./contents.ts";

const VERSION = 1;
const FOOTER_BYTES = 6;
/** Bytes that a field has beside its name, value and deadline. */
const FIELD_HEADER_BYTES = 5;
const DEADLINE_BYTES = 8;
const HAS_DEADLINE = 16;
/** Type, kind and length in front of a string or a structure. */
const STRING_HEADER_BYTES = 6;
const NO_BYTES = Buffer.alloc(0);

const slice: Slice = { bytes: NO_BYTES, start: 0, end: 0, kind: 0 };

/** A field of a payload: places in it. A member has no value. */
export type DumpedField = {
  nameStart: number;
  nameLength: number;
  nameKind: number;
  start: number;
  length: number;
  kind: number;
  /** NO_DEADLINE without a TTL. */
  deadlineMs: number;
};

/** A payload that was checked: a string, or fields that are asked for one by one. */
export type Dumped = {
  type: number;
  string: DumpedField | undefined;
  fields: () => Iterable<DumpedField>;
  /** Of a structure: those that are not empty. Their places are in the same payload. */
  parts: readonly { name: string; dumped: Dumped }[];
};

/** The payload of what a key holds. @throws {HiveError} OUTPUT_TOO_BIG: no client could take it. */
export function encodeDump(store: Store, ref: number, limits: Limits): Buffer {
  const { entries } = store.memory;
  const type = entries.type(ref);
  const bytesMax = limits.outputBytesMax;
  if (type === TYPE_STRING || type === TYPE_STRUCTURE) {
    const parts = partPayloads(store, ref, limits);
    const start = entries.valueStart(ref);
    const length = entries.valueLength(ref);
    const end = STRING_HEADER_BYTES + length;
    const size = end + parts.length + FOOTER_BYTES;
    if (parts.length > 0 && size > bytesMax) throw tooBig(bytesMax);
    const payload = Buffer.allocUnsafe(size);
    payload[0] = type;
    payload[1] = entries.valueKind(ref);
    payload.writeUInt32LE(length, 2);
    entries.bytesOf(ref).copy(payload, STRING_HEADER_BYTES, start, start + length);
    parts.copy(payload, end);
    return seal(payload);
  }
  if (type !== TYPE_TABLE && type !== TYPE_SET && type !== TYPE_SORTED && type !== TYPE_LIST) {
    throw new HiveError("UNSUPPORTED", "DUMP knows strings, tables, sets, sorted sets, lists and structures");
  }
  const bytes = type === TYPE_LIST ? elementBytes(store, ref) : contentBytes(store, ref, type);
  const size = bytes + 1 + 4 + FOOTER_BYTES;
  if (size > bytesMax) throw tooBig(bytesMax);
  const payload = Buffer.allocUnsafe(size);
  payload[0] = type;
  if (type === TYPE_LIST) {
    writeElements(store, ref, payload);
    return seal(payload);
  }
  let at = 5;
  let count = 0;
  eachContent(store, ref, (content) => {
    at = writeContent(content, payload, at);
    count++;
  });
  payload.writeUInt32LE(count, 1);
  return seal(payload);
}

function tooBig(bytesMax: number): HiveError {
  return new HiveError("OUTPUT_TOO_BIG", `reply exceeds outputBytesMax (${bytesMax} bytes)`);
}

/** The payloads of a structure's parts, each behind its length; of an empty one the length 0 alone. */
function partPayloads(store: Store, ref: number, limits: Limits): Buffer {
  const { parts } = store.keys;
  const own = parts.of(ref);
  const all: Buffer[] = [];
  for (const name of own.names) {
    const part = parts.find(own, name);
    const payload = part === 0 ? NO_BYTES : encodeDump(store, part, limits);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(payload.length);
    all.push(length, payload);
  }
  return Buffer.concat(all);
}

function contentBytes(store: Store, ref: number, type: number): number {
  let bytes = 0;
  eachContent(store, ref, ({ name, value, deadlineMs }) => {
    bytes += FIELD_HEADER_BYTES + name.end - name.start;
    if (deadlineMs < NO_DEADLINE) bytes += DEADLINE_BYTES;
    if (type !== TYPE_SET) bytes += 4 + value.end - value.start;
  });
  return bytes;
}

function writeContent({ name, value, deadlineMs }: Content, payload: Buffer, from: number): number {
  let kinds = name.kind | (deadlineMs < NO_DEADLINE ? HAS_DEADLINE : 0);
  payload.writeUInt32LE(name.end - name.start, from + 1);
  let at = from + FIELD_HEADER_BYTES;
  at += name.bytes.copy(payload, at, name.start, name.end);
  if (payload[0] !== TYPE_SET) {
    kinds |= value.kind << 2;
    payload.writeUInt32LE(value.end - value.start, at);
    at += 4;
    at += value.bytes.copy(payload, at, value.start, value.end);
  }
  payload[from] = kinds;
  if (deadlineMs === NO_DEADLINE) return at;
  payload.writeDoubleLE(deadlineMs, at);
  return at + DEADLINE_BYTES;
}

function elementBytes({ lists }: Store, ref: number): number {
  let bytes = 0;
  lists.walk(ref, 0, false, slice, ({ start, end }) => {
    bytes += FIELD_HEADER_BYTES + end - start;
    return true;
  });
  return bytes;
}

function writeElements({ lists }: Store, ref: number, payload: Buffer): void {
  payload.writeUInt32LE(lists.count(ref), 1);
  let at = 5;
  lists.walk(ref, 0, false, slice, ({ bytes, start, end, kind }) => {
    payload[at] = kind;
    payload.writeUInt32LE(end - start, at + 1);
    at += FIELD_HEADER_BYTES;
    at += bytes.copy(payload, at, start, end);
    return true;
  });
}

function seal(payload: Buffer): Buffer {
  const end = payload.length - FOOTER_BYTES;
  payload.writeUInt16LE(VERSION, end);
  payload.writeUInt32LE(checksum(payload.subarray(0, end + 2)), end + 2);
  return payload;
}

/**
 * Checks a payload to its last byte.
 * @throws {HiveError} BAD_PAYLOAD, and what the sizes of keys and values are refused with
 */
export function decodeDump(payload: Buffer, store: Store, limits: Limits): Dumped {
  return decodePart(payload, 0, payload.length, { store, limits });
}

type Checks = { store: Store; limits: Limits };

/** The payload that is in `payload` from `from` to `to`. */
function decodePart(payload: Buffer, from: number, to: number, checks: Checks): Dumped {
  const { store, limits } = checks;
  const end = to - FOOTER_BYTES;
  const isWhole =
    end >= from + 1 &&
    payload.readUInt16LE(end) === VERSION &&
    payload.readUInt32LE(end + 2) === checksum(payload.subarray(from, end + 2));
  if (!isWhole) throw new HiveError("BAD_PAYLOAD", "DUMP payload version or checksum are wrong");
  const type = payload[from]!;
  if (type === TYPE_STRING || type === TYPE_STRUCTURE) {
    const start = from + STRING_HEADER_BYTES;
    if (end < start) throw badFormat();
    const kind = payload[from + 1]!;
    const length = payload.readUInt32LE(from + 2);
    const isWell = kind <= KIND_VALUE && (type === TYPE_STRING ? start + length === end : kind === KIND_VALUE);
    if (!isWell || start + length > end) throw badFormat();
    const field = { ...NO_FIELD, start, length, kind };
    checkField(payload, field, store, limits);
    const parts = type === TYPE_STRUCTURE ? decodeParts(payload, field, end, checks) : [];
    return { type, string: field, fields: () => [], parts };
  }
  const isContainer = type === TYPE_TABLE || type === TYPE_SET || type === TYPE_SORTED || type === TYPE_LIST;
  if (!isContainer || end < from + 5) throw badFormat();
  const count = payload.readUInt32LE(from + 1);
  let seen = 0;
  let at = from + 5;
  for (const field of readFields(payload, from, end)) {
    checkField(payload, field, store, limits);
    if (type === TYPE_SORTED) checkScore(payload, field);
    at = field.end;
    seen++;
  }
  if (seen === 0 || seen !== count || at !== end) throw badFormat();
  return { type, string: undefined, fields: () => readFields(payload, from, end), parts: [] };
}

/** What stands behind the value of a structure: for each part that it names a payload, or that it is empty. */
function decodeParts(payload: Buffer, { start, length }: DumpedField, end: number, checks: Checks): Dumped["parts"] {
  const parts: { name: string; dumped: Dumped }[] = [];
  let at = start + length;
  for (const name of readPartNames(payload, start, at)) {
    if (at + 4 > end) throw badFormat();
    const from = at + 4;
    at = from + payload.readUInt32LE(at);
    if (at > end) throw badFormat();
    if (at === from) continue;
    const dumped = decodePart(payload, from, at, checks);
    const isPart = dumped.type === TYPE_LIST || dumped.type === TYPE_SORTED;
    if (!isPart || parts.some((other) => other.name === name)) throw badFormat();
    parts.push({ name, dumped });
  }
  if (at !== end) throw badFormat();
  return parts;
}

const NO_FIELD: DumpedField = {
  nameStart: 0,
  nameLength: 0,
  nameKind: 0,
  start: 0,
  length: 0,
  kind: 0,
  deadlineMs: NO_DEADLINE,
};

/** The elements of a list, as fields without a name. */
function* readElements(payload: Buffer, from: number, end: number): Generator<DumpedField & { end: number }> {
  for (let at = from + 5; at < end; ) {
    const kind = payload[at]!;
    const start = at + FIELD_HEADER_BYTES;
    if (kind > KIND_VALUE || start > end) throw badFormat();
    const length = payload.readUInt32LE(at + 1);
    at = start + length;
    if (at > end) throw badFormat();
    yield { ...NO_FIELD, start, length, kind, end: at };
  }
}

function* readFields(payload: Buffer, from: number, end: number): Generator<DumpedField & { end: number }> {
  if (payload[from] === TYPE_LIST) return yield* readElements(payload, from, end);
  const isSet = payload[from] === TYPE_SET;
  for (let at = from + 5; at < end; ) {
    const kinds = payload[at]!;
    if (kinds >= 2 * HAS_DEADLINE || (isSet && (kinds & 12) !== 0)) throw badFormat();
    const nameStart = at + FIELD_HEADER_BYTES;
    const nameLength = nameStart <= end ? payload.readUInt32LE(at + 1) : end;
    let start = nameStart + nameLength;
    let length = 0;
    if (!isSet) {
      start += 4;
      length = start <= end ? payload.readUInt32LE(start - 4) : end;
    }
    at = start + length + ((kinds & HAS_DEADLINE) !== 0 ? DEADLINE_BYTES : 0);
    if (at > end) throw badFormat();
    const deadlineMs = (kinds & HAS_DEADLINE) !== 0 ? payload.readDoubleLE(at - DEADLINE_BYTES) : NO_DEADLINE;
    if ((kinds & HAS_DEADLINE) !== 0 && !(Math.abs(deadlineMs) < 2 ** 63)) throw badFormat();
    yield { nameStart, nameLength, nameKind: kinds & 3, start, length, kind: (kinds >> 2) & 3, deadlineMs, end: at };
  }
}

function checkScore(payload: Buffer, { start, length, kind, deadlineMs }: DumpedField): void {
  const isScore = length === SCORE_BYTES && kind === KIND_RAW && deadlineMs === NO_DEADLINE;
  if (!isScore || Number.isNaN(payload.readDoubleLE(start))) throw badFormat();
}

function checkField(payload: Buffer, field: DumpedField, store: Store, limits: Limits): void {
  const { nameStart, nameLength, nameKind, start, length, kind } = field;
  if (nameLength > store.keys.keyBytesMax || length > store.keys.valueBytesMax) throw badFormat();
  if (nameKind === KIND_TEXT && !isUtf8(payload.subarray(nameStart, nameStart + nameLength))) throw badFormat();
  if (kind === KIND_TEXT && !isUtf8(payload.subarray(start, start + length))) throw badFormat();
  try {
    if (nameKind === KIND_VALUE) walkScalar(payload, nameStart, nameStart + nameLength);
    if (kind === KIND_VALUE) walk(payload, start, start + length, limits.valueDepthMax);
  } catch (cause) {
    if (!(cause instanceof HiveError)) throw cause;
    throw new HiveError("BAD_PAYLOAD", "Bad data format", { cause });
  }
}

export function badFormat(): HiveError {
  return new HiveError("BAD_PAYLOAD", "Bad data format");
}

/** CRC-32. zlib is loaded with the first dump: it takes 1.3 MB that most hives never need. */
function checksum(bytes: Uint8Array): number {
  return process.getBuiltinModule("node:zlib").crc32(bytes);
}
