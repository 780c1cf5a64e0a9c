import type { Tour } from "./tour.ts";

export const title = "Sets: members, each once";

export async function run({ hive, show }: Tour): Promise<void> {
  const seen = hive.setOf<string>("seen");
  await show(() => seen.push("a", "b", "a"));
  await show(() => seen.has("a"));
  await show(() => seen.pull("a"));
  await show(() => Array.fromAsync(seen.values()));
  await show(() => seen.size());
}
