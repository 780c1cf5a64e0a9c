// Structures: the classes of a hive, their commands in its table, and each call of one.
//
//   register(Fifo) ──▶ FIFOADD, a row ──▶ open the key, push ──▶ whole, or undone
//                 └──▶ POP, a row for all classes that have one ──▶ by the class of the key's value

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { COMMANDS_MAX, type CommandTable } from "../engine/command-table.ts";
import { Context, type Peer, type Services } from "../engine/context.ts";
import type { Row } from "../engine/row.ts";
import { TYPE_STRUCTURE } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { type ClassFacts, factsOf } from "./class-facts.ts";
import { Facade, type FacadeParts } from "./facade.ts";
import { failure, isThenable } from "./failure.ts";
import { Instances } from "./instances.ts";
import { addressOf } from "./isolated-source.ts";
import type { IsolatedWorker } from "./isolated-worker.ts";
import { type Isolated, type IsolatedClass, type IsolatedSource, Isolation } from "./isolation.ts";
import { Journal } from "./journal.ts";
import { KeptClass, readName } from "./kept-class.ts";
import { isStructureClass, type StructureClass } from "./structure.ts";
import { StructureCalls } from "./structure-calls.ts";
import { rowsOf } from "./structure-rows.ts";
import { Transactions } from "./transaction.ts";
import type { Watchdog } from "./watchdog.ts";

export type StructuresParts = {
  store: Store;
  commands: CommandTable;
  services: Services;
  limits: Limits;
  log: Log | undefined;
  watchdog?: Pick<Watchdog, "begin" | "end">;
  /** A line for operators: what became of a worker. */
  onNotice?: (message: string) => void;
};

/** A class to register, alone or with options for its init(). */
export type Registration = StructureClass | readonly [StructureClass, unknown];

const INSIDE: Peer = {
  door: "native",
  ordered: false,
  trusted: true,
  address: "structures:0",
  localAddress: "hive:0",
  inputBytes: 0,
  outputBytes: 0,
  close() {},
};

export class Structures {
  readonly instances: Instances;
  readonly #parts: StructuresParts;
  readonly #journal = new Journal();
  readonly #transactions: Transactions;
  readonly #shared: FacadeParts;
  readonly #isolation: Isolation;
  #isolated: Isolated = new Map();
  #classes: ReadonlyMap<string, KeptClass> = new Map();
  #options: ReadonlyMap<string, unknown> = new Map();
  /** Rows of the table that are ours. */
  #names: readonly string[] = [];
  readonly #calls: StructureCalls;
  #keptLast: KeptClass | undefined = undefined;
  #inside: { facade: Facade; context: Context } | undefined = undefined;

  constructor(parts: StructuresParts) {
    this.#parts = parts;
    const { store, log, limits } = parts;
    const journal = this.#journal;
    this.#transactions = new Transactions({
      store,
      journal,
      instances: () => this.instances,
      bytesMaxOf: ({ kept }) => (kept.inPieces ? limits.valueBytesMax : limits.structureBytesMax),
    });
    this.instances = new Instances({
      store,
      journal,
      log,
      partsMax: limits.structurePartsMax,
      classNamed: (name) => this.#classNamed(name),
      onChange: (live) => this.#transactions.changing(live),
      onNotice: (message) => parts.onNotice?.(message),
      isInUse: (ref) => this.#transactions.hasOpened(ref),
    });
    this.#shared = {
      instances: this.instances,
      transactions: this.#transactions,
      keptOf: (cls) => this.#keptOf(cls as unknown as StructureClass),
    };
    this.#calls = new StructureCalls(this.#shared, parts.watchdog);
    this.#isolation = new Isolation({
      ...{ store, limits, shared: this.#shared },
      inside: () => this.#insideParts(),
      factsOf: (name) => this.#isolated.get(name)?.facts ?? factsOf(this.#classNamed(name)),
      onNotice: parts.onNotice ?? (() => {}),
    });
  }

  /** Names of the classes, with the commands of each. */
  *list(): Generator<{ name: string; statics: string[]; methods: string[] }> {
    for (const { name, statics, methods } of this.#facts(this.#classes, this.#isolated)) {
      yield { name, statics: statics.map((facts) => facts.name), methods: methods.map((facts) => facts.name) };
    }
  }

  #facts(classes: ReadonlyMap<string, KeptClass>, isolated: Isolated): ClassFacts[] {
    return [...[...classes.values()].map(factsOf), ...[...isolated.values()].map(({ facts }) => facts)];
  }

  /** The name of the class of what structure's key `ref` holds, registered or not. @throws {HiveError} BAD_PAYLOAD */
  nameOf(ref: number): string {
    const { entries } = this.#parts.store.memory;
    return readName(entries.bytesOf(ref), entries.valueStart(ref));
  }

  /**
   * Registers a class: its commands are there from now on. One that is isolated is loaded meanwhile: its calls wait for that.
   * @throws {HiveError} INVALID_ARGUMENT: what is wrong with it, nothing was changed.
   */
  register(cls: StructureClass, options?: unknown): void {
    const source = isStructureClass(cls) ? addressOf(cls, options) : undefined;
    if (source === undefined) return this.#replace([...this.#registrations(), [cls, options]], [cls], this.#isolated);
    const facts = factsOf(keptClass(cls));
    if (this.#classes.has(facts.name) || this.#isolated.has(facts.name)) {
      throw new HiveError("INVALID_ARGUMENT", `two structures are named ${facts.name}`);
    }
    const worker = this.isolated({ source, only: [facts.name], options });
    this.#replace(this.#registrations(), [], new Map([...this.#isolated, [facts.name, { facts, worker }]]));
    worker.open().catch((error: HiveError) => this.#parts.onNotice?.(`the worker of ${facts.name}: ${error.message}`));
  }

  /** A worker for isolated structures, to be opened and handed to exchange(). */
  isolated(source: IsolatedSource): IsolatedWorker {
    return this.#isolation.worker(source);
  }

  /**
   * Exchanges classes for newer ones of their names, and adds those that are new. What is live goes on in the new
   * class. @param gone Names of classes that are no more. @throws {HiveError} INVALID_ARGUMENT: nothing was changed.
   */
  exchange(
    newer: readonly Registration[],
    isolated: readonly IsolatedClass[] = [],
    gone: readonly string[] = [],
  ): void {
    const pairs = newer.map(pairOf);
    const named = [...pairs.map(([{ name }]) => name), ...isolated.map(({ facts }) => facts.name)];
    const names = new Set([...named, ...gone]);
    const before = this.#isolated;
    const kept = [...before].filter(([name]) => !names.has(name));
    this.#replace(
      [...this.#registrations().filter(([{ name }]) => !names.has(name)), ...pairs],
      pairs.map(([cls]) => cls),
      new Map([...kept, ...isolated.map((known) => [known.facts.name, known] as const)]),
    );
    const used = new Set([...this.#isolated.values()].map(({ worker }) => worker));
    for (const [name, { worker }] of before) if (!used.has(worker)) worker.retire(this.#isolated.get(name)?.worker);
  }

  /** Ends the workers; calls that they have fail. */
  async close(): Promise<void> {
    await Promise.all([...this.#isolated.values()].map(({ worker }) => worker.close()));
  }

  #registrations(): (readonly [StructureClass, unknown])[] {
    return [...this.#classes.values()].map(({ cls, name }) => [cls, this.#options.get(name)] as const);
  }

  #replace(
    all: readonly (readonly [StructureClass, unknown])[],
    begun: readonly StructureClass[],
    isolated: Isolated,
  ): void {
    const classes = new Map<string, KeptClass>();
    for (const [cls] of all) {
      if (!isStructureClass(cls)) {
        throw new HiveError(
          "INVALID_ARGUMENT",
          `${String((cls as { name?: string })?.name ?? cls)} is no class that extends Structure`,
        );
      }
      if (classes.has(cls.name) || isolated.has(cls.name))
        throw new HiveError("INVALID_ARGUMENT", `two structures are named ${cls.name}`);
      const known = this.#classes.get(cls.name);
      classes.set(cls.name, known?.cls === cls ? known : keptClass(cls));
    }
    const rows = this.#rowsOf(classes, isolated);
    // From here on nothing fails but init().
    this.instances.forgetAll();
    this.#keptLast = undefined;
    const before = {
      classes: this.#classes,
      isolated: this.#isolated,
      options: this.#options,
      names: this.#names,
      rows: this.#rowsOf(this.#classes, this.#isolated),
    };
    this.#parts.commands.exchange(this.#names, rows);
    this.#names = rows.map(({ name }) => name);
    this.#classes = classes;
    this.#isolated = isolated;
    this.#options = new Map(all.map(([{ name }, options]) => [name, options]));
    this.#parts.store.memory.live = this.instances;
    try {
      for (const cls of begun) {
        const begun = this.#transactions.run("init", (): unknown =>
          cls.init?.(this.inside(), this.#options.get(cls.name)),
        );
        if (isThenable(begun)) this.#await(cls.name, begun);
      }
    } catch (error) {
      this.instances.forgetAll();
      this.#keptLast = undefined;
      this.#parts.commands.exchange(this.#names, before.rows);
      this.#classes = before.classes;
      this.#isolated = before.isolated;
      this.#options = before.options;
      this.#names = before.names;
      throw failure("init", error);
    }
  }

  /** An init() that waits: nobody else is told where it fails. */
  #await(cls: string, begun: PromiseLike<unknown>): void {
    const { onNotice } = this.#parts;
    void Promise.resolve(begun).catch((error: unknown) => onNotice?.(failure(`init of ${cls}`, error).message));
  }

  /** The hive for code that no client called. */
  inside(): Facade {
    return this.#insideParts().facade;
  }

  #insideParts(): { facade: Facade; context: Context } {
    if (this.#inside === undefined) {
      const context = new Context(this.#parts.services, INSIDE, 0);
      this.#inside = { facade: new Facade(this.#shared, context), context };
    }
    return this.#inside;
  }

  /** The isolated class of what key `ref` holds. @throws {HiveError} BAD_PAYLOAD */
  #isolatedAt(ref: number): IsolatedClass | undefined {
    const { entries } = this.#parts.store.memory;
    if (this.#isolated.size === 0 || entries.type(ref) !== TYPE_STRUCTURE) return undefined;
    return this.#isolated.get(readName(entries.bytesOf(ref), entries.valueStart(ref)));
  }

  #keptOf(cls: StructureClass): KeptClass {
    if (this.#keptLast?.cls === cls) return this.#keptLast;
    const kept = this.#classes.get(cls.name);
    if (kept?.cls === cls) this.#keptLast = kept;
    // After a reload old code may still name the old class.
    if (kept !== undefined) return kept;
    this.#refuseIsolated(cls.name);
    throw new HiveError("UNSUPPORTED", `${cls.name} is not registered in this hive`);
  }

  #refuseIsolated(name: string): void {
    if (!this.#isolated.has(name)) return;
    throw new HiveError(
      "UNSUPPORTED",
      `${name} runs in a worker: its own commands open it, and other isolated structures`,
    );
  }

  #classNamed(name: string): KeptClass {
    const kept = this.#classes.get(name);
    if (kept !== undefined) return kept;
    this.#refuseIsolated(name);
    throw new HiveError("UNSUPPORTED", `the key holds a ${name}, and no structure of that name is registered`);
  }

  #rowsOf(classes: ReadonlyMap<string, KeptClass>, isolated: Isolated): Row[] {
    const rows = rowsOf(this.#facts(classes, isolated), {
      isTaken: (name) => !this.#names.includes(name) && this.#parts.commands.all.has(name),
      runStatic: (cls, name) => {
        const kept = classes.get(cls);
        return kept === undefined ? this.#isolatedStatic(isolated.get(cls)!, name) : this.#calls.staticRun(kept, name);
      },
      runMethod: (name) => this.#methodRun(name),
    });
    if (this.#parts.commands.all.size - this.#names.length + rows.length > COMMANDS_MAX) {
      throw new HiveError("INVALID_ARGUMENT", `more than ${COMMANDS_MAX} commands`);
    }
    return rows;
  }

  #isolatedStatic(known: IsolatedClass, name: string): Row["run"] {
    const { reads } = known.facts.statics.find((facts) => facts.name === name)!;
    return (context, args, reply) =>
      this.#isolation.run(known, { context, args, reply, name, reads, keyAt: undefined });
  }

  #methodRun(name: string): Row["run"] {
    const again: Row["run"] = (context, args, reply) => {
      const { keys } = context.store;
      const ref = keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
      if (ref === 0) throw new HiveError("NO_KEY", "no such key");
      const known = this.#isolatedAt(ref);
      if (known === undefined) return this.#calls.runMethod({ context, args, reply, name, again }, ref);
      const facts = known.facts.methods.find((method) => method.name === name);
      if (facts === undefined)
        throw new HiveError("WRONG_TYPE", `the key holds a ${known.facts.name}, which has no command ${name}`);
      return this.#isolation.run(known, { context, args, reply, name, reads: facts.reads, keyAt: 1 });
    };
    return again;
  }
}

function pairOf(registration: Registration): readonly [StructureClass, unknown] {
  return isPair(registration) ? registration : [registration, undefined];
}

function isPair(registration: Registration): registration is readonly [StructureClass, unknown] {
  return Array.isArray(registration);
}

function keptClass(cls: StructureClass): KeptClass {
  try {
    return new KeptClass(cls);
  } catch (error) {
    if (error instanceof HiveError && error.code === "INVALID_ARGUMENT") throw error;
    throw new HiveError("INVALID_ARGUMENT", `${cls.name}: ${(error as Error).message}`, { cause: error });
  }
}
