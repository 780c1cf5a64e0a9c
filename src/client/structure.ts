// Structures as the client sees them: the commands of a class, with the types of the class.
//
//   import type { Fifo } from "./fifo.ts";                     only its type
//   const fifo = hive.structure<typeof Fifo>("Fifo");
//   await fifo.FIFOADD("task queue", 42);                      a static command
//   await fifo.at("task queue").POP();                         a command on the key
//
// The names are commands of the hive; what a class does not have fails there, as any unknown command.

import type { Bound } from "./bound.ts";
import type { CallOptions } from "./call.ts";
import { anyCommand } from "./specs.ts";

type Any = (...args: never[]) => unknown;
/** What a caller gets: answers come over a wire, so all of them are awaited. */
type Answer<Result> = Promise<Awaited<Result>>;
type Upper<Name> = Name extends string ? (Name extends Uppercase<Name> ? Name : never) : never;

/** The static commands of a class, without the hive that they get first. */
export type StaticCalls<Class> = {
  readonly [Name in keyof Class as Class[Name] extends Any ? Upper<Name> : never]: Class[Name] extends (
    hive: never,
    ...args: infer Arguments
  ) => infer Result
    ? (...args: Arguments) => Answer<Result>
    : never;
};

/** The key commands of a class. */
export type KeyCalls<Class> = Class extends abstract new (
  ...args: never[]
) => infer Instance
  ? {
      readonly [Name in keyof Instance as Instance[Name] extends Any ? Upper<Name> : never]: Instance[Name] extends (
        ...args: infer Arguments
      ) => infer Result
        ? (...args: Arguments) => Answer<Result>
        : never;
    }
  : never;

export type StructureCalls<Class> = StaticCalls<Class> & {
  /** The commands on a key that holds one. @throws {HiveError} NO_KEY: by the calls, where there is no such key */
  at(key: string | Uint8Array, options?: CallOptions): KeyCalls<Class>;
};

/** Made by client.structure(). */
export function structureCalls<Class>(bound: Bound): StructureCalls<Class> {
  const at = (key: string | Uint8Array, options?: CallOptions): KeyCalls<Class> =>
    commands((name, args) => bound.read(anyCommand(name, false), [key, ...args], options)) as KeyCalls<Class>;
  const statics = commands((name, args) => bound.read(anyCommand(name, false), args, undefined));
  return new Proxy(statics, {
    get: (target, name) => (name === "at" ? at : Reflect.get(target, name)),
  }) as StructureCalls<Class>;
}

function commands(call: (name: string, args: readonly unknown[]) => Promise<unknown>): object {
  return new Proxy(
    {},
    {
      get: (_, name) => {
        // A promise asks everything that it is resolved with for `then`.
        if (typeof name !== "string" || name === "then") return undefined;
        return (...args: unknown[]) => call(name.toUpperCase(), args);
      },
    },
  );
}
