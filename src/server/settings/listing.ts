// Listing: settings as `memhive config` prints them, and as the log shows those that were set.
//
//   resolved ──▶ { name, value, unit, source, secret } ──▶ a table for people, or JSON
//
// A secret is "set" or "not set", in either form, and so is a key that stands in place of its file.

import type { SettingValue } from "./kinds.ts";
import type { Resolved, ResolvedSettings } from "./resolve.ts";
import { sourceName } from "./setting.ts";

export type Listed = {
  name: string;
  /** The value itself; of a secret "set" or "not set"; null where there is none. */
  value: SettingValue | null;
  /** What a number counts: "bytes", "ms"; empty where nothing. */
  unit: string;
  source: string;
};

export function listSettings(resolved: ResolvedSettings): Listed[] {
  return [...resolved.values()].map((found) => ({
    name: found.setting.name,
    value: shownValue(found),
    unit: found.setting.kind.unit ?? "",
    source: sourceName(found.source),
  }));
}

function shownValue({ setting, value }: Resolved): SettingValue | null {
  if (setting.secret) return value === undefined ? "not set" : "set";
  if (value === undefined) return null;
  return setting.kind.hides?.(value) ? "set" : value;
}

/** Lines for people, in columns, under the titles of their groups. */
export function settingsText(resolved: ResolvedSettings, titles: Readonly<Record<string, string>>): string {
  const rows = [...resolved.values()].map((found) => {
    const value = shownValue(found);
    const shown = value === null ? "–" : found.setting.secret ? String(value) : found.setting.kind.show(value);
    const { name, group, kind } = found.setting;
    return { name, group, shown, unit: kind.unit ?? "", source: sourceName(found.source) };
  });
  const width = (of: (row: (typeof rows)[number]) => string): number => Math.max(...rows.map((row) => of(row).length));
  const [names, values, units] = [width((row) => row.name), width((row) => row.shown), width((row) => row.unit)];
  let text = "";
  let group = "";
  for (const row of rows) {
    if (row.group !== group) text += `${group === "" ? "" : "\n"}${titles[row.group] ?? row.group}\n`;
    group = row.group;
    text += `  ${row.name.padEnd(names)}  ${row.shown.padEnd(values)}  ${row.unit.padEnd(units)}  ${row.source}\n`;
  }
  return text;
}

/** What is set to something else than its default, for the log; secrets as "set". */
export function changedSettings(resolved: ResolvedSettings): Record<string, string> {
  const changed: Record<string, string> = {};
  for (const found of resolved.values()) {
    const { setting, value, source } = found;
    if (source.kind === "default" || value === undefined || value === setting.initial) continue;
    changed[setting.name] = setting.kind.show(shownValue(found)!);
  }
  return changed;
}
