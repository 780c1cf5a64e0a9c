// KeptClass: a registered class, looked at once: its commands, and its instances from bytes and to bytes.
//
//   instance ──▶ encode ──▶ [name, version, state] as one canonical value ──▶ decode ──▶ instance
//                           [name, version, [part, …], state] where it has lists or sorted sets (store/parts.ts)

import { HiveError } from "../base/errors.ts";
import { isPartName } from "../store/parts.ts";
import { decode, encodeInto, Scratch } from "../wire/value.ts";
import { Journal } from "./journal.ts";
import { allPieces, piecesOf } from "./pieces.ts";
import type { Structure, StructureClass } from "./structure.ts";
import { fieldsOf, Tracker, track } from "./tracker.ts";

export type Method = (...args: unknown[]) => unknown;

const COMMAND_NAME = /^[A-Z][A-Z0-9_]*$/;

/** An instance with what its class keeps of it. */
export type Kept = {
  instance: Structure;
  state: Record<string, unknown> | undefined;
  tracker: Tracker;
  /** Names of its lists and sorted sets. */
  parts: string[];
};

export class KeptClass {
  readonly cls: StructureClass;
  readonly name: string;
  /** Static commands and key commands by name. */
  readonly statics: ReadonlyMap<string, Method>;
  readonly methods: ReadonlyMap<string, Method>;
  readonly undoes: boolean;
  /** Whether its state is given in pieces, so that it may be larger than structureBytesMax. */
  readonly inPieces: boolean;

  /** @throws {HiveError} INVALID_ARGUMENT: what is wrong with the class */
  constructor(cls: StructureClass) {
    this.cls = cls;
    this.name = cls.name;
    this.undoes = cls.undo;
    if (this.name === "") throw new HiveError("INVALID_ARGUMENT", "a structure's class needs a name");
    this.statics = commandsOf(cls);
    this.methods = commandsOf(cls.prototype as object);
    const encode = (cls.prototype as Structure).encode;
    this.inPieces = encode !== undefined && Object.getPrototypeOf(encode) === GENERATOR;
    if ((encode === undefined) !== ((cls.prototype as Structure).decode === undefined)) {
      throw new HiveError("INVALID_ARGUMENT", `${this.name}: encode() and decode() come together, or not at all`);
    }
    for (const name of cls.reads) this.#checkNamed(name, "reads");
    for (const name of Object.keys(cls.args)) this.#checkNamed(name, "args");
    const probe = new cls();
    // An object that all instances would begin with, a constant of the file, is the probe's: each of them gets a copy.
    const state = this.undoes ? fieldsOf(probe, new Tracker(new Journal(), () => {})) : undefined;
    this.encode({ instance: probe, state, parts: [] }, new Scratch());
  }

  #checkNamed(name: string, where: string): void {
    if (this.statics.has(name) || this.methods.has(name)) return;
    throw new HiveError("INVALID_ARGUMENT", `${this.name}.${where} names ${name}, which is no command of it`);
  }

  /** A new instance, empty or with a state. */
  make(journal: Journal, begin: () => void): Kept {
    const instance = new this.cls();
    const tracker = new Tracker(journal, begin);
    const parts: string[] = [];
    if (!this.undoes) return { instance, state: undefined, tracker, parts };
    const state = fieldsOf(instance, tracker);
    return { instance: track(instance, state, tracker) as Structure, state, tracker, parts };
  }

  /** Fills an instance with what encode() wrote. @throws {HiveError} BAD_PAYLOAD */
  fill({ instance, state, parts }: Kept, encoded: Head): void {
    const { cls } = this;
    parts.push(...encoded.parts);
    let given = encoded.state;
    if (encoded.version !== cls.version) {
      if (cls.migrate === undefined || encoded.version > cls.version) {
        const message = `a ${this.name} of version ${encoded.version}: this class is of version ${cls.version}, and has no migrate() for it`;
        throw new HiveError("BAD_PAYLOAD", message);
      }
      given = cls.migrate(given, encoded.version);
    }
    if (instance.decode !== undefined) return instance.decode(this.inPieces ? this.#piecesOf(given) : given);
    if (typeof given !== "object" || given === null)
      throw new HiveError("BAD_PAYLOAD", `a ${this.name} without fields`);
    const target = state ?? (instance as unknown as Record<string, unknown>);
    for (const name of Object.keys(target))
      if (Object.hasOwn(given, name)) target[name] = (given as Record<string, unknown>)[name];
  }

  #piecesOf(state: unknown): unknown[] {
    const pieces = piecesOf(state);
    if (pieces === undefined) throw new HiveError("BAD_PAYLOAD", `the state of this ${this.name} is not in pieces`);
    return pieces;
  }

  /** Writes an instance at the end of `scratch`. @throws {HiveError} BAD_VALUE: something of it cannot be encoded */
  encode({ instance, state, parts }: Omit<Kept, "tracker">, scratch: Scratch): void {
    let given: unknown = state;
    if (instance.encode !== undefined) {
      given = instance.encode();
      if (this.inPieces) given = allPieces(given as Iterable<unknown>);
    } else if (state === undefined) given = { ...instance };
    this.encodeState(given, parts, scratch);
  }

  /** The same with a state that was encoded before: that of a writing. */
  encodeState(given: unknown, parts: readonly string[], scratch: Scratch): void {
    const { version } = this.cls;
    encodeInto(parts.length === 0 ? [this.name, version, given] : [this.name, version, parts, given], scratch);
  }
}

const GENERATOR: unknown = Object.getPrototypeOf(function* () {});

/** What is in a structure's key. */
export type Head = { name: string; version: number; parts: readonly string[]; state: unknown };

function isPartNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === "string" && isPartName(name));
}

/** @throws {HiveError} BAD_PAYLOAD */
export function readHead(bytes: Uint8Array, start: number, end: number): Head {
  const value = decode(bytes, start, end);
  if (Array.isArray(value) && typeof value[0] === "string" && Number.isSafeInteger(value[1])) {
    const [name, version, third, fourth] = value as [string, number, unknown, unknown];
    if (value.length === 3) return { name, version, parts: [], state: third };
    if (value.length === 4 && isPartNames(third)) return { name, version, parts: third, state: fourth };
  }
  throw new HiveError("BAD_PAYLOAD", "this key holds no structure that can be read");
}

/** The name alone: what is behind it may be a MiB. @throws {HiveError} BAD_PAYLOAD */
export function readName(bytes: Buffer, start: number): string {
  // An array of three or four, then a short string or one of up to 255 bytes.
  const head = bytes[start + 1]!;
  const isHead = bytes[start] === ARRAY_OF_3 || bytes[start] === ARRAY_OF_4;
  if (isHead && head >>> 5 === SHORT_TEXT) return bytes.utf8Slice(start + 2, start + 2 + (head & 31));
  if (isHead && head === TEXT_OF_BYTE) return bytes.utf8Slice(start + 3, start + 3 + bytes[start + 2]!);
  throw new HiveError("BAD_PAYLOAD", "this key holds no structure that can be read");
}

const ARRAY_OF_3 = 0x93;
const ARRAY_OF_4 = 0x94;
const SHORT_TEXT = 5;
const TEXT_OF_BYTE = 0xd9;

/** Upper-case methods, those of classes that it extends too. */
function commandsOf(target: object): Map<string, Method> {
  const found = new Map<string, Method>();
  for (let at: object | null = target; at !== null && at !== Object.prototype && at !== Function.prototype; ) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (!COMMAND_NAME.test(name) || found.has(name)) continue;
      const { value } = Object.getOwnPropertyDescriptor(at, name)!;
      if (typeof value === "function") found.set(name, value as Method);
    }
    at = Object.getPrototypeOf(at) as object | null;
  }
  return found;
}
