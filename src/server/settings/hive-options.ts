// Hive options: from settings to what Hive.start() takes, and the check of what it was given.
//
//   resolved settings ──▶ hiveOptionsOf() ──▶ { port: 0, limits: { … } } ──▶ checkOptions() ──▶ Hive
//
// A setting's name is the path of its option, so neither has to know any setting.

import { HiveError } from "../../base/errors.ts";
import type { SettingValue } from "./kinds.ts";
import { didYouMean } from "./nearest.ts";
import { type ResolvedSettings, refused } from "./resolve.ts";
import { placeOf, type Setting, type Source } from "./setting.ts";
import { SETTINGS } from "./table.ts";

const OPTION: Source = { kind: "option" };

/** The options of a hive: what was set, by whatever; defaults are the hive's own. */
export function hiveOptionsOf<Options extends object>(resolved: ResolvedSettings): Options {
  const options = {};
  for (const { setting, value, source } of resolved.values()) {
    if (setting.taker === "hive" && source.kind !== "default" && value !== undefined) put(options, setting.name, value);
  }
  return options as Options;
}

/**
 * The options with each setting in them checked, in its one form: `"64mb"` is a number then.
 *
 * @param names All names that an option may have, those that are no settings (`clock`) too.
 * @throws {HiveError} REFUSED_SETTING: "option port: expected a whole number from 0 to 65535, got -1".
 */
export function checkOptions<Options extends object>(
  options: Options,
  names: readonly string[],
  rows: readonly Setting[] = SETTINGS,
): Options {
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    throw new HiveError("REFUSED_SETTING", `option ${name}: there is no such option${didYouMean(name, names)}`);
  }
  const checked = { ...options };
  for (const setting of rows) {
    if (setting.taker !== "hive") continue;
    const given = valueAt(options, setting.name);
    if (given === undefined) continue;
    const value = setting.kind.read(given, "");
    if (value === undefined) throw refused(setting, OPTION, given);
    put(checked, setting.name, value);
  }
  refuseUnknownInside(options, rows);
  return checked;
}

/** Names in `limits` and other objects of settings. */
function refuseUnknownInside(options: object, rows: readonly Setting[]): void {
  const groups = new Set(rows.filter(({ name }) => name.includes(".")).map(({ name }) => name.split(".")[0]!));
  for (const group of groups) {
    const inside = (options as Record<string, unknown>)[group];
    if (inside === undefined) continue;
    if (typeof inside !== "object" || inside === null) {
      throw new HiveError("REFUSED_SETTING", `${placeOf(group, OPTION)}: expected an object of settings`);
    }
    const known = rows
      .filter(({ name }) => name.startsWith(`${group}.`))
      .map(({ name }) => name.slice(group.length + 1));
    for (const name of Object.keys(inside)) {
      if (known.includes(name)) continue;
      const hint = didYouMean(name, known);
      throw new HiveError("REFUSED_SETTING", `${placeOf(`${group}.${name}`, OPTION)}: there is no such setting${hint}`);
    }
  }
}

function valueAt(options: object, name: string): unknown {
  let value: unknown = options;
  for (const part of name.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** Sets it without changing objects that are the caller's. */
function put(options: object, name: string, value: SettingValue): void {
  const parts = name.split(".");
  let inner = options as Record<string, unknown>;
  for (const part of parts.slice(0, -1)) {
    const copy = { ...(inner[part] as object | undefined) };
    inner[part] = copy;
    inner = copy as Record<string, unknown>;
  }
  inner[parts.at(-1)!] = value;
}
