// A part of the tour: memory that is read without asking.

import { connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/index.ts";
import type { Tour } from "./tour.ts";

export const title = "Shared reads: memory that processes of one host read";

export async function run({ show, say }: Tour): Promise<void> {
  const started = await Hive.start({ port: 0, shared: true }).catch((error: Error) => error);
  if (started instanceof Error) return say(`Not here: ${started.message}`);
  await using sharing = started;
  await using hive = await connect(`hive://${sharing.address}`);
  const users = hive.table<{ born: number }>("users");
  await show(() => users.set("ada", { born: 1815 }));
  say("No round trip: this is read where the hive keeps it.");
  await show(async () => users.peek("ada"));
  await show(() => users.get("ada"));
  await show(async () => hive.shared);
}
