// The notation of values in value-vectors.json: JSON, with what JSON lacks as an object with "$".
//
//   {"$": "Map", "entries": [["a", 1]]} ──▶ fromNotation ──▶ new Map([["a", 1]])
//
// A second implementation reads the same file; README of the notation:
//
//   {"$": "undefined"}                          {"$": "number", "is": "NaN" | "Infinity" | "-Infinity" | "-0"}
//   {"$": "double", "is": 3}                    a float64 although an integer could say it
//   {"$": "bigint", "is": "123"}                {"$": "Date", "ms": 0 | null}      null: the invalid Date
//   {"$": "Uint8Array", "hex": "00ff"}          and every other kind of view, ArrayBuffer and DataView
//   {"$": "RegExp", "source": "a", "flags": "g"}
//   {"$": "Map", "entries": [[key, value]]}     {"$": "Set", "members": []}
//   {"$": "Error", "name": "", "message": "", "code": …, "cause": …}               the last two may be absent
//   {"$": "instance", "type": "Reading", "value": …}
//   {"$": "code", "name": "", "kind": "arrow", "source": "", "bindings": [[name, value]]}
//   {"$": "object", "entries": [[name, value]]} an object whose names JSON.parse treats specially
//   {"$": "let", "name": "x", "value": …}       an object that is met again …
//   {"$": "same", "name": "x"}                  … here
//   {"$": "repeat", "times": 300, "value": …}   text repeated, or an array of so many

import { type CodeKind, Double, Instance, ShippedCode } from "../../src/wire/value.ts";

type Tagged = { $: string } & Record<string, unknown>;

/** The value that `notation` stands for; a double as a Double, or as the number it is. */
export function fromNotation(notation: unknown, as: "doubles" | "values" = "doubles"): unknown {
  return new Builder(as).build(notation);
}

class Builder {
  readonly #as: "doubles" | "values";
  readonly #named = new Map<string, object>();

  constructor(as: "doubles" | "values") {
    this.#as = as;
  }

  build(notation: unknown, name?: string): unknown {
    if (typeof notation !== "object" || notation === null) return notation;
    if (Array.isArray(notation)) {
      const array: unknown[] = this.#keep([], name);
      for (const element of notation) array.push(this.build(element));
      return array;
    }
    if ("$" in notation) return this.#tagged(notation as Tagged, name);
    return this.#object(Object.entries(notation), name);
  }

  #tagged(tagged: Tagged, name?: string): unknown {
    const is = tagged["is"];
    switch (tagged.$) {
      case "undefined":
        return undefined;
      case "number":
        return Number(is);
      case "double":
        return this.#as === "doubles" ? new Double(Number(is)) : Number(is);
      case "bigint":
        return BigInt(is as string);
      case "Date":
        return this.#keep(new Date((tagged["ms"] as number | null) ?? Number.NaN), name);
      case "RegExp":
        return this.#keep(new RegExp(tagged["source"] as string, tagged["flags"] as string), name);
      case "Map":
        return this.#map(tagged["entries"] as [unknown, unknown][], name);
      case "Set":
        return this.#set(tagged["members"] as unknown[], name);
      case "Error":
        return this.#error(tagged, name);
      case "instance":
        return this.#instance(tagged, name);
      case "code":
        return this.#code(tagged, name);
      case "object":
        return this.#object(tagged["entries"] as [string, unknown][], name);
      case "let":
        return this.build(tagged["value"], tagged["name"] as string);
      case "same":
        return this.#named.get(tagged["name"] as string);
      case "repeat":
        return this.#repeat(tagged["value"], tagged["times"] as number);
      default:
        return this.#view(tagged.$, tagged["hex"] as string, name);
    }
  }

  #keep<T extends object>(object: T, name?: string): T {
    if (name !== undefined) this.#named.set(name, object);
    return object;
  }

  #object(entries: [string, unknown][], name?: string): object {
    const object = this.#keep({}, name);
    for (const [key, value] of entries) {
      Object.defineProperty(object, key, {
        value: this.build(value),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    return object;
  }

  #map(entries: [unknown, unknown][], name?: string): object {
    const map = this.#keep(new Map(), name);
    for (const [key, value] of entries) map.set(this.build(key), this.build(value));
    return map;
  }

  #set(members: unknown[], name?: string): object {
    const set = this.#keep(new Set(), name);
    for (const member of members) set.add(this.build(member));
    return set;
  }

  #error(tagged: Tagged, name?: string): object {
    const known = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
    const ErrorClass = known.find((type) => type.name === tagged["name"]) ?? Error;
    const error = this.#keep(new ErrorClass(tagged["message"] as string), name);
    const hidden = { writable: true, configurable: true, enumerable: false };
    if (error.name !== tagged["name"]) Object.defineProperty(error, "name", { value: tagged["name"], ...hidden });
    if ("code" in tagged) Object.assign(error, { code: this.build(tagged["code"]) });
    if ("cause" in tagged) Object.defineProperty(error, "cause", { value: this.build(tagged["cause"]), ...hidden });
    return error;
  }

  #instance(tagged: Tagged, name?: string): object {
    const instance = this.#keep(new Instance(tagged["type"] as string, undefined), name);
    return Object.assign(instance, { value: this.build(tagged["value"]) });
  }

  #code(tagged: Tagged, name?: string): object {
    const { kind, source } = tagged as unknown as { kind: CodeKind; source: string };
    const bindings: Record<string, unknown> = {};
    const code = this.#keep(new ShippedCode(tagged["name"] as string, { kind, source, bindings }), name);
    for (const [key, value] of tagged["bindings"] as [string, unknown][]) bindings[key] = this.build(value);
    return code;
  }

  #repeat(value: unknown, times: number): unknown {
    if (typeof value === "string") return value.repeat(times);
    return Array.from({ length: times }, () => this.build(value));
  }

  #view(kind: string, hex: string, name?: string): object {
    const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
    if (kind === "ArrayBuffer") return this.#keep(bytes.buffer, name);
    const View = (globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => object>)[kind];
    if (View === undefined) throw new Error(`this runtime has no ${kind}`);
    return this.#keep(new View(bytes.buffer), name);
  }
}
