// test/differential/grammar/transactions.ts
// Transactions: MULTI with commands of all families, errors at queue time and at run time, WATCH.
//
// Every sequence ends outside MULTI, so that the runner can put its own commands anywhere between
// two of them. A watch may stay: the next EXEC of the connection answers for it on both sides.
// Watching against a second connection is a scenario (scenarios/watching.ts).

import type { Args, Draw } from "../draw.ts";
import { keyPools } from "../pools.ts";
import { command, outsideMulti, type Rule, sequence } from "../rule.ts";

/** Draws the commands of one queueable rule of any family. */
export type DrawInner = (draw: Draw) => readonly Args[];

/** Refused when they are queued: the EXEC after them must answer EXECABORT. */
const refused: readonly Args[] = [
  ["NOSUCH", "a"],
  ["GET"],
  ["SET", "string:0"],
  ["CLIENT", "NOSUCH"],
  ["HSET", "table:0", "f1"],
  ["SHUTDOWN", "NOSUCH"],
  ["INCR", "a", "b"],
  ["OBJECT", "NOSUCH", "a"],
  ["DEL"],
  ["SADD", "set:0"],
  ["CONFIG", "NOSUCH"],
  [""],
];

/** Answered at once although a transaction is open, and harmless to it. */
const immediate: readonly Args[] = [["MULTI"], ["WATCH", "string:0"], ["WATCH"], ["MULTI", "x"]];

const endings: readonly (readonly Args[])[] = [
  [["DISCARD"]],
  [["RESET"]],
  [["RESET"], ["HELLO", "3"]],
  [["DISCARD", "x"], ["DISCARD"]],
  [["DISCARD"], ["DISCARD"]],
  [["EXEC"], ["EXEC"]],
  // Wrong arguments for EXEC end the transaction, for DISCARD they do not: what follows would run at once.
  [["EXEC", "now"], ["EXEC"]],
];

function transaction(inner: DrawInner, spoilt: boolean): (draw: Draw) => readonly Args[] {
  return (draw) => {
    const random = draw.random;
    const body = Array.from({ length: random.below(8) }, () => inner(draw)).flat();
    if (spoilt) {
      const wrong = draw.several(2, () => random.pick(random.chance(0.7) ? refused : immediate));
      body.splice(random.below(body.length + 1), 0, ...wrong);
    }
    const ending = random.chance(0.86) ? [["EXEC"]] : random.pick(endings);
    return [["MULTI"], ...body, ...ending];
  };
}

/** Watches keys, works on some of the same keys, and lets EXEC tell whether that counted as a change. */
function watched(inner: DrawInner): (draw: Draw) => readonly Args[] {
  return (draw) => {
    const random = draw.random;
    const keys = draw.several(2, () => random.pick(keyPools.any));
    const work = draw.pinned(keys, () => Array.from({ length: random.below(3) }, () => inner(draw)).flat());
    const unwatch: Args[] = random.chance(0.12) ? [["UNWATCH"]] : [];
    return [["WATCH", ...keys], ...work, ...unwatch, ["MULTI"], ["PING"], ...inner(draw), ["EXEC"]];
  };
}

export function transactionRules(inner: DrawInner): readonly Rule[] {
  return [
    sequence("EXEC", 8, transaction(inner, false)),
    sequence("EXEC", 4, transaction(inner, true)),
    sequence("WATCH", 6, watched(inner)),
    sequence("DISCARD", 1, () => [["DISCARD"], ["MULTI"], ["DISCARD"]]),
    sequence("EXEC", 0.5, () => [["EXEC"], ["MULTI"], ["EXEC"]]),
    sequence("MULTI", 0.3, (draw) => [
      ["MULTI", "x"],
      [draw.random.pick(["EXEC", "DISCARD", "UNWATCH"]), "x"],
    ]),
    outsideMulti(command("WATCH", 1, (draw) => draw.keys("any", 3))),
    command("UNWATCH", 1, () => []),
  ].map(outsideMulti);
}
