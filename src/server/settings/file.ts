// Settings file: JSON whose objects and names are those of the table, and no others.
//
//   { "port": 4483, "limits": { "valueBytesMax": "64mb" } } ──▶ Map { "port" → 4483, "limits.valueBytesMax" → "64mb" }
//
// A name that is not known is refused with the nearest one that is: a setting with a slip in its name would
// otherwise silently not be set. "$schema" may stand in it, for editors.

import { readFileSync } from "node:fs";
import { HiveError } from "../../base/errors.ts";
import { didYouMean } from "./nearest.ts";
import type { Setting } from "./setting.ts";

const FILE_BYTES_MAX = 1024 * 1024;

/** Values by the name of their setting, as they are in the file. @throws {HiveError} REFUSED_SETTING */
export function readSettingsFile(path: string, rows: readonly Setting[]): Map<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "no permission to read it" : message;
    throw new HiveError("REFUSED_SETTING", `${path}: ${reason}`, { cause: error });
  }
  if (text.length > FILE_BYTES_MAX) throw refused(path, `more than ${FILE_BYTES_MAX} bytes: this is no settings file`);
  return parseSettings(text, path, rows);
}

/** @throws {HiveError} REFUSED_SETTING */
export function parseSettings(text: string, path: string, rows: readonly Setting[]): Map<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    // The engine's message quotes what stands there, which may be a secret.
    throw refused(path, `this is no JSON${positionIn(text, error)}`);
  }
  if (!isObject(parsed)) throw refused(path, "expected an object of settings");
  const values = new Map<string, unknown>();
  collect({ path, rows, values }, parsed, "");
  return values;
}

type Reading = { path: string; rows: readonly Setting[]; values: Map<string, unknown> };

function collect(reading: Reading, object: Readonly<Record<string, unknown>>, prefix: string): void {
  const { path, rows, values } = reading;
  for (const [key, value] of Object.entries(object)) {
    const name = `${prefix}${key}`;
    if (name === "$schema") continue;
    const row = rows.find((setting) => setting.name === name);
    if (row !== undefined && !row.inFile) throw refused(path, `${name}: this cannot be set in a file, ${ways(row)}`);
    if (row !== undefined) values.set(name, value);
    else if (!rows.some((setting) => setting.name.startsWith(`${name}.`))) throw unknown(reading, name, prefix);
    else if (isObject(value)) collect(reading, value, `${name}.`);
    else throw refused(path, `${name}: expected an object of settings, got ${shown(value)}`);
  }
}

function ways({ flag, environment }: Setting): string {
  return flag === undefined ? `but by ${environment}` : `but by --${flag} or ${environment}`;
}

function unknown({ path, rows }: Reading, name: string, prefix: string): HiveError {
  const siblings = rows
    .filter((setting) => setting.inFile && setting.name.startsWith(prefix))
    .map((setting) => prefix + setting.name.slice(prefix.length).split(".")[0]!);
  const elsewhere = rows.filter((setting) => setting.inFile).map((setting) => setting.name);
  const end = name.slice(prefix.length);
  const moved = elsewhere.find((known) => known.endsWith(`.${end}`));
  const hint = moved === undefined ? didYouMean(name, [...siblings, ...elsewhere]) : `; did you mean ${moved}?`;
  return refused(path, `${name}: there is no such setting${hint}`);
}

/** Where JSON.parse stopped, as far as its message tells: " (line 3)". */
export function positionIn(text: string, error: unknown): string {
  const at = /position (\d+)/.exec(String(error))?.[1];
  return at === undefined ? "" : ` (line ${text.slice(0, Number(at)).split("\n").length})`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value in an error, cut short. */
export function shown(value: unknown): string {
  const text = typeof value === "bigint" ? `${value}` : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function refused(path: string, reason: string): HiveError {
  return new HiveError("REFUSED_SETTING", `${path}: ${reason}`);
}
