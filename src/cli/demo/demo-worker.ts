// A worker of the demo: a process of its own that votes, asks and reads, each where it is told to, and says what it saw.
//
//   demo ──▶ { votes, asks, reads } ──▶ it goes on with those ──▶ { voted, asked, … } ──▶ demo, when it is asked

import { connect, isHiveError } from "../../client/node.ts";
import type { Votes } from "./votes-code.ts";

/** What a worker is told. `tell`: it says what it saw since the last time. */
export type Order = { votes: boolean; asks: boolean; reads: boolean; tell: boolean };
export type Seen = {
  /** Votes that were answered. */
  voted: number;
  /** Codes of votes that failed. */
  failed: string[];
  /** Milliseconds of each call that was asked for; of each vote. */
  asked: number[];
  waited: number[];
  reads: number;
  readMs: number;
};

const PAUSE_MS = 4;
const READS_MS = 10;
const NAMES = ["ada", "bob", "cid", "dan"];

const [url = "", id = "0"] = process.argv.slice(2);
const hive = await connect(url);
const votes = hive.structure<Votes>("Votes");
const users = hive.table<{ born: number }>("users");
let order: Order = { votes: false, asks: false, reads: false, tell: false };
let seen = nothing();

function nothing(): Seen {
  return { voted: 0, failed: [], asked: [], waited: [], reads: 0, readMs: 0 };
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Does `work` while it is ordered to. */
async function whenever(name: "votes" | "asks" | "reads", work: () => void | Promise<void>): Promise<void> {
  for (;;) {
    if (order[name]) await work();
    if (name !== "reads" || !order.reads) await pause();
    else await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

async function vote(): Promise<void> {
  const fromMs = performance.now();
  try {
    await votes.VOTE("poll", NAMES[Number(id) % NAMES.length]!);
    seen.voted++;
    seen.waited.push(performance.now() - fromMs);
  } catch (error) {
    seen.failed.push(isHiveError(error) ? error.code : String(error));
  }
}

async function ask(): Promise<void> {
  const fromMs = performance.now();
  await users.size();
  seen.asked.push(performance.now() - fromMs);
}

function read(): void | Promise<void> {
  if (!hive.shared.on) {
    // It maps the memory with its first read.
    return users.get("ada").then(() => {});
  }
  const fromMs = performance.now();
  let reads = 0;
  try {
    while (performance.now() - fromMs < READS_MS) {
      for (let i = 0; i < 100; i++) users.peek(NAMES[i & 3]!);
      reads += 100;
    }
  } catch (error) {
    if (!isHiveError(error) || error.code !== "NOT_SHARED") throw error;
  }
  seen.reads += reads;
  seen.readMs += performance.now() - fromMs;
}

process.on("message", (given: Order) => {
  order = given;
  if (!given.tell) return;
  process.send!(seen);
  seen = nothing();
});
// The demo has ended, however it did.
process.on("disconnect", () => process.exit());
process.send!(nothing());
await Promise.all([whenever("votes", vote), whenever("asks", ask), whenever("reads", read)]);
