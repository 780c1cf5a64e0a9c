import type { Tour } from "./tour.ts";

export const title = "What runs out: keys, and single fields";

export async function run({ hive, show }: Tour): Promise<void> {
  await show(() => hive.put("code", "4711", { ttlMs: 60_000 }));
  await show(() => hive.ttl("code"));
  await show(() => hive.persist("code"));
  await show(() => hive.ttl("code"));
  const tokens = hive.table<string>("tokens");
  await show(() => tokens.set("ada", "s3cret", { ttlMs: 50 }));
  await show(() => tokens.ttl("ada"));
  await show(() => tokens.expire("ada", 1));
  await show(() => new Promise((resolve) => setTimeout(resolve, 20)).then(() => tokens.get("ada")));
}
