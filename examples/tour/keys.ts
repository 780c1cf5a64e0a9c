import type { Tour } from "./tour.ts";

export const title = "Plain keys: any value under a name";

export async function run({ hive, show }: Tour): Promise<void> {
  await show(() => hive.put("greeting", "hello"));
  await show(() => hive.get("greeting"));
  await show(() => hive.put("ada", { born: 1815, tags: new Set(["math", "engine"]) }));
  await show(() => hive.get("ada"));
  await show(() => hive.incr("visits"));
  await show(() => hive.incr("visits", 10));
  await show(() => hive.put("greeting", "moin", { onlyIf: "absent" }));
  await show(() => hive.rename("greeting", "salute"));
  await show(() => hive.exists("greeting"));
  await show(() => Array.fromAsync(hive.scan({ match: "*" })));
  await show(() => hive.delete("salute"));
}
