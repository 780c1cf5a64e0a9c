// Settings: what CONFIG GET and CONFIG SET see.
//
// Names are Redis's, so that its clients and tools find what they ask for. A few act on the hive; the
// others are accepted and remembered and change nothing (docs/redis-differences.md lists them).

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { EVICTION_POLICIES, type EvictionPolicy } from "../store/eviction.ts";
import type { Store } from "../store/store.ts";
import type { SlowLog } from "./slow-log.ts";

/** What a setting does when it is set; it throws HiveError INVALID_ARGUMENT for a value that it refuses. */
type Setting = { get(): string; set(value: string): void };

export class Settings {
  readonly #settings = new Map<string, Setting>();
  #connectionsMax = 0;

  constructor(store: Store, slowLog: SlowLog) {
    const eviction = store.eviction;
    this.#add("maxmemory", {
      get: () => `${eviction.maxMemoryBytes}`,
      set: (value) => eviction.configure(parseBytes(value), eviction.policy),
    });
    this.#add("maxmemory-policy", {
      get: () => eviction.policy,
      set: (value) => eviction.configure(eviction.maxMemoryBytes, policyOf(value)),
    });
    this.#add("slowlog-log-slower-than", {
      get: () => `${slowLog.thresholdMicroseconds}`,
      set: (value) => {
        slowLog.thresholdMicroseconds = parseWhole(value, -1);
      },
    });
    this.#add("slowlog-max-len", {
      get: () => `${slowLog.entriesMax}`,
      set: (value) => {
        slowLog.entriesMax = parseWhole(value, 0);
        slowLog.trim();
      },
    });
  }

  /** The lower of the setting and the limit. */
  connectionsMax(limits: Limits): number {
    return this.#connectionsMax === 0 ? limits.connectionsMax : Math.min(this.#connectionsMax, limits.connectionsMax);
  }

  names(): string[] {
    return [...this.#settings.keys()];
  }

  get(name: string): string | undefined {
    return this.#settings.get(name)?.get();
  }

  set(name: string, value: string): void {
    const setting = this.#settings.get(name);
    if (!setting)
      throw new HiveError("INVALID_ARGUMENT", `Unknown option or number of arguments for CONFIG SET - '${name}'`);
    setting.set(value);
  }

  #add(name: string, setting: Setting): void {
    this.#settings.set(name, setting);
  }
}

function policyOf(value: string): EvictionPolicy {
  const policy = EVICTION_POLICIES.find((known) => known === value.toLowerCase());
  if (!policy)
    throw new HiveError(
      "INVALID_ARGUMENT",
      `argument(s) must be one of the following: ${EVICTION_POLICIES.join(", ")}`,
    );
  return policy;
}

function parseWhole(value: string, min: number): number {
  const number = Number(value);
  if (!/^-?[0-9]+$/.test(value) || !Number.isSafeInteger(number))
    throw new HiveError("INVALID_ARGUMENT", "argument couldn't be parsed into an integer");
  if (number < min)
    throw new HiveError("INVALID_ARGUMENT", `argument must be between ${min} and ${Number.MAX_SAFE_INTEGER} inclusive`);
  return number;
}

/** Bytes with Redis's units: 100mb, 1gb, 1k (1000) and 1kb (1024). */
export function parseBytes(value: string): number {
  const match = /^([0-9]+)(b|k|kb|m|mb|g|gb)?$/i.exec(value);
  const bytes = match ? Number(match[1]) * UNITS[(match[2] ?? "b").toLowerCase()]! : Number.NaN;
  if (!Number.isSafeInteger(bytes)) throw new HiveError("INVALID_ARGUMENT", "argument must be a memory value");
  return bytes;
}

const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1000, kb: 1024, m: 1e6, mb: 1 << 20, g: 1e9, gb: 1 << 30 };
