// Storable: what may be in a structure's state, checked and measured where it is put in.
//
//   value of a command ──▶ wrappers off, other classes refused, its size ──▶ raw state

import { HiveError } from "../base/errors.ts";

/** As deep as a value of the hive may nest: also what stops a cycle. */
const DEPTH_MAX = 60;
/** Head of a container, a number, a date … at most. */
const ATOM_BYTES = 10;

/** The raw object behind a wrapper. */
const raws = new WeakMap<object, object>();

export function setRaw(wrapper: object, raw: object): void {
  raws.set(wrapper, raw);
}

/** The raw object behind a wrapper; everything else is itself. */
export function rawOf(value: unknown): unknown {
  return typeof value === "object" && value !== null ? (raws.get(value) ?? value) : value;
}

export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What a value takes encoded, at most; objects in it that are wrapped are replaced by what is behind. @throws {HiveError} BAD_VALUE */
export function measure(value: unknown, depth: number = 0): number {
  switch (typeof value) {
    case "number":
    case "boolean":
    case "undefined":
      return ATOM_BYTES;
    case "string":
      return value.length * 3 + ATOM_BYTES;
    case "bigint":
      return (value.toString(16).length >> 1) + ATOM_BYTES;
    case "object":
      return value === null ? ATOM_BYTES : measureObject(value, depth);
    default:
      throw new HiveError("BAD_VALUE", `a ${typeof value} cannot be kept in a structure's state`);
  }
}

function measureObject(value: object, depth: number): number {
  if (depth > DEPTH_MAX) {
    throw new HiveError(
      "BAD_VALUE",
      `what is put into a structure's state nests deeper than ${DEPTH_MAX}, or in itself`,
    );
  }
  let bytes = ATOM_BYTES;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const inner = value[i];
      const raw = rawOf(inner);
      if (raw !== inner) value[i] = raw;
      bytes += measure(raw, depth + 1);
    }
  } else if (value instanceof Map) {
    for (const [key, inner] of value) {
      const raw = rawOf(inner);
      if (raw !== inner) value.set(key, raw);
      bytes += measure(rawOf(key), depth + 1) + measure(raw, depth + 1);
    }
  } else if (value instanceof Set) {
    for (const inner of value) bytes += measure(rawOf(inner), depth + 1);
  } else if (value instanceof Date || value instanceof RegExp) return ATOM_BYTES + 64;
  else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return ATOM_BYTES + value.byteLength;
  else if (isPlain(value)) {
    for (const key of Object.keys(value)) {
      const inner = (value as Record<string, unknown>)[key];
      const raw = rawOf(inner);
      if (raw !== inner) (value as Record<string, unknown>)[key] = raw;
      bytes += key.length * 3 + ATOM_BYTES + measure(raw, depth + 1);
    }
  } else throw new HiveError("BAD_VALUE", `an instance of ${className(value)} cannot be kept in a structure's state`);
  return bytes;
}

export function className(value: object): string {
  return (Object.getPrototypeOf(value)?.constructor?.name as string | undefined) || "a class";
}

/** A result of a command without wrappers, for whoever encodes it. What is not wrapped stays the same object. */
export function unwrapped(value: unknown, depth: number = 0): unknown {
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return value;
  const raw = raws.get(value);
  if (raw !== undefined) return raw;
  if (Array.isArray(value)) {
    if (!value.some((inner) => typeof inner === "object" && inner !== null)) return value;
    return value.map((inner) => unwrapped(inner, depth + 1));
  }
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [key, unwrapped(inner, depth + 1)]));
  if (value instanceof Set) return new Set([...value].map((inner) => unwrapped(inner, depth + 1)));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapped(inner, depth + 1)]));
}
