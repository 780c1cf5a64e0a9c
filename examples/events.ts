// Events: messages between programs, and a copy of a table that follows the changes and misses none.
//
//   node examples/events.ts

import { type Client, connect } from "../src/client/node.ts";
import { Hive } from "../src/server/index.ts";

await using server = await Hive.start({ port: 0 });
await using shop = await connect(server);
await using window = await connect(`hive://${server.address}`);

// Messages: to all who listen now.
const listeners = [window.subscribe("shop"), window.subscribe("sh*", { patterns: true })];
await Promise.all(listeners.map(({ ready }) => ready));
const heard = await shop.publish("shop", "the shop opens");
for (const listener of listeners) await listener.next();
console.log(`${heard} heard: the shop opens`);

// A copy: first watch, then read, then follow.
const stock = shop.table<number>("stock");
await stock.setMany({ apple: 5, pear: 3 });
const copy = new Map<string, number>();
let gaps = 0;

let changes = window.watch("stock");
await changes.ready;
for await (const [fruit, count] of window.table<number>("stock")) copy.set(fruit, count);
await stock.set("plum", 7);
await stock.delete("apple");
await follow(window, 2);
console.log(`the copy: ${show()}`);

// Somebody goes away with a position, and comes back with it: here as another program would.
const { position } = changes;
await changes.return();
await stock.set("plum", 6);
await stock.delete("pear");
await stock.set("fig", 1);
await using later = await connect(`hive://${server.address}`);
changes = later.watch("stock", { since: position });
await follow(later, 3);
console.log(`after a pause: ${show()}`);
console.log(`lost nothing: ${gaps === 0}`);

/** Takes over so many changes. */
async function follow(client: Client, count: number): Promise<void> {
  const table = client.table<number>("stock");
  for (let i = 0; i < count; i++) {
    const { value: change } = await changes.next();
    if (change === undefined) return;
    if (change.kind === "gap") {
      // All may be different: read it anew.
      gaps++;
      copy.clear();
      for await (const [fruit, left] of table) copy.set(fruit, left);
    } else if ("field" in change) {
      const fruit = String(change.field);
      const left = await table.get(fruit);
      if (left === undefined) copy.delete(fruit);
      else copy.set(fruit, left);
    }
  }
}

function show(): string {
  return [...copy]
    .map(([fruit, count]) => `${fruit} ${count}`)
    .sort()
    .join(", ");
}
