// Snapshots: when they are stored and restored, which are kept, and how it goes.
//
//   interval, SAVE, SNAPSHOT STORE, the end of the hive ──▶ one at a time ──▶ SnapshotWriting, in slices ──▶ folder
//   the start of the hive, SNAPSHOT RESTORE             ──▶ every call waits ──▶ restoreSnapshot
//
// Snapshots with names of their own stay until somebody removes them; of those that the hive names by the
// time, the newest `keep` do. A store that fails leaves the old ones alone, and the hive goes on.

import type { Clock } from "../base/clock.ts";
import { HiveError, isHiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { LocalEngine } from "../engine/local-engine.ts";
import type {
  Durability,
  Persistence,
  PersistenceStatus,
  SnapshotFailure,
  SnapshotReport,
  SnapshotWork,
} from "../engine/persistence.ts";
import { type Restored, restoreSnapshot } from "../snapshot/restore.ts";
import type { SnapshotInfo, SnapshotPlace } from "../snapshot/sink.ts";
import { SnapshotWriting, type Written } from "../snapshot/writing.ts";
import { runId } from "../store/header.ts";
import type { RestoredSecrets } from "../store/restoring.ts";
import type { Store } from "../store/store.ts";
import type { HiveEvents } from "./hive-events.ts";
import type { Maintenance } from "./maintenance.ts";

/** What the hive names itself: "auto-20261126T025310123Z". */
const AUTO = /^auto-\d{8}T\d{9}Z(-\d+)?$/;

export type SnapshotSettings = {
  /** Of the snapshots that the hive names itself, so many are kept. Default: 3. */
  keep?: number;
  /** Milliseconds from one to the next, while something changes; 0 for none. Default: 0. */
  intervalMs?: number;
  /** Whether the hive stores one when it is closed. Default: true. */
  atClose?: boolean;
  /**
   * Whether sessions of devices are in snapshots too. A hive that starts from the one it has ended with has them back; from
   * another one it has none, since nobody knows which of them were closed since. Default: false.
   */
  sessions?: boolean;
  /** What it starts from: the newest, none, or one by its name. Default: "newest". */
  from?: "newest" | "none" | (string & {});
};

export type SnapshotsParts = {
  store: Store;
  engine: LocalEngine;
  place: SnapshotPlace;
  clock: Clock;
  limits: Limits;
  maintenance: Maintenance;
  settings: SnapshotSettings;
  /** A session came with a snapshot. */
  onSecret?: RestoredSecrets["onSecret"];
  /** For operators. */
  events: Pick<HiveEvents, "snapshot">;
};

/** Names and details of the events: "storing", "stored", "failed", "restoring", "restored", "progress". */
export type SnapshotEventDetail = { name: string } & Partial<SnapshotReport> & { progress?: number; message?: string };

/** `writing` is there while a store is under way. */
type Task = { work: SnapshotWork; writing: SnapshotWriting | undefined };

export class Snapshots extends EventTarget implements Persistence {
  readonly durability: Durability = { storedVersion: 0, restores: 0 };
  readonly #parts: SnapshotsParts;
  readonly #keep: number;
  readonly #intervalMs: number;
  /** What is under way, and behind it what waits for that. */
  readonly #tasks: Task[] = [];
  /** The last task in the queue: the next one begins after it. */
  #queue: Promise<unknown> = Promise.resolve();
  #last: SnapshotReport | undefined = undefined;
  #lastFailure: SnapshotFailure | undefined = undefined;
  #lastVersion: number;
  readonly #sessions: boolean;
  /** Which of the sessions in a snapshot a restore brings back: those that are open. */
  #restored: RestoredSecrets["which"];
  /** When the last store was asked for, by the clock that never goes back. */
  #attemptMs: number;
  #stores = 0;
  #failures = 0;
  #closing = false;
  #named = { time: "", count: 0 };

  constructor(parts: SnapshotsParts) {
    super();
    this.#parts = parts;
    this.#keep = parts.settings.keep ?? 3;
    this.#sessions = parts.settings.sessions ?? false;
    this.#restored = this.#sessions ? "present" : "none";
    this.#intervalMs = parts.settings.intervalMs ?? 0;
    this.#lastVersion = parts.store.memory.entries.version;
    this.#attemptMs = parts.clock.monotonicMs();
  }

  requirePlace(): void {}

  status(): PersistenceStatus {
    const task = this.#tasks[0];
    return {
      place: this.#parts.place.title,
      work: task === undefined ? undefined : { ...task.work, ...(task.writing && figuresOf(task.writing)) },
      last: this.#last,
      lastFailure: this.#lastFailure,
      changes: this.#changes,
      stores: this.#stores,
      failures: this.#failures,
    };
  }

  get #changes(): number {
    return this.#parts.store.memory.entries.version - this.#lastVersion;
  }

  list(): Promise<SnapshotInfo[]> {
    return this.#parts.place.list();
  }

  async remove(name: string): Promise<void> {
    const source = await this.#parts.place.open(name);
    await source.close();
    await this.#parts.place.remove(name);
  }

  async store(name?: string): Promise<SnapshotReport> {
    this.#requireOpen();
    return this.#enqueueStore(name);
  }

  #enqueueStore(name: string = this.#autoName()): Promise<SnapshotReport> {
    this.#attemptMs = this.#parts.clock.monotonicMs();
    return this.#enqueue("store", name, (task) => this.#store(task));
  }

  async restore(name: string): Promise<SnapshotReport> {
    this.#requireOpen();
    // From now on, and not only when it is its turn: what is called behind a restore sees what that brought.
    const release = this.#parts.engine.pauses.hold("all");
    try {
      return await this.#enqueue("check", name, (task) => this.#restore(task));
    } finally {
      release();
    }
  }

  /** One after the other, in the order in which they were asked for. */
  #enqueue(
    kind: "store" | "check",
    name: string,
    run: (task: Task) => Promise<SnapshotReport>,
  ): Promise<SnapshotReport> {
    const startedMs = this.#parts.clock.nowMs();
    const work = { kind, name, progress: 0, keys: 0, keysTotal: 0, bytes: 0, backlogBytes: 0, startedMs };
    const task: Task = { work, writing: undefined };
    this.#tasks.push(task);
    const done = this.#queue.then(async () => {
      try {
        return await run(task);
      } catch (error) {
        throw this.#failed(kind === "store" ? "store" : "restore", name, error);
      } finally {
        this.#tasks.shift();
      }
    });
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Time has passed: stores one where the interval says so. */
  beat(): void {
    if (this.#intervalMs === 0 || this.#closing || this.#tasks.length > 0) return;
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - this.#attemptMs < this.#intervalMs) return;
    this.#attemptMs = nowMs;
    // What goes wrong was told where it happened.
    if (this.#changes > 0) this.store().catch(() => {});
  }

  /**
   * What the hive starts from. @throws {HiveError} BAD_SNAPSHOT, NO_SNAPSHOT, SNAPSHOT_FAILED, OUT_OF_MEMORY
   */
  async start(): Promise<void> {
    const { from = "newest" } = this.#parts.settings;
    if (from === "none") {
      if (this.#sessions) await this.#parts.place.noteLast(undefined);
      return;
    }
    const name = from === "newest" ? (await this.list())[0]?.name : from;
    const { place } = this.#parts;
    const last = this.#sessions ? await place.last() : undefined;
    // Once: after a crash it would show sessions that have been closed.
    if (last !== undefined) await place.noteLast(undefined);
    this.#restored = last !== undefined && last === name ? "all" : "none";
    if (name !== undefined) await this.restore(name);
    this.#restored = this.#sessions ? "present" : "none";
  }

  /**
   * Stores a last snapshot where that is wanted; one that is being stored comes to its end before.
   * @param snapshot Whether it is; undefined: as the settings say.
   * @throws {HiveError} SNAPSHOT_FAILED
   */
  async close(snapshot: boolean | undefined): Promise<void> {
    this.#closing = true;
    await this.#queue;
    const wanted =
      snapshot ?? (this.#parts.settings.atClose !== false && (this.#changes > 0 || this.#last === undefined));
    const stored = wanted ? await this.#enqueueStore() : undefined;
    // What is there was stored, and nothing has changed since.
    const last = stored ?? (this.#changes === 0 ? this.#last : undefined);
    if (this.#sessions && last !== undefined) await this.#parts.place.noteLast(last.name);
  }

  /** What comes after close() would find no memory any more. */
  #requireOpen(): void {
    if (this.#closing) throw new HiveError("HIVE_CLOSED", "this hive is closed");
  }

  async #store(task: Task): Promise<SnapshotReport> {
    const { store, engine, place, clock, limits, maintenance } = this.#parts;
    const { name } = task.work;
    const fromMs = clock.monotonicMs();
    let release: (() => void) | undefined;
    const sink = await place.create(name);
    const writing = new SnapshotWriting({
      store,
      sink,
      runId: runId(store.memory.segments.words[0]!),
      withSecrets: this.#sessions,
      backlogBytesMax: limits.snapshotBacklogBytesMax,
      onHeld() {
        release = engine.pauses.hold("write");
      },
      onReleased: () => release?.(),
      onWork: () => {
        maintenance.wake();
        this.#tell("progress", { name, progress: writing.progress });
      },
    });
    task.writing = writing;
    this.#tell("storing", { name });
    this.#parts.events.snapshot({ kind: "store-began", name });
    const leave = maintenance.add(writing);
    let written: Written;
    try {
      written = await writing.finished;
    } finally {
      leave();
    }
    const { bytes, keys, fields, header } = written;
    const report = { name, bytes, keys, fields, createdMs: header.createdMs, durationMs: clock.monotonicMs() - fromMs };
    this.#last = report;
    this.#lastVersion = header.version;
    this.durability.storedVersion = header.version;
    this.#stores++;
    this.#done("stored", report);
    await this.#prune(name);
    return report;
  }

  async #restore({ work }: Task): Promise<SnapshotReport> {
    const { store, place, clock, limits } = this.#parts;
    const { name } = work;
    const fromMs = clock.monotonicMs();
    this.#tell("restoring", { name });
    const source = await place.open(name);
    this.#parts.events.snapshot({ kind: "restore-began", name, bytes: source.bytes });
    let restored: Restored;
    try {
      restored = await restoreSnapshot(source, {
        store,
        limits,
        secrets: { which: this.#restored, onSecret: this.#parts.onSecret },
        onProgress: ({ stage, readBytes, bytes }) => {
          work.kind = stage;
          work.progress = readBytes / bytes;
          work.bytes = readBytes;
          this.#tell("progress", { name, progress: (work.progress + (stage === "check" ? 0 : 1)) / 2 });
        },
      });
    } finally {
      await source.close();
    }
    const { keys, fields, header } = restored;
    const durationMs = clock.monotonicMs() - fromMs;
    const report = { name, bytes: source.bytes, keys, fields, createdMs: header.createdMs, durationMs };
    this.#last = report;
    this.#lastVersion = store.memory.entries.version;
    this.durability.storedVersion = this.#lastVersion;
    this.durability.restores++;
    this.#done("restored", report);
    return report;
  }

  #done(event: "stored" | "restored", report: SnapshotReport): void {
    if (event === "stored" || this.#lastFailure?.kind === "restore") this.#lastFailure = undefined;
    const { name, keys, bytes, durationMs } = report;
    this.#parts.events.snapshot({ kind: event, name, keys, bytes, ms: Math.round(durationMs) });
    this.#tell(event, report);
  }

  #failed(kind: SnapshotFailure["kind"], name: string, error: unknown): unknown {
    // A wrong name is its caller's business alone.
    if (isHiveError(error) && (error.code === "NO_SNAPSHOT" || error.code === "INVALID_ARGUMENT")) return error;
    this.#failures++;
    const message = error instanceof Error ? error.message : String(error);
    this.#lastFailure = { kind, message, atMs: this.#parts.clock.nowMs() };
    this.#parts.events.snapshot({ kind: `${kind}-failed`, name, reason: message });
    this.#tell("failed", { name, message });
    return error;
  }

  #tell(event: string, detail: SnapshotEventDetail): void {
    this.dispatchEvent(new CustomEvent(event, { detail }));
  }

  /**
   * Removes what is more than `keep`, never `stored`, the one that was made just now, whatever the times of the others
   * say. What cannot be removed is told, and is no failure of the store.
   */
  async #prune(stored: string): Promise<void> {
    const { place, events } = this.#parts;
    try {
      const own = (await place.list()).map(({ name }) => name).filter((name) => AUTO.test(name));
      const others = own.filter((name) => name !== stored);
      for (const name of others.slice(this.#keep - (own.length - others.length))) {
        await place.remove(name);
        events.snapshot({ kind: "removed", name });
      }
    } catch (error) {
      events.snapshot({ kind: "remove-failed", reason: (error as Error).message });
    }
  }

  /** By the time, and where two are asked for in one millisecond by their number in it. */
  #autoName(): string {
    const time = new Date(this.#parts.clock.nowMs()).toISOString().replace(/[-:.]/g, "");
    this.#named = this.#named.time === time ? { time, count: this.#named.count + 1 } : { time, count: 0 };
    return `auto-${time}${this.#named.count === 0 ? "" : `-${this.#named.count}`}`;
  }
}

/** How far a store is. */
function figuresOf({ progress, counts, header, writtenBytes, backlogBytes }: SnapshotWriting): Partial<SnapshotWork> {
  return { progress, keys: counts.keys, keysTotal: header.keys, bytes: writtenBytes, backlogBytes };
}
