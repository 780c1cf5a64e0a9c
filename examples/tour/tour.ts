// The tour: what a hive can do, each call with its answer. npm run tour
//
//   a hive in this process ──▶ connect(hive) ──▶ part by part ──▶ "> call" and what it gave
//
// A part is a file of this folder: a title, and a function that makes calls through `show`, which prints
// the source of the call and then its answer. A capability that is new adds its part to PARTS.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { type Client, connect, isHiveError } from "../../src/client/node.ts";
import { Hive } from "../../src/server/index.ts";
import * as devices from "./devices.ts";
import * as events from "./events.ts";
import * as expiry from "./expiry.ts";
import * as failures from "./failures.ts";
import * as keys from "./keys.ts";
import * as ordered from "./ordered.ts";
import * as redis from "./redis.ts";
import * as sets from "./sets.ts";
import * as shared from "./shared.ts";
import * as snapshots from "./snapshots.ts";
import * as structures from "./structures.ts";
import * as tables from "./tables.ts";
import * as together from "./together.ts";
import * as tokens from "./tokens.ts";

export type Tour = {
  hive: Client;
  /** The hive itself, for what a server is asked. */
  server: Hive;
  /** Prints the call and its answer, which it also gives back. An error that belongs to the tour is an answer. */
  show<T>(call: () => Promise<T>): Promise<T | undefined>;
  /** A sentence between the calls. */
  say(text: string): void;
};

type Part = { title: string; run(tour: Tour): Promise<void> };

const DATA: readonly Part[] = [keys, tables, sets, ordered, expiry, together, events, shared, snapshots];
const PARTS: readonly Part[] = [...DATA, structures, devices, tokens, redis, failures];

/** Runs every part, writing lines to `write`. */
export async function tour(write: (line: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "memhive-tour-"));
  try {
    await walk(folder, write);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function walk(folder: string, write: (line: string) => void): Promise<void> {
  await using server = await Hive.start({ port: 0, tokens: true, snapshots: { folder, atClose: false } });
  await using hive = await connect(server);
  const show: Tour["show"] = async (call) => {
    write(`  > ${sourceOf(call)}`);
    try {
      const answer = await call();
      write(`    ${shown(answer)}`);
      return answer;
    } catch (error) {
      if (!isHiveError(error)) throw error;
      write(`    HiveError ${error.code}: ${error.message}`);
      return undefined;
    }
  };
  for (const { title, run } of PARTS) {
    write(`\n${title}`);
    await run({ hive, server, show, say: (text) => write(`  ${text}`) });
  }
  write("\nThat was the tour. Start a hive of your own with `npm start`; docs/guides/client.md goes on from here.");
}

/** `() => hive.get("greeting")` as `hive.get("greeting")`. */
function sourceOf(call: () => unknown): string {
  return call
    .toString()
    .replace(/^\s*(async\s*)?\(\s*\)\s*=>\s*/, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/ {2,}/g, "");
}

function shown(answer: unknown): string {
  return inspect(answer, { depth: 6, breakLength: 100, colors: process.stdout.isTTY === true }).replaceAll(
    "\n",
    "\n    ",
  );
}

if (import.meta.main) await tour((line) => void process.stdout.write(`${line}\n`));
