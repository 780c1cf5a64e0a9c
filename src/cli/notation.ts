// Notation: every value a hive can hold as JSON, both ways: what --json prints and takes.
//
//   new Map([["a", 1n]]) ◀──▶ {"$":"Map","entries":[["a",{"$":"bigint","is":"1"}]]}
//
// What JSON has is itself. What it lacks is an object with "$", the name of its type:
//
//   {"$":"undefined"}                   {"$":"number","is":"NaN" | "Infinity" | "-Infinity" | "-0"}
//   {"$":"bigint","is":"123"}           {"$":"Date","is":"2020-01-01T00:00:00.000Z" | null}
//   {"$":"Uint8Array","hex":"00ff"}     and every other typed array, ArrayBuffer and DataView
//   {"$":"RegExp","source":"a","flags":"g"}
//   {"$":"Map","entries":[[key,value]]} {"$":"Set","members":[]}
//   {"$":"Error","name":"","message":""}
//   {"$":"object","entries":[[name,value]]}   an object that has a property "$" of its own
//
// A value inside itself cannot be printed.

import { HiveError } from "../base/errors.ts";

type Tagged = Readonly<Record<string, unknown>> & { $: string };

/** What JSON.stringify() turns into the notation of `value`. @throws {HiveError} BAD_VALUE: it holds itself. */
export function toNotation(value: unknown, above: readonly object[] = []): unknown {
  if (value === undefined) return { $: "undefined" };
  if (typeof value === "bigint") return { $: "bigint", is: value.toString() };
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: "number", is: numberName(value) };
  }
  if (typeof value !== "object" || value === null) return value;
  if (above.includes(value)) throw new HiveError("BAD_VALUE", "the value is inside itself: JSON cannot show it");
  return objectNotation(value, [...above, value]);
}

function numberName(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function objectNotation(object: object, above: readonly object[]): unknown {
  const inner = (value: unknown): unknown => toNotation(value, above);
  if (Array.isArray(object)) return object.map(inner);
  if (object instanceof Date) return { $: "Date", is: Number.isNaN(object.getTime()) ? null : object.toISOString() };
  if (object instanceof Map) return { $: "Map", entries: [...object].map((pair) => pair.map(inner)) };
  if (object instanceof Set) return { $: "Set", members: [...object].map(inner) };
  if (object instanceof RegExp) return { $: "RegExp", source: object.source, flags: object.flags };
  if (object instanceof Error) return { $: "Error", name: object.name, message: object.message };
  if (ArrayBuffer.isView(object)) {
    const { buffer, byteOffset, byteLength } = object;
    return { $: object.constructor.name, hex: Buffer.from(buffer, byteOffset, byteLength).toString("hex") };
  }
  if (object instanceof ArrayBuffer) return { $: "ArrayBuffer", hex: Buffer.from(object).toString("hex") };
  const entries = Object.entries(object).map(([name, value]) => [name, inner(value)] as const);
  return Object.hasOwn(object, "$") ? { $: "object", entries } : Object.fromEntries(entries);
}

/** The value that parsed JSON stands for. @throws {HiveError} BAD_VALUE: a "$" that means nothing. */
export function fromNotation(json: unknown): unknown {
  if (depthOf(json) > DEPTH_MAX) throw notation(`it nests deeper than ${DEPTH_MAX}`);
  return build(json);
}

/** Values nest at most so deep in a hive, unless it says otherwise; recursion is bounded with it. */
const DEPTH_MAX = 1_000;

/** How deep arrays and objects lie inside each other, counted without recursion. */
function depthOf(json: unknown): number {
  let depth = 0;
  let level: unknown[] = [json];
  while (level.length > 0 && depth <= DEPTH_MAX) {
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
    depth++;
  }
  return depth;
}

function build(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(build);
  if (!Object.hasOwn(json, "$")) return objectOf(Object.entries(json));
  return tagged(json as Tagged);
}

function tagged(json: Tagged): unknown {
  switch (json.$) {
    case "undefined":
      return undefined;
    case "number":
      return Number(text(json, "is"));
    case "bigint":
      return bigintOf(text(json, "is"));
    case "Date":
      return new Date(json["is"] === null ? Number.NaN : text(json, "is"));
    case "RegExp":
      return regExpOf(text(json, "source"), text(json, "flags"));
    case "Map":
      return new Map(pairs(json).map(([key, value]) => [build(key), build(value)]));
    case "Set":
      return new Set(list(json, "members").map(build));
    case "Error":
      return Object.assign(new Error(text(json, "message")), { name: text(json, "name") });
    case "object":
      return objectOf(pairs(json).map(([name, value]) => [String(name), value]));
    default:
      return viewOf(json);
  }
}

/** Own properties, whatever they are called. */
function objectOf(entries: [string, unknown][]): object {
  return Object.fromEntries(entries.map(([name, value]) => [name, build(value)]));
}

function bigintOf(digits: string): bigint {
  if (/^-?\d+$/.test(digits)) return BigInt(digits);
  throw notation(`a bigint is digits, not ${digits}`);
}

function regExpOf(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw notation(error instanceof Error ? error.message : String(error));
  }
}

const VIEWS: readonly string[] = [
  ...["Uint8Array", "Int8Array", "Uint8ClampedArray", "Uint16Array", "Int16Array", "Uint32Array", "Int32Array"],
  ...["Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array", "DataView"],
];

function viewOf(json: Tagged): unknown {
  if (json.$ !== "ArrayBuffer" && !VIEWS.includes(json.$)) throw notation(`there is no type ${json.$}`);
  const hex = text(json, "hex");
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw notation("bytes are pairs of hexadecimal digits");
  const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
  if (json.$ === "ArrayBuffer") return bytes.buffer;
  const View = (globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>)[json.$]!;
  try {
    return new View(bytes.buffer);
  } catch (error) {
    throw notation(error instanceof Error ? error.message : String(error));
  }
}

function text(json: Tagged, name: string): string {
  const value = json[name];
  if (typeof value === "string") return value;
  throw notation(`{"$":"${json.$}"} needs "${name}", a text`);
}

function list(json: Tagged, name: string): unknown[] {
  const value = json[name];
  if (Array.isArray(value)) return value;
  throw notation(`{"$":"${json.$}"} needs "${name}", an array`);
}

function pairs(json: Tagged): [unknown, unknown][] {
  const entries = list(json, "entries");
  for (const pair of entries) {
    if (!Array.isArray(pair) || pair.length !== 2) throw notation("entries are pairs");
  }
  return entries as [unknown, unknown][];
}

function notation(message: string): HiveError {
  return new HiveError("BAD_VALUE", `not a value in JSON notation: ${message}`);
}

/** Parses what a person typed as JSON. @throws {HiveError} BAD_VALUE */
export function parseNotation(json: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw new HiveError("BAD_VALUE", `not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return fromNotation(parsed);
}
