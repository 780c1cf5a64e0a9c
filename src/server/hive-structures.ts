// HiveStructures: the structures of one hive: those it was started with, those that are registered later, and reloads.
//
//   options.structures: classes, [class, options], "fifo", "./votes.ts" ──▶ Structures ──▶ commands of the engine

import type { Clock } from "../base/clock.ts";
import { HiveError, isHiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { LocalEngine } from "../engine/local-engine.ts";
import type { StructureCatalogue } from "../engine/structure-catalogue.ts";
import type { StructureClass } from "../structures/structure.ts";
import { type Registration, Structures } from "../structures/structures.ts";
import { Watchdog } from "../structures/watchdog.ts";
import type { HiveEvents } from "./hive-events.ts";
import type { Maintenance } from "./maintenance.ts";

/** A class, one with options for its init(), the name of one that is ready, or a file. */
export type StructureOption = Registration | string;

export type HiveStructuresParts = {
  engine: LocalEngine;
  limits: Limits;
  clock: Clock;
  maintenance: Maintenance;
  events: HiveEvents;
  /** Whether a thread names on standard error what blocks, while it blocks. */
  watched: boolean;
};

export class HiveStructures implements StructureCatalogue {
  readonly #structures: Structures;
  readonly #watchdog: Watchdog;
  readonly #events: HiveEvents;
  /** Files that were named at the start. */
  #files: string[] = [];
  #reloading: Promise<string[]> | undefined = undefined;

  constructor({ engine, limits, clock, maintenance, events, watched }: HiveStructuresParts) {
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
    });
    maintenance.add(this.#structures.instances);
    engine.structures = this;
  }

  /** @throws {HiveError} REFUSED_SETTING, which names the structure */
  async start(options: readonly StructureOption[]): Promise<void> {
    try {
      const classes: Registration[] = [];
      for (const option of options) {
        if (typeof option !== "string") classes.push(option);
        else {
          classes.push(...(await load(option)));
          this.#files.push(option);
        }
      }
      this.#structures.exchange(classes);
    } catch (error) {
      if (!isHiveError(error)) throw error;
      throw new HiveError("REFUSED_SETTING", `structures: ${error.message}`, { cause: error });
    }
    this.#know();
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
    const classes: StructureClass[] = [];
    try {
      for (const file of this.#files) classes.push(...(await load(file)));
      this.#structures.exchange(classes);
    } catch (error) {
      if (isHiveError(error)) this.#events.notice(`the structures are as they were: ${error.message}`);
      throw error;
    }
    this.#know();
    const names = [...this.#structures.list()].map(({ name }) => name);
    this.#events.notice(`the structures were read again: ${names.join(", ")}`);
    return names;
  }

  async close(): Promise<void> {
    await this.#watchdog.close();
  }
}

/** What is needed for files is loaded where some are named. */
async function load(name: string): Promise<StructureClass[]> {
  const { loadStructures } = await import("../structures/loading.ts");
  return loadStructures(name);
}
