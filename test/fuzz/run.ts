// The long form: npm run fuzz [-- --count 1000000] [--seed N]

import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";

const { values } = parseArgs({ options: { count: { type: "string" }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000_007);
const frames = Number(values.count ?? 1_000_000);
console.log(`fuzz: ${frames} frames, seed ${seed}`);
const report = await fuzz({ seed, frames, warmUpFrames: 100_000 });
console.log(JSON.stringify(report));
