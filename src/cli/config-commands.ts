// memhive config: the settings.
//
//   memhive config [flags of serve] [NAMES…]     what `serve` would use: value, unit and source of each
//   memhive config get NAMES…                    of a running hive, by CONFIG GET
//   memhive config set NAME VALUE …              of a running hive, by CONFIG SET: all of them or none
//
// The first needs no hive. The names of the others are Redis's, as CONFIG has them.

import { HiveError } from "../base/errors.ts";
import { type FlagTexts, tryFlags } from "../server/settings/flags.ts";
import { listSettings, settingsText } from "../server/settings/listing.ts";
import { didYouMean } from "../server/settings/nearest.ts";
import { type ResolvedSettings, resolveSettings } from "../server/settings/resolve.ts";
import { GROUP_TITLES } from "../server/settings/table.ts";
import { type CommonOptions, dialHive } from "./dial-hive.ts";
import { showJson } from "./printing.ts";

/** Prints what `memhive serve` with the same arguments would use. @throws {HiveError} REFUSED_SETTING, SYNTAX */
export function showSettings(args: readonly string[]): void {
  const flags = tryFlags(args, { more: { json: { type: "boolean" } }, words: true });
  if (flags === undefined) throw new HiveError("SYNTAX", "memhive config [flags of memhive serve] [--json] [NAMES…]");
  const settings = only(settingsOf(flags.texts), flags.positionals);
  if (!flags.more.has("json")) process.stdout.write(settingsText(settings, GROUP_TITLES));
  else process.stdout.write(`${JSON.stringify(listSettings(settings), null, 2)}\n`);
}

function settingsOf(flags: FlagTexts): ResolvedSettings {
  return resolveSettings({ flags, environment: process.env });
}

/** Those that are asked for, all where nothing is; a group's name stands for all in it. */
function only(settings: ResolvedSettings, names: readonly string[]): ResolvedSettings {
  if (names.length === 0) return settings;
  const chosen = [...settings].filter(([name, { setting }]) => names.includes(name) || names.includes(setting.group));
  const known = [...settings.keys(), ...Object.keys(GROUP_TITLES)];
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new HiveError("SYNTAX", `there is no setting ${name}${didYouMean(name, known)}`);
  }
  return new Map(chosen);
}

export async function configGet(options: CommonOptions, names: string[]): Promise<boolean> {
  await using hive = await dialHive(options, { reconnect: false });
  const found = (await hive.send(["CONFIG", "GET", ...names])) as ReadonlyMap<string, string>;
  if (options.json) process.stdout.write(`${showJson(Object.fromEntries(found))}\n`);
  else for (const [name, value] of found) process.stdout.write(`${name} ${value}\n`);
  if (found.size > 0) return true;
  process.stderr.write(`memhive: the hive has no setting ${names.join(", ")}\n`);
  return false;
}

export async function configSet(options: CommonOptions, pairs: string[]): Promise<boolean> {
  if (pairs.length % 2 !== 0) throw new HiveError("SYNTAX", "memhive config set NAME VALUE [NAME VALUE …]");
  await using hive = await dialHive(options, { reconnect: false });
  await hive.send(["CONFIG", "SET", ...pairs]);
  return true;
}
