import type { Tour } from "./tour.ts";

type User = { born: number; name?: string };

export const title = "Tables: a typed map that processes share";

export async function run({ hive, show, say }: Tour): Promise<void> {
  const users = hive.table<User>("users");
  await show(() => users.set("ada", { born: 1815 }));
  await show(() => users.setMany({ grace: { born: 1906 }, alan: { born: 1912 } }));
  await show(() => users.get("ada"));
  await show(() => users.getMany(["ada", "nobody"]));
  say("update() reads, asks the function, and writes only where nobody else did meanwhile:");
  await show(() => users.update("ada", (old) => ({ ...old, born: 1815, name: "Ada Lovelace" })));
  await show(() => users.setIfAbsent("ada", { born: 0 }));
  await show(() => users.size());
  await show(() => Array.fromAsync(users.entries()));
  await show(() => users.delete("alan"));
}
