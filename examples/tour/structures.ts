import { type HiveCalls, Structure } from "../../src/structures/index.ts";
import type { Tour } from "./tour.ts";

export const title = "Commands of your own, which run in the hive";

/** Its public fields are its state; large state goes into lists and sorted sets of the store. */
class Auction extends Structure {
  open = true;

  static BID(hive: HiveCalls, key: string, who: string, cents: number): number {
    const auction = hive.open(Auction, key);
    if (!auction.open) throw new Error("it is over");
    return auction.sorted<string>("bids").incr(who, Number(cents));
  }

  CLOSE(): string | undefined {
    this.open = false;
    return this.sorted<string>("bids").slice(-1)[0];
  }
}

export async function run({ hive, server, show, say }: Tour): Promise<void> {
  server.register(Auction);
  const auction = hive.structure<typeof Auction>("Auction");
  await show(() => auction.BID("lamp", "ada", 500));
  await show(() => auction.BID("lamp", "bob", 700));
  say("A command on a key, found by what the key holds:");
  await show(() => auction.at("lamp").CLOSE());
  await show(() => auction.BID("lamp", "eve", 900));
  say("Its key is a key like any other, and any client calls the command by its name:");
  await show(() => hive.rename("lamp", "old lamp"));
  await show(() => hive.send(["ZRANGE", "$part:old lamp:bids", 0, -1]));
}
