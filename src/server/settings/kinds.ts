// Kinds: what a setting may be, and how it is read and shown.
//
//   "64mb" of a flag or the environment ──▶ parse() ──▶ 67108864 ──▶ show() ──▶ "64mb"
//   64 or "64mb" of a file or an option ──▶ read()  ──┘
//
// A handful of parsers instead of a library for schemas: a hive pays for what it loads with memory for as
// long as it runs (docs/decisions/0009-settings.md). Both readers give undefined for what is no such
// value; whoever asks makes the error, since only it knows the setting and where the value came from.

import { resolve } from "node:path";
import { parseBytes } from "../../engine/settings.ts";

/** What a setting can be. `false` where it is switched off. */
export type SettingValue = string | number | boolean | readonly string[];

/** A part of a JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Kind {
  readonly name: "bytes" | "milliseconds" | "count" | "port" | "text" | "path" | "choice" | "yes or no" | "list";
  /** What a number counts. */
  readonly unit?: "bytes" | "ms";
  /** Behind "expected", in an error. */
  readonly expected: string;
  /** What stands behind its flag in the help. */
  readonly placeholder: string;
  readonly schema: JsonSchema;
  /** Of a flag or a variable of the environment. */
  parse(text: string): SettingValue | undefined;
  /** Of a file or an option. `folder` is where relative paths begin. */
  read(value: unknown, folder: string): SettingValue | undefined;
  /** As parse() takes it. */
  show(value: SettingValue): string;
  /** Whether only that it is set may be shown: a key itself in place of its file. */
  hides?(value: unknown): boolean;
}

type Range = { min?: number; max?: number };

function inRange(value: number | undefined, { min = 0, max = Number.MAX_SAFE_INTEGER }: Range): number | undefined {
  return value !== undefined && Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined;
}

function rangeWords({ min = 0, max }: Range): string {
  if (max !== undefined) return `from ${min} to ${max}`;
  return min === 0 ? "from 0 on" : `from ${min} on`;
}

function whole(text: string): number | undefined {
  return /^[0-9]{1,16}$/.test(text) ? Number(text) : undefined;
}

/** Numbers with a unit: a number in JSON is in the smallest. */
function quantity(parts: {
  kind: Pick<Kind, "name" | "expected" | "placeholder"> & { unit: "bytes" | "ms" };
  range: Range;
  parse(text: string): number | undefined;
  show(value: number): string;
  pattern: string;
}): Kind {
  const { kind, range } = parts;
  const parse = (text: string): number | undefined => inRange(parts.parse(text), range);
  const { min = 0, max } = range;
  return {
    ...kind,
    schema: {
      anyOf: [
        { type: "integer", minimum: min, ...(max === undefined ? {} : { maximum: max }) },
        { type: "string", pattern: parts.pattern },
      ],
    },
    parse,
    read: (value) => (typeof value === "string" ? parse(value) : inRange(value as number, range)),
    show: (value) => parts.show(Number(value)),
  };
}

/** Bytes: 1000, 64kb, 500mb, 1gb; units as Redis has them. */
export function bytes(range: Range = {}): Kind {
  return quantity({
    kind: {
      name: "bytes",
      unit: "bytes",
      expected: `bytes such as 64mb${range.min === undefined && range.max === undefined ? "" : ` (${rangeWords(range)})`}`,
      placeholder: "bytes",
    },
    range,
    pattern: "^[0-9]+([kKmMgG]?[bB]?)$",
    parse(text) {
      try {
        return parseBytes(text);
      } catch {
        return undefined;
      }
    },
    show: showBytes,
  });
}

function showBytes(value: number): string {
  for (const [unit, size] of [
    ["gb", 2 ** 30],
    ["mb", 2 ** 20],
    ["kb", 2 ** 10],
  ] as const) {
    if (value > 0 && value % size === 0) return `${value / size}${unit}`;
  }
  return `${value}`;
}

const MILLISECONDS: Readonly<Record<string, number>> = {
  "": 1,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Time: 500, 500ms, 30s, 5m, 1h, 1d. */
export function milliseconds(range: Range = {}): Kind {
  return quantity({
    kind: {
      name: "milliseconds",
      unit: "ms",
      expected: `milliseconds ${rangeWords(range)}, or a time such as 30s or 5m`,
      placeholder: "time",
    },
    range,
    pattern: "^[0-9]+(ms|s|m|h|d)?$",
    parse(text) {
      const [, digits = "", unit = ""] = /^([0-9]{1,16})([a-z]*)$/i.exec(text) ?? [];
      const size = MILLISECONDS[unit.toLowerCase()];
      return digits === "" || size === undefined ? undefined : Number(digits) * size;
    },
    show: (value) => {
      for (const [unit, size] of [
        ["h", 3_600_000],
        ["m", 60_000],
        ["s", 1000],
      ] as const) {
        if (value > 0 && value % size === 0) return `${value / size}${unit}`;
      }
      return `${value}`;
    },
  });
}

export function count(range: Range = {}): Kind {
  const { min = 0, max } = range;
  return {
    name: "count",
    expected: `a whole number ${rangeWords(range)}`,
    placeholder: "number",
    schema: { type: "integer", minimum: min, ...(max === undefined ? {} : { maximum: max }) },
    parse: (text) => inRange(whole(text), range),
    read: (value) => inRange(value as number, range),
    show: String,
  };
}

/** A TCP port; false: none. */
export const port: Kind = {
  name: "port",
  expected: "a whole number from 0 to 65535",
  placeholder: "number",
  schema: { anyOf: [{ type: "integer", minimum: 0, maximum: 65_535 }, { const: false }] },
  parse: (text) => inRange(whole(text), { max: 65_535 }),
  read: (value) => (value === false ? false : inRange(value as number, { max: 65_535 })),
  show: String,
};

/** Any text that is not empty. */
export function text(placeholder = "text"): Kind {
  return {
    name: "text",
    expected: "text that is not empty",
    placeholder,
    schema: { type: "string", minLength: 1 },
    parse: (given) => (given === "" ? undefined : given),
    read: (value) => (typeof value === "string" && value !== "" ? value : undefined),
    show: String,
  };
}

/** A file or a folder. One in a settings file is relative to that file's folder, else to the working directory. */
export const path: Kind = {
  name: "path",
  expected: "a path",
  placeholder: "path",
  schema: { type: "string", minLength: 1 },
  parse: (given) => (given === "" || given.includes("\0") ? undefined : given),
  read: (value, folder) =>
    typeof value !== "string" || value === "" || value.includes("\0")
      ? undefined
      : folder === ""
        ? value
        : resolve(folder, value),
  show: String,
};

/** A file in PEM form by its path; embedded also PEM itself, as text or bytes. */
export const pem: Kind = {
  ...path,
  read: (value, folder) =>
    value instanceof Uint8Array || (typeof value === "string" && value.includes("-----BEGIN "))
      ? (value as string)
      : path.read(value, folder),
  // No path has several lines, and a key whose first line got lost is still a key.
  hides: (value) => typeof value !== "string" || /-----BEGIN |[\r\n]/.test(value),
};

export function choice(words: readonly string[]): Kind {
  const parse = (given: string): string | undefined => words.find((word) => word === given.toLowerCase());
  return {
    name: "choice",
    expected: `one of ${words.join(", ")}`,
    placeholder: words.join("|"),
    schema: { enum: words },
    parse,
    read: (value) => (typeof value === "string" ? parse(value) : undefined),
    show: String,
  };
}

/** Classes of keyspace events, each a letter; none at all is a text too. */
export const letters: Kind = {
  name: "text",
  expected: `letters of Ag$lshzxeKEtmdn`,
  placeholder: "letters",
  schema: { type: "string", pattern: "^[Ag$lshzxeKEtmdn]*$" },
  parse: (given) => (/^[Ag$lshzxeKEtmdn]*$/.test(given) ? given : undefined),
  read: (value) => (typeof value === "string" ? letters.parse(value) : undefined),
  show: String,
};

const YES: readonly string[] = ["yes", "true", "on", "1"];
const NO: readonly string[] = ["no", "false", "off", "0"];

export const yesOrNo: Kind = {
  name: "yes or no",
  expected: "yes or no",
  placeholder: "",
  schema: { type: "boolean" },
  parse(given) {
    const word = given.toLowerCase();
    return YES.includes(word) ? true : NO.includes(word) ? false : undefined;
  },
  read: (value) => (typeof value === "boolean" ? value : undefined),
  show: (value) => (value === true ? "yes" : "no"),
};

/** Several texts, with commas between them in a flag. */
export const list: Kind = {
  name: "list",
  expected: "texts with commas between them",
  placeholder: "a,b",
  schema: { type: "array", items: { type: "string", minLength: 1 } },
  parse(given) {
    const items = given.split(",").map((item) => item.trim());
    return items.some((item) => item === "") ? undefined : items;
  },
  read: (value) =>
    Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "") ? value : undefined,
  show: (value) => (Array.isArray(value) ? value.join(",") : String(value)),
};
