// Sealed values: values and deadlines that show whether they belong together and to their name.
//
//   value     number (4 bytes; its low 2 bits are the value's kind), then bytes that follow from number and class
//   deadline  a multiple of 64 ms, and the class
//
// A name's class is a few bits of its hash, so that a value may be given another name of its class. A
// beginning of a sealed value is sealed as well.

import assert from "node:assert/strict";
import {
  KIND_VALUE,
  PACKED_HEADER,
  TYPE_CHUNK,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STRING,
  TYPE_TABLE,
} from "../../src/store/layout.ts";
import { isWhole, sizeAt } from "../../src/store/list-elements.ts";
import type { Found } from "./shared-reader.ts";

/** Classes that names fall into. */
export const CLASSES = 8;
const TAG_BITS = 64;

export function classOf(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ (hash >>> 15)) & (CLASSES - 1);
}

/** A value of `length` bytes. What it says of its number is cut off with its first 4 bytes. */
export function seal(name: Uint8Array, number: number, length: number): Buffer {
  const value = Buffer.alloc(Math.max(4, length));
  value.writeUInt32LE(number >>> 0);
  fill(value, classOf(name));
  return value.subarray(0, length);
}

/** Whether a value of this kind was sealed for a name of this class, as far as it goes. */
export function isSealed(name: Uint8Array, value: Buffer, kind: number): boolean {
  if (value.length === 0) return true;
  if ((value[0]! & 3) !== kind) return false;
  if (value.length <= 4) return true;
  const wanted = Buffer.alloc(value.length);
  value.copy(wanted, 0, 0, 4);
  fill(wanted, classOf(name));
  return wanted.equals(value);
}

/** The next sealed deadline; none stays none. Those that no number can hold to the millisecond come closer. */
export function sealDeadline(name: Uint8Array, deadlineMs: number): number {
  if (deadlineMs === Number.POSITIVE_INFINITY) return deadlineMs;
  const near = Math.min(deadlineMs, 2 ** 50);
  return Math.ceil(near / TAG_BITS) * TAG_BITS + classOf(name);
}

export function isSealedDeadline(name: Uint8Array, deadlineMs: number): boolean {
  return deadlineMs === Number.POSITIVE_INFINITY || (deadlineMs - classOf(name)) % TAG_BITS === 0;
}

/** The elements of a packed list, or of a chunk: each is whole, and the last one's data end where they are said to. */
function wholeElements(value: Buffer, isChunk: boolean): void {
  const count = value.readUInt16LE(isChunk ? 8 : 0);
  const isLarge = value.length > 0xffff;
  let at = isChunk ? value.readUInt16LE(10) : PACKED_HEADER;
  const codes = isLarge ? value.length - 1 : isChunk ? value.readUInt16LE(14) : value.length - count;
  const end = isLarge ? codes : isChunk ? value.readUInt16LE(12) : codes;
  for (let i = 0; i < count; i++) {
    const code = value[codes + count - 1 - i]!;
    assert.ok(isWhole(value, at, code, end), `element ${i} of ${count}`);
    at += sizeAt(value, at, code);
  }
  assert.equal(at, end, "end of the elements");
}

/** Checks what an entry shows of itself. @throws {AssertionError} */
export function checkSealed(name: Uint8Array, { type, kind, value, deadlineMs, root, id }: Found): void {
  assert.ok(isSealedDeadline(name, deadlineMs), `deadline ${deadlineMs}`);
  if (type === TYPE_CHUNK) wholeElements(value, true);
  else if (type === TYPE_LIST) {
    if (id === 0) wholeElements(value, false);
  } else if (type !== TYPE_TABLE && type !== TYPE_SET) {
    assert.ok(isSealed(name, value, kind), `value of ${value.length} bytes`);
  } else if (id === 0) {
    sealedRecords(value);
  } else {
    assert.notEqual(root, 0, "root of a container");
    assert.equal(value.length, 0, "value beside a root");
  }
  assert.ok(type >= TYPE_STRING, `type ${type}`);
}

/** The records of a packed container, each of them sealed, by name. @throws {AssertionError} */
export function sealedRecords(value: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  let at = 2;
  while (at < value.length) {
    assert.ok(at + 5 <= value.length, "header of a record");
    const name = value.subarray(at + 5, at + 5 + value.readUInt16LE(at + 1));
    const end = at + 5 + name.length + value.readUInt16LE(at + 3);
    const content = value.subarray(at + 5 + name.length, end);
    assert.ok(isSealed(name, content, (value[at]! >> 2) & 3), "value of a record");
    found.set(`${(value[at]! & 3) === KIND_VALUE}${name.latin1Slice()}`, content);
    at = end;
  }
  assert.equal(at, value.length, "end of a packed container");
  assert.equal(found.size, value.readUInt16LE(0), "number of packed records");
  return found;
}

function fill(value: Buffer, valueClass: number): void {
  const mixed = Math.imul(value.readUInt32LE(0) ^ Math.imul(valueClass + 1, 0x9e3779b1), 0x85ebca6b) >>> 0;
  const step = (mixed >>> 8) | 1;
  let byte = mixed;
  for (let i = 4; i < value.length; i++) {
    byte += step;
    value[i] = byte;
  }
}
