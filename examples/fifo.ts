// A task queue as a structure: the class is the server's side, its type is all that a client imports.
//
//   npx node examples/fifo.ts        a hive of its own; or: memhive serve --structures ./examples/fifo.ts
//
//   redis-cli -p 4483 TASK_ADD "task queue" 42
//   redis-cli -p 4483 TASK_TAKE "task queue"

import { connect } from "../src/client/node.ts";
import { Hive } from "../src/server/index.ts";
import { type HiveCalls, Structure } from "../src/structures/index.ts";

export class Tasks extends Structure {
  static override reads: readonly string[] = ["TASKS_LEFT"];
  items: unknown[] = [];

  static TASK_ADD(hive: HiveCalls, key: string, ...values: unknown[]): string {
    hive.open(Tasks, key).items.push(...values);
    return "OK";
  }

  TASK_TAKE(): unknown {
    return this.items.shift();
  }

  TASKS_LEFT(): number {
    return this.items.length;
  }
}

async function main(): Promise<void> {
  await using hive = await Hive.start({ port: 0, structures: [Tasks] });
  await using db = await connect(`hive://127.0.0.1:${hive.port}`);
  const tasks = db.structure<typeof Tasks>("Tasks");
  await tasks.TASK_ADD("task queue", 42, { mend: "the door" });
  const queue = tasks.at("task queue");
  console.log(await queue.TASK_TAKE(), await queue.TASK_TAKE(), await queue.TASK_TAKE());
  await tasks.TASK_ADD("task queue", "one that nobody takes");
  await db.expire("task queue", 60_000);
  console.log(await queue.TASKS_LEFT(), "left for a minute");
}

if (import.meta.main) await main();
