// Token options: what lets clients in, from flags and the environment.
//
//   --tokens FILE or MEMHIVE_TOKENS                             many, with grants: memhive token makes them
//   --token-file FILE, MEMHIVE_TOKEN or --token TEXT            one that may do everything
//
// A flag wins over the environment. A token in a flag shows in ps to every user of the machine, so that is
// said; the token itself is never in a message.

import { fstatSync, openSync, readFileSync } from "node:fs";
import { HiveError } from "../base/errors.ts";

export type TokenFlags = { tokens?: string; tokenFile?: string; token?: string };

/** @throws {HiveError} REFUSED_SETTING: the file cannot be read, or two flags say two tokens. */
export function tokenOptions(
  { tokens, tokenFile, token }: TokenFlags,
  environment: NodeJS.ProcessEnv,
  warn: (message: string) => void,
): { token?: string; tokens?: string } {
  if (token !== undefined && tokenFile !== undefined) {
    throw new HiveError("REFUSED_SETTING", "--token and --token-file are two tokens: leave out one or the other");
  }
  if (token !== undefined)
    warn("--token shows in ps to every user of this machine: --token-file or MEMHIVE_TOKEN do not");
  const single = token ?? (tokenFile === undefined ? environment["MEMHIVE_TOKEN"] : readTokenFile(tokenFile, warn));
  const file = tokens ?? environment["MEMHIVE_TOKENS"];
  return {
    ...(single === undefined || (single === "" && token === undefined) ? {} : { token: single }),
    ...(file === undefined || file === "" ? {} : { tokens: file }),
  };
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
