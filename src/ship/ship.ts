// Ship: a function or class as its source, with the values of the names that it takes from around it.
//
//   ship((n) => n * rate, { bindings: { rate: 1.2 } }) ──▶ ShippedCode { kind: "arrow", source, bindings: { rate } }
//
// Everything that could not run elsewhere is found here, before anything is sent: names that are declared nowhere,
// this of an arrow function, super of a method, code without source. Nothing of the code is run.

import { HiveError } from "../base/errors.ts";
import { ShippedCode } from "../wire/value.ts";
import { isNative } from "../wire/value-instances.ts";
import { additionTo } from "./additions.ts";
import { LANGUAGE, NEVER } from "./language.ts";
import { CODE_DEPTH_MAX, CODE_UNITS_MAX, CODES_MAX } from "./limits.ts";
import { type Form, formOf, freeNames, type Node, type Parser } from "./parsing.ts";
import { surroundingsUsed } from "./surroundings.ts";

export type ShipOptions = {
  /**
   * The values of names that the code uses and does not declare. They are copied; the code has its own. What is a
   * function or class is shipped too, with the same bindings. Those that the code does not use are left out.
   */
  bindings?: Readonly<Record<string, unknown>> | undefined;
  /** Names that the reader's platform has: `["console", "setTimeout"]`. */
  globals?: readonly string[] | undefined;
};

// biome-ignore lint/complexity/noBannedTypes: whatever can be called or constructed
type Code = Function;

export type Ship = (code: Code, options?: ShipOptions) => ShippedCode;

/** @param load Gives the parser, at the first use. @throws {HiveError} UNSUPPORTED: it is not installed */
export function shipWith(load: () => Parser): Ship {
  return (code, options = {}) => new Shipment(load(), options).ship(code);
}

/** One call of ship(), with all that it takes along. */
class Shipment {
  readonly #parser: Parser;
  readonly #bindings: Readonly<Record<string, unknown>>;
  readonly #globals: ReadonlySet<string>;
  readonly #shipped = new Map<Code, ShippedCode>();
  #depth = 0;
  #units = 0;

  constructor(parser: Parser, { bindings = {}, globals = [] }: ShipOptions) {
    this.#parser = parser;
    this.#bindings = bindings;
    this.#globals = new Set(globals);
  }

  /** @throws {HiveError} CANNOT_SHIP, with the reason */
  ship(code: Code): ShippedCode {
    if (typeof code !== "function") throw refused("", `expected a function or class, got ${typeof code}`);
    const known = this.#shipped.get(code);
    if (known !== undefined) return known;
    const name = nameOf(code);
    const source = this.#sourceOf(code, name);
    const { form, used, free } = this.#parsed(source, name);
    if (used !== undefined) throw refused(name, `it uses ${used}`);
    const added = additionTo(code as never, form.kind, form.node);
    if (added !== undefined) throw refused(name, `${added} was put on it later and is not in its source`);
    const bindings: Record<string, unknown> = {};
    const shipped = new ShippedCode(name, { kind: form.kind, source, bindings });
    this.#shipped.set(code, shipped);
    if (++this.#depth > CODE_DEPTH_MAX) {
      throw refused(name, `it needs code that needs code, deeper than CODE_DEPTH_MAX (${CODE_DEPTH_MAX})`);
    }
    this.#bind(code, { shipped, form, free, bindings });
    this.#depth--;
    Object.freeze(bindings);
    return Object.freeze(shipped);
  }

  #sourceOf(code: Code, name: string): string {
    const source = Function.prototype.toString.call(code);
    if (isNative(source)) {
      if (name.startsWith("bound ")) throw refused(name, "a bound function has no source: ship the one that was bound");
      throw refused(name, "it is built in, or behind a Proxy, and has no source: call it in a function of your own");
    }
    if (/^(?:static\s+)?(?:async\b\s*)?(?:[gs]et\b\s*)?\*?\s*#/.test(source)) {
      throw refused(name, "it is a private method, which only its class can call: ship that class");
    }
    this.#units += source.length;
    if (this.#units > CODE_UNITS_MAX) {
      throw refused(name, `the sources together exceed CODE_UNITS_MAX (${CODE_UNITS_MAX})`);
    }
    if (this.#shipped.size >= CODES_MAX) {
      throw refused(name, `it takes more functions and classes along than CODES_MAX (${CODES_MAX})`);
    }
    return source;
  }

  #parsed(source: string, name: string): Parsed {
    try {
      const form = formOf(this.#parser, source);
      return { form, used: surroundingsUsed(form), free: freeNames(this.#parser, form.tree) };
    } catch (cause) {
      const message = String((cause as Error).message);
      // acorn says the one as the other.
      if (cause instanceof RangeError || message.includes("stack space")) {
        throw refused(name, "its source nests too deep to be parsed", cause);
      }
      if (message.includes("new.target")) throw refused(name, "it uses new.target of the function around it", cause);
      throw refused(name, `its source is not valid in strict mode: ${message}`, cause);
    }
  }

  #bind(code: Code, { shipped, form, free: names, bindings }: Omit<Parsed, "used"> & Making): void {
    const { name, kind } = shipped;
    const base = baseOf(code, form);
    const missing: string[] = [];
    for (const free of names) {
      if (Object.hasOwn(this.#bindings, free)) set(bindings, free, this.#bound(name, free, shipped));
      else if (free === base?.name && isMissing(free, base.code)) set(bindings, free, this.#baseOf(shipped, base));
      else if (NEVER.has(free)) throw refused(name, `it uses ${NEVER.get(free)}`);
      else if (LANGUAGE.has(free) || this.#globals.has(free)) continue;
      // An arrow function that calls itself by the name of its variable.
      else if (free === name && (kind === "arrow" || kind === "function" || kind === "class")) {
        set(bindings, free, shipped);
      } else missing.push(free);
    }
    if (missing.length === 0) return;
    const all = missing.join(", ");
    throw new HiveError(
      "CANNOT_SHIP",
      `cannot ship ${name || "the function"}: it uses ${all} from around it: give bindings: { ${all} }, or globals for what the reader's platform has`,
      { detail: { name, names: all } },
    );
  }

  /** The value of a binding. */
  #bound(name: string, free: string, shipped: ShippedCode): unknown {
    const value = this.#bindings[free];
    if (typeof value !== "function") return value;
    const bound = this.ship(value);
    const inMaking = !Object.isFrozen(bound);
    if (!inMaking) return bound;
    if (bound !== shipped) throw refused(name, `it and ${free} need each other: put both into one class or object`);
    if (/er$|method/.test(shipped.kind)) throw refused(name, "a method cannot be bound to itself: write a function");
    return bound;
  }

  #baseOf({ name }: ShippedCode, base: Base): ShippedCode {
    const global = (globalThis as Record<string, unknown>)[base.name];
    if (global === base.code) {
      throw refused(name, `its base ${base.name} is of this platform: name it in globals where the reader has it too`);
    }
    return this.ship(base.code);
  }
}

type Parsed = { form: Form; used: string | undefined; free: readonly string[] };
type Making = { shipped: ShippedCode; bindings: object };
type Base = { name: string; code: Code };

/** What a class extends, where its source says it with a name. */
function baseOf(code: Code, { kind, node }: Form): Base | undefined {
  const written = kind === "class" ? (node["superClass"] as Node | null) : null;
  const base: unknown = Object.getPrototypeOf(code);
  if (written?.type !== "Identifier" || typeof base !== "function") return undefined;
  return { name: String(written["name"]), code: base };
}

/** Whether the reader has another base under this name, or none. */
function isMissing(name: string, base: Code): boolean {
  return !LANGUAGE.has(name) || (globalThis as Record<string, unknown>)[name] !== base;
}

function set(bindings: object, name: string, value: unknown): void {
  Object.defineProperty(bindings, name, { value, writable: true, enumerable: true, configurable: true });
}

/** A class may have a static member of that name. */
function nameOf(code: Code): string {
  const name: unknown = Object.getOwnPropertyDescriptor(code, "name")?.value;
  return typeof name === "string" ? name : "";
}

function refused(name: string, reason: string, cause?: unknown): HiveError {
  const what = name === "" ? "the function" : name;
  return new HiveError("CANNOT_SHIP", `cannot ship ${what}: ${reason}`, {
    detail: { name },
    ...(cause === undefined ? {} : { cause }),
  });
}
