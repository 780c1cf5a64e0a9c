// Reader worker: reads what a test's thread writes, all the time, and throws when it accepts what cannot be.

import assert from "node:assert/strict";
import { workerData } from "node:worker_threads";
import { TYPE_STRING } from "../../src/store/layout.ts";
import { ACCEPTED, DEADLINES, FIELDS, FRESH, PACKED, type ReaderTask, STOP, TORN } from "./reader-control.ts";
import { checkSealed, sealedRecords } from "./sealed.ts";
import { type Found, SharedReader } from "./shared-reader.ts";
import { drawSteady, STEADY_FIELDS, STEADY_KEYS, STEADY_RECORDS } from "./steady-names.ts";
import { drawField, drawName } from "./store-draws.ts";

const task = workerData as ReaderTask;
const control = new Int32Array(task.control);
const steady = task.look === "steady";
// What is taken back must not be seen by one that honours busy; every entry is whole for the other one too.
const reader = new SharedReader(task.memory, steady);
let newest = 0;
let seed = task.seed || 1;

function random(below: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % below;
}

function count(name: Uint8Array, found: Found): void {
  checkSealed(name, found);
  if (found.deadlineMs < Infinity) control[DEADLINES]!++;
  if (found.version > newest) {
    newest = found.version;
    control[FRESH]!++;
  }
}

/** A key of a history, and a field where it has one. */
function readAny(): void {
  const number = random(1 << 20);
  const name = number % 4 === 0 ? { bytes: Buffer.from(`many ${number % 2000}`), kind: 0 } : drawName(number);
  const found = reader.key(name.bytes, name.kind);
  if (found === undefined) return;
  control[ACCEPTED]!++;
  if (found === "missing") return;
  count(name.bytes, found);
  if (found.type === TYPE_STRING) return;
  if (found.root === 0) {
    control[PACKED]!++;
    return;
  }
  const field = drawField(random(1 << 20));
  const inner = reader.field(name.bytes, name.kind, field.bytes, field.kind);
  if (typeof inner !== "object") return;
  control[FIELDS]!++;
  count(field.bytes, inner);
}

/** By name: the number that its value had last. */
const numbers = new Map<string, number>();

function isLater(name: string, value: Buffer): void {
  const number = value.readUInt32LE(0);
  assert.ok(number >= (numbers.get(name) ?? 0), `${name} goes back to ${number} from ${numbers.get(name)}`);
  numbers.set(name, number);
}

/** A key or a field that is there all the time, and whose numbers only go up. */
function readSteady(): void {
  const table = Buffer.from("table");
  const what = random(3);
  const name = drawSteady(what === 0 ? STEADY_KEYS : what === 1 ? STEADY_FIELDS : STEADY_RECORDS, random);
  const bytes = Buffer.from(name);
  const key = what === 2 ? Buffer.from("packed") : bytes;
  const found = what === 1 ? reader.field(table, 0, bytes, 0) : reader.key(key, 0);
  if (found === undefined) return;
  assert.ok(found !== "missing", `${name} is missing`);
  control[ACCEPTED]!++;
  if (what === 2) {
    const record = sealedRecords(found.value).get(`false${name}`);
    control[PACKED]!++;
    assert.ok(record, `${name} is missing in the packed table`);
    return isLater(`packed ${name}`, record);
  }
  if (what === 1) control[FIELDS]!++;
  count(bytes, found);
  isLater(`${what} ${name}`, found.value);
}

try {
  while (Atomics.load(control, STOP) === 0) {
    if (steady) readSteady();
    else readAny();
    control[TORN] = reader.torn;
  }
} finally {
  Atomics.store(control, STOP, 1);
}
