// events: messages beside redis-server, and reads that a client answers from its own memory beside ioredis.
//
//   npm run bench -- events
//
//   messages   one publisher pipelines PUBLISH of 64 bytes; all bytes that the subscribers get are counted, and the
//              time goes until the last one has the last message. The load is a process of its own (event-load.ts).
//   near       get() of a table with the option near, one after the other, beside ioredis's get() one at a time

import { spawn } from "node:child_process";
import { once } from "node:events";
import type { EventDone, EventTask } from "./event-load.ts";
import { comparePairs, type Measured } from "./pairs.ts";
import { REDIS, type Server, startBoth } from "./peers.ts";
import { type BenchOptions, type Row, row } from "./row.ts";

const PAIRS = 7;
const WORKS: readonly { subscribers: number; messages: number }[] = [
  { subscribers: 1, messages: 400_000 },
  { subscribers: 100, messages: 20_000 },
];
const NEAR_READS = 1_000_000;
const ASKED_READS = 25_000;

export async function* run(options: BenchOptions): AsyncGenerator<Row> {
  await using servers = await startBoth();
  const pairs = options.pairs ?? (options.quick ? 3 : PAIRS);
  for (const { subscribers, messages } of WORKS) {
    const measure = async (server: Server): Promise<Measured<"perSecond">> => {
      const perSecond = await load({ kind: "messages", port: server.port, subscribers, messages });
      options.note(`${subscribers} subscribers, ${server.name}: ${Math.round(perSecond)}/s`);
      return { perSecond };
    };
    const { perSecond } = await comparePairs(servers, pairs, measure);
    const work = `PUBLISH to ${subscribers} subscriber${subscribers === 1 ? "" : "s"}, messages/s`;
    yield row({ work, peer: REDIS, ...perSecond, goal: { atLeast: 1 } });
  }
  const reads = async ({ name, port }: Server): Promise<Measured<"perSecond">> => {
    const kind = name === "hive" ? "near" : "ioredis";
    const perSecond = await load({ kind, port, reads: kind === "near" ? NEAR_READS : ASKED_READS });
    options.note(`${kind}: ${Math.round(perSecond)}/s`);
    return { perSecond };
  };
  const { perSecond } = await comparePairs(servers, pairs, reads);
  yield row({
    work: "near reads of a table, one at a time, calls/s",
    peer: "ioredis",
    ...perSecond,
    goal: { atLeast: 20 },
  });
}

async function load(task: EventTask): Promise<number> {
  const child = spawn(process.execPath, [new URL("event-load.ts", import.meta.url).pathname, JSON.stringify(task)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [done] = (await once(child, "message")) as [EventDone];
  await once(child, "exit");
  return done.perSecond;
}
