// The hive that a command of a client talks to: what its options name, or the environment does.

import { type Client, type ClientOptions, connect } from "../client/node.ts";

/** What every command of a client takes. */
export type CommonOptions = { url?: string; token?: string; timeout?: number; json?: boolean };

/** @throws {HiveError} as connect() does. */
export function dialHive({ url, token, timeout }: CommonOptions, more: ClientOptions = {}): Promise<Client> {
  const secret = token ?? process.env["MEMHIVE_TOKEN"];
  return connect(url, {
    name: "memhive-cli",
    ...(secret === undefined ? {} : { token: secret }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...more,
  });
}
