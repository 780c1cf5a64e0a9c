import type { Tour } from "./tour.ts";

export const title = "Lists and sorted sets";

export async function run({ hive, show, say }: Tour): Promise<void> {
  const jobs = hive.list<string>("jobs");
  await show(() => jobs.push("paint", "sweep", "mend"));
  await show(() => jobs.shift());
  await show(() => jobs.slice(0, 2));
  say("A worker waits for the next one; nobody pushes, so it gives up:");
  await jobs.clear();
  await show(() => jobs.shift({ waitMs: 20 }));
  const scores = hive.sorted<string>("scores");
  await show(() =>
    scores.addAll([
      ["ada", 12],
      ["bob", 7],
      ["eve", 9],
    ]),
  );
  await show(() => scores.incr("bob", 4));
  await show(() => scores.entries(0, 2, { reverse: true }));
  await show(() => scores.rank("eve"));
}
