// serve: a hive in the foreground.
//
//   start ──▶ "memhive ready on 127.0.0.1:4483" ──▶ SIGTERM or SIGINT ──▶ close ──▶ exit 0          SIGHUP ──▶ reload
//
// Standard output has the line that says it is ready and nothing that a script would have to filter;
// notices go to standard error. A hive goes on where nobody reads either.

import { HiveError, isHiveError } from "../base/errors.ts";
import { DEFAULT_LIMITS } from "../base/limits.ts";
import { Hive, type HiveOptions } from "../server/hive.ts";
import { parseMaxMemory, parseMaxMemoryPolicy } from "../server/memory-options.ts";
import { ignoreErrors, Notices } from "./notices.ts";
import { ReloadSignal } from "./reload-signal.ts";
import type { ServeOptions } from "./serve-options.ts";
import { StopSignals } from "./stop-signals.ts";
import { tlsOptions } from "./tls-options.ts";

const EXIT_FAILED = 1;
const EXIT_SECOND_SIGNAL = 130;
/** How long a process that is done waits for somebody to read its last notices. */
const LAST_NOTICES_MS = 500;

/** Runs a hive until a signal or SHUTDOWN ends it. Resolves with the exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  try {
    ignoreErrors(process.stdout);
    const notices = new Notices(process.stderr, { bytesMax: DEFAULT_LIMITS.noticeBytesMax, nowMs: Date.now });
    const hive = await Hive.start({ ...hiveOptions(options), onNotice: (message) => notices.write(message) });
    await untilStopped(hive);
    // Notices that nobody reads would keep the process; where there are none it does not come to this.
    setTimeout(() => process.exit(), LAST_NOTICES_MS).unref();
    return 0;
  } catch (error) {
    if (!isHiveError(error)) throw error;
    process.stderr.write(`memhive: ${error.message}\n`);
    return EXIT_FAILED;
  }
}

async function untilStopped(hive: Hive): Promise<void> {
  const signals = new StopSignals({
    stop: () => void hive.close(),
    giveUp: () => process.exit(EXIT_SECOND_SIGNAL),
    monotonicMs: () => performance.now(),
  });
  const reload = new ReloadSignal({ reload: () => hive.reload(), hangUp: () => signals.receive() });
  signals.open();
  reload.open();

  process.stdout.write(`memhive ready on ${hive.address}\n`);
  const started = process.env["npm_lifecycle_event"] === "start";
  if (process.stdout.isTTY || started) process.stdout.write(firstSteps(hive));

  await hive.closed;
  signals.close();
  reload.close();
}

function hiveOptions(options: ServeOptions): HiveOptions {
  if (options.noTcp && (options.host !== undefined || options.port !== undefined)) {
    throw new HiveError("REFUSED_SETTING", "--no-tcp means no --host and no --port: leave out one or the other");
  }
  return {
    ...(options.noTcp ? { port: false } : {}),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.port === undefined ? {} : { port: parsePort(options.port) }),
    ...(options.unix === undefined ? {} : { unix: options.unix }),
    ...tlsOptions(options),
    ...(options.maxMemory === undefined ? {} : { maxMemoryBytes: parseMaxMemory(options.maxMemory) }),
    ...(options.maxMemoryPolicy === undefined
      ? {}
      : { maxMemoryPolicy: parseMaxMemoryPolicy(options.maxMemoryPolicy) }),
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^[0-9]+$/.test(text) && port <= 65_535) return port;
  throw new HiveError("REFUSED_SETTING", `--port ${text}: expected a whole number from 0 to 65535`);
}

function firstSteps({ port, address }: Hive): string {
  const where = port === 0 ? `-s ${address}` : `-p ${port}`;
  return [
    "",
    "Try it from another terminal, with any Redis client:",
    "",
    `  redis-cli ${where} SET greeting hello`,
    `  redis-cli ${where} GET greeting`,
    `  redis-cli ${where} HSET users ada 1815`,
    "",
    "Ctrl+C stops the hive; what is in it is gone then.",
    "",
  ].join("\n");
}
