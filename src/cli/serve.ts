// serve: a hive in the foreground.
//
//   settings ──▶ start ──▶ "memhive ready on 127.0.0.1:4483" ──▶ SIGTERM or SIGINT ──▶ close ──▶ exit 0
//                                                            └──▶ SIGHUP ──▶ files are read again
//
// Standard output has the line that says it is ready and nothing that a script would have to filter; the
// log goes to standard error. A hive goes on where nobody reads either.

import { isHiveError } from "../base/errors.ts";
import { DEFAULT_LIMITS } from "../base/limits.ts";
import type { Log, LogLevel } from "../base/log.ts";
import { VERSION } from "../base/version.ts";
import { Hive, type HiveOptions } from "../server/hive.ts";
import type { FlagTexts } from "../server/settings/flags.ts";
import { hiveOptionsOf } from "../server/settings/hive-options.ts";
import { changedSettings } from "../server/settings/listing.ts";
import { type ResolvedSettings, resolveSettings, suspiciousVariables } from "../server/settings/resolve.ts";
import { ignoreErrors, LogLines } from "./log-lines.ts";
import { ReloadSignal } from "./reload-signal.ts";
import { droppedLine, type LogSettings, openLog } from "./serve-log.ts";
import { StopSignals } from "./stop-signals.ts";
import { singleToken } from "./token-options.ts";

const EXIT_FAILED = 1;
const EXIT_SECOND_SIGNAL = 130;
/** How long a process that is done waits for somebody to read the last lines of its log. */
const LAST_LINES_MS = 500;

/** Runs a hive until a signal or SHUTDOWN ends it. Resolves with the exit code. */
export async function serve(flags: FlagTexts): Promise<number> {
  let log: Log | undefined;
  try {
    ignoreErrors(process.stdout);
    const settings = resolveSettings({ flags, environment: process.env });
    log = await logOf(settings);
    log.info({ version: VERSION, node: process.versions.node, settings: changedSettings(settings) }, "starting");
    for (const [variable, meant] of suspiciousVariables(process.env)) {
      log.warn({ variable, meant }, "this variable is no setting: is its name wrong?");
    }
    const token = singleToken(settings, (message) => log!.warn({}, message));
    const hive = await Hive.start({ ...hiveOptionsOf<HiveOptions>(settings), ...token, log, watched: true });
    const failure = await untilStopped(hive);
    if (failure !== undefined) throw failure;
    // Lines that nobody reads would keep the process; where there are none it does not come to this.
    setTimeout(() => process.exit(), LAST_LINES_MS).unref();
    return 0;
  } catch (error) {
    if (!isHiveError(error)) throw error;
    process.stderr.write(`memhive: ${error.message}\n`);
    return EXIT_FAILED;
  }
}

async function logOf(settings: ResolvedSettings): Promise<Log> {
  const format = settings.get("logFormat")!.value as LogSettings["format"];
  const level = settings.get("logLevel")!.value as LogLevel | "silent";
  const bytesMax = Number(settings.get("limits.noticeBytesMax")!.value ?? DEFAULT_LIMITS.noticeBytesMax);
  const lines = new LogLines(process.stderr, { bytesMax, droppedLine: droppedLine({ format, nowMs: Date.now }) });
  return await openLog(lines, { level, format, nowMs: Date.now });
}

/** Resolves when the hive is closed, with what went wrong about that. */
async function untilStopped(hive: Hive): Promise<unknown> {
  const signals = new StopSignals({
    stop: () => void hive.close().catch(() => {}),
    giveUp: () => process.exit(EXIT_SECOND_SIGNAL),
    monotonicMs: () => performance.now(),
  });
  const reload = new ReloadSignal({ reload: () => hive.reload(), hangUp: () => signals.receive() });
  signals.open();
  reload.open();

  process.stdout.write(`memhive ready on ${hive.address}\n`);
  const started = process.env["npm_lifecycle_event"] === "start";
  if (process.stdout.isTTY || started) process.stdout.write(firstSteps(hive));

  // They are listened for to the very end: a signal that comes while the process ends does not make its exit another one.
  await hive.closed;
  return hive.close().catch((error: unknown) => error);
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
