// Resolve: of all that was given, what counts.
//
//   flags ─┐
//   environment ─┼──▶ resolveSettings() ──▶ name → { value, source } ──▶ hiveOptionsOf() ──▶ Hive.start()
//   file ─┤                                                          └──▶ `memhive config`
//   defaults ─┘
//
// A flag beats the environment, that the file, and that the default. Everything given is checked, also
// what something else beats: a mistake that waits for its day is worse than one now. Every error names
// the setting and where its value came from, and never what is secret.

import { dirname } from "node:path";
import { HiveError, isHiveError } from "../../base/errors.ts";
import { type Limits, limitsWith } from "../../base/limits.ts";
import { readSettingsFile, shown } from "./file.ts";
import type { FlagTexts } from "./flags.ts";
import type { SettingValue } from "./kinds.ts";
import { didYouMean, nearestName } from "./nearest.ts";
import { placeOf, type Setting, type Source } from "./setting.ts";
import { SETTINGS } from "./table.ts";

export type Resolved = {
  readonly setting: Setting;
  /** Undefined: not set, and there is no default. */
  readonly value: SettingValue | undefined;
  readonly source: Source;
};

/** By name, in the order of the table. */
export type ResolvedSettings = ReadonlyMap<string, Resolved>;

export type GivenSettings = {
  flags?: FlagTexts;
  environment?: Readonly<Record<string, string | undefined>>;
  rows?: readonly Setting[];
};

const NO_FLAGS: FlagTexts = new Map();
const LIMIT_VARIABLE = "MEMHIVE_LIMIT_";

/** @throws {HiveError} REFUSED_SETTING: "environment MEMHIVE_PORT: expected a whole number from 0 to 65535, got x" */
export function resolveSettings({
  flags = NO_FLAGS,
  environment = {},
  rows = SETTINGS,
}: GivenSettings): ResolvedSettings {
  refuseUnknown(flags, environment, rows);
  const resolved = new Map<string, Resolved>();
  for (const setting of rows) {
    resolved.set(setting.name, { setting, value: setting.initial, source: { kind: "default" } });
  }
  const config = rows.find(({ name }) => name === "config");
  if (config !== undefined) setFromOutside(resolved, config, { flags, environment });
  const file = resolved.get("config")?.value;
  if (typeof file === "string") setFromFile(resolved, file, rows);
  for (const setting of rows) setFromOutside(resolved, setting, { flags, environment });
  checkTogether(resolved);
  return resolved;
}

function setFromFile(resolved: Map<string, Resolved>, path: string, rows: readonly Setting[]): void {
  const source: Source = { kind: "file", path };
  const folder = dirname(path);
  for (const [name, given] of readSettingsFile(path, rows)) {
    const { setting } = resolved.get(name)!;
    const value = setting.kind.read(given, folder);
    if (value === undefined) throw refused(setting, source, given);
    resolved.set(name, { setting, value, source });
  }
}

type Outside = { flags: FlagTexts; environment: Readonly<Record<string, string | undefined>> };

function setFromOutside(resolved: Map<string, Resolved>, setting: Setting, { flags, environment }: Outside): void {
  const { name, kind } = setting;
  const variable = environment[setting.environment];
  if (variable !== undefined && variable !== "") {
    const source: Source = { kind: "environment", variable: setting.environment };
    const value = kind.parse(variable);
    if (value === undefined) throw refused(setting, source, variable);
    resolved.set(name, { setting, value, source });
  }
  const given = flags.get(name);
  if (given === undefined) return;
  const source: Source = { kind: "flag", flag: given.flag };
  const value = given.text === false ? false : kind.parse(given.text);
  if (value === undefined) throw refused(setting, source, given.text);
  resolved.set(name, { setting, value, source });
}

/** What somebody thinks is set and is not: limits that do not exist. */
function refuseUnknown(flags: FlagTexts, environment: Outside["environment"], rows: readonly Setting[]): void {
  const names = rows.map(({ name }) => name);
  for (const [name, { flag }] of flags) {
    if (names.includes(name)) continue;
    throw new HiveError("REFUSED_SETTING", `${flag}: there is no such limit${limitHint(name, names)}`);
  }
  const variables = rows.map((row) => row.environment);
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith(LIMIT_VARIABLE) || variables.includes(variable)) continue;
    const hint = didYouMean(variable, variables);
    throw new HiveError("REFUSED_SETTING", `environment ${variable}: there is no such limit${hint}`);
  }
}

function limitHint(name: string, names: readonly string[]): string {
  return didYouMean(name, names).replace("limits.", "");
}

/**
 * Variables that look like a setting with a slip in its name, each with what was probably meant. They are no
 * error: other programs may have variables that begin like ours.
 */
export function suspiciousVariables(
  environment: Readonly<Record<string, string | undefined>>,
  rows: readonly Setting[] = SETTINGS,
): [variable: string, meant: string][] {
  const known = [...rows.map((row) => row.environment), "MEMHIVE_URL", "MEMHIVE_TOKEN", "MEMHIVE_HISTORY"];
  return Object.keys(environment).flatMap((variable): [string, string][] => {
    if (!variable.startsWith("MEMHIVE_") || known.includes(variable)) return [];
    const meant = nearestName(variable, known);
    return meant === undefined ? [] : [[variable, meant]];
  });
}

/** What each alone is fine and together is not. */
function checkTogether(resolved: ResolvedSettings): void {
  const tcp = resolved.get("port");
  const host = resolved.get("host");
  if (
    tcp?.value === false &&
    tcp.source.kind === "flag" &&
    (host?.source.kind === "flag" || tcp.source.flag.includes(" "))
  ) {
    throw new HiveError("REFUSED_SETTING", "--no-tcp means no --host and no --port: leave out one or the other");
  }
  checkTls(resolved);
  const changed = new Map<string, number>();
  for (const [name, { value, source }] of resolved) {
    if (name.startsWith("limits.") && source.kind !== "default")
      changed.set(name.slice("limits.".length), Number(value));
  }
  try {
    limitsWith(Object.fromEntries(changed) as Partial<Limits>);
  } catch (error) {
    if (!isHiveError(error)) throw error;
    throw withPlace(error, resolved);
  }
}

/** Each part of TLS needs its certificate and its key. */
function checkTls(resolved: ResolvedSettings): void {
  const given = (name: string): Resolved | undefined => {
    const found = resolved.get(name);
    return found === undefined || found.value === found.setting.initial ? undefined : found;
  };
  const [cert, key] = [given("tls.cert"), given("tls.key")];
  if (cert !== undefined && key !== undefined) return;
  const other = ["tls.ca", "tls.clientCertificates", "tls.only"].map(given).find((found) => found !== undefined);
  const lacks = (found: Resolved, what: string): HiveError =>
    new HiveError("REFUSED_SETTING", `${placeOf(found.setting.name, found.source)} needs ${what}`);
  if (cert !== undefined) throw lacks(cert, "its private key: add --tls-key FILE");
  if (key !== undefined) throw lacks(key, "its certificate: add --tls-cert FILE");
  if (other !== undefined) throw lacks(other, "TLS: add --tls-cert FILE --tls-key FILE");
}

/** A limit's error with where the limit, or the one that it is at odds with, was set. */
function withPlace(error: HiveError, resolved: ResolvedSettings): HiveError {
  const name = String(error.detail["limit"]);
  const reason = error.message.slice(error.message.indexOf(": ") + 2);
  const other = /exceeds (\w+) \(/.exec(reason)?.[1];
  const candidates = [name, ...(other === undefined ? [] : [other])].map((limit) => resolved.get(`limits.${limit}`));
  const changed = candidates.find((found) => found !== undefined && found.source.kind !== "default");
  if (changed === undefined) return error;
  const said = changed.setting.name === `limits.${name}` ? reason : `${name}: ${reason}`;
  return new HiveError("REFUSED_SETTING", `${placeOf(changed.setting.name, changed.source)}: ${said}`);
}

/** "got" with what was given, unless it is a secret. */
export function refused({ name, kind, secret }: Setting, source: Source, given: unknown): HiveError {
  const got =
    secret || kind.hides?.(given)
      ? "something else"
      : typeof given === "string" && source.kind !== "file"
        ? given.slice(0, 80)
        : shown(given);
  return new HiveError("REFUSED_SETTING", `${placeOf(name, source)}: expected ${kind.expected}, got ${got}`);
}
