// /metrics: the figures of INFO for Prometheus, in its text format, made by prom-client.
//
//   GET ──▶ may the caller ask INFO? ──▶ figures of engine and store, read now ──▶ Registry ──▶ text
//
// Nothing is counted a second time for it: every figure is one that the hive keeps anyway, so a hive that nobody
// scrapes pays nothing. prom-client is an optional peer, loaded with the first scrape.

import type { Counter, Gauge, Registry } from "prom-client";
import { HiveError } from "../../base/errors.ts";
import type { HttpAnswer } from "../../base/http-exchange.ts";
import type { Services } from "../../engine/context.ts";
import { HttpRefusal } from "./status.ts";

type Prometheus = typeof import("prom-client");

/** A token with quotas, and what of them is used. */
export type QuotaFigures = {
  token: string;
  used: Readonly<Record<string, number>>;
  max: Readonly<Record<string, number>>;
};

export type MetricsSource = {
  services: Services;
  version: string;
  /** Undefined where the caller may not see what others have. */
  quotas: readonly QuotaFigures[] | undefined;
  /** Whether the caller may read every key: else it is not told how many there are. */
  seesKeys: boolean;
};

const SECONDS_PER_MICROSECOND = 1e-6;

/** @throws {HttpRefusal} 501: prom-client is not installed */
export async function metricsPage(source: MetricsSource): Promise<HttpAnswer> {
  const prometheus = await load();
  const registry = new prometheus.Registry();
  const figures = new Figures(prometheus, registry);
  calls(figures, source.services);
  memory(figures, source.services);
  connections(figures, source.services);
  if (source.seesKeys) keys(figures, source.services);
  sessions(figures, source.services);
  if (source.quotas !== undefined) quotas(figures, source.quotas);
  loop(figures, source.services);
  figures.gauge("build_info", "The version that runs", [[{ version: source.version }, 1]]);
  registry.registerMetric(latencies(source.services) as never);
  const body = await registry.metrics();
  return { status: 200, headers: { "Content-Type": registry.contentType, "Cache-Control": "no-store" }, body };
}

async function load(): Promise<Prometheus> {
  try {
    const loaded = (await import("prom-client")) as Prometheus & { default?: Prometheus };
    return loaded.default ?? loaded;
  } catch (error) {
    const message = "/metrics needs the package prom-client: npm install prom-client";
    throw new HttpRefusal(501, new HiveError("UNSUPPORTED", message, { cause: error }));
  }
}

type Samples = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

class Figures {
  readonly #prometheus: Prometheus;
  readonly #registry: Registry;

  constructor(prometheus: Prometheus, registry: Registry) {
    this.#prometheus = prometheus;
    this.#registry = registry;
  }

  gauge(name: string, help: string, samples: Samples | number): void {
    const gauge: Gauge = new this.#prometheus.Gauge(this.#options(name, help, samples));
    for (const [labels, value] of samplesOf(samples)) gauge.set(labels, value);
  }

  counter(name: string, help: string, samples: Samples | number): void {
    const counter: Counter = new this.#prometheus.Counter(this.#options(`${name}_total`, help, samples));
    for (const [labels, value] of samplesOf(samples)) counter.inc(labels, value);
  }

  #options(
    name: string,
    help: string,
    samples: Samples | number,
  ): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    const labelNames = Object.keys(samplesOf(samples)[0]?.[0] ?? {});
    return { name: `memhive_${name}`, help, labelNames, registers: [this.#registry] };
  }
}

function samplesOf(samples: Samples | number): Samples {
  return typeof samples === "number" ? [[{}, samples]] : samples;
}

function calls(figures: Figures, { commands, statistics }: Services): void {
  const called = [...commands.each()].filter(({ calls, rejected }) => calls + rejected > 0);
  const of = (count: (entry: (typeof called)[number]) => number): Samples =>
    called.map((entry) => [{ command: entry.wireName }, count(entry)]);
  figures.counter(
    "calls",
    "Calls that ran, by command",
    of(({ calls }) => calls),
  );
  figures.counter(
    "failed_calls",
    "Calls that ran and failed, by command",
    of(({ errors }) => errors),
  );
  figures.counter(
    "refused_calls",
    "Calls that were refused before they ran, by command",
    of(({ rejected }) => rejected),
  );
  const errors = [...statistics.errorsByCode].map(([code, count]) => [{ code }, count] as const);
  figures.counter("errors", "Calls that failed or were refused, by code", errors);
}

/**
 * Prometheus's own form of a histogram, from the one that the hive keeps. Of fast commands one call in 128 or so is
 * timed and stands for the others.
 */
function latencies({ commands }: Services): object {
  const name = "memhive_call_duration_seconds";
  const values: object[] = [];
  for (const { wireName: command, latency } of commands.each()) {
    if (latency === undefined || latency.calls === 0) continue;
    for (const [microseconds, count] of latency.powers()) {
      const le = microseconds * SECONDS_PER_MICROSECOND;
      values.push({
        labels: { command, le: String(Number(le.toPrecision(12))) },
        value: count,
        metricName: `${name}_bucket`,
      });
    }
    const count = Math.round(latency.calls);
    values.push({ labels: { command, le: "+Inf" }, value: count, metricName: `${name}_bucket` });
    values.push({ labels: { command }, value: latency.nanoseconds / 1e9, metricName: `${name}_sum` });
    values.push({ labels: { command }, value: count, metricName: `${name}_count` });
  }
  const metric = { name, help: "How long calls took, by command", type: "histogram", aggregator: "sum", values };
  return { ...metric, get: async () => metric };
}

function memory(figures: Figures, { store }: Services): void {
  const { pages, totals } = store.memory;
  const { rss, heapUsed, external } = process.memoryUsage();
  figures.gauge("memory_bytes", "Memory by what it is taken for: each holds the one before it", [
    [{ kind: "entries" }, totals.entryBytes],
    [{ kind: "blocks" }, pages.blockBytes],
    [{ kind: "pages" }, store.usedBytes],
  ]);
  figures.gauge("process_memory_bytes", "Memory of the process, by kind", [
    [{ kind: "resident" }, rss],
    [{ kind: "heap" }, heapUsed],
    [{ kind: "external" }, external],
  ]);
  figures.gauge(
    "memory_max_bytes",
    "What the data may take; 0: as much as the system gives",
    store.eviction.maxMemoryBytes,
  );
}

function connections(figures: Figures, { clients, statistics, blocked }: Services): void {
  const doors = new Map<string, number>([
    ["resp", 0],
    ["native", 0],
    ["http", 0],
  ]);
  for (const { peer } of clients.values()) doors.set(peer.door, (doors.get(peer.door) ?? 0) + 1);
  figures.gauge(
    "connections",
    "Open connections, by door",
    [...doors].map(([door, count]) => [{ door }, count] as const),
  );
  figures.counter("connections_opened", "Connections that were opened", statistics.connections);
  figures.counter(
    "connections_refused",
    "Connections that were refused: there were too many",
    statistics.refusedConnections,
  );
  figures.gauge("waiting_calls", "Calls that wait for a key", blocked.size);
}

function keys(figures: Figures, { store }: Services): void {
  figures.gauge("keys", "Keys", store.keys.count);
  figures.counter("hits", "Reads of keys that were there", store.keys.hits);
  figures.counter("misses", "Reads of keys that were not there", store.keys.misses);
  figures.counter("expired_keys", "Keys that ran out", store.keys.expired);
  figures.counter("expired_fields", "Fields that ran out", store.expiredFields);
  figures.counter("evicted_keys", "Keys that were evicted for want of memory", store.keys.evicted);
}

function sessions(figures: Figures, services: Services): void {
  const { open, begun, closed, expired, evicted } = services.statistics.sessions();
  figures.gauge("sessions", "Sessions of devices that are open", open);
  figures.counter("sessions_begun", "Sessions of devices that were begun", begun);
  figures.counter("sessions_ended", "Sessions of devices that have ended, by how", [
    [{ how: "closed" }, closed],
    [{ how: "expired" }, expired],
    [{ how: "evicted" }, evicted],
  ]);
}

function quotas(figures: Figures, all: readonly QuotaFigures[]): void {
  const of = (figure: "used" | "max"): Samples =>
    all.flatMap(({ token, ...figures }) =>
      Object.entries(figures[figure]).map(([quota, value]) => [{ token, quota }, value] as const),
    );
  figures.gauge("quota_used", "What a token with quotas has, by quota", of("used"));
  figures.gauge("quota_max", "What it may have", of("max"));
}

function loop(figures: Figures, services: Services): void {
  const read = services.loop.read();
  if (read === undefined) return;
  figures.gauge("loop_delay_seconds", "How late the event loop came to what was due, in the last window", [
    [{ quantile: "0.5" }, read.p50Ms / 1000],
    [{ quantile: "0.99" }, read.p99Ms / 1000],
    [{ quantile: "0.999" }, read.p999Ms / 1000],
    [{ quantile: "1" }, read.maxMs / 1000],
  ]);
  figures.gauge("loop_busy_ratio", "The part of the time in which the loop was busy", read.busy);
}
