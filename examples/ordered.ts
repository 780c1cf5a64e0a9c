// Workers share a queue, and a ranking shows who has done most.
//
//   npm start                                     a hive on 127.0.0.1:4483, in another terminal
//   npx node examples/ordered.ts                  or with MEMHIVE_URL=… for a hive elsewhere
//
// A job is moved to the list of those under way in the same step as it is taken, and leaves that when it is done:
// a worker that dies loses nothing. Workers wait in the hive, in line, and end when nothing came for a while.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { connect } from "../src/client/node.ts";

const WORKERS = ["ada", "bob", "eve"];
const JOBS = 60;
/** A worker goes home after so long without a job. */
const PATIENCE_MS = 200;

type Job = { number: number };

async function work(name: string): Promise<void> {
  await using hive = await connect();
  const jobs = hive.list<Job>("jobs");
  const running = hive.list<Job>("jobs/running");
  for (;;) {
    const job = await jobs.move(running, { waitMs: PATIENCE_MS });
    if (job === undefined) return;
    const done = hive.multi().sorted("done").incr(name).list<Job>("jobs/running").remove(job, 1);
    await done.exec();
  }
}

async function main(): Promise<void> {
  await using hive = await connect();
  const jobs = hive.list<Job>("jobs");
  const board = hive.sorted("done");
  await Promise.all([jobs.clear(), hive.list("jobs/running").clear(), board.clear()]);
  for (let number = 1; number <= JOBS; number++) await jobs.push({ number });
  const workers = WORKERS.map((name) => fork(fileURLToPath(import.meta.url), [name]));
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  let total = 0;
  for (const [name, count] of await board.entries(0, undefined, { reverse: true })) {
    console.log(`${name} did ${count}`);
    total += count;
  }
  console.log(`${total} jobs done, ${await hive.list("jobs/running").size()} left under way`);
}

await (process.argv[2] === undefined ? main() : work(process.argv[2]));
