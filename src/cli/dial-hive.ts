// The hive that a command of a client talks to: what its options name, or the environment does.

import { readFileSync } from "node:fs";
import { HiveError } from "../base/errors.ts";
import { type Client, type ClientOptions, connect, type TlsOptions } from "../client/node.ts";

/** What every command of a client takes. */
export type CommonOptions = {
  url?: string;
  token?: string;
  timeout?: number;
  json?: boolean;
  ca?: string;
  cert?: string;
  key?: string;
};

/** Of TLS: the option, and the variable that stands for it. */
const PEM_FILES = [
  ["ca", "MEMHIVE_CA"],
  ["cert", "MEMHIVE_CERT"],
  ["key", "MEMHIVE_KEY"],
] as const;

/** @throws {HiveError} as connect() does; REFUSED_SETTING: a file cannot be read. */
export async function dialHive(options: CommonOptions, more: ClientOptions = {}): Promise<Client> {
  const { url, token, timeout } = options;
  const secret = token ?? process.env["MEMHIVE_TOKEN"];
  return connect(url, {
    name: "memhive-cli",
    ...(secret === undefined ? {} : { token: secret }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    tls: tlsOf(options),
    ...more,
  });
}

/** What hives:// is checked with; other addresses pass over it. */
function tlsOf(options: CommonOptions): TlsOptions {
  const tls: TlsOptions = {};
  for (const [name, variable] of PEM_FILES) {
    const path = options[name] ?? process.env[variable];
    if (path === undefined || path === "") continue;
    try {
      tls[name] = readFileSync(path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new HiveError("REFUSED_SETTING", `--${name} (or ${variable}): ${reason}`, { cause: error });
    }
  }
  return tls;
}
