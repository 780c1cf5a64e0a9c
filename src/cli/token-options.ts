// The single token of a hive: a file of its own, the environment, or a flag.
//
//   --token-file FILE, MEMHIVE_TOKEN or --token TEXT ──▶ option token of Hive.start()
//
// A token in a flag shows in ps to every user of the machine, so that is said; the token itself is never in a
// message.

import { fstatSync, openSync, readFileSync } from "node:fs";
import { HiveError } from "../base/errors.ts";
import type { ResolvedSettings } from "../server/settings/resolve.ts";
import { placeOf, type Source } from "../server/settings/setting.ts";

/** @throws {HiveError} REFUSED_SETTING: the file cannot be read, or two flags say two tokens. */
export function singleToken(settings: ResolvedSettings, warn: (message: string) => void): { token?: string } {
  const token = settings.get("token")!;
  const file = settings.get("tokenFile")!;
  if (token.source.kind === "flag" && file.source.kind === "flag") {
    throw new HiveError("REFUSED_SETTING", "--token and --token-file are two tokens: leave out one or the other");
  }
  if (token.source.kind === "flag") {
    warn("--token shows in ps to every user of this machine: --token-file or MEMHIVE_TOKEN do not");
    return { token: String(token.value) };
  }
  // What is nearer to the start counts, as between two sources of one setting.
  const byFile = file.value !== undefined && NEARNESS[file.source.kind] >= NEARNESS[token.source.kind];
  if (byFile) return { token: readTokenFile(String(file.value), placeOf("tokenFile", file.source), warn) };
  if (token.value === undefined) return {};
  if (file.value !== undefined) {
    warn(`${placeOf("token", token.source)} is the token: ${placeOf("tokenFile", file.source)} is not read`);
  }
  return { token: String(token.value) };
}

const NEARNESS: Readonly<Record<Source["kind"], number>> = { default: 0, option: 0, file: 1, environment: 2, flag: 3 };

function readTokenFile(path: string, place: string, warn: (message: string) => void): string {
  let text: string;
  try {
    const file = openSync(path, "r");
    if ((fstatSync(file).mode & 0o077) !== 0) warn(`others than its owner may read ${path}: chmod 600 ${path}`);
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new HiveError("REFUSED_SETTING", `${place} ${path}: ${(error as Error).message}`, { cause: error });
  }
  const token = text.trim();
  if (token !== "" && !/\s/.test(token)) return token;
  throw new HiveError("REFUSED_SETTING", `${place} ${path}: expected one token, on one line`);
}
