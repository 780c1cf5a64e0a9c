// serve: a hive in the foreground.
//
//   start ──▶ "memhive ready on 127.0.0.1:4483" ──▶ SIGTERM or SIGINT ──▶ close ──▶ exit 0
//
// Standard output has the line that says it is ready and nothing that a script would have to filter;
// notices go to standard error. A second signal does not wait for the close.

import { HiveError } from "../base/errors.ts";
import { Hive, type HiveOptions } from "../server/hive.ts";
import { parseMaxMemory, parseMaxMemoryPolicy } from "../server/memory-options.ts";

/** As commander gives them: text. */
export type ServeOptions = {
  host: string;
  port: string;
  unix?: string;
  maxMemory?: string;
  maxMemoryPolicy?: string;
};

const EXIT_SECOND_SIGNAL = 130;

/** Runs a hive until a signal or SHUTDOWN ends it. @throws {HiveError} it cannot be started. */
export async function serve(options: ServeOptions): Promise<void> {
  const hive = await Hive.start(hiveOptions(options));
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
  const port = Number(options.port);
  if (!/^[0-9]+$/.test(options.port) || port > 65_535) {
    throw new HiveError("REFUSED_SETTING", `--port ${options.port}: expected a whole number from 0 to 65535`);
  }
  return {
    host: options.host,
    port,
    ...(options.unix === undefined ? {} : { unix: options.unix }),
    ...(options.maxMemory === undefined ? {} : { maxMemoryBytes: parseMaxMemory(options.maxMemory) }),
    ...(options.maxMemoryPolicy === undefined
      ? {}
      : { maxMemoryPolicy: parseMaxMemoryPolicy(options.maxMemoryPolicy) }),
    onNotice: (message) => process.stderr.write(`${new Date().toISOString()} ${message}\n`),
  };
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
