// The options of memhive serve: one list for the help and for reading them.

import { parseArgs } from "node:util";

/** As they are written, or undefined. */
export type ServeOptions = {
  noTcp?: boolean;
  host?: string;
  port?: string;
  unix?: string;
  maxMemory?: string;
  maxMemoryPolicy?: string;
  snapshots?: string;
  snapshotInterval?: string;
  snapshotKeep?: string;
  snapshotFrom?: string;
  noSnapshotAtClose?: boolean;
  tokens?: string;
  tokenFile?: string;
  token?: string;
};

/** Name, what stands behind it (nothing behind a flag), and a line for the help. */
export const SERVE_OPTIONS: readonly { name: string; value?: string; help: string }[] = [
  {
    name: "host",
    value: "address",
    help: "address to listen on, of this machine alone without a token (default 127.0.0.1)",
  },
  { name: "port", value: "number", help: "TCP port, 0 for a free one (default 4483)" },
  { name: "unix", value: "path", help: "unix socket to listen on as well" },
  { name: "no-tcp", help: "listen on the unix socket alone" },
  { name: "max-memory", value: "bytes", help: "what the data may take: 500mb, 1gb (default: no limit)" },
  {
    name: "max-memory-policy",
    value: "policy",
    help: "noeviction (default), allkeys-lru, allkeys-lfu or volatile-ttl",
  },
  { name: "snapshots", value: "folder", help: "where snapshots are kept (default: none are)" },
  { name: "snapshot-interval", value: "time", help: "store one every so often while something changes: 15m, 1h" },
  { name: "snapshot-keep", value: "count", help: "how many of those are kept (default 3)" },
  { name: "snapshot-from", value: "name", help: "what to start from: newest (default), none, or a snapshot's name" },
  { name: "no-snapshot-at-close", help: "store none when the hive stops" },
  { name: "tokens", value: "file", help: "tokens of memhive token; changes count at once ($MEMHIVE_TOKENS)" },
  { name: "token-file", value: "file", help: "a file with one token that may do everything (or $MEMHIVE_TOKEN)" },
  { name: "token", value: "token", help: "the same token itself: ps shows it to every user of the machine" },
];

/** The options in `args`; undefined where something else is in there, which is then commander's to explain. */
export function tryServeOptions(args: string[]): ServeOptions | undefined {
  const options = Object.fromEntries(
    SERVE_OPTIONS.map(({ name, value }) => [
      name,
      { type: value === undefined ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  try {
    const { values } = parseArgs({ args, options, strict: true, allowPositionals: false });
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [camelCase(name), value]));
  } catch {
    return undefined;
  }
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
