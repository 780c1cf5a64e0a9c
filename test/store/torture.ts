// Torture: histories without end. `node test/store/torture.ts [minutes]` prints the seed of each round
// and stops with the shortest history that fails.

import { checkHistories } from "../kit/store-checks.ts";

const minutes = Number(process.argv[2] ?? 10);
const end = Date.now() + minutes * 60_000;
for (let round = 0; Date.now() < end; round++) {
  const seed = Math.floor(Math.random() * 0x7fffffff);
  const steps = [30, 300, 3000][round % 3]!;
  const counts = checkHistories({ runs: Math.ceil(60_000 / steps / 3), steps, seed, large: round % 8 === 7 });
  let total = 0;
  for (const count of counts.values()) total += count;
  console.log(`STORE_SEED=${seed} histories of up to ${steps} steps: ${total} operations`);
}
