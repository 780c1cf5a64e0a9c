// The long form: npm run fuzz [-- --door native --count 1000000 --seed N]

import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";
import { WIRES } from "./wires.ts";

const { values } = parseArgs({
  options: { count: { type: "string" }, seed: { type: "string" }, door: { type: "string" } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
const frames = Number(values.count ?? 1_000_000);
const door = values.door ?? "resp";
const wire = WIRES[door];
if (wire === undefined) throw new Error(`--door is one of ${Object.keys(WIRES).join(", ")}`);
console.log(`fuzz: ${frames} frames, door ${door}, seed ${seed}`);
const report = await fuzz({ wire, seed, frames, warmUpFrames: 100_000 });
console.log(JSON.stringify(report));
