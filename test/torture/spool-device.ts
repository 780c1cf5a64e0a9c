// A device that puts numbered readings through a spool with a folder, as a process of its own that may be killed.
//
//   stdin   a number a line: up to which reading it may go; "end": it ends once nothing waits
//   stdout  a number a line: up to which reading put() has resolved; at the end the spool's figures in JSON

import { once } from "node:events";
import { createInterface } from "node:readline";
import { connect, type SpoolOptions } from "../../src/client/node.ts";

type Given = { url: string; device: string; first: number; run: number; spool: SpoolOptions };

const given: Given = JSON.parse(process.argv[2]!);
const hive = await connect(given.url, { spool: given.spool, reconnect: { minMs: 1, maxMs: 50 } });
const device = hive.device(given.device);
let mayGoTo = 0;
let ends = false;
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  if (line === "end") ends = true;
  else mayGoTo = Number(line);
});
const working: Promise<void>[] = [];
for (let number = given.first; ; ) {
  if (number > mayGoTo) {
    if (ends) break;
    await once(lines, "line");
    continue;
  }
  const own = number++;
  const put = device.put(`${given.run}.${own}`, own).then(
    () => void process.stdout.write(`${own}\n`),
    (error) => void process.stdout.write(`failed ${own}: ${error}\n`),
  );
  working.push(put);
  // Some at once, and some by themselves.
  if (own % 7 < 3) await put;
  else if (own % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
}
await Promise.all(working);
await hive.spool.drained();
process.stdout.write(`${JSON.stringify(hive.spool.stats())}\n`);
await hive.close();
lines.close();
