// test/differential/scenarios/watching.ts
// Watching: one connection watches keys, another works on them, and EXEC tells.
//
// Every step waits for the replies of the one before, so that the order is the same on both sides.

import type { Args, Draw } from "../draw.ts";
import { keyRules } from "../grammar/keys.ts";
import { setRules } from "../grammar/sets.ts";
import { stringRules } from "../grammar/strings.ts";
import { tableRules } from "../grammar/tables.ts";
import { keyPools } from "../pools.ts";
import type { Scenario, ScenarioRule } from "../scenario.ts";

const rules = [...keyRules, ...stringRules, ...tableRules, ...setRules].filter(
  (rule) => rule.queueable && rule.weight >= 1,
);

function drawWork(draw: Draw, max: number): readonly Args[] {
  return Array.from({ length: draw.random.below(max) + 1 }, () => draw.random.pick(rules).draw(draw)).flat();
}

function watch(draw: Draw): Scenario {
  const random = draw.random;
  const keys = draw.several(3, () => random.pick(keyPools.any));
  const flush: readonly Args[] = [[random.pick(["FLUSHALL", "FLUSHDB"])]];
  const work = draw.pinned(random.chance(0.8) ? keys : keyPools.any, () => drawWork(draw, 2));
  const foreign = random.chance(0.03) ? flush : work;
  const inTransaction = random.chance(0.5);
  const body = drawWork(draw, 2);
  const unwatches = random.chance(0.15);
  return {
    name: "WATCH with a second connection",
    async run(pair) {
      const other = await pair.open();
      try {
        await pair.exchange([["WATCH", ...keys]]);
        // Between MULTI and EXEC the marker of a batch would be queued: everything up to EXEC is one batch.
        if (inTransaction) await other.exchange([["MULTI"], ...foreign, ["EXEC"]]);
        else await other.exchange(foreign);
        await pair.exchange([...(unwatches ? [["UNWATCH"]] : []), ["MULTI"], ...body, ["EXEC"]]);
      } finally {
        other.close();
      }
    },
  };
}

/** A key that runs out between WATCH and EXEC, and what every family says of keys that have run out. */
function expiring(draw: Draw): Scenario {
  const random = draw.random;
  const [text, table, set] = ["string:0", "table:0", "set:0"] as const;
  const reads: readonly Args[] = [
    ["EXISTS", text, table, set],
    ["TYPE", text],
    ["TTL", table],
    ["PEXPIRETIME", set],
    ["GET", text],
    ["HGETALL", table],
    ["SMEMBERS", set],
    ["STRLEN", text],
    ["HLEN", table],
    ["SCARD", set],
    ["KEYS", "*:0"],
    ["PERSIST", text],
    ["RENAME", text, table],
    ["COPY", set, table],
    ["TOUCH", text, table],
    ["OBJECT", "ENCODING", text],
    ["DUMP", set],
    ["EXPIRE", text, "1000000"],
    ["DEL", text],
  ];
  const writes: readonly Args[] = [
    ["INCR", text],
    ["APPEND", text, "x"],
    ["SETNX", text, "x"],
    ["SET", text, "x", "XX"],
    ["SET", text, "x", "KEEPTTL"],
    ["HINCRBY", table, "f", "2"],
    ["HSETNX", table, "f", "x"],
    ["SADD", set, "a"],
    ["SMOVE", set, table, "a"],
    ["SUNIONSTORE", set, set, table],
    ["GETDEL", text],
    ["MSETNX", text, "y"],
  ];
  const after = draw.several(12, () => random.pick(random.chance(0.6) ? reads : writes));
  const isWatched = random.chance(0.5);
  return {
    name: "keys that run out",
    async run(pair) {
      await pair.exchange([
        ["DEL", text, table, set],
        ["SET", text, "value"],
        ["HSET", table, "f", "v"],
        ["SADD", set, "m"],
        ...(isWatched ? [["WATCH", text]] : []),
        ["PEXPIRE", text, "60"],
        ["PEXPIRE", table, "60"],
        ["PEXPIRE", set, "60"],
      ]);
      // Real time: what is compared is how two servers, each with its own clock, take keys that ran out.
      await new Promise((resolve) => setTimeout(resolve, 90));
      await pair.exchange(isWatched ? [["MULTI"], ...after, ["EXEC"]] : after);
      await pair.exchange([["DEL", text, table, set]]);
    },
  };
}

export const watchScenarios: readonly ScenarioRule[] = [
  { families: ["transactions"], weight: 6, draw: watch },
  { families: ["keys"], weight: 0.6, draw: expiring },
];
