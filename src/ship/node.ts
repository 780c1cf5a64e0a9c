// memhive/ship in Node. acorn and eslint-scope are optional peers of the client, loaded with the first ship().
//
//   import { ship } from "memhive/ship";
//   await device.put("price", ship((n) => n * rate, { bindings: { rate } }));

import { createRequire } from "node:module";
import { HiveError } from "../base/errors.ts";
import type { Parser } from "./parsing.ts";
import { type Ship, shipWith } from "./ship.ts";

export { ShippedCode } from "../wire/value.ts";
export { revive } from "./revive.ts";
export type { Ship, ShipOptions } from "./ship.ts";

const require = createRequire(import.meta.url);
let parser: Parser | undefined;

function load(): Parser {
  parser ??= { parse: peer("acorn").parse, analyze: peer("eslint-scope").analyze };
  return parser;
}

function peer(name: string): Parser {
  try {
    return require(name) as Parser;
  } catch (cause) {
    throw new HiveError("UNSUPPORTED", `ship() needs the package ${name}: npm install acorn eslint-scope`, { cause });
  }
}

/**
 * The source of a function or class with the values that it needs, to be put as a value.
 * @throws {HiveError} CANNOT_SHIP: it would not run elsewhere, and why; UNSUPPORTED: acorn or eslint-scope is not installed
 */
export const ship: Ship = shipWith(load);
