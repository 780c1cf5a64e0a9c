// A part of the tour: what outlives the hive.

import type { Tour } from "./tour.ts";

export const title = "Snapshots: the hive as it was at one moment";

export async function run({ hive, show, say }: Tour): Promise<void> {
  await hive.put("draft", "first");
  await show(() => hive.snapshot.store("before"));
  await hive.put("draft", "second, and regretted");
  await show(() => hive.snapshot.restore("before"));
  await show(() => hive.get("draft"));
  say("memhive serve --snapshots FOLDER --snapshot-interval 15m does it by itself.");
}
