// test/differential/scenarios/restoring.ts
// Restoring: what a server dumped, it takes back, with every option; what is damaged, it refuses.
//
//   DUMP key on both ──▶ each side's own payload ──▶ RESTORE other … ──▶ the same replies, the same content

import type { Args, Draw } from "../draw.ts";
import { parseReply } from "../frame.ts";
import type { Scenario, ScenarioRule } from "../scenario.ts";

type Damage = "none" | "flipped" | "short" | "long";

function spoilt(payload: string, options: { damage: Damage; at: number }): string {
  const { damage, at } = options;
  if (damage === "short") return payload.slice(0, -1);
  if (damage === "long") return `${payload}x`;
  if (damage === "none" || payload.length === 0) return payload;
  const place = Math.floor(at * payload.length);
  return payload.slice(0, place) + String.fromCharCode(payload.charCodeAt(place) ^ 1) + payload.slice(place + 1);
}

function restore(draw: Draw): Scenario {
  const random = draw.random;
  const from = draw.key(random.pick(["string", "number", "table", "set"] as const));
  const to = draw.key();
  const damage: Damage = random.chance(0.7) ? "none" : random.pick(["flipped", "short", "long"]);
  const at = random.below(1000) / 1000;
  const isAbsolute = random.chance(0.3);
  const drawn = random.chance(0.4) ? "0" : isAbsolute ? draw.expireAtMs() : draw.expireMs();
  // Redis adds the time to it without a look at overflow: the key would be there until it is noticed.
  const ttl = drawn === "9223372036854775807" ? "1000000000" : drawn;
  const options: Args = [
    ...draw.maybe(0.7, () => ["REPLACE"]),
    ...(isAbsolute ? ["ABSTTL"] : []),
    ...draw.maybe(0.2, () =>
      random.pick([
        ["IDLETIME", "1000"],
        ["FREQ", "5"],
        ["IDLETIME", "0"],
        ["idletime", "9"],
      ]),
    ),
  ];
  return {
    name: "DUMP and RESTORE",
    async run(pair) {
      const dumped = await pair.exchange([["DUMP", from]]);
      const [theirs, ours] = [dumped.theirs, dumped.ours].map(
        (replies) => parseReply(replies[0] ?? "$-1\r\n").text ?? "",
      );
      const restoring = (payload = ""): Args => ["RESTORE", to, ttl, spoilt(payload, { damage, at }), ...options];
      await pair.exchangeEach([restoring(theirs)], [restoring(ours)]);
      await pair.exchange([
        ["TYPE", to],
        ["PTTL", to],
        ["GET", to],
        ["HGETALL", to],
        ["SMEMBERS", to],
        ["OBJECT", "IDLETIME", to],
        ["EXISTS", from, to],
      ]);
    },
  };
}

export const restoreScenarios: readonly ScenarioRule[] = [{ families: ["keys"], weight: 5, draw: restore }];
