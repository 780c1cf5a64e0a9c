// test/differential/grammar/sets.ts
// Sets: members, random picks, and the algebra of several sets.
//
// SPOP takes away members that differ from server to server. Wherever it could, the key is deleted
// right after it, so that both sides are equal again; the same holds between MULTI and EXEC.

import type { Args, Draw } from "../draw.ts";
import { command, type Rule, sequence } from "../rule.ts";

/** Members in bulk: integers only, or with words, on either side of Redis's limits of encodings. */
function bulk(draw: Draw): readonly Args[] {
  const random = draw.random;
  const key = draw.key("set");
  const start = random.between(-300, 300);
  const prefix = random.chance(0.5) ? "" : "m";
  return [
    ["SADD", key, ...Array.from({ length: random.pick([120, 130, 510, 600]) }, (_, index) => prefix + (start + index))],
  ];
}

function popped(draw: Draw): readonly Args[] {
  const random = draw.random;
  const key = draw.key("set");
  if (random.chance(0.3)) return [["SPOP", key, random.pick(["0", "100000", "9223372036854775807"])]];
  if (random.chance(0.3))
    return [
      ["DEL", key],
      ["SADD", key, draw.member()],
      ["SPOP", key, ...draw.maybe(0.4, () => ["1"])],
      ["EXISTS", key],
    ];
  return [
    ["SPOP", key, ...draw.maybe(0.6, () => [draw.pickCount()])],
    ["DEL", key],
  ];
}

function cardinality(draw: Draw): readonly string[] {
  const random = draw.random;
  const keys = draw.keys("set", 4);
  const count = random.chance(0.85)
    ? String(keys.length)
    : random.pick(["0", "-1", "1", "abc", "5", "9223372036854775807", "9223372036854775808", ""]);
  return [
    count,
    ...keys,
    ...draw.maybe(0.4, () => [
      "LIMIT",
      random.chance(0.7) ? String(random.below(6)) : random.pick(["-1", "abc", "9223372036854775808", ""]),
    ]),
    ...draw.maybe(0.06, () => [random.pick(["LIMIT", "limit", "NOSUCH", "1"])]),
  ];
}

export const setRules: readonly Rule[] = [
  command("SADD", 20, (draw) => [draw.key("set"), ...draw.several(7, () => draw.member())]),
  command("SREM", 8, (draw) => [draw.key("set"), ...draw.several(5, () => draw.member())]),
  command("SMEMBERS", 6, (draw) => [draw.key("set")]),
  command("SISMEMBER", 6, (draw) => [draw.key("set"), draw.member()]),
  command("SMISMEMBER", 5, (draw) => [draw.key("set"), ...draw.several(6, () => draw.member())]),
  command("SCARD", 6, (draw) => [draw.key("set")]),
  command("SMOVE", 6, (draw) => [draw.key("set"), draw.key("set"), draw.member()]),
  command("SINTER", 4, (draw) => draw.keys("set", 4)),
  command("SUNION", 3, (draw) => draw.keys("set", 4)),
  command("SDIFF", 4, (draw) => draw.keys("set", 4)),
  command("SINTERSTORE", 4, (draw) => [draw.key("set"), ...draw.keys("set", 3)]),
  command("SUNIONSTORE", 4, (draw) => [draw.key("set"), ...draw.keys("set", 3)]),
  command("SDIFFSTORE", 4, (draw) => [draw.key("set"), ...draw.keys("set", 3)]),
  command("SINTERCARD", 6, cardinality),
  command("SSCAN", 3, (draw) => [
    draw.key("set"),
    draw.random.pick(["0", "0", "abc", "-1", "", "18446744073709551616"]),
    ...draw.maybe(0.8, () =>
      draw.random.pick([
        ["COUNT", "0"],
        ["COUNT", "-1"],
        ["COUNT", "abc"],
        ["MATCH"],
        ["COUNT"],
        ["NOSUCH", "1"],
        ["TYPE", "set"],
        ["match", "m*", "count", "5"],
      ]),
    ),
  ]),
  sequence("SPOP", 6, popped),
  sequence("SPOP", 0.5, (draw) => [
    draw.random.pick([["SPOP"], ["SPOP", draw.key("set"), "1", "2"], ["SPOP", draw.key("set"), "-1"]]),
  ]),
  sequence("SRANDMEMBER", 6, (draw) => {
    const key = draw.key("set");
    return [
      ["SMEMBERS", key],
      ["SRANDMEMBER", key, ...draw.maybe(0.7, () => [draw.pickCount()])],
    ];
  }),
  sequence("SRANDMEMBER", 0.5, (draw) => [
    draw.random.pick([["SRANDMEMBER"], ["SRANDMEMBER", draw.key("set"), "1", "2"]]),
  ]),
  sequence("SADD", 0.5, bulk),
];
