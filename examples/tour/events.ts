import type { Tour } from "./tour.ts";

export const title = "Messages, and changes as they happen";

export async function run({ hive, show, say }: Tour): Promise<void> {
  const news = hive.subscribe<string>("news");
  await news.ready;
  await show(() => hive.publish("news", "the bees are back"));
  await show(() => news.next().then(({ value }) => value?.value));
  await news.return();
  say("The change feed tells of each change once and in order, also later, from a position on:");
  const changes = hive.watch("watched:*");
  await changes.ready;
  await hive.put("watched:door", "open");
  await hive.delete("watched:door");
  await show(() => changes.next().then(({ value }) => value?.kind));
  await show(() => changes.next().then(({ value }) => value?.kind));
  await changes.return();
}
