// test/differential/scenarios/scanning.ts
// Scanning: SCAN, HSCAN, SSCAN and ZSCAN followed to the end on both servers.
//
// Cursors and pages are each server's own. What counts is the set of elements that a whole iteration
// returns while nothing changes; an element may come twice.

import type { Args, Draw } from "../draw.ts";
import { parseReply } from "../frame.ts";
import type { Pair } from "../pair.ts";
import type { Scenario, ScenarioRule } from "../scenario.ts";

/** A scan of a small database that needs more pages than this does not end. */
const PAGES_MAX = 20_000;

function scanOptions(draw: Draw, withType: boolean): readonly string[] {
  const random = draw.random;
  const options = [
    draw.maybe(0.5, () => ["COUNT", random.pick(["1", "2", "10", "100", "100000"])]),
    draw.maybe(0.4, () => ["MATCH", draw.pattern()]),
    withType ? draw.maybe(0.4, () => ["TYPE", random.pick(["string", "hash", "set", "list", "HASH", "zset"])]) : [],
  ];
  return (random.chance(0.5) ? options : options.reverse()).flat();
}

/** All elements of one server, sorted, once each; pairs of HSCAN and ZSCAN as one text. */
async function scanAll(pair: Pair, options: { side: "theirs" | "ours"; head: Args; tail: Args }): Promise<string> {
  const { side, head, tail } = options;
  const isTable = head[0] === "HSCAN" || head[0] === "ZSCAN";
  const found = new Set<string>();
  let cursor = "0";
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const raw = await pair.ask(side, [...head, cursor, ...tail]);
    if (!raw.startsWith("*2")) return raw;
    const [next, page] = parseReply(raw).items ?? [];
    const items = (page?.items ?? []).map((item) => item.raw);
    for (let at = 0; at < items.length; at += isTable ? 2 : 1)
      found.add(isTable ? `${items[at]}${items[at + 1]}` : (items[at] as string));
    cursor = next?.text ?? "0";
    if (cursor === "0") return [...found].sort().join("");
  }
  return "the scan does not end";
}

function scan(draw: Draw): Scenario {
  const random = draw.random;
  const name = random.pick(["SCAN", "HSCAN", "SSCAN", "ZSCAN"] as const);
  const kinds = { HSCAN: "table", SSCAN: "set", ZSCAN: "sorted" } as const;
  const head = name === "SCAN" ? [name] : [name, draw.key(kinds[name])];
  const tail = scanOptions(draw, name === "SCAN");
  return {
    name: `${name} to the end`,
    async run(pair) {
      const [theirs, ours] = await Promise.all([
        scanAll(pair, { side: "theirs", head, tail }),
        scanAll(pair, { side: "ours", head, tail }),
      ]);
      pair.report(`(${name} to the end)`, { args: [...head, "0", ...tail], theirs, ours });
    },
  };
}

export const scanScenarios: readonly ScenarioRule[] = [
  { families: ["keys", "tables", "sets", "sorted"], weight: 8, draw: scan },
];
