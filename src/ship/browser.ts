// memhive/ship in browsers: a bundler finds acorn and eslint-scope here, and says so where they are not installed.

import { parse } from "acorn";
import { analyze } from "eslint-scope";
import type { Parser } from "./parsing.ts";
import { type Ship, shipWith } from "./ship.ts";

export { ShippedCode } from "../wire/value.ts";
export { revive } from "./revive.ts";
export type { Ship, ShipOptions } from "./ship.ts";

const parser = { parse, analyze } as unknown as Parser;

/** As in Node (see there). */
export const ship: Ship = shipWith(() => parser);
