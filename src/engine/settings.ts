// Settings: what CONFIG GET and CONFIG SET see.
//
//   CONFIG SET name value … ──▶ every value checked ──▶ every value applied        (all or nothing)
//
// Names are Redis's, so that its clients and tools find what they ask for. Those below act on the hive;
// the others are accepted and remembered and change nothing (redis-settings.ts).

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { QUOTED_BYTES_MAX } from "../base/quoted.ts";
import { EVICTION_POLICIES, type EvictionPolicy } from "../store/eviction.ts";
import type { Store } from "../store/store.ts";
import { REDIS_SETTINGS, SETTING_ALIASES } from "./redis-settings.ts";
import { bytesBetween, checkKeyspaceEvents, INT_MAX, LONG_MAX, oneOf, wholeBetween } from "./setting-values.ts";
import type { SlowLog } from "./slow-log.ts";

export { parseBytes } from "./setting-values.ts";

/** One setting. `check` changes nothing and throws INVALID_ARGUMENT; `apply` gets what it returned and never fails. */
type Setting = {
  get(): string;
  check(value: string): string;
  apply(value: string): void;
  /** False for what can only be read: check() says why. */
  canChange?: boolean;
};

const CONNECTIONS_CEILING = 4294967295n;

export class Settings {
  /** Connections that may be open; never more than the limit of that name. */
  connectionsMax: number;
  /** Connections that have not called for longer are closed; 0 for never. */
  idleTimeoutMs = 0;
  /** What notify-keyspace-events acts on. */
  onKeyspaceEvents: (letters: string) => void = () => {};
  /** Keys that are remembered for who tracks them; never more than the limit of that name. */
  trackedKeysMax: number;
  readonly #settings = new Map<string, Setting>();

  constructor(store: Store, slowLog: SlowLog, limits: Limits) {
    this.connectionsMax = limits.connectionsMax;
    this.trackedKeysMax = limits.trackedKeysMax;
    for (const { name, value, check, canChange } of REDIS_SETTINGS) {
      let current = value;
      this.#settings.set(name, {
        get: () => current,
        check: (next) => check(next, current),
        apply: (next) => {
          current = next;
        },
        canChange,
      });
    }
    this.#addMemory(store);
    this.#addSlowLog(slowLog);
    this.#addConnections(limits);
    this.#addNotifications();
    this.#addTracking(limits);
    for (const [alias, name] of SETTING_ALIASES) this.#settings.set(alias, this.#settings.get(name)!);
  }

  #addMemory({ eviction }: Store): void {
    this.#settings.set("maxmemory", {
      get: () => `${eviction.maxMemoryBytes}`,
      check: bytesBetween(0n, BigInt(Number.MAX_SAFE_INTEGER)),
      apply: (value) => eviction.configure(Number(value), eviction.policy),
    });
    this.#settings.set("maxmemory-policy", {
      get: () => eviction.policy,
      check: oneOf(EVICTION_POLICIES),
      apply: (value) => eviction.configure(eviction.maxMemoryBytes, value as EvictionPolicy),
    });
  }

  #addSlowLog(slowLog: SlowLog): void {
    this.#settings.set("slowlog-log-slower-than", {
      get: () => `${slowLog.thresholdMicroseconds}`,
      check: wholeBetween(-1n, LONG_MAX),
      apply: (value) => {
        slowLog.thresholdMicroseconds = Number(value);
      },
    });
    this.#settings.set("slowlog-max-len", {
      get: () => `${slowLog.entriesMax}`,
      check: wholeBetween(0n, LONG_MAX),
      apply: (value) => {
        slowLog.entriesMax = Number(value);
        slowLog.trim();
      },
    });
  }

  #addNotifications(): void {
    let letters = "";
    this.#settings.set("notify-keyspace-events", {
      get: () => letters,
      check: checkKeyspaceEvents,
      apply: (value) => {
        letters = value;
        this.onKeyspaceEvents(value);
      },
    });
  }

  #addTracking({ trackedKeysMax }: Limits): void {
    let asked = `${trackedKeysMax}`;
    this.#settings.set("tracking-table-max-keys", {
      get: () => asked,
      check: wholeBetween(0n, LONG_MAX),
      apply: (value) => {
        asked = value;
        // 0 is Redis's word for no limit of its own.
        this.trackedKeysMax = value === "0" ? trackedKeysMax : Math.min(Number(value), trackedKeysMax);
      },
    });
  }

  #addConnections(limits: Limits): void {
    let asked = `${limits.connectionsMax}`;
    this.#settings.set("maxclients", {
      get: () => asked,
      check: wholeBetween(1n, CONNECTIONS_CEILING),
      apply: (value) => {
        asked = value;
        this.connectionsMax = Math.min(Number(value), limits.connectionsMax);
      },
    });
    this.#settings.set("timeout", {
      get: () => `${this.idleTimeoutMs / 1000}`,
      check: wholeBetween(0n, INT_MAX),
      apply: (value) => {
        this.idleTimeoutMs = Number(value) * 1000;
      },
    });
  }

  /** All names, in lower case. */
  names(): string[] {
    return [...this.#settings.keys()];
  }

  /** The value of a setting, in any case; undefined where there is none of that name. */
  get(name: string): string | undefined {
    return this.#settings.get(name.toLowerCase())?.get();
  }

  /** What a setting that nobody can change is in this hive: its port, say. For the owner of the engine. */
  tell(name: string, value: string): void {
    this.#settings.get(name)?.apply(value);
  }

  /** Sets all of `pairs`, or none. @throws {HiveError} INVALID_ARGUMENT in Redis's words. */
  set(pairs: readonly (readonly [name: string, value: string])[]): void {
    const seen = new Set<string>();
    for (const [asked] of pairs) {
      const name = asked.toLowerCase();
      const setting = this.#settings.get(name);
      if (!setting) {
        const message = `Unknown option or number of arguments for CONFIG SET - '${asked.slice(0, QUOTED_BYTES_MAX)}'`;
        throw new HiveError("INVALID_ARGUMENT", message);
      }
      if (setting.canChange === false) this.#check(setting, name, "");
      if (seen.has(name)) throw failed(name, "duplicate parameter");
      seen.add(name);
    }
    const changes = pairs.map(([asked, value]) => {
      const name = asked.toLowerCase();
      const setting = this.#settings.get(name)!;
      return { setting, value: this.#check(setting, name, value) };
    });
    for (const { setting, value } of changes) setting.apply(value);
  }

  #check(setting: Setting, name: string, value: string): string {
    try {
      return setting.check(value);
    } catch (error) {
      throw error instanceof HiveError ? failed(name, error.message) : error;
    }
  }
}

function failed(name: string, reason: string): HiveError {
  const message = `CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
  return new HiveError("INVALID_ARGUMENT", message);
}
