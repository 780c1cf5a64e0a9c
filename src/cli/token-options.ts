// The single token of a hive: a file of its own, the environment, or a flag.
//
//   --token-file FILE, MEMHIVE_TOKEN or --token TEXT ──▶ option token of Hive.start()
//
// A token in a flag shows in ps to every user of the machine, so that is said; the token itself is never in a
// message.

import { fstatSync, openSync, readFileSync } from "node:fs";
import { HiveError } from "../base/errors.ts";
import type { ResolvedSettings } from "../server/settings/resolve.ts";

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
  if (file.value !== undefined) return { token: readTokenFile(String(file.value), warn) };
  return token.value === undefined ? {} : { token: String(token.value) };
}

function readTokenFile(path: string, warn: (message: string) => void): string {
  let text: string;
  try {
    const file = openSync(path, "r");
    if ((fstatSync(file).mode & 0o077) !== 0) warn(`others than its owner may read ${path}: chmod 600 ${path}`);
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new HiveError("REFUSED_SETTING", `--token-file ${path}: ${(error as Error).message}`, { cause: error });
  }
  const token = text.trim();
  if (token !== "" && !/\s/.test(token)) return token;
  throw new HiveError("REFUSED_SETTING", `--token-file ${path}: expected one token, on one line`);
}
