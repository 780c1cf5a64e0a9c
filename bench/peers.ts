// The servers of a comparison: a hive and a Redis, each a process of its own on a free port.
//
//   await using hive = await startHive();     // the command of `npm start`, with its defaults
//   await using redis = await startPeerRedis();
//
// The hive is started by the very command that a user runs, so it has what a user has: no flag, no
// setting, no build. Only these processes are ended, by their own ids.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { installDebianPackages, startRedis } from "../test/kit/redis-server.ts";

export type Server = AsyncDisposable & {
  name: "hive" | "redis";
  port: number;
  pid: number;
  close(): Promise<void>;
};

/** As rows name it. */
export const REDIS = "Redis 7.0";
/** At least so many of the GETs of a run have to find their key, else the run does not count. */
export const HITS_MIN = 0.99;

const READY = /^memhive ready on .*:(\d+)$/;
const CLOSE_TIMEOUT_MS = 10_000;

/** @param flags Further flags of `memhive serve`. @throws {Error} when it does not start. */
export async function startHive(unix?: string, flags: readonly string[] = []): Promise<Server> {
  const socket = unix === undefined ? [] : ["--unix", unix];
  const args = ["scripts/memhive.ts", "serve", "--port", "0", ...socket, ...flags];
  const cwd = new URL("..", import.meta.url);
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...plainEnvironment(), MEMHIVE_LOG_LEVEL: "warn" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  const port = await readyPort(child);
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      const impatience = setTimeout(end, CLOSE_TIMEOUT_MS);
      await gone;
      clearTimeout(impatience);
    }
    process.off("exit", end);
  };
  return { name: "hive", port, pid: child.pid!, close, [Symbol.asyncDispose]: close };
}

/** @throws {Error} where there is no redis-server and none can be installed. */
export async function startPeerRedis(unix?: string): Promise<Server> {
  const missing = await installDebianPackages(["redis-server", "redis-tools"]);
  if (missing !== false) throw new Error(missing);
  const redis = await startRedis(unix === undefined ? {} : { unix });
  const close = (): Promise<void> => redis.close();
  return { name: "redis", port: redis.port, pid: redis.pid, close, [Symbol.asyncDispose]: close };
}

/** Both at once, and on these unix sockets as well; whichever order a pair runs in, the hive is `hive`. */
export async function startBoth(unix?: {
  hive: string;
  redis: string;
}): Promise<AsyncDisposable & { hive: Server; redis: Server }> {
  const redis = await startPeerRedis(unix?.redis);
  try {
    const hive = await startHive(unix?.hive);
    const close = async (): Promise<void> => {
      await Promise.all([hive.close(), redis.close()]);
    };
    return { hive, redis, [Symbol.asyncDispose]: close };
  } catch (error) {
    await redis.close();
    throw error;
  }
}

/** Without what this process was given but a user's shell does not have. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(MALLOC_|GLIBC_|NODE_)/.test(name));
  return Object.fromEntries(kept);
}

async function readyPort(child: ChildProcess): Promise<number> {
  let output = "";
  for await (const line of createInterface({ input: child.stdout! })) {
    output += `${line}\n`;
    const ready = READY.exec(line);
    if (!ready) continue;
    child.stdout!.resume(); // nobody reads on, and a full pipe would stop it
    return Number(ready[1]);
  }
  throw new Error(`the hive did not start:\n${output}`);
}
