// Suggestions for what somebody types: the ready structure Suggest, which needs only a name.
//
//   npx node examples/suggest.ts        or: memhive serve --structures suggest
//
//   redis-cli -p 4483 SUGGESTADD cities Berlin Bern Bergen
//   redis-cli -p 4483 SUGGEST cities berln 3

import { connect } from "../src/client/node.ts";
import { Hive } from "../src/server/index.ts";
import type { Suggest } from "../src/structures/ready.ts";

const CITIES = ["Berlin", "Bern", "Bergen", "Brno", "Bremen", "Barcelona", "Bilbao", "Belfast", "Birmingham", "Bern"];

async function main(): Promise<void> {
  await using hive = await Hive.start({ port: 0, structures: ["suggest"] });
  await using db = await connect(`hive://127.0.0.1:${hive.port}`);
  const suggest = db.structure<typeof Suggest>("Suggest");
  console.log(await suggest.SUGGESTADD("cities", ...CITIES), "words, Bern counts twice");
  const cities = suggest.at("cities");
  for (const typed of ["berln", "bergn", "birmingam"]) console.log(typed, await cities.SUGGEST(typed, 3));
  console.log("by distance", await cities.SUGGESTFIX("belfsat", 1));
}

if (import.meta.main) await main();
