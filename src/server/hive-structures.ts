// HiveStructures: the structures of one hive: those it was started with, those that are registered later, and reloads.
//
//   options.structures: classes, [class, options], "fifo", "./votes.ts" ──▶ Structures ──▶ commands of the engine

import type { Clock } from "../base/clock.ts";
import { HiveError, isHiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { LocalEngine } from "../engine/local-engine.ts";
import type { StructureCatalogue } from "../engine/structure-catalogue.ts";
import { addressOf, isolationOf } from "../structures/isolated-source.ts";
import type { IsolatedWorker } from "../structures/isolated-worker.ts";
import type { IsolatedClass } from "../structures/isolation.ts";
import type { StructureClass } from "../structures/structure.ts";
import { type Registration, Structures } from "../structures/structures.ts";
import { Watchdog } from "../structures/watchdog.ts";
import type { HiveEvents } from "./hive-events.ts";
import type { Maintenance } from "./maintenance.ts";

/** A class, the name of one that is ready, or a file; each alone or with options for its init(). */
export type StructureOption = Registration | string | readonly [string, unknown];

type Named = { readonly source: string; readonly options: unknown };
type Loaded = {
  readonly classes: Registration[];
  readonly isolated: IsolatedClass[];
  readonly workers: IsolatedWorker[];
};

export type HiveStructuresParts = {
  engine: LocalEngine;
  limits: Limits;
  clock: Clock;
  maintenance: Maintenance;
  events: HiveEvents;
  /** Whether a thread names on standard error what blocks, while it blocks. */
  watched: boolean;
  /** Whether structures of names and files run in workers, whatever they say. */
  isolate: boolean;
};

export class HiveStructures implements StructureCatalogue {
  readonly #structures: Structures;
  readonly #watchdog: Watchdog;
  readonly #events: HiveEvents;
  readonly #isolate: boolean;
  /** Files that were named at the start. */
  #files: Named[] = [];
  /** Classes that came from these files. */
  #fromFiles: string[] = [];
  #reloading: Promise<string[]> | undefined = undefined;

  constructor({ engine, limits, clock, maintenance, events, watched, isolate }: HiveStructuresParts) {
    this.#isolate = isolate;
    this.#events = events;
    this.#watchdog = new Watchdog({
      limitMs: limits.commandMsMax,
      live: watched,
      monotonicMs: () => clock.monotonicMs(),
      onBlocked: (command, milliseconds) => {
        const most = `more than commandMsMax (${limits.commandMsMax} ms)`;
        events.notice(`${command} blocked the hive for ${Math.round(milliseconds)} ms: ${most}`);
      },
    });
    this.#structures = new Structures({
      store: engine.store,
      commands: engine.commands,
      services: engine,
      limits,
      log: engine.log,
      watchdog: this.#watchdog,
      onNotice: (message) => events.notice(message),
    });
    maintenance.add(this.#structures.instances);
    engine.structures = this;
  }

  /** @throws {HiveError} REFUSED_SETTING, which names the structure */
  async start(options: readonly StructureOption[]): Promise<void> {
    const loaded: Loaded = { classes: [], isolated: [], workers: [] };
    try {
      for (const option of options) {
        const named = namedBy(option);
        if (named === undefined) await this.#take(option as Registration, loaded);
        else {
          const before = namesOf(loaded);
          await this.#load(named, loaded);
          this.#files.push(named);
          this.#fromFiles.push(...namesOf(loaded).filter((name) => !before.includes(name)));
        }
      }
      this.#structures.exchange(loaded.classes, loaded.isolated);
    } catch (error) {
      await closeAll(loaded);
      if (!isHiveError(error)) throw error;
      throw new HiveError("REFUSED_SETTING", `structures: ${error.message}`, { cause: error });
    }
    this.#know();
  }

  /** A class that is given as such. */
  async #take(registration: Registration, loaded: Loaded): Promise<void> {
    const [cls, options] = Array.isArray(registration) ? registration : [registration as StructureClass, undefined];
    const source = addressOf(cls, options);
    if (source === undefined) loaded.classes.push(registration);
    else await this.#open({ source, options }, [cls.name], loaded);
  }

  /** Under `isolate` a file is not even loaded in this thread. */
  async #load(named: Named, loaded: Loaded): Promise<void> {
    if (this.#isolate) return this.#open(named, undefined, loaded);
    const { options } = named;
    const isolated: string[] = [];
    for (const cls of await load(named.source)) {
      if (isolationOf(cls, options) === false) loaded.classes.push([cls, options]);
      else isolated.push(cls.name);
    }
    if (isolated.length > 0) await this.#open(named, isolated, loaded);
  }

  async #open({ source, options }: Named, only: readonly string[] | undefined, loaded: Loaded): Promise<void> {
    const worker = this.#structures.isolated({ source, only, options });
    loaded.workers.push(worker);
    for (const facts of await worker.open()) loaded.isolated.push({ facts, worker });
  }

  register(cls: StructureClass, options?: unknown): void {
    this.#structures.register(cls, options);
    this.#know();
  }

  #know(): void {
    const names: string[] = [];
    for (const { statics, methods } of this.#structures.list()) names.push(...statics, ...methods);
    this.#watchdog.know(names);
  }

  list(): Iterable<{ name: string; statics: string[]; methods: string[] }> {
    return this.#structures.list();
  }

  nameOf(ref: number): string {
    return this.#structures.nameOf(ref);
  }

  get blocked(): { count: number; command: string; milliseconds: number } {
    return this.#watchdog;
  }

  reload(): Promise<string[]> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  async #reload(): Promise<string[]> {
    if (this.#files.length === 0) return [...this.list()].map(({ name }) => name);
    const loaded: Loaded = { classes: [], isolated: [], workers: [] };
    try {
      for (const named of this.#files) await this.#load(named, loaded);
      const names = namesOf(loaded);
      const gone = this.#fromFiles.filter((name) => !names.includes(name));
      this.#structures.exchange(loaded.classes, loaded.isolated, gone);
      this.#fromFiles = names;
    } catch (error) {
      await closeAll(loaded);
      if (isHiveError(error)) this.#events.notice(`the structures are as they were: ${error.message}`);
      throw error;
    }
    this.#know();
    const names = [...this.#structures.list()].map(({ name }) => name);
    this.#events.notice(`the structures were read again: ${names.join(", ")}`);
    return names;
  }

  async close(): Promise<void> {
    await this.#structures.close();
    await this.#watchdog.close();
  }
}

function namedBy(option: StructureOption): Named | undefined {
  if (typeof option === "string") return { source: option, options: undefined };
  if (!Array.isArray(option) || typeof option[0] !== "string") return undefined;
  return { source: option[0], options: option[1] };
}

function namesOf({ classes, isolated }: Loaded): string[] {
  const own = classes.map((registration) => (Array.isArray(registration) ? registration[0] : registration).name);
  return [...own, ...isolated.map(({ facts }) => facts.name)];
}

async function closeAll({ workers }: Loaded): Promise<void> {
  await Promise.all(workers.map((worker) => worker.close()));
}

/** What is needed for files is loaded where some are named. */
async function load(name: string): Promise<StructureClass[]> {
  const { loadStructures } = await import("../structures/loading.ts");
  return loadStructures(name);
}
