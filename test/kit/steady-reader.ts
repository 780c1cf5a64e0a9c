// Steady reader: keys, fields and packed records that are there all the time must always be found, and the
// numbers in their values only go up (sealed.ts).

import assert from "node:assert/strict";
import { checkSealed, sealedRecords } from "./sealed.ts";
import type { Found, SharedReader } from "./shared-reader.ts";
import { drawSteady, STEADY_FIELDS, STEADY_KEYS, STEADY_RECORDS } from "./steady-names.ts";

const TABLE = Buffer.from("table");
const PACKED = Buffer.from("packed");

export type SteadyRead = { from: "key" | "field" | "packed"; name: Buffer; found: Found };

export class SteadyReader {
  readonly #reader: SharedReader;
  readonly #random: (below: number) => number;
  /** By place and name: the number seen last. */
  readonly #numbers = new Map<string, number>();

  constructor(reader: SharedReader, random: (below: number) => number) {
    this.#reader = reader;
    this.#random = random;
  }

  /** One attempt; undefined where it was given up. @throws {AssertionError} when what it accepts cannot be. */
  read(): SteadyRead | undefined {
    const from = (["key", "field", "packed"] as const)[this.#random(3)]!;
    const count = { key: STEADY_KEYS, field: STEADY_FIELDS, packed: STEADY_RECORDS }[from];
    const name = Buffer.from(drawSteady(count, this.#random));
    const reader = this.#reader;
    const found = from === "field" ? reader.field(TABLE, 0, name, 0) : reader.key(from === "key" ? name : PACKED, 0);
    if (found === undefined) return undefined;
    assert.ok(found !== "missing", `${from} ${name} is missing`);
    checkSealed(from === "packed" ? PACKED : name, found);
    const value = from === "packed" ? sealedRecords(found.value).get(`false${name}`) : found.value;
    assert.ok(value, `${name} is missing in the packed table`);
    const number = value.readUInt32LE(0);
    const before = this.#numbers.get(from + name) ?? 0;
    assert.ok(number >= before, `${from} ${name} goes back to ${number} from ${before}`);
    this.#numbers.set(from + name, number);
    return { from, name, found };
  }
}
