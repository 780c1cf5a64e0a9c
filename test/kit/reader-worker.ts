// Reader worker: reads what a test's thread writes, all the time, and throws when it accepts what cannot be.

import assert from "node:assert/strict";
import { workerData } from "node:worker_threads";
import * as layout from "../../src/store/layout.ts";
import { ACCEPTED, DEADLINES, FIELDS, FRESH, PACKED, type ReaderTask, STOP, TORN } from "./reader-control.ts";
import { isSealed, isSealedDeadline } from "./sealed.ts";
import { type Found, SharedReader } from "./shared-reader.ts";
import { STEADY_FIELDS, STEADY_KEYS, STEADY_RECORDS, steadyName } from "./steady-names.ts";
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

/** What every entry shows of itself. */
function check(name: Uint8Array, { kind, value, deadlineMs, version }: Found, what: string): void {
  assert.ok(isSealedDeadline(name, deadlineMs), `deadline ${deadlineMs} of ${what}`);
  assert.ok(isSealed(name, value, kind), `value of ${value.length} bytes of ${what}`);
  if (deadlineMs < Infinity) control[DEADLINES]!++;
  if (version > newest) {
    newest = version;
    control[FRESH]!++;
  }
}

/** The records of a packed container, by name; each is sealed. */
function records(value: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  let at = 2;
  while (at < value.length) {
    const name = value.subarray(at + 5, at + 5 + value.readUInt16LE(at + 1));
    const end = at + 5 + name.length + value.readUInt16LE(at + 3);
    const content = value.subarray(at + 5 + name.length, end);
    assert.ok(isSealed(name, content, (value[at]! >> 2) & 3), "value of a record");
    found.set(`${(value[at]! & 3) === layout.KIND_VALUE}${name.latin1Slice()}`, content);
    at = end;
  }
  assert.equal(at, value.length, "end of a packed container");
  assert.equal(found.size, value.readUInt16LE(0), "records of a packed container");
  control[PACKED]!++;
  return found;
}

function isContainer({ type }: Found): boolean {
  return type === layout.TYPE_TABLE || type === layout.TYPE_SET;
}

/** A key of a history, and a field where it has one. */
function readAny(): void {
  const number = random(1 << 20);
  const name = number % 4 === 0 ? { bytes: Buffer.from(`many ${number % 2000}`), kind: 0 } : drawName(number);
  const found = reader.key(name.bytes, name.kind);
  if (found === undefined) return;
  control[ACCEPTED]!++;
  if (found === "missing") return;
  assert.ok(found.type >= layout.TYPE_STRING && found.type <= layout.TYPE_SET, `type ${found.type} of a key`);
  if (!isContainer(found)) return check(name.bytes, found, "a string");
  assert.ok(isSealedDeadline(name.bytes, found.deadlineMs), "deadline of a container");
  if (found.root === 0) return void records(found.value);
  assert.equal(found.value.length, 0, "value beside a root");
  const field = drawField(random(1 << 20));
  const inner = reader.field(name.bytes, name.kind, field.bytes, field.kind);
  if (typeof inner !== "object") return;
  control[FIELDS]!++;
  check(field.bytes, inner, "a field");
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
  const name = steadyName(random(what === 0 ? STEADY_KEYS : what === 1 ? STEADY_FIELDS : STEADY_RECORDS));
  const bytes = Buffer.from(name);
  const key = what === 2 ? Buffer.from("packed") : bytes;
  const found = what === 1 ? reader.field(table, 0, bytes, 0) : reader.key(key, 0);
  if (found === undefined) return;
  assert.ok(found !== "missing", `${name} is missing`);
  control[ACCEPTED]!++;
  if (what === 2) {
    const record = records(found.value).get(`false${name}`);
    assert.ok(record, `${name} is missing in the packed table`);
    return isLater(`packed ${name}`, record);
  }
  if (what === 1) control[FIELDS]!++;
  check(bytes, found, name);
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
