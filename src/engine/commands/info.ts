// INFO: what operators, dashboards and clients read of a hive, in Redis's form.
//
//   # Server            one section per function below, asked for by name
//   redis_version:7.4.0
//
// Field names are Redis's where the figure is the same thing, since tools look for them (clients wait
// for `loading:0`). What a hive does not have is not shown. Times of commands are explained in latency.ts.

import { arch, platform, release, totalmem } from "node:os";
import { ERRORS } from "../../base/errors.ts";
import { runId } from "../../store/header.ts";
import { KEYSPACE_ROOT, PAGE_BYTES } from "../../store/layout.ts";
import type { Args } from "../args.ts";
import { type Context, GATE_MULTI } from "../context.ts";
import { HIVE_VERSION, REDIS_VERSION } from "../identity.ts";
import type { Reply } from "../reply.ts";

type Fields = Readonly<Record<string, string | number>>;
type Section = (context: Context) => Fields;

const SECTIONS: Readonly<Record<string, Section>> = {
  server,
  clients,
  memory,
  persistence,
  stats,
  replication,
  cpu,
  commandstats,
  errorstats,
  errorcodes,
  latencystats,
  loop,
  structures,
  sessions,
  cluster: () => ({ cluster_enabled: 0 }),
  keyspace,
};
/** Left out where nothing is asked for: long. */
const EXTRA: readonly string[] = ["commandstats", "errorcodes", "latencystats"];
/**
 * What tells to the byte or to the key how much others have: not for a token that may not read every key,
 * which may not call DBSIZE or MEMORY STATS either. The keyspace is left empty for it.
 */
const OF_ALL_KEYS: ReadonlySet<string> = new Set([
  "used_memory_dataset",
  "allocator_allocated",
  "current_save_keys_processed",
  "current_save_keys_total",
  "rdb_changes_since_last_save",
  "snapshot_last_bytes",
  "snapshot_backlog_bytes",
  "db0",
]);
const TITLES: Readonly<Record<string, string>> = { cpu: "CPU" };

export function info(context: Context, args: Args, reply: Reply): void {
  const wanted = new Set<string>();
  for (let i = 2; i <= args.count; i++) {
    const word = args.count === 1 ? "default" : args.latin1(i - 1).toLowerCase();
    for (const name of namesFor(word)) wanted.add(name);
  }
  if (args.count === 1) for (const name of namesFor("default")) wanted.add(name);
  const shown = Object.keys(SECTIONS).filter((name) => wanted.has(name));
  reply.verbatim("txt", shown.map((name) => section(name, context)).join("\r\n"));
}

function namesFor(word: string): readonly string[] {
  const all = Object.keys(SECTIONS);
  if (word === "all" || word === "everything") return all;
  if (word === "default") return all.filter((name) => !EXTRA.includes(name));
  return Object.hasOwn(SECTIONS, word) ? [word] : [];
}

function section(name: string, context: Context): string {
  const title = TITLES[name] ?? `${name[0]!.toUpperCase()}${name.slice(1)}`;
  const { token } = context;
  const seesAll = token === undefined || token.grants.everywhere("read");
  const fields = Object.entries(SECTIONS[name]!(context)).filter(([field]) => seesAll || !OF_ALL_KEYS.has(field));
  return `# ${title}\r\n${fields.map(([field, value]) => `${field}:${value}\r\n`).join("")}`;
}

function server({ services, store }: Context): Fields {
  const uptimeSeconds = Math.floor((services.nowMs - services.startedAtMs) / 1000);
  return {
    redis_version: REDIS_VERSION,
    memhive_version: HIVE_VERSION,
    redis_mode: "standalone",
    os: `${platform()} ${release()} ${arch()}`,
    arch_bits: 64,
    node_version: process.versions.node,
    process_id: process.pid,
    run_id: runId(store.memory.segments.words[0]!),
    tcp_port: services.settings.get("port") ?? 0,
    server_time_usec: Math.round(services.clockMs() * 1000),
    uptime_in_seconds: uptimeSeconds,
    uptime_in_days: Math.floor(uptimeSeconds / 86_400),
    executable: process.execPath,
    config_file: "",
  };
}

function clients({ services }: Context): Fields {
  let watching = 0;
  let inMulti = 0;
  let inputBytes = 0;
  let outputBytes = 0;
  for (const { transaction, gate, peer } of services.clients.values()) {
    inputBytes += peer.inputBytes;
    outputBytes += peer.outputBytes;
    if (transaction !== undefined && transaction.watched.size > 0) watching++;
    if ((gate & GATE_MULTI) !== 0) inMulti++;
  }
  return {
    connected_clients: services.clients.size,
    cluster_connections: 0,
    maxclients: services.settings.connectionsMax,
    blocked_clients: services.blocked.size,
    tracking_clients: services.tracking.clients,
    watching_clients: watching,
    clients_in_multi: inMulti,
    total_watched_keys: services.watches.size,
    total_input_bytes_waiting: inputBytes,
    total_output_bytes_waiting: outputBytes,
  };
}

function memory({ store, services }: Context): Fields {
  const { pages, totals } = store.memory;
  const { eviction } = store;
  const { rss, heapUsed, external } = process.memoryUsage();
  const peakBytes = Math.max(services.statistics.peakBytes, store.usedBytes);
  return {
    used_memory: store.usedBytes,
    used_memory_human: human(store.usedBytes),
    used_memory_rss: rss,
    used_memory_rss_human: human(rss),
    used_memory_peak: peakBytes,
    used_memory_peak_human: human(peakBytes),
    used_memory_dataset: totals.entryBytes,
    allocator_allocated: pages.blockBytes,
    allocator_active: pages.inUse * PAGE_BYTES,
    allocator_resident: rss,
    js_heap_used: heapUsed,
    js_external: external,
    total_system_memory: totalmem(),
    total_system_memory_human: human(totalmem()),
    maxmemory: eviction.maxMemoryBytes,
    maxmemory_human: human(eviction.maxMemoryBytes),
    maxmemory_policy: eviction.policy,
    mem_fragmentation_ratio: (rss / Math.max(1, store.usedBytes)).toFixed(2),
    mem_allocator: "memhive",
    active_defrag_running: store.compactor.wanted ? 1 : 0,
  };
}

/** Redis's names; `snapshot_…` is what Redis does not have. */
function persistence({ services }: Context): Fields {
  const { work, last, lastFailure, changes, stores, failures } = services.persistence.status();
  const storing = work?.kind === "store" ? work : undefined;
  const loading = work !== undefined && storing === undefined;
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  return {
    loading: loading ? 1 : 0,
    async_loading: 0,
    ...(loading ? { loading_loaded_perc: Math.floor(work.progress * 100) } : {}),
    current_save_keys_processed: storing?.keys ?? 0,
    current_save_keys_total: storing?.keysTotal ?? 0,
    rdb_changes_since_last_save: changes,
    rdb_bgsave_in_progress: storing === undefined ? 0 : 1,
    rdb_last_save_time: seconds(last?.createdMs ?? services.startedAtMs),
    rdb_last_bgsave_status: lastFailure?.kind === "store" ? "err" : "ok",
    rdb_last_bgsave_time_sec: last === undefined ? -1 : seconds(last.durationMs),
    rdb_current_bgsave_time_sec: storing === undefined ? -1 : seconds(services.nowMs - storing.startedMs),
    rdb_saves: stores,
    snapshot_failures: failures,
    snapshot_last_name: last?.name ?? "",
    snapshot_last_bytes: last?.bytes ?? 0,
    snapshot_progress_perc: Math.floor((storing?.progress ?? 0) * 100),
    snapshot_backlog_bytes: storing?.backlogBytes ?? 0,
    aof_enabled: 0,
    aof_rewrite_in_progress: 0,
  };
}

function stats({ services, store }: Context): Fields {
  const { connections, calls, refusedConnections, errors } = services.statistics;
  const tracked = services.tracking.figures;
  return {
    total_connections_received: connections,
    total_commands_processed: calls,
    instantaneous_ops_per_sec: services.statistics.callsPerSecond,
    rejected_connections: refusedConnections,
    expired_keys: store.keys.expired,
    evicted_keys: store.keys.evicted,
    expired_fields: store.expiredFields,
    keyspace_hits: store.keys.hits,
    keyspace_misses: store.keys.misses,
    pubsub_channels: services.bus.size("channel"),
    pubsub_patterns: services.bus.size("pattern"),
    pubsubshard_channels: services.bus.size("shard"),
    feed_watchers: services.feed.watchers,
    feed_history_changes: services.feed.history.changes,
    feed_history_bytes: services.feed.history.bytes,
    near_streams: services.tracking.feeds.size,
    tracking_total_keys: tracked.keys,
    tracking_total_items: tracked.items,
    tracking_total_prefixes: tracked.prefixes,
    total_error_replies: errors,
  };
}

function replication({ store }: Context): Fields {
  return {
    role: "master",
    connected_slaves: 0,
    master_failover_state: "no-failover",
    master_replid: runId(store.memory.segments.words[0]!).padEnd(40, "0"),
    master_repl_offset: 0,
  };
}

function cpu(): Fields {
  const { user, system } = process.cpuUsage();
  return { used_cpu_sys: (system / 1e6).toFixed(6), used_cpu_user: (user / 1e6).toFixed(6) };
}

/** The time of a fast command is what its timed calls tell of all of them. */
function commandstats({ services }: Context): Fields {
  const fields: Record<string, string> = {};
  for (const { wireName, calls, errors, rejected, microseconds } of services.commands.each()) {
    if (calls + rejected === 0) continue;
    const perCall = calls === 0 ? 0 : microseconds / calls;
    const figures = `calls=${calls},usec=${Math.round(microseconds)},usec_per_call=${perCall.toFixed(2)}`;
    fields[`cmdstat_${wireName}`] = `${figures},rejected_calls=${rejected},failed_calls=${errors}`;
  }
  return fields;
}

/** Percentiles of each command that was called, in microseconds. */
function latencystats({ services }: Context): Fields {
  const fields: Record<string, string> = {};
  for (const { wireName, latency } of services.commands.each()) {
    if (latency === undefined || latency.calls === 0) continue;
    const shown = PERCENTILES.map((percent) => {
      return `p${percent}=${latency.percentileMicroseconds(percent / 100).toFixed(3)}`;
    });
    fields[`latency_percentiles_usec_${wireName}`] = shown.join(",");
  }
  return fields;
}

const PERCENTILES: readonly number[] = [50, 99, 99.9];

/** Failed and refused calls by the word that RESP begins an error with, as in Redis. */
function errorstats({ services }: Context): Fields {
  const counts = new Map<string, number>();
  for (const [code, count] of services.statistics.errorsByCode) {
    const word = ERRORS[code].resp;
    counts.set(word, (counts.get(word) ?? 0) + count);
  }
  return Object.fromEntries([...counts].map(([word, count]) => [`errorstat_${word}`, `count=${count}`]));
}

/** The same by code (docs/errors.md). */
function errorcodes({ services }: Context): Fields {
  const { errorsByCode } = services.statistics;
  return Object.fromEntries([...errorsByCode].map(([code, count]) => [`errorcode_${code}`, `count=${count}`]));
}

/** How late the event loop comes to what is due; nothing where nobody measures. */
function loop({ services }: Context): Fields {
  const figures = services.loop.read();
  if (figures === undefined) return {};
  return {
    loop_window_ms: Math.round(figures.windowMs),
    loop_delay_p50_ms: figures.p50Ms.toFixed(3),
    loop_delay_p99_ms: figures.p99Ms.toFixed(3),
    "loop_delay_p99.9_ms": figures.p999Ms.toFixed(3),
    loop_delay_max_ms: figures.maxMs.toFixed(3),
    loop_delay_peak_ms: figures.peakMs.toFixed(3),
    loop_busy: figures.busy.toFixed(4),
  };
}

function structures({ services }: Context): Fields {
  const known = services.structures;
  if (known === undefined) return { structures: 0 };
  const { count, command, milliseconds } = known.blocked;
  return {
    structures: [...known.list()].length,
    structures_blocked: count,
    structures_blocked_last_command: command,
    structures_blocked_last_ms: Math.round(milliseconds),
  };
}

function sessions({ services }: Context): Fields {
  const { open, begun, closed, expired, evicted } = services.statistics.sessions();
  return {
    sessions_open: open,
    sessions_begun: begun,
    sessions_closed: closed,
    sessions_expired: expired,
    sessions_evicted: evicted,
  };
}

function keyspace({ store }: Context): Fields {
  const keys = store.keys.count;
  return keys === 0 ? {} : { db0: `keys=${keys},expires=${store.memory.containers.ttls(KEYSPACE_ROOT)},avg_ttl=0` };
}

function human(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const units = ["K", "M", "G", "T"];
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value.toFixed(2)}${units[unit]}`;
}
