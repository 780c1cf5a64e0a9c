// Reading: what INFO says at one moment, and what two of them say of the time between.
//
//   hive.info("everything") ──▶ readingOf() ──▶ Reading        (before, now) ──▶ ratesOf() ──▶ per second
//
// Counters that went back (CONFIG RESETSTAT, another hive at the same address) count as 0 and not as less.

import type { Info } from "../../client/info.ts";

export type CommandReading = {
  name: string;
  calls: number;
  rejected: number;
  failed: number;
  microseconds: number;
  /** Percentiles in microseconds; undefined before a call was timed. */
  p50: number | undefined;
  p99: number | undefined;
  p999: number | undefined;
};

export type Reading = {
  /** Of the clock of this process. */
  atMs: number;
  info: Info;
  commands: ReadonlyMap<string, CommandReading>;
  clients: readonly ClientLine[];
};

export type ClientLine = {
  id: string;
  address: string;
  name: string;
  ageSeconds: number;
  idleSeconds: number;
  command: string;
  waitingBytes: number;
};

export type Rates = {
  calls: number;
  hits: number;
  misses: number;
  evicted: number;
  expired: number;
  errors: number;
  connections: number;
  /** Busiest first: calls per second, the mean time of these calls, and the percentiles since the start. */
  commands: readonly (CommandReading & { perSecond: number; meanMicroseconds: number })[];
};

export function readingOf(info: Info, clientList: string, atMs: number): Reading {
  const stats = info["commandstats"] ?? {};
  const percentiles = info["latencystats"] ?? {};
  const commands = new Map<string, CommandReading>();
  for (const [field, value] of Object.entries(stats)) {
    const name = field.replace("cmdstat_", "");
    const figures = pairsOf(value);
    const times = pairsOf(percentiles[`latency_percentiles_usec_${name}`] ?? "");
    commands.set(name, {
      name,
      calls: figures["calls"] ?? 0,
      rejected: figures["rejected_calls"] ?? 0,
      failed: figures["failed_calls"] ?? 0,
      microseconds: figures["usec"] ?? 0,
      p50: times["p50"],
      p99: times["p99"],
      p999: times["p99.9"],
    });
  }
  return { atMs, info, commands, clients: clientList.split("\n").filter(Boolean).map(clientOf) };
}

/** "a=1,b=2" ──▶ { a: 1, b: 2 } */
function pairsOf(value: string | number): Record<string, number> {
  const pairs = String(value)
    .split(",")
    .map((pair) => pair.split("="));
  return Object.fromEntries(pairs.filter((pair) => pair.length === 2).map(([name, figure]) => [name!, Number(figure)]));
}

function clientOf(line: string): ClientLine {
  const fields = new Map(
    line.split(" ").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
  return {
    id: fields.get("id") ?? "",
    address: fields.get("addr") ?? "",
    name: fields.get("name") ?? "",
    ageSeconds: Number(fields.get("age") ?? 0),
    idleSeconds: Number(fields.get("idle") ?? 0),
    command: fields.get("cmd") ?? "",
    waitingBytes: Number(fields.get("omem") ?? 0),
  };
}

export function fact(reading: Reading, section: string, name: string): number {
  return Number(reading.info[section]?.[name] ?? 0);
}

/** What happened between the two, per second. Without `before` all since the start of the hive. */
export function ratesOf(before: Reading | undefined, now: Reading): Rates {
  const seconds =
    before === undefined
      ? Math.max(1, fact(now, "server", "uptime_in_seconds"))
      : Math.max(0.001, (now.atMs - before.atMs) / 1000);
  const per = (name: string): number => {
    const grown = fact(now, "stats", name) - (before === undefined ? 0 : fact(before, "stats", name));
    return Math.max(0, grown) / seconds;
  };
  const commands = [...now.commands.values()].map((command) => {
    const was = before?.commands.get(command.name);
    const calls = Math.max(0, command.calls - (was?.calls ?? 0));
    const microseconds = Math.max(0, command.microseconds - (was?.microseconds ?? 0));
    return { ...command, perSecond: calls / seconds, meanMicroseconds: calls === 0 ? 0 : microseconds / calls };
  });
  return {
    calls: per("total_commands_processed"),
    hits: per("keyspace_hits"),
    misses: per("keyspace_misses"),
    evicted: per("evicted_keys"),
    expired: per("expired_keys"),
    errors: per("total_error_replies"),
    connections: per("total_connections_received"),
    commands: commands.toSorted((a, b) => b.perSecond - a.perSecond || b.calls - a.calls || (a.name < b.name ? -1 : 1)),
  };
}
