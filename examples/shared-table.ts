// Two processes share a table: one counts words, the other watches the counts go up.
//
//   npm start                                     a hive on 127.0.0.1:4483, in another terminal
//   npx node examples/shared-table.ts             or with MEMHIVE_URL=… for a hive elsewhere
//
// The workers are processes of their own that know nothing of each other: the table is all they share, and
// increment() loses no count, however many count at once.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { connect } from "../src/client/node.ts";

const TEXT = "the hive keeps what the bees bring and the bees bring what the hive keeps";

async function work(): Promise<void> {
  await using hive = await connect();
  const counts = hive.table<number>("word counts");
  for (const word of TEXT.split(" ")) await counts.increment(word);
}

async function main(): Promise<void> {
  await using hive = await connect();
  const counts = hive.table<number>("word counts");
  await counts.clear();
  const workers = [1, 2, 3].map(() => fork(fileURLToPath(import.meta.url), ["worker"]));
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  const sorted = (await Array.fromAsync(counts)).sort(([, a], [, b]) => b - a);
  for (const [word, count] of sorted.slice(0, 3)) console.log(`${word}: ${count}`);
}

await (process.argv[2] === "worker" ? work() : main());
