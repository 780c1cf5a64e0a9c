// serve: a hive in the foreground.
//
//   start ──▶ "memhive ready on 127.0.0.1:4483" ──▶ SIGTERM, SIGINT or SIGHUP ──▶ close ──▶ exit 0
//
// Standard output has the line that says it is ready and nothing that a script would have to filter;
// notices go to standard error. A hive goes on where nobody reads either.

import { HiveError, isHiveError } from "../base/errors.ts";
import { DEFAULT_LIMITS } from "../base/limits.ts";
import { Hive, type HiveOptions } from "../server/hive.ts";
import { parseMaxMemory, parseMaxMemoryPolicy } from "../server/memory-options.ts";
import { ignoreErrors, Notices } from "./notices.ts";
import type { ServeOptions } from "./serve-options.ts";
import { StopSignals } from "./stop-signals.ts";
import { tokenOptions } from "./token-options.ts";

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
    const failure = await untilStopped(hive);
    if (failure !== undefined) throw failure;
    // Notices that nobody reads would keep the process; where there are none it does not come to this.
    setTimeout(() => process.exit(), LAST_NOTICES_MS).unref();
    return 0;
  } catch (error) {
    if (!isHiveError(error)) throw error;
    process.stderr.write(`memhive: ${error.message}\n`);
    return EXIT_FAILED;
  }
}

/** Resolves when the hive is closed, with what went wrong about that. */
async function untilStopped(hive: Hive): Promise<unknown> {
  const signals = new StopSignals({
    stop: () => void hive.close().catch(() => {}),
    giveUp: () => process.exit(EXIT_SECOND_SIGNAL),
    monotonicMs: () => performance.now(),
  });
  signals.open();

  process.stdout.write(`memhive ready on ${hive.address}\n`);
  const started = process.env["npm_lifecycle_event"] === "start";
  if (process.stdout.isTTY || started) process.stdout.write(firstSteps(hive));

  // They are listened for to the very end: a signal that comes while the process ends does not make its exit another one.
  await hive.closed;
  return hive.close().catch((error: unknown) => error);
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
    ...(options.maxMemory === undefined ? {} : { maxMemoryBytes: parseMaxMemory(options.maxMemory) }),
    ...(options.maxMemoryPolicy === undefined
      ? {}
      : { maxMemoryPolicy: parseMaxMemoryPolicy(options.maxMemoryPolicy) }),
    ...snapshotOptions(options),
    ...tokenOptions(options, process.env, (message) => process.stderr.write(`memhive: ${message}\n`)),
  };
}

function snapshotOptions(options: ServeOptions): Pick<HiveOptions, "snapshots"> {
  const { snapshots: folder, snapshotInterval, snapshotKeep, snapshotFrom, noSnapshotAtClose } = options;
  if (folder === undefined) {
    if (snapshotInterval ?? snapshotKeep ?? snapshotFrom ?? noSnapshotAtClose) {
      throw new HiveError("REFUSED_SETTING", "--snapshots FOLDER is missing: without it no snapshots are kept");
    }
    return {};
  }
  return {
    snapshots: {
      folder,
      atClose: noSnapshotAtClose !== true,
      ...(snapshotInterval === undefined ? {} : { intervalMs: parseTime("--snapshot-interval", snapshotInterval) }),
      ...(snapshotKeep === undefined ? {} : { keep: parseCount("--snapshot-keep", snapshotKeep) }),
      ...(snapshotFrom === undefined ? {} : { from: snapshotFrom }),
    },
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseTime(flag: string, text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (match) return Number(match[1]) * UNITS[match[2]!]!;
  throw new HiveError("REFUSED_SETTING", `${flag} ${text}: expected a time, such as 30s, 15m or 1h`);
}

function parseCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new HiveError("REFUSED_SETTING", `${flag} ${text}: expected a whole number from 1`);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^[0-9]+$/.test(text) && port <= 65_535) return port;
  throw new HiveError("REFUSED_SETTING", `--port ${text}: expected a whole number from 0 to 65535`);
}

function firstSteps({ port, address, snapshots }: Hive): string {
  const where = port === 0 ? `-s ${address}` : `-p ${port}`;
  return [
    "",
    "Try it from another terminal, with any Redis client:",
    "",
    `  redis-cli ${where} SET greeting hello`,
    `  redis-cli ${where} GET greeting`,
    `  redis-cli ${where} HSET users ada 1815`,
    "",
    snapshots === undefined
      ? "Ctrl+C stops the hive; what is in it is gone then (--snapshots FOLDER keeps it)."
      : `Ctrl+C stops the hive; its content is in ${snapshots.status().place} then.`,
    "",
  ].join("\n");
}
