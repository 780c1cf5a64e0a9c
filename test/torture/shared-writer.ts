// Shared writer: a hive in a process of its own that shares its memory and changes it all the time, until it is killed.
//
//   argv: socket, seed

import { Hive } from "../../src/server/hive.ts";
import { KIND_TEXT, KIND_VALUE, TYPE_TABLE } from "../../src/store/layout.ts";
import { NO_DEADLINE } from "../../src/store/placement.ts";
import type { Store } from "../../src/store/store.ts";
import { encode } from "../../src/wire/value-encode.ts";
import { generator } from "../kit/store-draws.ts";
import { FIELDS, KEYS, STEADY_FIELDS, STEADY_KEYS, STEADY_TABLES, seal, TABLES } from "./shared-values.ts";

const [unix = "", seed = "1"] = process.argv.slice(2);
const TURN_MS = 4;
/** Filled and deleted in turn, so that segments open and close. */
const BULK_FIELDS = 150_000;
const REWRITES = 1500;

const hive = await Hive.start({ port: false, unix, shared: true });
const random = generator(Number(seed));
const { store } = hive.engine;
let n = Date.now() * 1000;
let writes = 0;
let bulk = 0;

function write(target: Store, table: string | undefined, name: string, padBytes: number, ttlMs: number): void {
  const deadlineMs = ttlMs === 0 ? NO_DEADLINE : Date.now() + ttlMs;
  const of = table === undefined ? name : `${table}/${name}`;
  const value = encode(seal(of, ++n, ttlMs === 0 ? 0 : deadlineMs, padBytes));
  const bytes = Buffer.from(name);
  writes++;
  if (table === undefined) {
    target.keys.put(bytes, 0, bytes.length, KIND_TEXT, value, 0, value.length, KIND_VALUE, deadlineMs);
    return;
  }
  const key = tableOf(target, table);
  target.fields.set(key, bytes, 0, bytes.length, KIND_TEXT, value, 0, value.length, KIND_VALUE, deadlineMs);
}

function tableOf(target: Store, table: string): number {
  const bytes = Buffer.from(table);
  const found = target.keys.find(bytes, 0, bytes.length);
  return found === 0 ? target.fields.create(TYPE_TABLE, bytes, 0, bytes.length, KIND_TEXT) : found;
}

function remove(target: Store, table: string | undefined, name: string): void {
  const bytes = Buffer.from(table ?? name);
  const key = target.keys.find(bytes, 0, bytes.length);
  if (key === 0) return;
  if (table === undefined) return target.keys.remove(key);
  const field = Buffer.from(name);
  const handle = target.fields.find(key, field, 0, field.length);
  if (handle !== 0) target.fields.delete(key, handle);
}

/** One change, of any kind. */
function change(): void {
  const draw = random(100);
  const key = KEYS[random(KEYS.length)]!;
  const table = TABLES[random(TABLES.length)]!;
  const field = FIELDS[random(table.endsWith("0") ? 20 : FIELDS.length)]!;
  const pad = draw % 10 === 0 ? random(6000) : random(120);
  const ttlMs = random(4) === 0 ? 1 + random(40) : 0;
  if (draw < 25) rewrite(STEADY_KEYS[random(STEADY_KEYS.length)]!);
  else if (draw < 35) write(store, STEADY_TABLES[0], STEADY_FIELDS[random(8)]!, random(40), 0);
  else if (draw < 50) write(store, STEADY_TABLES[1], STEADY_FIELDS[random(STEADY_FIELDS.length)]!, pad, 0);
  else if (draw < 65) write(store, undefined, key, pad, ttlMs);
  else if (draw < 75) write(store, table, field, random(100), ttlMs);
  else if (draw < 80) remove(store, undefined, key);
  else if (draw < 84) remove(store, table, field);
  else if (draw === 84) remove(store, undefined, table);
  else if (draw === 85) write(store, undefined, key, random(200_000), 0);
  else bulkStep();
}

/** Two values of one number in turn, mostly in one place, so often that readers meet it. */
function rewrite(name: string): void {
  n++;
  const bytes = Buffer.from(name);
  const padBytes = random(4000);
  const values = [padBytes, padBytes + 16].map((bytesOfPad) => encode(seal(name, n, 0, bytesOfPad)));
  for (let turns = 0; turns < REWRITES; turns++) {
    const value = values[turns & 1]!;
    store.keys.put(bytes, 0, bytes.length, KIND_TEXT, value, 0, value.length, KIND_VALUE, NO_DEADLINE);
  }
  writes += REWRITES;
}

/** A large table grows, and goes. */
function bulkStep(): void {
  const name = `bulk:${bulk % BULK_FIELDS}`;
  write(store, "bulk", name, 100, 0);
  if (++bulk % BULK_FIELDS === 0) remove(store, undefined, "bulk");
}

for (const key of STEADY_KEYS) write(store, undefined, key, 20, 0);
for (const field of STEADY_FIELDS.slice(0, 8)) write(store, STEADY_TABLES[0], field, 20, 0);
for (const field of STEADY_FIELDS) write(store, STEADY_TABLES[1], field, 200, 0);

function turn(): void {
  const endMs = performance.now() + TURN_MS;
  store.setNow(Date.now());
  while (performance.now() < endMs) for (let i = 0; i < 50; i++) change();
  setImmediate(turn);
}
turn();
process.send?.("ready");
process.on("message", (message) => {
  if (message === "count") process.send!({ writes, memory: store.memory.segments.words.length });
  else void hive.close().then(() => process.exit());
});
