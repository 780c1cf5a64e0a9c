import type { Tour } from "./tour.ts";

export const title = "Every command of Redis that the hive knows, on the same data";

export async function run({ hive, show }: Tour): Promise<void> {
  await show(() => hive.send(["HSET", "users", "linus", "1969"]));
  await show(() => hive.table<unknown>("users").get("linus"));
  await show(() => hive.send(["OBJECT", "ENCODING", "users"]));
  await show(() => hive.send(["STRLEN", "code"]));
  await show(() => hive.ping());
}
