// Shipped: a function and a class of one process, run in another that has never seen their files.
//
//   node examples/shipped.ts

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { connect, type ShippedCode } from "../src/client/node.ts";
import { Hive } from "../src/server/index.ts";
import { ship } from "../src/ship/node.ts";

class Total {
  count = 0;
  sum = 0;
  add(celsius: number): void {
    this.count++;
    this.sum += celsius;
  }
}

class Average extends Total {
  text(): string {
    return `${this.count} readings, ${this.sum / this.count} on average`;
  }
}

type Summary = { add(celsius: number): void; text(): string };

const worker = process.argv[2];
if (worker === undefined) await main();
else await work(worker);

async function main(): Promise<void> {
  await using server = await Hive.start({ port: 0 });
  await using hive = await connect(server);
  const station = hive.device("station");

  const scale = 1.8;
  const offset = 32;
  await station.put(
    "toFahrenheit",
    ship((celsius = 0) => celsius * scale + offset, { bindings: { scale, offset } }),
  );
  await station.put("Summary", ship(Average));
  const inert = await station.fetch<ShippedCode>("toFahrenheit");
  console.log("without code:", inert?.kind, inert?.source);

  const child = fork(fileURLToPath(import.meta.url), [`hive://${server.address}`]);
  await once(child, "exit");

  const secret = "mine";
  try {
    await station.put(
      "leak",
      ship(() => secret),
    );
  } catch (error) {
    console.log(`refused: ${(error as Error).message}`);
  }
}

/** Runs what the other process wrote: it trusts whoever can write the station's memory. */
async function work(url: string): Promise<void> {
  await using hive = await connect(url);
  const station = hive.device("station");
  const toFahrenheit = await station.fetch<(celsius: number) => number>("toFahrenheit", { code: true });
  console.log(`the worker says ${toFahrenheit?.(20)}`);
  const Type = (await station.fetch<new () => Summary>("Summary", { code: true }))!;
  const summary = new Type();
  for (const celsius of [20, 21, 23.5]) summary.add(celsius);
  console.log(`the worker's summary: ${summary.text()}`);
}
