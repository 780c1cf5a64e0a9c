// Isolation: the isolated structures of a hive, as its commands call them.
//
//   row ──▶ run ──▶ IsolatedCall ──▶ IsolatedWorker ──▶ … ──▶ result ──▶ reply

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { systemTimers, type Timers } from "../base/timers.ts";
import type { Args } from "../engine/args.ts";
import type { Context } from "../engine/context.ts";
import type { Reply } from "../engine/reply.ts";
import { Watches } from "../engine/transaction.ts";
import type { Store } from "../store/store.ts";
import type { ClassFacts } from "./class-facts.ts";
import { Facade, type FacadeParts } from "./facade.ts";
import { guarded } from "./failure.ts";
import { IsolatedCall, type IsolatedCallParts } from "./isolated-call.ts";
import { IsolatedWorker } from "./isolated-worker.ts";
import { argumentOf, replyUnwrapped } from "./results.ts";

/** A class whose commands run in a worker. */
export type IsolatedClass = { readonly facts: ClassFacts; readonly worker: IsolatedWorker };
export type Isolated = ReadonlyMap<string, IsolatedClass>;

/** Where the structures of a worker come from, and what their init() gets. */
export type IsolatedSource = {
  /** A file, or the name of a ready structure. */
  readonly source: string;
  /** Its classes that are isolated; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly options: unknown;
};

export type IsolationParts = {
  readonly store: Store;
  readonly limits: Limits;
  readonly timers?: Timers;
  readonly shared: FacadeParts;
  /** The hive for code that no client called. */
  inside(): { facade: Facade; context: Context };
  /** Facts of any class of this name. @throws {HiveError} UNSUPPORTED */
  factsOf(cls: string): ClassFacts;
  onNotice(message: string): void;
};

export type IsolatedRun = {
  readonly context: Context;
  readonly args: Args;
  readonly reply: Reply;
  readonly name: string;
  readonly reads: boolean;
  /** Where the key stands, for a key command. */
  readonly keyAt: number | undefined;
};

export class Isolation {
  readonly #parts: IsolationParts;
  readonly #callParts: IsolatedCallParts;

  constructor(parts: IsolationParts) {
    this.#parts = parts;
    const { store, limits, shared, factsOf } = parts;
    this.#callParts = {
      ...{ store, limits, factsOf },
      transactions: shared.transactions,
      watches: new Watches(store),
      guard: (context, run) => {
        const { quotas } = context.services;
        if (quotas === undefined) run();
        else quotas.conclude(context, run);
      },
    };
  }

  /** A worker for the structures of a file; it is started by open(). */
  worker({ source, only, options }: IsolatedSource): IsolatedWorker {
    const { limits, timers = systemTimers, onNotice } = this.#parts;
    return new IsolatedWorker({
      spec: { source, only, bytesMax: limits.isolatedBytesMax, partsMax: limits.structurePartsMax },
      ...{ limits, timers, onNotice },
      begin: (classes) =>
        classes
          .filter(({ begins }) => begins)
          .map(({ name: cls }) => this.#call({ cls, command: "init", args: [options] })),
    });
  }

  #call(request: { cls: string; command: string; args: readonly unknown[] }): IsolatedCall {
    const { facade, context } = this.#parts.inside();
    return new IsolatedCall(this.#callParts, { ...request, reads: false, key: undefined, facade, context });
  }

  run({ facts, worker }: IsolatedClass, { context, args, reply, name, reads, keyAt }: IsolatedRun): Promise<void> {
    if (context.executing || this.#parts.shared.transactions.isOpen) {
      const why = context.executing
        ? "which it cannot inside a transaction"
        : "after the first await of an async command";
      throw new HiveError("UNSUPPORTED", `${name} runs in a worker and answers later, ${why}`);
    }
    args.keep();
    const given: unknown[] = [];
    for (let i = keyAt === undefined ? 1 : keyAt + 1; i < args.count; i++) given.push(argumentOf(args, i));
    const facade = new Facade(this.#parts.shared, context, reads);
    const key = keyAt === undefined ? undefined : args.latin1(keyAt);
    const request = { cls: facts.name, command: name, reads, key, args: given, context, facade };
    const native = context.peer.door === "native";
    return worker
      .run(new IsolatedCall(this.#callParts, request))
      .then((result) => guarded(name, () => replyUnwrapped(reply, result, native)));
  }
}
