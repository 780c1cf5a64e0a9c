// test/differential/servers.ts
// Servers: the two that are compared, started here where the caller has none.

import { execFileSync } from "node:child_process";
import type { Clock } from "../../src/base/clock.ts";
import { Hive } from "../../src/server/hive.ts";
import { installDebianPackages, startRedis } from "../kit/redis-server.ts";
import type { Address } from "./connection.ts";

export type Server = AsyncDisposable & { readonly address: Address };

const REFERENCE_VERSION = "7.0";

/** A redis-server 7.0 of its own: empty, saving nothing, with DEBUG allowed. */
export async function startReference(): Promise<Server> {
  const redis = await startRedis({ args: ["--enable-debug-command", "yes"] });
  return { address: { host: "127.0.0.1", port: redis.port }, [Symbol.asyncDispose]: () => redis.close() };
}

/** A hive in this process, on a free port, by the machine's clock or another one. */
export async function startHive(clock?: Clock): Promise<Server> {
  const hive = await Hive.start({ port: 0, ...(clock === undefined ? {} : { clock }) });
  return { address: { host: "127.0.0.1", port: hive.port }, [Symbol.asyncDispose]: () => hive.close() };
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
