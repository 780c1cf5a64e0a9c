// serve: a hive in the foreground.
//
//   start ──▶ "memhive ready on 127.0.0.1:4483" ──▶ SIGTERM or SIGINT ──▶ close ──▶ exit 0
//
// Standard output has the line that says it is ready and nothing that a script would have to filter;
// notices go to standard error. A second signal does not wait for the close.

import { HiveError, isHiveError } from "../base/errors.ts";
import { Hive, type HiveOptions } from "../server/hive.ts";
import { parseMaxMemory, parseMaxMemoryPolicy } from "../server/memory-options.ts";
import type { ServeOptions } from "./serve-options.ts";

const EXIT_FAILED = 1;
const EXIT_SECOND_SIGNAL = 130;

/** Runs a hive until a signal or SHUTDOWN ends it. Resolves with the exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  try {
    const hive = await Hive.start(hiveOptions(options));
    await untilStopped(hive);
    return 0;
  } catch (error) {
    if (!isHiveError(error)) throw error;
    process.stderr.write(`memhive: ${error.message}\n`);
    return EXIT_FAILED;
  }
}

async function untilStopped(hive: Hive): Promise<void> {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(EXIT_SECOND_SIGNAL);
    stopping = true;
    void hive.close();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);

  process.stdout.write(`memhive ready on ${hive.address}\n`);
  const started = process.env["npm_lifecycle_event"] === "start";
  if (process.stdout.isTTY || started) process.stdout.write(firstSteps(hive.port));

  await hive.closed;
  process.off("SIGTERM", stop);
  process.off("SIGINT", stop);
}

function hiveOptions(options: ServeOptions): HiveOptions {
  return {
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.port === undefined ? {} : { port: parsePort(options.port) }),
    ...(options.unix === undefined ? {} : { unix: options.unix }),
    ...(options.maxMemory === undefined ? {} : { maxMemoryBytes: parseMaxMemory(options.maxMemory) }),
    ...(options.maxMemoryPolicy === undefined
      ? {}
      : { maxMemoryPolicy: parseMaxMemoryPolicy(options.maxMemoryPolicy) }),
    onNotice: (message) => process.stderr.write(`${new Date().toISOString()} ${message}\n`),
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^[0-9]+$/.test(text) && port <= 65_535) return port;
  throw new HiveError("REFUSED_SETTING", `--port ${text}: expected a whole number from 0 to 65535`);
}

function firstSteps(port: number): string {
  return [
    "",
    "Try it from another terminal, with any Redis client:",
    "",
    `  redis-cli -p ${port} SET greeting hello`,
    `  redis-cli -p ${port} GET greeting`,
    `  redis-cli -p ${port} HSET users ada 1815`,
    "",
    "Ctrl+C stops the hive; what is in it is gone then.",
    "",
  ].join("\n");
}
