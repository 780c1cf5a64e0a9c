// Reviving: the function that shipped code stands for. THE CODE IS TRUSTED from here on: a class may run some of it
// at once (static blocks), everything else when it is called, with all that this process may do.
//
//   ShippedCode { source, bindings: { rate } } ──▶ new Function("rate", '"use strict"; return (source)')(rate)
//
// Strict mode, whatever the mode it was written in; no name of this module is seen from inside.

import { HiveError } from "../base/errors.ts";
import { decode, encode, ShippedCode } from "../wire/value.ts";
import { CODE_UNITS_MAX, CODES_MAX } from "./limits.ts";

type Revived = (...args: never[]) => unknown;

const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

/** What revives the code of one value: its bindings are revived already. @throws {HiveError} BAD_VALUE, UNSUPPORTED */
export function reviving(): (code: ShippedCode) => Revived {
  let codes = 0;
  let units = 0;
  return (code) => {
    codes++;
    units += code.source.length;
    if (codes > CODES_MAX) throw bad(code, `a value with more functions and classes than CODES_MAX (${CODES_MAX})`);
    if (units > CODE_UNITS_MAX) throw bad(code, `sources that exceed CODE_UNITS_MAX (${CODE_UNITS_MAX})`);
    return revivedOf(code);
  };
}

/**
 * The function or class that code stands for, wherever it was read. Do this only with what comes from somebody who
 * may run programs here. @throws {HiveError} BAD_VALUE: it is no code; UNSUPPORTED: this process makes no functions of text
 */
export function revive<Code = Revived>(code: ShippedCode): Code {
  if (!(code instanceof ShippedCode)) throw new HiveError("BAD_VALUE", "expected code that was shipped");
  return decode(encode(code), undefined, undefined, { revive: reviving() }) as Code;
}

function revivedOf(code: ShippedCode): Revived {
  const names = Object.keys(code.bindings);
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined) throw bad(code, `${wrong.slice(0, 64)} is no name`);
  const [self, ...others] = names.filter((name) => code.bindings[name] === code);
  const given = names.filter((name) => code.bindings[name] !== code);
  try {
    const make = new Function(...given, bodyOf(code, self, others)) as (...values: unknown[]) => unknown;
    return named(picked(code, make(...given.map((name) => code.bindings[name]))), code.name);
  } catch (cause) {
    if (cause instanceof HiveError) throw cause;
    if (cause instanceof EvalError) {
      const message = `this process makes no functions of text: ${cause.message}`;
      throw new HiveError("UNSUPPORTED", message, { cause });
    }
    throw bad(code, String(cause), cause);
  }
}

function bodyOf({ kind, source }: ShippedCode, self: string | undefined, others: readonly string[]): string {
  const strict = '"use strict";\n';
  if (kind === "method" || kind === "getter" || kind === "setter") return `${strict}return ({${source}\n});`;
  if (self === undefined) return `${strict}return (${source}\n);`;
  const more = others.map((name) => `const ${name} = ${self};\n`).join("");
  return `${strict}const ${self} = (${source}\n);\n${more}return ${self};`;
}

/** A method, getter or setter is the only member of the object that it was made in. */
function picked(code: ShippedCode, made: unknown): Revived {
  let found = made;
  if (code.kind === "method" || code.kind === "getter" || code.kind === "setter") {
    const [key] = Reflect.ownKeys(made as object);
    const property = Object.getOwnPropertyDescriptor(made as object, key ?? "");
    found = code.kind === "method" ? property?.value : code.kind === "getter" ? property?.get : property?.set;
  }
  if (typeof found !== "function") throw bad(code, `its source is no ${String(code.kind).slice(0, 16)}`);
  return found as Revived;
}

/** What an anonymous function was called by its variable. */
function named(made: Revived, name: string): Revived {
  const property = Object.getOwnPropertyDescriptor(made, "name");
  const isFree = property === undefined || (property.configurable === true && typeof property.value === "string");
  if (isFree && property?.value !== name) Object.defineProperty(made, "name", { value: name, configurable: true });
  return made;
}

function bad({ name }: ShippedCode, message: string, cause?: unknown): HiveError {
  const text = `cannot revive ${name.slice(0, 64) || "a function"}: ${message}`;
  return new HiveError("BAD_VALUE", text, cause === undefined ? {} : { cause });
}
