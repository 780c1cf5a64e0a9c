// A Redis of the test's own, to compare with.
//
//   const skip = await installDebianPackages(["redis-server", "redis-tools"]);
//   await using redis = await startRedis();      // on 127.0.0.1:redis.port, empty, saves nothing
//
// It listens on loopback only, works in a folder that goes away with it, and close() ends this one
// process and no other. One that a test forgot ends with the test's process.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export { installDebianPackages } from "./debian-packages.ts";

/** Between asking for a free port and using it somebody else may take it. */
const PORT_TRIES = 5;
const CLOSE_TIMEOUT_MS = 5_000;

export type RedisOptions = {
  /** 0 or none for a free one. */
  port?: number;
  /** A path to listen on as well. */
  unix?: string;
  /** More settings, e.g. ["--maxmemory", "100mb"]. */
  args?: readonly string[];
};

export type RedisServer = AsyncDisposable & {
  port: number;
  pid: number;
  /** Ends the server and resolves when it is gone. Closing twice is fine. */
  close(): Promise<void>;
};

/** @throws {Error} with what the server wrote, when it does not start. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const tries = options.port ? 1 : PORT_TRIES;
  for (let attempt = 1; ; attempt++) {
    const port = options.port || (await freePort());
    const folder = mkdtempSync(join(tmpdir(), "memhive-redis-"));
    const child = spawn("redis-server", serverArgs(port, folder, options), { stdio: ["ignore", "pipe", "pipe"] });
    const end = (): void => {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    };
    process.once("exit", end);
    const failure = await untilReady(child);
    if (failure === undefined) {
      child.stdout!.resume(); // nobody reads on, and a full pipe would stop the server
      return server(child, { port, end });
    }
    process.off("exit", end);
    end();
    if (attempt === tries || !failure.includes("Address already in use")) {
      throw new Error(`redis-server did not start on port ${port}:\n${failure}`);
    }
  }
}

function serverArgs(port: number, folder: string, options: RedisOptions): string[] {
  const unix = options.unix === undefined ? [] : ["--unixsocket", options.unix, "--unixsocketperm", "700"];
  return [
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder],
    ...["--save", "", "--appendonly", "no", "--daemonize", "no"],
    ...unix,
    ...(options.args ?? []),
  ];
}

/** Resolves with undefined once the server answers, or with its output when it ended before. */
async function untilReady(child: ChildProcess): Promise<string | undefined> {
  let output = "";
  let spawnError: unknown;
  child.on("error", (error) => {
    spawnError = error;
  });
  child.stderr!.on("data", (chunk) => {
    output += chunk;
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    output += `${line}\n`;
    if (line.includes("Ready to accept connections")) return undefined;
  }
  return spawnError === undefined ? output : String(spawnError);
}

function server(child: ChildProcess, { port, end }: { port: number; end: () => void }): RedisServer {
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill("SIGTERM");
    const impatience = setTimeout(() => child.kill("SIGKILL"), CLOSE_TIMEOUT_MS);
    await gone;
    clearTimeout(impatience);
    process.off("exit", end);
    end();
  };
  return {
    port,
    pid: child.pid!,
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]() {
      return this.close();
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("a listening socket has no port");
  return address.port;
}
