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
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  tlsClientCertificates?: string;
  tlsOnly?: boolean;
};

/** Name, what stands behind it (nothing behind a flag), and a line for the help. */
export const SERVE_OPTIONS: readonly { name: string; value?: string; help: string }[] = [
  { name: "host", value: "address", help: "loopback address to listen on (default 127.0.0.1)" },
  { name: "port", value: "number", help: "TCP port, 0 for a free one (default 4483)" },
  { name: "unix", value: "path", help: "unix socket to listen on as well" },
  { name: "no-tcp", help: "listen on the unix socket alone" },
  { name: "max-memory", value: "bytes", help: "what the data may take: 500mb, 1gb (default: no limit)" },
  {
    name: "max-memory-policy",
    value: "policy",
    help: "noeviction (default), allkeys-lru, allkeys-lfu or volatile-ttl",
  },
  { name: "tls-cert", value: "file", help: "certificate in PEM form: TLS on the same port (SIGHUP reads it again)" },
  { name: "tls-key", value: "file", help: "its private key" },
  { name: "tls-ca", value: "file", help: "authorities of client certificates, which are then required" },
  { name: "tls-client-certificates", value: "which", help: "required (default with --tls-ca) or optional" },
  { name: "tls-only", help: "refuse TCP connections without TLS" },
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
