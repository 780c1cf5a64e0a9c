// Structure: the base of a class whose instances live in the hive, and what its methods see of the hive.
//
//   class Fifo extends Structure {
//     items: unknown[] = [];                                    public fields are the state
//     static FIFOADD(hive, key, ...values) { … }                upper case, static: a command of the hive
//     POP() { return this.items.shift(); }                      upper case: a command on a key that holds a Fifo
//   }
//
// Whatever is not in upper case is the class's own.

import { HiveError } from "../base/errors.ts";
import { Part, type PartCalls, type PartOwner } from "./part.ts";
import { PartList } from "./part-list.ts";
import { PartSorted } from "./part-sorted.ts";
import type { Played } from "./played.ts";
import type { ArgumentSchema } from "./schema.ts";

/** The arguments of a command by name, in order; "...values" takes all that are left. */
export type ArgumentSchemas = Readonly<Record<string, ArgumentSchema>>;

/** What a structure's methods may ask of the hive. Good for the call that it was given to. */
export interface HiveCalls {
  /** Epoch milliseconds, the same during one synchronous call. */
  readonly nowMs: number;
  /**
   * The instance under a key; made where there is no such key, or it has run out.
   * @throws {HiveError} WRONG_TYPE: the key holds something else; NO_PERMISSION; KEY_TOO_BIG, OUT_OF_MEMORY
   */
  open<S extends Structure>(cls: new () => S, key: string): S;
  /** The same where there is one; undefined where there is no such key. */
  find<S extends Structure>(cls: new () => S, key: string): S | undefined;
  /**
   * Any command of the hive, with the caller's permissions: in process, as part of this call.
   * @throws {HiveError} what the command fails with
   */
  play<Name extends string>(command: Name, ...args: readonly unknown[]): Played<Name>;
}

/** What an instance knows of where it is: set by the hive. */
export type Placement = { readonly key: string; readonly owner: () => PartOwner; hive: () => HiveCalls & PartCalls };

/** What `this.hive` gives where no call is under way. */
export function noCall(): never {
  throw new HiveError(
    "UNSUPPORTED",
    "no call is under way: an async method keeps this.hive in a variable before it first waits",
  );
}

const placements = new WeakMap<object, Placement>();

export function setPlacement(instance: object, placement: Placement): void {
  placements.set(instance, placement);
}

export class Structure {
  /** How the hive knows such classes, whichever copy of the package they extend. */
  static readonly isStructure: true = true;
  /** False: changes are not undone when a command throws, so its commands check before they change. Any fields then, with encode() and decode(). */
  static undo: boolean = true;
  /**
   * True: its commands run in a worker thread, can be stopped, and answer later. A class that is registered as such, not by its file,
   * says `import.meta.url`: where the worker finds it.
   */
  static isolate: boolean | string = false;
  /** Raise it when the state's form changes, and give migrate(). */
  static version: number = 1;
  /** Key commands that change nothing: they need `read` on the key alone. */
  static reads: readonly string[] = [];
  /** What the arguments of commands are, by the command's name: without `hive`, and without the key of a key command. */
  static args: Readonly<Record<string, ArgumentSchemas>> = {};
  /** A line for COMMAND DOCS, by the command's name. */
  static summaries: Readonly<Record<string, string>> = {};

  /** Once, when the class is registered. */
  static init?(hive: HiveCalls, options: unknown): void;
  /** Makes state of an older version what this version reads. */
  static migrate?(state: unknown, version: number): unknown;
  /** The state as a value, where it is not the public fields; a generator gives it in pieces, for what is large. */
  encode?(): unknown;
  /** The state, as encode() gave it: of a generator all pieces in order. */
  decode?(state: unknown): void;

  /** The key that this instance is under. */
  protected get key(): string {
    return placementOf(this).key;
  }

  /**
   * A list of the store that belongs to this key: it goes, moves, is copied and counted with it. For state that is large: a change costs
   * what it changes. Good for the call under way. @param name 1 to 64 of the letters, digits, _ . and -
   * @throws {HiveError} INVALID_ARGUMENT
   */
  protected list<Value = unknown>(name: string): PartList<Value> {
    return new PartList(partOf(this, name));
  }

  /** The same as a sorted set: members with a score, in order. */
  protected sorted<Member = unknown>(name: string): PartSorted<Member> {
    return new PartSorted(partOf(this, name));
  }

  /** The hive, for the call under way: an async method keeps it in a variable before it first waits. */
  protected get hive(): HiveCalls {
    return placementOf(this).hive();
  }
}

function placementOf(instance: object): Placement {
  const placement = placements.get(instance);
  if (placement === undefined)
    throw new HiveError("UNSUPPORTED", "this instance is in no hive: hive.open() gives one that is");
  return placement;
}

function partOf(structure: Structure, name: string): Part {
  const { owner, hive } = placementOf(structure);
  return new Part(owner(), name, hive());
}

/** A class that can be registered. */
export type StructureClass = (new () => Structure) & {
  readonly name: string;
  readonly isStructure: true;
  undo: boolean;
  isolate: boolean | string;
  version: number;
  reads: readonly string[];
  args: Readonly<Record<string, ArgumentSchemas>>;
  summaries: Readonly<Record<string, string>>;
  init?(hive: HiveCalls, options: unknown): void;
  migrate?(state: unknown, version: number): unknown;
};

export function isStructureClass(value: unknown): value is StructureClass {
  return typeof value === "function" && (value as { isStructure?: unknown }).isStructure === true;
}
