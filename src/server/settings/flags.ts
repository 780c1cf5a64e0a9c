// Flags: the settings of `memhive serve` on its command line.
//
//   ["--port", "0", "--limit", "valueBytesMax=64mb"] ──▶ Map { "port" → { flag: "--port", text: "0" }, … }
//
// node:util reads them: a good call never loads commander, which is 7 MB. What is wrong with a bad one is
// then commander's to explain, with the same rows (flagsOf).

import { parseArgs } from "node:util";
import { yesOrNo } from "./kinds.ts";
import type { Setting } from "./setting.ts";
import { SETTINGS } from "./table.ts";

/** What a flag gave, by the name of its setting: a text to be parsed, or false for one that switches off. */
export type FlagTexts = ReadonlyMap<string, { flag: string; text: string | false }>;

export type FlagHelp = { name: string; placeholder: string; help: string; repeats: boolean };

const LIMIT_FLAG: FlagHelp = {
  name: "limit",
  placeholder: "name=value",
  help: "one of the limits, as often as you like: --limit valueBytesMax=16mb (docs/settings.md)",
  repeats: true,
};

/** Every flag with its help, for `memhive serve --help` and to read them. */
export function flagsOf(rows: readonly Setting[] = SETTINGS): FlagHelp[] {
  const flags: FlagHelp[] = [];
  for (const row of rows) {
    if (row.flag !== undefined) flags.push(helpOf(row, row.flag));
    if (row.offFlag !== undefined)
      flags.push({ name: row.offFlag, placeholder: "", help: `without ${row.flag}`, repeats: false });
  }
  if (rows.some(isLimit)) flags.push(LIMIT_FLAG);
  return flags;
}

function helpOf({ kind, help, initial, secret }: Setting, name: string): FlagHelp {
  const otherwise = initial === undefined ? "" : ` (default ${kind.show(initial)})`;
  const warning = secret ? "; ps shows it, so better in a file or in the environment" : "";
  return {
    name,
    placeholder: kind === yesOrNo ? "" : kind.placeholder,
    help: `${help}${otherwise}${warning}`,
    repeats: false,
  };
}

function isLimit({ name }: Setting): boolean {
  return name.startsWith("limits.");
}

/** Flags beside those of the settings. */
export type MoreFlags = Readonly<Record<string, { type: "boolean" }>>;

export type Flags = { texts: FlagTexts; more: ReadonlySet<string>; positionals: readonly string[] };

/**
 * The flags in `args`; undefined where something else is in there. `more` are flags beside the settings, and
 * `words` whether other words may stand between them.
 */
export function tryFlags(
  args: readonly string[],
  { rows = SETTINGS, more = {}, words = false }: { rows?: readonly Setting[]; more?: MoreFlags; words?: boolean } = {},
): Flags | undefined {
  const known = flagsOf(rows);
  const options = Object.fromEntries(
    known.map(({ name, placeholder, repeats }) => [
      name,
      { type: placeholder === "" ? ("boolean" as const) : ("string" as const), multiple: repeats },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...options, ...more },
      strict: true,
      allowPositionals: words,
    });
    const given = new Set(Object.keys(values).filter((name) => name in more));
    return { texts: textsOf(values, rows), more: given, positionals };
  } catch {
    return undefined;
  }
}

/** @throws {Error} --limit without a name: not a good call. */
function textsOf(values: Readonly<Record<string, unknown>>, rows: readonly Setting[]): FlagTexts {
  const texts = new Map<string, { flag: string; text: string | false }>();
  for (const { name, flag, offFlag } of rows) {
    const value = flag === undefined ? undefined : values[flag];
    if (offFlag !== undefined && values[offFlag] === true) {
      texts.set(name, { flag: value === undefined ? `--${offFlag}` : `--${flag} and --${offFlag}`, text: false });
    } else if (value !== undefined)
      texts.set(name, { flag: `--${flag}`, text: value === true ? "yes" : String(value) });
  }
  for (const given of (values["limit"] as string[] | undefined) ?? []) {
    const [, name, text] = /^([A-Za-z]+)=(.*)$/s.exec(given) ?? [];
    if (name === undefined || text === undefined) throw new Error("--limit takes NAME=VALUE");
    texts.set(`limits.${name}`, { flag: `--limit ${name}`, text });
  }
  return texts;
}
