// Redis settings: the names of Redis's configuration that mean nothing to a hive.
//
// Clients, tools and test suites set them and expect OK, so they are accepted, checked as Redis 7.0
// checks them, remembered, and have no effect; docs/redis-differences.md lists them. Two kinds are
// refused instead: what Redis itself does not change while it runs, and what would promise a protection
// that is not there (passwords).

import {
  bytesBetween,
  type Check,
  checkFixed,
  checkOutputLimits,
  checkProtected,
  checkSavePoints,
  checkText,
  checkYesNo,
  INT_MAX,
  LONG_MAX,
  oneOf,
  wholeBetween,
} from "./setting-values.ts";

/** A setting without effect: its value in a new Redis, and what it may become. */
export type RedisSetting = {
  readonly name: string;
  readonly value: string;
  readonly check: (value: string, before: string) => string;
  /** False for what can only be read. */
  readonly canChange: boolean;
};

function setting(name: string, value: string, check: RedisSetting["check"]): RedisSetting {
  return { name, value, check, canChange: check !== checkFixed && check !== checkProtected };
}

function yesNo(name: string, value: string): RedisSetting {
  return setting(name, value, checkYesNo);
}

function whole(name: string, value: string, min: bigint | number, max: bigint | number): RedisSetting {
  return setting(name, value, wholeBetween(BigInt(min), BigInt(max)));
}

function bytes(name: string, value: string): RedisSetting {
  return setting(name, value, bytesBetween(0n, LONG_MAX));
}

function choice(name: string, value: string, words: readonly string[]): RedisSetting {
  return setting(name, value, oneOf(words));
}

function text(name: string, value: string, check: Check = checkText): RedisSetting {
  return setting(name, value, check);
}

function fixed(name: string, value: string): RedisSetting {
  return setting(name, value, checkFixed);
}

function guarded(name: string, value: string): RedisSetting {
  return setting(name, value, checkProtected);
}

const OUTPUT_LIMITS = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";

// biome-ignore format: a table reads better aligned
export const REDIS_SETTINGS: readonly RedisSetting[] = [
  yesNo("activedefrag", "no"),
  yesNo("activerehashing", "yes"),
  yesNo("aof-disable-auto-gc", "no"),
  yesNo("aof-load-truncated", "yes"),
  yesNo("aof-rewrite-incremental-fsync", "yes"),
  yesNo("aof-timestamp-enabled", "no"),
  yesNo("aof-use-rdb-preamble", "yes"),
  yesNo("appendonly", "no"),
  yesNo("cluster-allow-pubsubshard-when-down", "yes"),
  yesNo("cluster-allow-reads-when-down", "no"),
  yesNo("cluster-allow-replica-migration", "yes"),
  yesNo("cluster-replica-no-failover", "no"),
  yesNo("cluster-require-full-coverage", "yes"),
  yesNo("crash-log-enabled", "yes"),
  yesNo("crash-memcheck-enabled", "yes"),
  yesNo("dynamic-hz", "yes"),
  yesNo("jemalloc-bg-thread", "yes"),
  yesNo("latency-tracking", "yes"),
  yesNo("lazyfree-lazy-eviction", "no"),
  yesNo("lazyfree-lazy-expire", "no"),
  yesNo("lazyfree-lazy-server-del", "no"),
  yesNo("lazyfree-lazy-user-del", "no"),
  yesNo("lazyfree-lazy-user-flush", "no"),
  yesNo("no-appendfsync-on-rewrite", "no"),
  yesNo("protected-mode", "yes"),
  yesNo("rdb-del-sync-files", "no"),
  yesNo("rdb-save-incremental-fsync", "yes"),
  yesNo("rdbcompression", "yes"),
  yesNo("repl-disable-tcp-nodelay", "no"),
  yesNo("repl-diskless-sync", "yes"),
  yesNo("replica-announced", "yes"),
  yesNo("replica-ignore-disk-write-errors", "no"),
  yesNo("replica-ignore-maxmemory", "yes"),
  yesNo("replica-lazy-flush", "no"),
  yesNo("replica-read-only", "yes"),
  yesNo("replica-serve-stale-data", "yes"),
  yesNo("stop-writes-on-bgsave-error", "yes"),
  whole("acllog-max-len", "128", 0, LONG_MAX),
  whole("active-defrag-cycle-max", "25", 1, 99),
  whole("active-defrag-cycle-min", "1", 1, 99),
  whole("active-defrag-max-scan-fields", "1000", 1, LONG_MAX),
  whole("active-defrag-threshold-lower", "10", 0, 1000),
  whole("active-defrag-threshold-upper", "100", 0, 1000),
  whole("active-expire-effort", "1", 1, 10),
  whole("auto-aof-rewrite-percentage", "100", 0, INT_MAX),
  whole("busy-reply-threshold", "5000", 0, LONG_MAX),
  whole("cluster-announce-bus-port", "0", 0, 65535),
  whole("cluster-announce-port", "0", 0, 65535),
  whole("cluster-announce-tls-port", "0", 0, 65535),
  whole("cluster-migration-barrier", "1", 0, INT_MAX),
  whole("cluster-node-timeout", "15000", 0, LONG_MAX),
  whole("cluster-replica-validity-factor", "10", 0, INT_MAX),
  whole("hash-max-listpack-entries", "512", 0, LONG_MAX),
  whole("hz", "10", 0, INT_MAX),
  whole("latency-monitor-threshold", "0", 0, LONG_MAX),
  whole("lfu-decay-time", "1", 0, INT_MAX),
  whole("lfu-log-factor", "10", 0, INT_MAX),
  whole("list-compress-depth", "0", 0, INT_MAX),
  whole("list-max-listpack-size", "-2", -2147483648, INT_MAX),
  whole("maxmemory-eviction-tenacity", "10", 0, 100),
  whole("maxmemory-samples", "5", 1, INT_MAX),
  whole("min-replicas-max-lag", "10", 0, INT_MAX),
  whole("min-replicas-to-write", "0", 0, INT_MAX),
  whole("repl-backlog-ttl", "3600", 0, LONG_MAX),
  whole("repl-diskless-sync-delay", "5", 0, INT_MAX),
  whole("repl-diskless-sync-max-replicas", "0", 0, INT_MAX),
  whole("repl-ping-replica-period", "10", 1, INT_MAX),
  whole("repl-timeout", "60", 1, INT_MAX),
  whole("replica-announce-port", "0", 0, 65535),
  whole("replica-priority", "100", 0, INT_MAX),
  whole("set-max-intset-entries", "512", 0, LONG_MAX),
  whole("shutdown-timeout", "10", 0, INT_MAX),
  whole("stream-node-max-entries", "100", 0, LONG_MAX),
  whole("tcp-keepalive", "300", 0, INT_MAX),
  whole("zset-max-listpack-entries", "128", 0, LONG_MAX),
  bytes("active-defrag-ignore-bytes", "104857600"),
  bytes("auto-aof-rewrite-min-size", "67108864"),
  bytes("client-query-buffer-limit", "1073741824"),
  bytes("cluster-link-sendbuf-limit", "0"),
  bytes("hash-max-listpack-value", "64"),
  bytes("hll-sparse-max-bytes", "3000"),
  bytes("maxmemory-clients", "0"),
  bytes("repl-backlog-size", "1048576"),
  bytes("stream-node-max-bytes", "4096"),
  bytes("zset-max-listpack-value", "64"),
  choice("acl-pubsub-default", "resetchannels", ["allchannels","resetchannels"]),
  choice("appendfsync", "everysec", ["everysec","always","no"]),
  choice("cluster-preferred-endpoint-type", "ip", ["ip","hostname","unknown-endpoint"]),
  choice("loglevel", "notice", ["debug","verbose","notice","warning"]),
  choice("oom-score-adj", "no", ["no","yes","relative","absolute"]),
  choice("propagation-error-behavior", "ignore", ["ignore","panic","panic-on-replicas"]),
  choice("repl-diskless-load", "disabled", ["disabled","on-empty-db","swapdb"]),
  choice("sanitize-dump-payload", "no", ["no","yes","clients"]),
  choice("shutdown-on-sigint", "default", ["default","save","nosave","now","force"]),
  choice("shutdown-on-sigterm", "default", ["default","save","nosave","now","force"]),
  text("bind-source-addr", ""),
  text("cluster-announce-hostname", ""),
  text("cluster-announce-ip", ""),
  text("ignore-warnings", ""),
  text("proc-title-template", "{title} {listen-addr} {server-mode}"),
  text("replica-announce-ip", ""),
  fixed("aclfile", ""),
  fixed("always-show-logo", "no"),
  fixed("aof_rewrite_cpulist", ""),
  fixed("appenddirname", "appendonlydir"),
  fixed("appendfilename", "appendonly.aof"),
  fixed("bgsave_cpulist", ""),
  fixed("bio_cpulist", ""),
  fixed("cluster-config-file", "nodes.conf"),
  fixed("cluster-enabled", "no"),
  fixed("cluster-port", "0"),
  fixed("daemonize", "no"),
  fixed("databases", "1"),
  fixed("disable-thp", "yes"),
  fixed("enable-module-command", "no"),
  fixed("enable-protected-configs", "no"),
  fixed("io-threads", "1"),
  fixed("io-threads-do-reads", "no"),
  fixed("logfile", ""),
  fixed("pidfile", ""),
  fixed("rdbchecksum", "yes"),
  fixed("replicaof", ""),
  fixed("server_cpulist", ""),
  fixed("set-proc-title", "yes"),
  fixed("socket-mark-id", "0"),
  fixed("supervised", "no"),
  fixed("syslog-enabled", "no"),
  fixed("syslog-facility", "local0"),
  fixed("syslog-ident", "redis"),
  fixed("tcp-backlog", "511"),
  fixed("unixsocketperm", "0"),
  whole("set-max-listpack-entries", "128", 0, LONG_MAX),
  bytes("set-max-listpack-value", "64"),
  // The limit of a call, frameBytesMax, does not change while a hive runs.
  setting("proto-max-bulk-len", "536870912", bytesBetween(1024n * 1024n, LONG_MAX)),
  text("save", "", checkSavePoints),
  text("latency-tracking-info-percentiles", "50 99 99.9"),
  text("oom-score-adj-values", "0 200 800"),
  setting("client-output-buffer-limit", OUTPUT_LIMITS, checkOutputLimits),
  // The addresses that a hive listens on are told when it starts.
  fixed("bind", "127.0.0.1"),
  fixed("port", "0"),
  fixed("tls-port", "0"),
  fixed("unixsocket", ""),
  fixed("enable-debug-command", "yes"),
  // What files it writes and who may come in is not for a connection to say.
  guarded("dir", ""),
  guarded("dbfilename", "dump.rdb"),
  guarded("requirepass", ""),
  guarded("masterauth", ""),
  guarded("masteruser", ""),
];

/** Names that Redis keeps for older clients, each with the name that it stands for. */
// biome-ignore format: a table reads better aligned
export const SETTING_ALIASES: ReadonlyMap<string, string> = new Map([
  ["cluster-slave-no-failover", "cluster-replica-no-failover"],
  ["cluster-slave-validity-factor", "cluster-replica-validity-factor"],
  ["hash-max-ziplist-entries", "hash-max-listpack-entries"],
  ["hash-max-ziplist-value", "hash-max-listpack-value"],
  ["list-max-ziplist-size", "list-max-listpack-size"],
  ["lua-time-limit", "busy-reply-threshold"],
  ["min-slaves-max-lag", "min-replicas-max-lag"],
  ["min-slaves-to-write", "min-replicas-to-write"],
  ["repl-ping-slave-period", "repl-ping-replica-period"],
  ["slave-announce-ip", "replica-announce-ip"],
  ["slave-announce-port", "replica-announce-port"],
  ["slave-ignore-maxmemory", "replica-ignore-maxmemory"],
  ["slave-lazy-flush", "replica-lazy-flush"],
  ["slave-priority", "replica-priority"],
  ["slave-read-only", "replica-read-only"],
  ["slave-serve-stale-data", "replica-serve-stale-data"],
  ["slaveof", "replicaof"],
  ["zset-max-ziplist-entries", "zset-max-listpack-entries"],
  ["zset-max-ziplist-value", "zset-max-listpack-value"],
]);
