// The structure that bench/structures.ts calls; each command does what the Lua script beside it does.

import { type HiveCalls, Structure } from "../src/structures/index.ts";

export class Worked extends Structure {
  count = 0;

  static LOCALS(): number {
    let sum = 0;
    for (let i = 1; i <= 10_000; i++) sum = (sum + i * 7) % 1_000_003;
    return sum;
  }

  static STEPS(hive: HiveCalls, key: string): number {
    const worked = hive.open(Worked, key);
    for (let i = 0; i < 1_000; i++) worked.count = (worked.count + 1) % 1_000_003;
    return worked.count;
  }

  static BUMP(hive: HiveCalls, key: string): number {
    const worked = hive.open(Worked, key);
    worked.count += 1;
    if (worked.count > 1_000_000_000) worked.count = 0;
    return worked.count;
  }
}

/** The same for Redis, by the command's name. */
export const SCRIPTS: Readonly<Record<string, string>> = {
  LOCALS: "local sum = 0 for i = 1, 10000 do sum = (sum + i * 7) % 1000003 end return sum",
  STEPS:
    "local n = 0 for i = 1, 1000 do n = (tonumber(redis.call('GET', KEYS[1]) or '0') + 1) % 1000003 redis.call('SET', KEYS[1], n) end return n",
  BUMP: "local n = redis.call('INCR', KEYS[1]) if n > 1000000000 then redis.call('SET', KEYS[1], 0) n = 0 end return n",
};
