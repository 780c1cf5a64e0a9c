// A hive whose clock stands still until a test lets time pass.

import { ManualClock } from "../../src/base/clock.ts";
import { type Client, connect } from "../../src/client/node.ts";
import { Hive } from "../../src/server/hive.ts";

export const START_MS = 1_700_000_000_000;

type Run = (db: Client, time: { pass(ms: number): void; hive: Hive }) => Promise<void>;

export async function withClock(run: Run): Promise<void> {
  const clock = new ManualClock(START_MS);
  await using hive = await Hive.start({ listen: false, clock });
  await using db = await connect(hive);
  await run(db, {
    hive,
    pass(ms) {
      clock.advance(ms);
      hive.engine.tick();
      hive.engine.store.beat();
    },
  });
}
