// Screen: a reading as lines of text, as many and as wide as there is room for.
//
//   (reading, rates, { columns, rows }) ──▶ lines ──▶ the terminal, or standard output once

import { byteSize } from "../byte-size.ts";
import { fact, type Rates, type Reading } from "./reading.ts";

export type ScreenOptions = {
  address: string;
  columns: number;
  rows: number;
  clients: boolean;
  /** Why what is shown may be old: the connection is lost. */
  notice?: string;
};

const COMMANDS_MIN = 5;

/** Lines without their ends; none is longer than `columns`. */
export function screenLines(reading: Reading, rates: Rates, options: ScreenOptions): string[] {
  const head = [...summary(reading, rates, options), ""];
  const left = Math.max(0, options.rows - head.length - 1);
  const commandsRoom = options.clients ? Math.max(COMMANDS_MIN, Math.floor(left / 2)) : left;
  const lines = [...head, ...commandLines(rates).slice(0, commandsRoom)];
  if (options.clients) lines.push("", ...clientLines(reading));
  return lines.slice(0, options.rows).map((line) => cut(line, options.columns));
}

function summary(reading: Reading, rates: Rates, { address, notice }: ScreenOptions): string[] {
  const { info } = reading;
  const of = (section: string, name: string): number => fact(reading, section, name);
  const used = of("memory", "used_memory");
  const max = of("memory", "maxmemory");
  const looked = rates.hits + rates.misses;
  const hitRate = looked === 0 ? "–" : `${((100 * rates.hits) / looked).toFixed(1)} %`;
  const ms = (name: string): string => `${of("loop", name).toFixed(2)} ms`;
  return [
    `memhive ${info["server"]?.["memhive_version"] ?? ""} at ${address}   up ${duration(of("server", "uptime_in_seconds"))}${notice === undefined ? "" : `   ${notice}`}`,
    `calls    ${perSecond(rates.calls)}   hits ${hitRate}   errors ${perSecond(rates.errors)}   expired ${perSecond(rates.expired)}   evicted ${perSecond(rates.evicted)}`,
    `memory   ${bytes(used)}${max > 0 ? ` of ${bytes(max)} (${((100 * used) / max).toFixed(0)} %)` : ""}   resident ${bytes(of("memory", "used_memory_rss"))}   peak ${bytes(of("memory", "used_memory_peak"))}   ${keys(reading)}`,
    `clients  ${of("clients", "connected_clients")} of ${of("clients", "maxclients")}   new ${perSecond(rates.connections)}   unread replies ${bytes(of("clients", "total_output_bytes_waiting"))}`,
    `loop     busy ${(100 * of("loop", "loop_busy")).toFixed(0)} %   late p50 ${ms("loop_delay_p50_ms")}   p99 ${ms("loop_delay_p99_ms")}   p99.9 ${ms("loop_delay_p99.9_ms")}   max ${ms("loop_delay_max_ms")}`,
    `snapshot ${snapshot(reading)}`,
  ];
}

function keys({ info }: Reading): string {
  const count = /keys=(\d+)/.exec(String(info["keyspace"]?.["db0"] ?? ""))?.[1] ?? "0";
  return `${Number(count).toLocaleString("en-US")} keys`;
}

function snapshot(reading: Reading): string {
  const of = (name: string): number => fact(reading, "persistence", name);
  const changes = `${of("rdb_changes_since_last_save").toLocaleString("en-US")} changes since the last`;
  if (of("rdb_bgsave_in_progress") === 1) {
    const [done, total] = [of("current_save_keys_processed"), of("current_save_keys_total")];
    const part = total === 0 ? 0 : Math.min(1, done / total);
    const bar = `[${"#".repeat(Math.round(part * 20)).padEnd(20, ".")}]`;
    return `${bar} ${(100 * part).toFixed(0)} %, ${duration(of("rdb_current_bgsave_time_sec"))}   ${changes}`;
  }
  if (of("rdb_saves") === 0) return `none yet   ${changes}`;
  const failed = reading.info["persistence"]?.["rdb_last_bgsave_status"] === "ok" ? "" : "   THE LAST ONE FAILED";
  const agoSeconds = Math.max(0, Math.floor(reading.atMs / 1000) - of("rdb_last_save_time"));
  return `${duration(agoSeconds)} ago   ${changes}${failed}`;
}

function commandLines({ commands }: Rates): string[] {
  const head = ["COMMAND", "CALLS/S", "CALLS", "MEAN µs", "P50 µs", "P99 µs", "P99.9 µs", "FAILED", "REJECTED"];
  const rows = commands.map((command) => [
    command.name,
    rate(command.perSecond),
    `${command.calls}`,
    command.meanMicroseconds.toFixed(2),
    time(command.p50),
    time(command.p99),
    time(command.p999),
    `${command.failed}`,
    `${command.rejected}`,
  ]);
  return table([head, ...rows]);
}

function clientLines({ clients }: Reading): string[] {
  const head = ["CLIENT", "NAME", "AGE", "IDLE", "UNREAD", "LAST COMMAND"];
  const rows = clients.map((client) => [
    client.address,
    client.name === "" ? "–" : client.name,
    duration(client.ageSeconds),
    duration(client.idleSeconds),
    bytes(client.waitingBytes),
    client.command,
  ]);
  return table([head, ...rows]);
}

/** Columns, the first to the left and figures to the right. */
function table(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "),
  );
}

function time(microseconds: number | undefined): string {
  return microseconds === undefined ? "–" : microseconds.toFixed(microseconds < 100 ? 2 : 0);
}

function rate(value: number): string {
  return value >= 100 || value === 0 ? `${Math.round(value)}` : value.toFixed(1);
}

function perSecond(value: number): string {
  return `${rate(value)}/s`;
}

/** Of memory. */
export function bytes(value: number): string {
  return byteSize(value, 1024);
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** What a client calls itself must not move the cursor. */
function cut(line: string, columns: number): string {
  const plain = line.replace(/[\p{Cc}\p{Cf}]/gu, "?");
  return plain.length > columns ? `${plain.slice(0, Math.max(0, columns - 1))}…` : plain;
}
