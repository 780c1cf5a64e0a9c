import type { Tour } from "./tour.ts";

export const title = "Memory of devices, and sessions that end";

export async function run({ hive, show, say }: Tour): Promise<void> {
  const sensor = hive.device("shelf/3");
  await show(() => sensor.put("reading", { celsius: 21.5, at: 1764000000 }));
  await show(() => sensor.fetch("reading"));
  await show(() => sensor.labels());
  say("What a session holds is gone, and its bytes are overwritten, when it ends:");
  const session = await hive.session("shelf/3", { ttlMs: 10_000, sliding: true });
  await show(() => session.put("draft", { name: "lamp" }));
  await show(() => session.merge("draft", { cents: 500 }));
  await show(() => session.fetch("draft"));
  await show(() => session.close());
  await show(() => session.fetch("draft"));
}
