// Reads a shared writer's memory (shared-writer.ts) through a client, checks all that it sees, and reports when it is asked.
//
//   argv: socket, seed

import { connect, isHiveError } from "../../src/client/node.ts";
import { generator } from "../kit/store-draws.ts";
import {
  FIELDS,
  fault,
  KEYS,
  type Sealed,
  STEADY_FIELDS,
  STEADY_KEYS,
  STEADY_TABLES,
  TABLES,
} from "./shared-values.ts";

const [unix = "", seed = "1"] = process.argv.slice(2);
const random = generator(Number(seed));
const PEEKS = 500;

const hive = await connect(`unix:${unix}`, { waitMs: 30_000, reconnect: { minMs: 5, maxMs: 50 } });
const tables = new Map([...STEADY_TABLES, ...TABLES, "bulk"].map((name) => [name, hive.table<Sealed>(name)]));
const wrong: string[] = [];
/** By steady name: the newest number that was seen. */
const seen = new Map<string, number>();
let found = 0;

function look(table: string | undefined, name: string, isSteady: boolean): void {
  const of = table === undefined ? name : `${table}/${name}`;
  const nowMs = Date.now();
  let value: Sealed | undefined;
  try {
    value = table === undefined ? hive.peek<Sealed>(name) : tables.get(table)!.peek(name);
  } catch (error) {
    if (!isHiveError(error) || error.code !== "NOT_SHARED") wrong.push(`${of}: ${error}`);
    return;
  }
  if (value === undefined) {
    if (isSteady) wrong.push(`${of}: not there`);
    return;
  }
  found++;
  const what = fault(value, of, nowMs);
  if (what !== undefined) wrong.push(what);
  else if (isSteady && value.n < (seen.get(of) ?? 0)) wrong.push(`${of}: ${value.n} after ${seen.get(of)}`);
  else if (isSteady) seen.set(of, value.n);
}

function lookAtAny(): void {
  const draw = random(12);
  // The one that is rewritten most, so that enough reads meet a write.
  if (draw < 6) look(undefined, STEADY_KEYS[random(STEADY_KEYS.length)]!, true);
  else if (draw < 7) look(STEADY_TABLES[0], STEADY_FIELDS[random(8)]!, true);
  else if (draw < 9) look(STEADY_TABLES[1], STEADY_FIELDS[random(STEADY_FIELDS.length)]!, true);
  else if (draw < 10) look(undefined, KEYS[random(KEYS.length)]!, false);
  else if (draw < 11) look(TABLES[random(TABLES.length)], FIELDS[random(FIELDS.length)]!, false);
  else look("bulk", `bulk:${random(150_000)}`, false);
}

function turn(): void {
  for (let i = 0; i < PEEKS && wrong.length < 20; i++) lookAtAny();
  setImmediate(turn);
}
turn();
process.send?.("ready");
process.on("message", (message) => {
  if (message === "count") process.send!({ ...hive.shared, found, wrong });
  else process.exit();
});
