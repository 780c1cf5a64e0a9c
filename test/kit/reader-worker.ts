// Reader worker: reads what a test's thread writes, all the time, and throws when it accepts what cannot be.

import { workerData } from "node:worker_threads";
import { TYPE_STRING } from "../../src/store/layout.ts";
import { ACCEPTED, DEADLINES, FIELDS, FRESH, PACKED, type ReaderTask, STOP, TORN } from "./reader-control.ts";
import { checkSealed } from "./sealed.ts";
import { type Found, SharedReader } from "./shared-reader.ts";
import { SteadyReader } from "./steady-reader.ts";
import { drawField, drawName, generator } from "./store-draws.ts";

const task = workerData as ReaderTask;
const control = new Int32Array(task.control);
const steady = task.look === "steady";
// What is taken back must not be seen by one that honours busy; every entry is whole for the other one too.
const reader = new SharedReader(task.memory, steady);
let newest = 0;
const random = generator(task.seed);

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

const steadyReader = new SteadyReader(reader, random);

/** A key or a field that is there all the time. */
function readSteady(): void {
  const read = steadyReader.read();
  if (read === undefined) return;
  control[ACCEPTED]!++;
  if (read.from === "field") control[FIELDS]!++;
  if (read.from === "packed") control[PACKED]!++;
  else count(read.name, read.found);
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
