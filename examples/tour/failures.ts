import type { Tour } from "./tour.ts";

export const title = "What goes wrong has a code";

export async function run({ hive, show }: Tour): Promise<void> {
  await show(() => hive.table("ada").get("born"));
  await show(() => hive.send(["NONSENSE"]));
  await show(() => hive.with({ signal: AbortSignal.abort() }).get("ada"));
  await show(() => hive.put("f", () => 1));
}
