import type { Tour } from "./tour.ts";

export const title = "Several calls as one";

export async function run({ hive, show, say }: Tour): Promise<void> {
  await show(() => hive.put("from", 100));
  await show(() => hive.multi().incr("from", -30).incr("to", 30).get("from").exec());
  say("A call may be bound to a deadline and a signal:");
  await show(() => hive.with({ timeoutMs: 200 }).get("to"));
}
