// Instances and code as values: what a value holds where a class or a function is meant.
//
//   new Reading(21.5) ──types: [Reading]──▶ extension 8: ["Reading", { celsius: 21.5 }] ──▶ a Reading, or an Instance
//   ship(fn)          ──▶ ShippedCode ────▶ extension 9: [name, kind, source, bindings] ──▶ a ShippedCode, inert
//
// An Instance is what a reader gets that has not named the class, ShippedCode what one gets that has not asked for
// code. Both are encoded to the bytes that they came from. Nothing here makes a function of text: src/ship does.

import { HiveError } from "../base/errors.ts";
import { badValue } from "./value-format.ts";

/** An object of a class that is not named here. */
export class Instance {
  /** The name of its class. */
  readonly type: string;
  /** Its own fields as a plain object, or what the static encode() of its class gave. */
  readonly value: unknown;

  constructor(type: string, value: unknown) {
    this.type = type;
    this.value = value;
  }
}

/** How the source is to be read: a method, getter or setter stands in an object, the others are expressions. */
export type CodeKind = "function" | "arrow" | "class" | "method" | "getter" | "setter";

/**
 * A function or class as text, with the values of its free variables. It does nothing. Made by ship(), or read.
 * A binding that is this very object stands for the function itself.
 */
export class ShippedCode {
  readonly name: string;
  readonly kind: CodeKind;
  readonly source: string;
  readonly bindings: Readonly<Record<string, unknown>>;

  constructor(name: string, parts: { kind: CodeKind; source: string; bindings: Readonly<Record<string, unknown>> }) {
    this.name = name;
    this.kind = parts.kind;
    this.source = parts.source;
    this.bindings = parts.bindings;
  }
}

/**
 * A class whose instances go by value: their own fields, set again without calling the constructor or a setter. One
 * that keeps something else (private fields, a built-in base) says how with `static encode(instance)`, which gives
 * any value, and `static decode(value)`, which gives an instance.
 */
export type TypeClass = (abstract new (
  ...args: never[]
) => object) & {
  encode?(instance: never): unknown;
  decode?(value: never): object;
};

export type KnownType = {
  readonly name: string;
  readonly prototype: object;
  readonly encode: ((instance: object) => unknown) | undefined;
  readonly decode: ((value: unknown) => object) | undefined;
};

/** The classes that a client has named. */
export class Types {
  readonly classes: readonly TypeClass[];
  readonly #named = new Map<string, KnownType>();
  readonly #byPrototype = new Map<object, KnownType>();

  /** @throws {HiveError} REFUSED_SETTING: two of one name, no class, or one whose instances cannot be carried */
  constructor(classes: readonly TypeClass[] = []) {
    this.classes = classes;
    for (const type of classes) {
      const known = knownType(type);
      const other = this.#named.get(known.name);
      if (other !== undefined && other.prototype !== known.prototype) {
        throw refused(`two classes have the name ${known.name}: a reader could not tell them apart`);
      }
      this.#named.set(known.name, known);
      this.#byPrototype.set(known.prototype, known);
    }
  }

  named(name: string): KnownType | undefined {
    return this.#named.get(name);
  }

  /** The class whose own instances have this prototype: those of a subclass are another class's. */
  of(prototype: object): KnownType | undefined {
    return this.#byPrototype.get(prototype);
  }
}

function knownType(type: TypeClass): KnownType {
  const prototype: unknown = typeof type === "function" ? type.prototype : undefined;
  if (typeof prototype !== "object" || prototype === null) throw refused(`expected a class, got ${String(type)}`);
  const { name, encode, decode } = type as unknown as Record<"name" | "encode" | "decode", unknown>;
  if (typeof name !== "string" || name === "") throw refused("a class without a name: a reader could not find it");
  const writes = typeof encode === "function";
  if (writes !== (typeof decode === "function")) {
    throw refused(`${name}: static encode() and static decode() come together, or not at all`);
  }
  if (!writes) requireOpenFields(name, prototype);
  return {
    name,
    prototype,
    encode: writes
      ? (instance) => (encode as (this: unknown, instance: object) => unknown).call(type, instance)
      : undefined,
    decode: writes ? (value) => decoded(type, decode as (value: unknown) => unknown, value) : undefined,
  };
}

/** Own fields have to be all that an instance keeps. */
function requireOpenFields(name: string, prototype: object): void {
  const advice = `give ${name} static encode() and static decode()`;
  for (let at: object | null = prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    const maker = ownConstructor(at);
    if (maker === undefined) throw refused(`${name}: a prototype without a constructor; ${advice}`);
    const source = Function.prototype.toString.call(maker);
    if (isNative(source)) throw refused(`${name} extends ${maker.name}, whose content is no field: ${advice}`);
    if (PRIVATE_NAME.test(bare(source))) throw refused(`${name} has private fields, which cannot be read: ${advice}`);
  }
}

const PRIVATE_NAME = /#[\p{ID_Start}$_]/u;
/** Comments and texts, where a # means nothing. A pattern with one is taken for a private field. */
const COMMENTS_AND_TEXTS =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\$]|\$(?!\{))*`/g;

function bare(source: string): string {
  return source.replace(COMMENTS_AND_TEXTS, " ");
}

function decoded(type: TypeClass, decode: (value: unknown) => unknown, value: unknown): object {
  let instance: unknown;
  try {
    instance = decode.call(type, value);
  } catch (cause) {
    throw new HiveError("BAD_VALUE", `static decode() of ${type.name} failed: ${String(cause)}`, { cause });
  }
  if (!(instance instanceof (type as unknown as new () => object))) {
    throw badValue(`static decode() of ${type.name} gave no ${type.name}`);
  }
  return instance;
}

// Who is whose instance.

function ownConstructor(prototype: object): ((...args: never[]) => unknown) | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof value === "function" ? (value as () => unknown) : undefined;
}

/** Whether text of a function is that of one without source: built in, bound, or behind a Proxy. */
export function isNative(source: string): boolean {
  return /\{\s*\[native code\]\s*\}\s*$/.test(source);
}

const builtIns = new WeakSet<object>();
const ERRORS_CARRIED = /^(Eval|Range|Reference|Syntax|Type|URI)?Error$/;

/**
 * Whether objects with this prototype are the language's own, of this realm or another: a subclass of Map is not,
 * though it looks like one. A Buffer is a Uint8Array.
 */
export function isBuiltIn(prototype: object): boolean {
  if (builtIns.has(prototype)) return true;
  const maker = ownConstructor(prototype);
  if (maker === undefined || maker.prototype !== prototype) return false;
  const { Buffer: NodeBuffer } = globalThis as { Buffer?: unknown };
  if (maker !== NodeBuffer && !isNative(Function.prototype.toString.call(maker))) return false;
  // AggregateError and its like hold more than an Error does.
  if (maker.name.endsWith("Error") && !ERRORS_CARRIED.test(maker.name)) return false;
  builtIns.add(prototype);
  return true;
}

/** @param prototype Of the object that cannot go. */
export function notNamed(prototype: object): HiveError {
  const { constructor: maker } = prototype as { constructor?: unknown };
  const name = ownConstructor(prototype) === maker && typeof maker === "function" ? maker.name : "";
  const message =
    name === ""
      ? "an object with a prototype of its own, but without a class"
      : `an instance of ${name}: name its class in types: [${name}], or give plain data`;
  return new HiveError("BAD_VALUE", `cannot encode ${message}`, { detail: { class: name } });
}

function refused(message: string): HiveError {
  return new HiveError("REFUSED_SETTING", `types: ${message}`);
}
