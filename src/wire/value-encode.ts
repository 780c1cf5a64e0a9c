// Encoding: a JavaScript value to canonical bytes.
//
//   value ──▶ write() by type ──▶ plain object, array  ──▶ write() …
//                             └─▶ Map, Set, Date, …    ──▶ value-extensions.ts, write() …
//
// What structuredClone copies is encoded, and what it loses is lost here too: prototypes, methods of
// a class, accessors, symbols, the frames of an Error. What has no meaning in another process is
// refused instead of becoming {}: functions, symbols, promises, weak collections, boxed primitives.
// With `types` an instance keeps its class or is refused (value-instances.ts).
//
// Objects keep the order of their properties, so objects that differ in it are different bytes
// (docs/decisions/0002-values.md says why).
//
// The measured hot path: for…in with a test of own keys lets V8 walk the hidden class instead of
// copying an array of keys and looking each one up (small object: 200 ns, with Object.keys 320 ns).

import { fitsInt64, writeBigint, writeDate, writeRegExp, writeUndefined, writeView } from "./value-extensions.ts";
import {
  badValue,
  DEPTH_CEILING,
  DEPTH_DEFAULT,
  Double,
  EXT_CODE,
  EXT_ERROR,
  EXT_INSTANCE,
  EXT_MAP,
  EXT_REFERENCE,
  EXT_SET,
  type Scalar,
} from "./value-format.ts";
import { Instance, isBuiltIn, type KnownType, notNamed, ShippedCode, type Types } from "./value-instances.ts";
import { Scratch } from "./value-scratch.ts";

/** Causes of causes that an Error keeps; what is behind them is dropped. */
const CAUSES_MAX = 8;
/** Objects of one value that are looked for one by one; with more of them, in a Map. */
const LISTED_MAX = 16;

export type EncodeOptions = {
  /** How deep a value may nest, where the hive's valueDepthMax is not the usual one; DEPTH_CEILING at most. */
  depthMax?: number;
  /** Instances of these classes go by value, and those of no other. Without it, all become plain objects. */
  types?: Types;
};

/** One value on its way into a scratch, and the objects met in it so far, by number. */
class Encoding {
  scratch: Scratch = NOWHERE;
  depthMax: number = DEPTH_DEFAULT;
  types: Types | undefined = undefined;
  causesLeft: number = CAUSES_MAX;
  /** Numbers of objects that their readers can make only when all that is inside has been read. */
  readonly unmade: Set<number> = new Set();
  #count = 0;
  readonly #listed: unknown[] = new Array(LISTED_MAX).fill(undefined);
  readonly #mapped = new Map<unknown, number>();

  /** The number of an object met before; else -1, and it has the next number. */
  numberOf(object: object): number {
    const count = this.#count;
    if (count >= LISTED_MAX) return this.#numberMapped(object);
    const listed = this.#listed;
    for (let number = 0; number < count; number++) {
      if (listed[number] === object) return number;
    }
    listed[count] = object;
    this.#count = count + 1;
    return -1;
  }

  /** The number that was given last. */
  get latest(): number {
    return this.#count - 1;
  }

  #numberMapped(object: object): number {
    const mapped = this.#mapped;
    if (this.#count === LISTED_MAX) {
      for (let number = 0; number < LISTED_MAX; number++) mapped.set(this.#listed[number], number);
    }
    const known = mapped.get(object);
    if (known !== undefined) return known;
    mapped.set(object, this.#count++);
    return -1;
  }

  /** Forgets all, so that nothing is kept alive. */
  clear(): void {
    const listed = Math.min(this.#count, LISTED_MAX);
    for (let number = 0; number < listed; number++) this.#listed[number] = undefined;
    if (this.#count > LISTED_MAX) this.#mapped.clear();
    this.#count = 0;
    this.scratch = NOWHERE;
    this.types = undefined;
    this.causesLeft = CAUSES_MAX;
    if (this.unmade.size > 0) this.unmade.clear();
  }
}

const NOWHERE = new Scratch(0);
const ownProperty = Object.prototype.hasOwnProperty;

// Kept between calls. A getter that encodes while it is being read finds none, and gets its own.
let idleEncoding: Encoding | undefined;
let idleScratch: Scratch | undefined;

/** The canonical bytes of `value`, in an array of their own. @throws {HiveError} BAD_VALUE, as encodeInto(). */
export function encode(value: unknown, options?: EncodeOptions): Uint8Array {
  const scratch = idleScratch ?? new Scratch();
  idleScratch = undefined;
  try {
    encodeInto(value, scratch, options);
    return scratch.copy();
  } finally {
    scratch.reset();
    idleScratch = scratch;
  }
}

/**
 * Appends the canonical bytes of `value` to `scratch`.
 *
 * An object met twice is encoded once and referred to. A failure leaves `scratch` as it was. A getter
 * of `value` must not encode into the same scratch.
 *
 * @throws {HiveError} BAD_VALUE: it holds what cannot be encoded, or nests deeper than `depthMax`.
 *   What a getter throws comes out as it is.
 */
export function encodeInto(value: unknown, scratch: Scratch, options?: EncodeOptions): void {
  const encoding = idleEncoding ?? new Encoding();
  idleEncoding = undefined;
  const start = scratch.end;
  let whole = false;
  encoding.scratch = scratch;
  encoding.depthMax = Math.min(options?.depthMax ?? DEPTH_DEFAULT, DEPTH_CEILING);
  encoding.types = options?.types;
  try {
    write(encoding, value, encoding.depthMax);
    whole = true;
  } finally {
    if (!whole) scratch.end = start;
    encoding.clear();
    idleEncoding = encoding;
  }
}

/**
 * Appends a key of a table or member of a set that is neither string nor bytes: those stay raw.
 *
 * Numbers that are equal are one key: 3.0 is 3, -0 is 0, 5n is 5. From 2^53 on, where numbers are no
 * longer exact, 2 ** 60 and 2n ** 60n are two. NaN is one key.
 *
 * @throws {HiveError} BAD_VALUE for everything else. null and undefined are nobody's key: what looks
 *   like one is a field that was forgotten.
 */
export function encodeScalar(value: Scalar, scratch: Scratch): void {
  const scalar: unknown = value instanceof Double ? value.value : value;
  if (typeof scalar === "number") {
    scratch.number(scalar === 0 ? 0 : scalar);
  } else if (typeof scalar === "boolean") {
    scratch.byte(scalar ? 0xc3 : 0xc2);
  } else if (typeof scalar === "bigint") {
    if (fitsInt64(scalar)) scratch.int64(scalar);
    else writeBigint(scratch, scalar);
  } else if (scalar instanceof Date && !Number.isNaN(scalar.getTime())) {
    writeDate(scratch, scalar);
  } else {
    const what = typeof scalar === "object" && scalar !== null ? tagOf(scalar) : String(scalar);
    throw badValue(`a key or member is text, bytes, a boolean, number, bigint or valid Date, got ${what}`);
  }
}

/** Appends an integer as a number of that value is encoded. @throws {HiveError} BAD_VALUE beyond int64 and uint64. */
export function encodeInteger(value: number | bigint, scratch: Scratch): void {
  if (typeof value === "bigint" ? !fitsInt64(value) : !Number.isSafeInteger(value)) {
    throw badValue(`${value} is not an integer of 64 bits`);
  }
  if (typeof value === "bigint") scratch.int64(value);
  else scratch.number(value === 0 ? 0 : value);
}

/** @param depth How many more levels may follow. */
function write(encoding: Encoding, value: unknown, depth: number): void {
  const scratch = encoding.scratch;
  if (typeof value === "string") scratch.text(value);
  else if (typeof value === "number") scratch.number(value);
  else if (value === true) scratch.byte(0xc3);
  else if (value === false) scratch.byte(0xc2);
  else if (value === null) scratch.byte(0xc0);
  else if (typeof value === "object") writeObject(encoding, value, depth);
  else if (value === undefined) writeUndefined(scratch);
  else if (typeof value === "bigint") writeBigint(scratch, value);
  else if (typeof value === "function") throw badValue(`cannot encode a function${shipAdvice(value)}`);
  else throw badValue(`cannot encode a ${typeof value}`);
}

function shipAdvice({ name }: { name: unknown }): string {
  return `${typeof name === "string" && name !== "" ? ` (${name})` : ""}: ship() of memhive/ship sends its source`;
}

function writeObject(encoding: Encoding, object: object, depth: number): void {
  if (object instanceof Double) return encoding.scratch.double(object.value);
  const number = encoding.numberOf(object);
  if (number >= 0) {
    if (encoding.types !== undefined && encoding.unmade.has(number))
      throw badValue("code, or an instance that static encode() writes, holds itself");
    return writeReference(encoding.scratch, number);
  }
  if (Array.isArray(object)) return writeArray(encoding, object, depth);
  const prototype = Object.getPrototypeOf(object);
  if (prototype === Object.prototype || prototype === null) return writeProperties(encoding, object, depth);
  if (object instanceof Instance) return writeTyped(encoding, object.type, object.value, depth);
  if (object instanceof ShippedCode) return writeCode(encoding, object, depth);
  const { types } = encoding;
  if (types !== undefined) {
    const known = types.of(prototype);
    if (known !== undefined) return writeKnown(encoding, known, object, depth);
    if (!isBuiltIn(prototype)) throw notNamed(prototype);
  }
  writeInstance(encoding, object, depth);
}

function writeReference(scratch: Scratch, number: number): void {
  const size = number < 0x100 ? 1 : number < 0x10000 ? 2 : 4;
  scratch.extension(EXT_REFERENCE, size);
  for (let shift = size * 8 - 8; shift >= 0; shift -= 8) scratch.byte(number >>> shift);
}

function writeArray(encoding: Encoding, array: readonly unknown[], depth: number): void {
  if (depth === 0) throw tooDeep(encoding);
  const count = array.length;
  encoding.scratch.array(count);
  for (let i = 0; i < count; i++) write(encoding, array[i], depth - 1);
}

/** Own enumerable properties with string keys, in their order. */
function writeProperties(encoding: Encoding, object: object, depth: number): void {
  if (depth === 0) throw tooDeep(encoding);
  const scratch = encoding.scratch;
  const start = scratch.openMap();
  let count = 0;
  for (const key in object) {
    if (!ownProperty.call(object, key)) continue;
    count++;
    scratch.text(key);
    const value = (object as Record<string, unknown>)[key];
    if (typeof value === "string") scratch.text(value);
    else if (typeof value === "number") scratch.number(value);
    else write(encoding, value, depth - 1);
  }
  scratch.closeMap(start, count);
}

/** By tag and not by class: a value from another realm (a frame, a vm context) is the same thing. */
function writeInstance(encoding: Encoding, object: object, depth: number): void {
  const scratch = encoding.scratch;
  if (object instanceof Uint8Array) return scratch.binary(object);
  if (ArrayBuffer.isView(object)) {
    if (tagOf(object) === "Uint8Array") scratch.binary(object as Uint8Array);
    else writeView(scratch, object);
    return;
  }
  if (object instanceof Error) return writeError(encoding, object, depth);
  const tag = tagOf(object);
  if (tag === "Map") writeMap(encoding, object as Map<unknown, unknown>, depth);
  else if (tag === "Set") writeSet(encoding, object as Set<unknown>, depth);
  else if (tag === "Date") writeDate(scratch, object as Date);
  else if (tag === "RegExp") writeRegExp(scratch, object as RegExp);
  else if (tag === "Error") writeError(encoding, object as Error, depth);
  else if (tag === "ArrayBuffer") writeView(scratch, object as ArrayBuffer);
  else if (tag === "Object") writeProperties(encoding, object, depth);
  else throw badValue(`cannot encode a ${tag}`);
}

function tagOf(object: object): string {
  return Object.prototype.toString.call(object).slice(8, -1);
}

function writeMap(encoding: Encoding, map: ReadonlyMap<unknown, unknown>, depth: number): void {
  if (depth === 0) throw tooDeep(encoding);
  let left = map.size;
  const room = roomFor(left * 2);
  const start = encoding.scratch.openExtension(room);
  encoding.scratch.array(left * 2);
  for (const [key, value] of map) {
    if (--left < 0) break;
    write(encoding, key, depth - 1);
    write(encoding, value, depth - 1);
  }
  if (left !== 0) throw badValue("a Map changed while it was encoded");
  encoding.scratch.closeExtension(start, { room, type: EXT_MAP });
}

function writeSet(encoding: Encoding, set: ReadonlySet<unknown>, depth: number): void {
  if (depth === 0) throw tooDeep(encoding);
  let left = set.size;
  const room = roomFor(left);
  const start = encoding.scratch.openExtension(room);
  encoding.scratch.array(left);
  for (const member of set) {
    if (--left < 0) break;
    write(encoding, member, depth - 1);
  }
  if (left !== 0) throw badValue("a Set changed while it was encoded");
  encoding.scratch.closeExtension(start, { room, type: EXT_SET });
}

/** The head that `count` values of 8 bytes want: a guess, so that most payloads need not be moved. */
function roomFor(count: number): 3 | 4 | 6 {
  return count < 32 ? 3 : count < 8_192 ? 4 : 6;
}

/** A cause is kept where it is an Error or a primitive; other objects may be anything, a socket too. */
function writeError(encoding: Encoding, error: Error, depth: number): void {
  if (depth === 0) throw tooDeep(encoding);
  const scratch = encoding.scratch;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  const hasCode = typeof code === "string" || typeof code === "number";
  const plain = typeof cause === "object" ? cause === null || cause instanceof Error : typeof cause !== "function";
  const hasCause = cause !== undefined && typeof cause !== "symbol" && plain && encoding.causesLeft > 0 && depth > 1;
  const start = scratch.openExtension(3);
  scratch.array(hasCause ? 4 : hasCode ? 3 : 2);
  scratch.text(String(error.name));
  scratch.text(String(error.message));
  if (hasCode) write(encoding, code, depth - 1);
  else if (hasCause) writeUndefined(scratch);
  if (hasCause) {
    encoding.causesLeft--;
    write(encoding, cause, depth - 1);
    encoding.causesLeft++;
  }
  scratch.closeExtension(start, { room: 3, type: EXT_ERROR });
}

/** An object of a class that is named. */
function writeKnown(encoding: Encoding, { name, encode }: KnownType, object: object, depth: number): void {
  if (encode === undefined) return writeTyped(encoding, name, object, depth, true);
  const number = encoding.latest;
  encoding.unmade.add(number);
  writeTyped(encoding, name, encode(object), depth);
  encoding.unmade.delete(number);
}

/** @param asFields `value` is the instance: its own fields are what is written. */
function writeTyped(encoding: Encoding, name: string, value: unknown, depth: number, asFields: boolean = false): void {
  if (depth === 0) throw tooDeep(encoding);
  const scratch = encoding.scratch;
  const start = scratch.openExtension(3);
  scratch.array(2);
  scratch.text(name);
  if (asFields) {
    // The map that stands for them is an object to a reader.
    encoding.numberOf({});
    writeProperties(encoding, value as object, depth - 1);
  } else write(encoding, value, depth - 1);
  scratch.closeExtension(start, { room: 3, type: EXT_INSTANCE });
}

/** A binding that is the code itself is a reference; deeper inside none can be revived, since its reader has nothing yet. */
function writeCode(encoding: Encoding, code: ShippedCode, depth: number): void {
  if (depth < 2) throw tooDeep(encoding);
  const scratch = encoding.scratch;
  const number = encoding.latest;
  encoding.unmade.add(number);
  const start = scratch.openExtension(4);
  scratch.array(4);
  scratch.text(code.name);
  scratch.text(code.kind);
  scratch.text(code.source);
  encoding.numberOf({});
  const map = scratch.openMap();
  const names = Object.keys(code.bindings);
  for (const name of names) {
    scratch.text(name);
    const value = code.bindings[name];
    if (value === code) writeReference(scratch, number);
    else write(encoding, value, depth - 2);
  }
  scratch.closeMap(map, names.length);
  scratch.closeExtension(start, { room: 4, type: EXT_CODE });
  encoding.unmade.delete(number);
}

function tooDeep(encoding: Encoding): Error {
  return badValue(`value nests deeper than ${encoding.depthMax}`);
}
