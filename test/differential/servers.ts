// test/differential/servers.ts
// Servers: the two that are compared, started here where the caller has none.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { installDebianPackages, startRedis } from "../kit/redis-server.ts";
import type { Address } from "./connection.ts";

export type Server = AsyncDisposable & { readonly address: Address };

const REFERENCE_VERSION = "7.0";

// A variable, so that the tester can be checked and tried before there is a hive.
const HIVE: string = "../../src/server/hive.ts";
type HiveModule = { Hive: { start(options: { port: number }): Promise<{ port: number; close(): Promise<unknown> }> } };

/** A redis-server 7.0 of its own: empty, saving nothing, with DEBUG allowed. */
export async function startReference(): Promise<Server> {
  const redis = await startRedis({ args: ["--enable-debug-command", "yes"] });
  return { address: { host: "127.0.0.1", port: redis.port }, [Symbol.asyncDispose]: () => redis.close() };
}

/** A hive in this process, on a free port. */
export async function startHive(): Promise<Server> {
  const { Hive } = (await import(HIVE)) as HiveModule;
  const hive = await Hive.start({ port: 0 });
  const close = async (): Promise<void> => void (await hive.close());
  return { address: { host: "127.0.0.1", port: hive.port }, [Symbol.asyncDispose]: close };
}

/**
 * Why there is nothing to compare with: no redis-server and none to be had, or one of another version.
 * False where there is. @throws {Error} with CI=true, instead of returning a reason.
 */
export async function whyNoReference(): Promise<string | false> {
  const reason = await installDebianPackages(["redis-server"]);
  if (reason !== false) return reason;
  const version = /v=(\S+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))?.[1] ?? "unknown";
  if (version.startsWith(`${REFERENCE_VERSION}.`)) return false;
  const other = `redis-server is ${version}; the comparison is made with ${REFERENCE_VERSION}`;
  if (process.env["CI"] === "true") throw new Error(other);
  return other;
}

/** Why there is no hive to test: its source is not there. */
export function whyNoHive(): string | false {
  return existsSync(new URL(HIVE, import.meta.url)) ? false : "there is no src/server/hive.ts";
}
