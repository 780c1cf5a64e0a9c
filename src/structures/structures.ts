// Structures: the classes of a hive, their commands in its table, and each call of one.
//
//   register(Fifo) ──▶ FIFOADD, a row ──▶ open the key, push ──▶ whole, or undone
//                 └──▶ POP, a row for all classes that have one ──▶ by the class of the key's value

import { ERRORS, type ErrorCode, HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Args } from "../engine/args.ts";
import { COMMANDS_MAX, type CommandTable, NAME_BYTES_MAX } from "../engine/command-table.ts";
import { Context, type Peer, type Services } from "../engine/context.ts";
import type { Reply } from "../engine/reply.ts";
import { oneKey, type Row } from "../engine/row.ts";
import type { Store } from "../store/store.ts";
import { Facade, type FacadeParts } from "./facade.ts";
import { Instances } from "./instances.ts";
import { Journal } from "./journal.ts";
import { KeptClass, type Method } from "./kept-class.ts";
import { argumentsFrom, syntaxOf } from "./method-arguments.ts";
import { replyResult } from "./results.ts";
import { isStructureClass, type StructureClass } from "./structure.ts";
import { Transactions } from "./transaction.ts";
import type { Watchdog } from "./watchdog.ts";

export type StructuresParts = {
  store: Store;
  commands: CommandTable;
  services: Services;
  limits: Limits;
  log: Log | undefined;
  watchdog?: Pick<Watchdog, "begin" | "end">;
};

/** A class to register, alone or with options for its init(). */
export type Registration = StructureClass | readonly [StructureClass, unknown];

const ASYNC: unknown = Object.getPrototypeOf(async () => {});
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
  #classes: ReadonlyMap<string, KeptClass> = new Map();
  #options: ReadonlyMap<string, unknown> = new Map();
  /** Rows of the table that are ours. */
  #names: readonly string[] = [];
  #facade: Facade | undefined = undefined;

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
      classNamed: (name) => this.#classNamed(name),
      onChange: (live) => this.#transactions.changing(live),
    });
    this.#shared = {
      instances: this.instances,
      transactions: this.#transactions,
      keptOf: (cls) => this.#keptOf(cls as unknown as StructureClass),
    };
  }

  /** Names of the classes, with the commands of each. */
  *list(): Generator<{ name: string; statics: string[]; methods: string[] }> {
    for (const { name, statics, methods } of this.#classes.values()) {
      yield { name, statics: [...statics.keys()], methods: [...methods.keys()] };
    }
  }

  /** The name of the class of what key `ref` holds. @throws {HiveError} WRONG_TYPE, BAD_PAYLOAD, UNSUPPORTED */
  nameOf(ref: number): string {
    return this.instances.at(ref).kept.name;
  }

  /**
   * Registers a class: its commands are there from now on.
   * @throws {HiveError} INVALID_ARGUMENT: what is wrong with it, nothing was changed.
   */
  register(cls: StructureClass, options?: unknown): void {
    this.#replace([...this.#registrations(), [cls, options]], [cls]);
  }

  /**
   * Exchanges classes for newer ones of their names, and adds those that are new. What is live goes on in the new
   * class. @throws {HiveError} INVALID_ARGUMENT: nothing was changed.
   */
  exchange(newer: readonly Registration[]): void {
    const pairs = newer.map(pairOf);
    const names = new Set(pairs.map(([{ name }]) => name));
    this.#replace(
      [...this.#registrations().filter(([{ name }]) => !names.has(name)), ...pairs],
      pairs.map(([cls]) => cls),
    );
  }

  #registrations(): (readonly [StructureClass, unknown])[] {
    return [...this.#classes.values()].map(({ cls, name }) => [cls, this.#options.get(name)] as const);
  }

  #replace(all: readonly (readonly [StructureClass, unknown])[], begun: readonly StructureClass[]): void {
    const classes = new Map<string, KeptClass>();
    for (const [cls] of all) {
      if (!isStructureClass(cls)) {
        throw new HiveError(
          "INVALID_ARGUMENT",
          `${String((cls as { name?: string })?.name ?? cls)} is no class that extends Structure`,
        );
      }
      if (classes.has(cls.name)) throw new HiveError("INVALID_ARGUMENT", `two structures are named ${cls.name}`);
      const known = this.#classes.get(cls.name);
      classes.set(cls.name, known?.cls === cls ? known : keptClass(cls));
    }
    const rows = this.#rowsOf(classes);
    // From here on nothing fails but init().
    this.instances.forgetAll();
    const before = {
      classes: this.#classes,
      options: this.#options,
      names: this.#names,
      rows: this.#rowsOf(this.#classes),
    };
    this.#parts.commands.exchange(this.#names, rows);
    this.#names = rows.map(({ name }) => name);
    this.#classes = classes;
    this.#options = new Map(all.map(([{ name }, options]) => [name, options]));
    this.#parts.store.memory.live = this.instances;
    try {
      for (const cls of begun) {
        this.#transactions.run("init", () => cls.init?.(this.inside(), this.#options.get(cls.name)));
      }
    } catch (error) {
      this.instances.forgetAll();
      this.#parts.commands.exchange(this.#names, before.rows);
      this.#classes = before.classes;
      this.#options = before.options;
      this.#names = before.names;
      throw failure("init", error);
    }
  }

  /** The hive for code that no client called. */
  inside(): Facade {
    this.#facade ??= new Facade(this.#shared, new Context(this.#parts.services, INSIDE, 0));
    return this.#facade;
  }

  #keptOf(cls: StructureClass): KeptClass {
    const kept = this.#classes.get(cls.name);
    // After a reload old code may still name the old class.
    if (kept !== undefined) return kept;
    throw new HiveError("UNSUPPORTED", `${cls.name} is not registered in this hive`);
  }

  #classNamed(name: string): KeptClass {
    const kept = this.#classes.get(name);
    if (kept !== undefined) return kept;
    throw new HiveError("UNSUPPORTED", `the key holds a ${name}, and no structure of that name is registered`);
  }

  #rowsOf(classes: ReadonlyMap<string, KeptClass>): Row[] {
    const owners = new Map<string, KeptClass>();
    const rows: Row[] = [];
    for (const kept of classes.values()) {
      for (const [name, method] of kept.statics) {
        this.#checkName(name, kept, owners.get(name));
        owners.set(name, kept);
        rows.push(this.#staticRow(kept, name, method));
      }
    }
    const shared = new Map<string, KeptClass[]>();
    for (const kept of classes.values()) {
      for (const name of kept.methods.keys()) {
        this.#checkName(name, kept, owners.get(name));
        shared.set(name, [...(shared.get(name) ?? []), kept]);
      }
    }
    for (const [name, known] of shared) rows.push(this.#methodRow(name, known));
    if (this.#parts.commands.all.size - this.#names.length + rows.length > COMMANDS_MAX) {
      throw new HiveError("INVALID_ARGUMENT", `more than ${COMMANDS_MAX} commands`);
    }
    return rows;
  }

  #checkName(name: string, kept: KeptClass, owner: KeptClass | undefined): void {
    if (name.length > NAME_BYTES_MAX) {
      throw new HiveError("INVALID_ARGUMENT", `${kept.name}.${name}: a name has at most ${NAME_BYTES_MAX} letters`);
    }
    if (owner !== undefined) {
      throw new HiveError("INVALID_ARGUMENT", `${kept.name}.${name}: ${owner.name} has the static command ${name}`);
    }
    if (!this.#names.includes(name) && this.#parts.commands.all.has(name)) {
      throw new HiveError("INVALID_ARGUMENT", `${kept.name}.${name}: the hive has a command ${name}`);
    }
  }

  #staticRow(kept: KeptClass, name: string, method: Method): Row {
    const schemas = kept.cls.args[name];
    const reads = kept.cls.reads.includes(name);
    const command = { name, schemas };
    return {
      name,
      family: "structures",
      // How many it takes it says itself: `limit?: number` counts in a function's length as well.
      arity: -1,
      flags: reads ? ["read", "mayWait"] : ["write", "grows", "mayWait"],
      permission: "run",
      summary: kept.cls.summaries[name] ?? `${kept.name}: a command of a structure`,
      syntax: syntaxOf(schemas),
      run: (context, args, reply) => {
        const values = argumentsFrom(args, 1, command);
        const hive = new Facade(this.#shared, context, reads);
        return this.#run({ context, args, reply, name, method }, () => method.call(kept.cls, hive, ...values));
      },
    };
  }

  #methodRow(name: string, classes: readonly KeptClass[]): Row {
    const reads = classes.every(({ cls }) => cls.reads.includes(name));
    const first = classes[0]!;
    return {
      name,
      family: "structures",
      arity: -2,
      flags: reads ? ["read", "mayWait"] : ["write", "grows", "mayWait"],
      permission: "run",
      keys: oneKey(1, reads ? "read" : "both"),
      summary: first.cls.summaries[name] ?? `${classes.map((kept) => kept.name).join(", ")}: a command on a key`,
      syntax: ["key", syntaxOf(classes.length === 1 ? first.cls.args[name] : undefined)].join(" ").trim(),
      run: (context, args, reply) => this.#runMethod(context, args, reply, name),
    };
  }

  #runMethod(context: Context, args: Args, reply: Reply, name: string): void | Promise<void> {
    const { keys } = context.store;
    const ref = keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
    if (ref === 0) throw new HiveError("NO_KEY", "no such key");
    const live = this.instances.at(ref);
    const { kept, instance } = live;
    const method = kept.methods.get(name);
    if (method === undefined)
      throw new HiveError("WRONG_TYPE", `the key holds a ${kept.name}, which has no command ${name}`);
    const reads = kept.cls.reads.includes(name);
    const values = argumentsFrom(args, 2, { name, schemas: kept.cls.args[name] });
    let facade: Facade | undefined;
    live.placement.hive = (): Facade => {
      facade ??= new Facade(this.#shared, context, reads);
      return facade;
    };
    return this.#run({ context, args, reply, name, method }, () => {
      if (!kept.undoes && !reads) {
        live.tracker.growth += args.totalBytes() * 4;
        if (!live.tracker.changed) this.#transactions.changing(live);
      }
      return method.apply(instance, values);
    });
  }

  #run(
    call: { context: Context; args: Args; reply: Reply; name: string; method: Method },
    body: () => unknown,
  ): void | Promise<void> {
    const { context, args, reply, name, method } = call;
    const native = context.peer.door === "native";
    const noWaiting = context.executing;
    if (noWaiting && Object.getPrototypeOf(method) === ASYNC && !this.#transactions.isOpen) {
      throw new HiveError("UNSUPPORTED", `${name} answers later, which it cannot inside a transaction`);
    }
    const { watchdog } = this.#parts;
    const isOuter = !this.#transactions.isOpen;
    if (isOuter) watchdog?.begin(name);
    let result: unknown;
    try {
      result = this.#transactions.run(name, () => {
        const value = body();
        if (noWaiting && isThenable(value) && isOuter) {
          throw new HiveError("UNSUPPORTED", `${name} answers later, which it cannot inside a transaction`);
        }
        // What cannot be answered is no success: it is undone.
        if (!isThenable(value)) replyResult(reply, value, native);
        return value;
      });
    } catch (error) {
      throw failure(name, error);
    } finally {
      if (isOuter) watchdog?.end(name);
    }
    if (!isThenable(result)) return;
    args.keep();
    return Promise.resolve(result).then(
      (value) => replyResult(reply, value, native),
      (error: unknown) => {
        throw failure(name, error);
      },
    );
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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/** What a caller is told of an error that a structure's code threw: its own code, where it is one of the hive's. */
function failure(command: string, error: unknown): HiveError {
  if (error instanceof HiveError) return error;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string" && Object.hasOwn(ERRORS, code)) return new HiveError(code as ErrorCode, String(message));
  const text = typeof message === "string" ? message : String(error);
  const words = typeof code === "string" ? `${code}: ${text}` : text;
  return new HiveError("STRUCTURE_FAILED", `${command}: ${words.replace(/\s+/g, " ")}`, { cause: error });
}
