// Structure calls: one call of an inline structure's command, from its arguments to its reply.
//
//   args ──▶ values ──▶ method, within a transaction ──▶ reply │ undone, and the error
//                          └── a promise: its first part stands, and the reply follows

import { HiveError } from "../base/errors.ts";
import type { Args } from "../engine/args.ts";
import type { Context } from "../engine/context.ts";
import type { Reply } from "../engine/reply.ts";
import type { Row } from "../engine/row.ts";
import { Facade, type FacadeParts } from "./facade.ts";
import { abandon, failure, isThenable } from "./failure.ts";
import type { KeptClass, Method } from "./kept-class.ts";
import { argumentsFrom } from "./method-arguments.ts";
import { Interrupted } from "./pieces.ts";
import { replyResult } from "./results.ts";
import type { Watchdog } from "./watchdog.ts";

const ASYNC: unknown = Object.getPrototypeOf(async () => {});

type Call = { context: Context; args: Args; reply: Reply; name: string };
type KeyCall = Call & Pick<MethodCall, "again">;
type MethodCall = Call & {
  method: Method;
  reads: boolean;
  hive: Facade;
  /** The whole call once more. */
  again: Row["run"];
};

export class StructureCalls {
  readonly #shared: FacadeParts;
  readonly #watchdog: Pick<Watchdog, "begin" | "end"> | undefined;
  #facade: Facade | undefined = undefined;

  constructor(shared: FacadeParts, watchdog: Pick<Watchdog, "begin" | "end"> | undefined) {
    this.#shared = shared;
    this.#watchdog = watchdog;
  }

  /** The run of a static command's row. */
  staticRun(kept: KeptClass, name: string): Row["run"] {
    const command = { name, schemas: kept.cls.args[name] };
    const method = kept.statics.get(name)!;
    const reads = kept.cls.reads.includes(name);
    const again: Row["run"] = (context, args, reply) => {
      const hive = this.#facadeFor(context, reads, method);
      return this.#run({ context, args, reply, name, method, reads, hive, again }, () =>
        method.call(kept.cls, hive, ...argumentsFrom(args, 1, command)),
      );
    };
    return again;
  }

  /** A key command, on what entry `ref` holds. @throws {HiveError} WRONG_TYPE, and what the command fails with */
  runMethod({ context, args, reply, name, again }: KeyCall, ref: number): void | Promise<void> {
    const { instances, transactions } = this.#shared;
    const live = instances.at(ref);
    const { kept, instance } = live;
    const method = kept.methods.get(name);
    if (method === undefined)
      throw new HiveError("WRONG_TYPE", `the key holds a ${kept.name}, which has no command ${name}`);
    const reads = kept.cls.reads.includes(name);
    const command = { name, schemas: kept.cls.args[name] };
    const hive = this.#facadeFor(context, reads, method);
    return this.#run({ context, args, reply, name, method, reads, hive, again }, () => {
      const values = argumentsFrom(args, 2, command);
      transactions.opened(live, hive.itself, ref);
      if (!kept.undoes && !reads) {
        live.tracker.growth += args.totalBytes() * 4;
        if (!live.tracker.changed) transactions.changing(live);
      }
      return method.apply(instance, values);
    });
  }

  /** The hive for one caller. It has no state of a call, so those of a pipeline have the same. */
  #facadeFor(context: Context, reads: boolean, method: Method): Facade {
    // One whose call may be refused while its code goes on is not shared.
    if (context.executing || Object.getPrototypeOf(method) === ASYNC) return new Facade(this.#shared, context, reads);
    if (this.#facade?.isFor(context, reads) !== true) this.#facade = new Facade(this.#shared, context, reads);
    return this.#facade!;
  }

  #run(call: MethodCall, body: () => unknown): void | Promise<void> {
    const { context, args, reply, name, method, reads, hive } = call;
    const { transactions } = this.#shared;
    const native = context.peer.door === "native";
    const isOuter = !transactions.isOpen;
    const mayNotWait = context.executing && isOuter;
    if (mayNotWait && Object.getPrototypeOf(method) === ASYNC) throw answersLater(name);
    if (isOuter) this.#watchdog?.begin(name);
    let result: unknown;
    try {
      transactions.run(
        name,
        () => {
          result = body();
          // What cannot be answered is no success: it is undone.
          if (!isThenable(result)) replyResult(reply, result, native);
          else if (mayNotWait) throw answersLater(name);
        },
        reads,
        isOuter && !context.executing,
      );
    } catch (error) {
      if (isThenable(result)) {
        hive.end();
        abandon(result);
      }
      if (error instanceof Interrupted) {
        args.keep();
        return error.writing.over.then(() => call.again(context, args, reply));
      }
      throw failure(name, error);
    } finally {
      if (isOuter) this.#watchdog?.end(name);
    }
    if (!isThenable(result)) return;
    args.keep();
    return Promise.resolve(result)
      .then((value) => replyResult(reply, value, native))
      .catch((error: unknown) => {
        throw failure(name, error);
      });
  }
}

function answersLater(name: string): HiveError {
  return new HiveError("UNSUPPORTED", `${name} answers later, which it cannot inside a transaction`);
}
