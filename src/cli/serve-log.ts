// The log of `memhive serve`, on standard error.
//
//   text   2026-01-31T12:00:00.000Z warn  connection ended by the hive  address=127.0.0.1:50123 reason="…"
//   json   {"level":"warn","time":"2026-01-31T12:00:00.000Z","pid":7,"address":"127.0.0.1:50123",…}      pino
//
// Either goes through LogLines, which is bounded. pino is loaded for JSON alone: it keeps memory for as long
// as the hive runs (docs/decisions/0009-settings.md).

import { LOG_LEVELS, type Log, type LogFields, type LogLevel, SILENT_LOG } from "../base/log.ts";
import type { LogLines } from "./log-lines.ts";

export type LogSettings = { level: LogLevel | "silent"; format: "text" | "json"; nowMs(): number };

/** What the lines of a log say where some were dropped. */
export function droppedLine({ format, nowMs }: Pick<LogSettings, "format" | "nowMs">): (count: number) => string {
  return (count) => {
    const time = new Date(nowMs()).toISOString();
    const message = "lines of the log were dropped before this: nobody read them";
    if (format === "json") return JSON.stringify({ level: "warn", time, pid: process.pid, lines: count, msg: message });
    return textLine({ time, level: "warn", fields: { lines: count }, message });
  };
}

export async function openLog(lines: LogLines, { level, format, nowMs }: LogSettings): Promise<Log> {
  if (level === "silent") return SILENT_LOG;
  return format === "json" ? openPino(lines, level) : textLog(lines, level, nowMs);
}

async function openPino(lines: LogLines, level: LogLevel): Promise<Log> {
  const { pino } = await import("pino");
  const destination = { write: (line: string) => lines.write(line.trimEnd()) };
  const log: Log = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return log;
}

function textLog(lines: LogLines, least: LogLevel, nowMs: () => number): Log {
  const at = (level: LogLevel): Log["info"] => {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return () => {};
    return (fields, message) =>
      lines.write(textLine({ time: new Date(nowMs()).toISOString(), level, fields, message }));
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

type Line = { time: string; level: LogLevel; fields: LogFields; message: string };

/** One line, whatever a client has put into a field. */
function textLine({ time, level, fields, message }: Line): string {
  const pairs = Object.entries(flat(fields)).map(([name, value]) => `${name}=${word(value)}`);
  return [time, level.padEnd(5), message, ...(pairs.length === 0 ? [] : ["", ...pairs])].join(" ");
}

/** { settings: { port: "0" } } ──▶ { "settings.port": "0" } */
function flat(fields: LogFields, prefix = ""): Record<string, unknown> {
  const names: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Error);
    if (isObject) Object.assign(names, flat(value as LogFields, `${prefix}${name}.`));
    else names[`${prefix}${name}`] = value instanceof Error ? value.message : value;
  }
  return names;
}

/** Without quotes where it is plain: then it can be read and searched for as it stands. */
function word(value: unknown): string {
  const text = Array.isArray(value) ? value.join(",") : String(value);
  return /^[\w.:/,@%+[\]-]+$/.test(text) ? text : JSON.stringify(text);
}
