// Storable: what may be in a structure's state, checked and measured where it is put in.
//
//   value of a command ──▶ wrappers off, other classes refused, its size ──▶ raw state

import { HiveError } from "../base/errors.ts";
import { decode, encode } from "../wire/value.ts";
import { BIGINT_BYTES_MAX } from "../wire/value-format.ts";
import { rawOf } from "./stamp.ts";

/** As deep as a value of the hive may nest: also what stops a cycle. */
const DEPTH_MAX = 60;
/** Head of a container, a number, a date, an object that was met before … at most. */
export const ATOM_BYTES = 10;
/** Objects of one value that may be looked at twice where it has them twice; behind them, each once. */
const UNLISTED_MAX = 64;

const TYPED_ARRAYS: ReadonlySet<object> = new Set(
  [
    ...["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array"],
    ...["Float16Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"],
  ].flatMap((name) => (globalThis as unknown as Record<string, { prototype: object }>)[name]?.prototype ?? []),
);

export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whose state something is put into. */
export interface Owner {
  /** What is kept for an object: the raw one behind a wrapper, a copy of somebody else's. @throws {HiveError} BAD_VALUE: it is frozen */
  own(value: object, depth: number): object;
}

/** What a value that is no object takes encoded, at most. @throws {HiveError} BAD_VALUE */
export function measureAtom(value: unknown): number {
  switch (typeof value) {
    case "string":
      return value.length * 3 + ATOM_BYTES;
    case "bigint":
      return measureBigint(value);
    case "function":
    case "symbol":
      throw unkept(`a ${typeof value}`);
    default:
      return ATOM_BYTES;
  }
}

function measureBigint(value: bigint): number {
  const bytes = (value.toString(16).length >> 1) + 1;
  if (bytes > BIGINT_BYTES_MAX) throw unkept(`a bigint of more than ${BIGINT_BYTES_MAX} bytes`);
  return bytes + ATOM_BYTES;
}

/** Objects whose inside was counted, where a value has many. */
let done: Set<object> | undefined;
let seen = 0;

/**
 * What an object takes encoded, at most; objects in it are replaced by what `owner` keeps for them.
 *
 * @param value One that `owner` keeps, at this depth.
 * @throws {HiveError} BAD_VALUE: something in it cannot be kept, or it nests too deep
 */
export function measure(value: object, depth: number, owner: Owner): number {
  // A copy of something inside of a value is measured within it.
  const doneBefore = done;
  const seenBefore = seen;
  done = undefined;
  seen = 0;
  try {
    return measureObject(value, depth, owner);
  } finally {
    done = doneBefore;
    seen = seenBefore;
  }
}

/** Of what is kept already. */
const READER: Owner = {
  own(value) {
    const raw = rawOf(value) as object;
    if (!Object.isExtensible(raw)) throw unkept("a frozen object");
    return raw;
  },
};

/** A copy of what is in a state, or was on its way into one. @throws {HiveError} BAD_VALUE: it cannot be kept */
export function copyOf(raw: object): object {
  // Since an encoding makes plain objects of instances, and of what is frozen.
  measure(READER.own(raw, 0), 0, READER);
  return decode(encode(unwrapped(raw))) as object;
}

function measureObject(value: object, depth: number, owner: Owner): number {
  if (done?.has(value)) return ATOM_BYTES;
  if (depth > DEPTH_MAX) {
    throw new HiveError(
      "BAD_VALUE",
      `what is put into a structure's state nests deeper than ${DEPTH_MAX}, or in itself`,
    );
  }
  let bytes = ATOM_BYTES;
  if (Array.isArray(value)) bytes += measureArray(value, depth + 1, owner);
  else if (isPlain(value)) bytes += measureProperties(value as Record<string, unknown>, depth + 1, owner);
  else if (value instanceof Map) bytes += measureMap(value, depth + 1, owner);
  else if (value instanceof Set) bytes += measureSet(value, depth + 1, owner);
  else if (value instanceof Date || value instanceof RegExp) bytes += 64;
  else if (isTypedArray(value)) bytes += value.byteLength;
  else throw unkept(`an instance of ${className(value)}`);
  // Only when all of it was counted: an object that is inside of itself is met again before.
  if (++seen > UNLISTED_MAX) (done ??= new Set()).add(value);
  return bytes;
}

function measureArray(value: unknown[], depth: number, owner: Owner): number {
  let bytes = 0;
  for (let i = 0; i < value.length; i++) {
    const inner = value[i];
    const raw = kept(inner, depth, owner);
    if (raw !== inner) value[i] = raw;
    bytes += measureInner(raw, depth, owner);
  }
  return bytes;
}

function measureProperties(value: Record<string, unknown>, depth: number, owner: Owner): number {
  let bytes = 0;
  for (const key of Object.keys(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key)!;
    if (!("value" in property)) throw unkept(`an accessor (${key})`);
    const inner: unknown = property.value;
    const raw = kept(inner, depth, owner);
    if (raw !== inner) value[key] = raw;
    bytes += key.length * 3 + ATOM_BYTES + measureInner(raw, depth, owner);
  }
  return bytes;
}

function measureMap(value: Map<unknown, unknown>, depth: number, owner: Owner): number {
  let bytes = 0;
  let isOther = false;
  const inside: unknown[] = [];
  for (const [key, inner] of value) {
    const rawKey = kept(key, depth, owner);
    const raw = kept(inner, depth, owner);
    if (rawKey !== key || raw !== inner) isOther = true;
    inside.push(rawKey, raw);
    bytes += measureInner(rawKey, depth, owner) + measureInner(raw, depth, owner);
  }
  if (isOther) {
    // All of it, so that the order stays: a key cannot be replaced.
    value.clear();
    for (let i = 0; i < inside.length; i += 2) value.set(inside[i], inside[i + 1]);
  }
  return bytes;
}

function measureSet(value: Set<unknown>, depth: number, owner: Owner): number {
  let bytes = 0;
  let isOther = false;
  const inside: unknown[] = [];
  for (const inner of value) {
    const raw = kept(inner, depth, owner);
    if (raw !== inner) isOther = true;
    inside.push(raw);
    bytes += measureInner(raw, depth, owner);
  }
  if (isOther) {
    value.clear();
    for (const raw of inside) value.add(raw);
  }
  return bytes;
}

function kept(value: unknown, depth: number, owner: Owner): unknown {
  return typeof value === "object" && value !== null ? owner.own(value, depth) : value;
}

function measureInner(value: unknown, depth: number, owner: Owner): number {
  return typeof value === "object" && value !== null ? measureObject(value, depth, owner) : measureAtom(value);
}

/** One whose changes can be noted: a Buffer has methods of its own, and its slice() is no copy. */
function isTypedArray(value: object): value is Uint8Array {
  return ArrayBuffer.isView(value) && TYPED_ARRAYS.has(Object.getPrototypeOf(value) as object);
}

export function unkept(what: string): HiveError {
  return new HiveError("BAD_VALUE", `${what} cannot be kept in a structure's state`, { detail: { what } });
}

export function className(value: object): string {
  return (Object.getPrototypeOf(value)?.constructor?.name as string | undefined) || "a class";
}

// Wrappers off, for whoever encodes a value.

type Copies = Map<object, object>;

/** A result or an argument without wrappers. An object that is in it twice is there twice, and looked at once; what holds no objects stays the same object. */
export function unwrapped(value: unknown): unknown {
  return unwrap(value, 0, undefined);
}

function unwrap(value: unknown, depth: number, copies: Copies | undefined): unknown {
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return value;
  const raw = rawOf(value);
  if (raw !== value) return raw;
  const known = copies?.get(value);
  if (known !== undefined) return known;
  const isArray = Array.isArray(value);
  if (isArray && !value.some(isObject)) return value;
  const copy = emptyLike(value, isArray);
  if (copy === undefined) return value;
  const all: Copies = copies ?? new Map();
  // Before what is inside, where it may be met again.
  all.set(value, copy);
  fill(copy, value, (inner) => unwrap(inner, depth + 1, all));
  return copy;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function emptyLike(value: object, isArray: boolean): object | undefined {
  if (isArray) return [];
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  return isPlain(value) ? {} : undefined;
}

function fill(copy: object, value: object, inside: (inner: unknown) => unknown): void {
  if (Array.isArray(copy)) for (const inner of value as unknown[]) copy.push(inside(inner));
  else if (copy instanceof Map) for (const [key, inner] of value as typeof copy) copy.set(inside(key), inside(inner));
  else if (copy instanceof Set) for (const inner of value as typeof copy) copy.add(inside(inner));
  else for (const [key, inner] of Object.entries(value)) setOwn(copy, key, inside(inner));
}

/** A property called __proto__ is one like any other. */
function setOwn(target: object, key: string, value: unknown): void {
  if (key !== "__proto__") (target as Record<string, unknown>)[key] = value;
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
