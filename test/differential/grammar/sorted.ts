// test/differential/grammar/sorted.ts
// Sorted sets: members and scores, ranges, pops, and the algebra of several.
//
// Ranges by name are promised for sets of one score only, so they are drawn with the set that they are
// asked of. What Redis 7.0 does not have (WITHSCORE of ZRANK) is left out.

import type { Args, Draw } from "../draw.ts";
import { command, type Rule, sequence } from "../rule.ts";

function score(draw: Draw): string {
  const random = draw.random;
  if (random.chance(0.6)) return String(random.between(-12, 12));
  if (random.chance(0.1))
    return random.pick(["inf", "-inf", "+inf", "nan", "1e300", "-0", "0x1p2", "Infinity", "1e400"]);
  return draw.float();
}

function bound(draw: Draw): string {
  const random = draw.random;
  if (random.chance(0.25))
    return random.pick(["-inf", "+inf", "inf", "(-inf", "(inf", "(", "", "nan", "(nan", "1\x00", " 1"]);
  return random.chance(0.3) ? `(${score(draw)}` : score(draw);
}

function rank(draw: Draw): string {
  return draw.random.chance(0.9) ? String(draw.random.between(-9, 12)) : draw.integer();
}

function nameBound(draw: Draw): string {
  const random = draw.random;
  if (random.chance(0.3)) return random.pick(["-", "+", "-", "+", "", "abc", "(", "[", "-1", "+x"]);
  return random.pick(["[", "("]) + draw.member();
}

function limit(draw: Draw): readonly string[] {
  const random = draw.random;
  return draw.maybe(0.4, () => [
    "LIMIT",
    random.chance(0.9) ? String(random.between(-1, 4)) : draw.integer(),
    String(random.between(-2, 6)),
  ]);
}

function addOptions(draw: Draw): readonly string[] {
  return draw.maybe(0.4, () =>
    draw.several(3, () => draw.random.pick(["NX", "XX", "GT", "LT", "CH", "INCR", "ch", "xx"])),
  );
}

function withScores(draw: Draw): readonly string[] {
  return draw.maybe(0.5, () => ["WITHSCORES"]);
}

/** A set of one score, and what asks for names in it. */
function byName(draw: Draw): readonly Args[] {
  const random = draw.random;
  const key = draw.random.pick(["lex:0", "lex:1"]);
  const value = random.pick(["0", "0", "1.5", "-3"]);
  const large = random.chance(0.1);
  const members = large
    ? Array.from({ length: 150 }, (_, index) => `m${index * 7}`)
    : draw.several(14, () => draw.member());
  const ends = [nameBound(draw), nameBound(draw)];
  const ask = random.pick<Args>([
    ["ZRANGEBYLEX", key, ...ends, ...limit(draw)],
    ["ZREVRANGEBYLEX", key, ...ends, ...limit(draw)],
    [
      "ZRANGE",
      key,
      ...ends,
      "BYLEX",
      ...draw.maybe(0.5, () => ["REV"]),
      ...limit(draw),
      ...draw.maybe(0.1, () => ["WITHSCORES"]),
    ],
    ["ZRANGESTORE", draw.key("sorted"), key, ...ends, "BYLEX", ...draw.maybe(0.5, () => ["REV"]), ...limit(draw)],
    ["ZLEXCOUNT", key, ...ends],
    ["ZREMRANGEBYLEX", key, ...ends],
  ]);
  return [["DEL", key], ["ZADD", key, ...members.flatMap((member) => [value, member])], ask];
}

/** Members in bulk, on either side of Redis's limit of encodings. */
function bulk(draw: Draw): readonly Args[] {
  const random = draw.random;
  const key = draw.key("sorted");
  const count = random.pick([120, 130, 300]);
  return [
    [
      "ZADD",
      key,
      ...Array.from({ length: count }, (_, index) => [
        String((index * 37) % random.pick([5, 100])),
        `b${index}`,
      ]).flat(),
    ],
    ["ZRANGE", key, "0", "-1", "WITHSCORES"],
    ["ZREMRANGEBYRANK", key, rank(draw), String(random.between(50, 250))],
    ["ZREVRANGE", key, "0", "-1", "WITHSCORES"],
  ];
}

function counted(draw: Draw, keys: readonly string[]): string {
  if (draw.random.chance(0.93)) return String(keys.length);
  return draw.random.pick(["0", "-1", "1", "abc", "5", "9223372036854775807", ""]);
}

function weighted(draw: Draw, keys: readonly string[]): readonly string[] {
  return [
    ...draw.maybe(0.4, () => ["WEIGHTS", ...keys.map(() => score(draw))]),
    ...draw.maybe(0.4, () => ["AGGREGATE", draw.random.pick(["SUM", "MIN", "MAX", "min", "nosuch"])]),
  ];
}

function inputs(draw: Draw): string[] {
  return draw.several(4, () => draw.key(draw.random.chance(0.75) ? "sorted" : "set"));
}

function algebra(name: string, isDifference: boolean): Rule {
  return command(name, 4, (draw) => {
    const keys = inputs(draw);
    return [counted(draw, keys), ...keys, ...(isDifference ? [] : weighted(draw, keys)), ...withScores(draw)];
  });
}

function algebraStored(name: string, isDifference: boolean): Rule {
  return command(name, 3, (draw) => {
    const keys = inputs(draw);
    return [draw.key("sorted"), counted(draw, keys), ...keys, ...(isDifference ? [] : weighted(draw, keys))];
  });
}

function rangeOptions(draw: Draw): readonly string[] {
  if (draw.random.chance(0.5))
    return [rank(draw), rank(draw), ...draw.maybe(0.4, () => ["REV"]), ...draw.maybe(0.05, () => ["LIMIT", "0", "1"])];
  return [bound(draw), bound(draw), "BYSCORE", ...draw.maybe(0.4, () => ["REV"]), ...limit(draw)];
}

/** Pops that could wait: mostly there is something, else they wait for a millisecond. */
function waiting(draw: Draw): readonly Args[] {
  const random = draw.random;
  const key = draw.key("sorted");
  const timeout = random.chance(0.9) ? "0.001" : random.pick(["-1", "abc", "nan", "-0.5", "", "0x"]);
  return [
    ["ZADD", key, score(draw), draw.member(), "1", draw.member()],
    random.pick<Args>([
      [random.pick(["BZPOPMIN", "BZPOPMAX"]), ...draw.keys("sorted", 2), key, timeout],
      ["BZMPOP", timeout, "1", key, random.pick(["MIN", "MAX", "x"]), ...draw.maybe(0.5, () => ["COUNT", rank(draw)])],
      ["BZMPOP", timeout, random.pick(["0", "2", "abc"]), key, "MIN"],
    ]),
  ];
}

/** Redis 7.0's SORT looks at an errno that an earlier call may have left: a score that is read without an error clears it. */
const clearsErrno: Args = ["ZADD", "sort:none", "XX", "0", "m"];

/** Sorts with one result: what is equal by BY and ALPHA has no order, nor has a set that is not sorted. */
function sort(draw: Draw): readonly Args[] {
  const random = draw.random;
  const key = draw.key(random.pick(["list", "sorted", "set"] as const));
  const numbers = Array.from({ length: random.between(1, 12) }, () => String(random.between(-20, 20)));
  const fill: Args = random.chance(0.5) ? ["RPUSH", "sort:list", ...numbers] : ["SADD", "sort:set", ...numbers];
  const own = random.chance(0.6);
  const options = [
    ...draw.maybe(0.5, () => ["LIMIT", String(random.between(-2, 5)), String(random.between(-2, 6))]),
    ...draw.maybe(0.5, () => [random.pick(["ASC", "DESC", "desc"])]),
    ...(own && random.chance(0.3)
      ? ["BY", random.pick(["number:*", "table:*->f0", "nosuch:*"])]
      : draw.maybe(own ? 0.3 : 0.9, () => ["ALPHA"])),
    ...draw.maybe(0.3, () => draw.several(2, () => ["GET", random.pick(["#", "number:*", "table:*->f0", "x"])]).flat()),
  ];
  // Without STORE, Redis compares up to a zero byte.
  const store = draw.maybe(own ? 0.3 : 1, () => ["STORE", draw.key("list")]);
  const source = own ? (fill[1] as string) : key;
  return [
    ...(own ? [["DEL", source], fill] : []),
    clearsErrno,
    [...(random.chance(0.2) && store.length === 0 ? ["SORT_RO"] : ["SORT"]), source, ...options, ...store],
  ];
}

export const sortedRules: readonly Rule[] = [
  command("ZADD", 22, (draw) => [
    draw.key("sorted"),
    ...addOptions(draw),
    ...draw.several(6, () => [score(draw), draw.member()]).flat(),
  ]),
  command("ZINCRBY", 7, (draw) => [draw.key("sorted"), score(draw), draw.member()]),
  command("ZREM", 6, (draw) => [draw.key("sorted"), ...draw.several(5, () => draw.member())]),
  command("ZSCORE", 5, (draw) => [draw.key("sorted"), draw.member()]),
  command("ZMSCORE", 4, (draw) => [draw.key("sorted"), ...draw.several(5, () => draw.member())]),
  command("ZCARD", 4, (draw) => [draw.key("sorted")]),
  sequence("ZRANK", 4, (draw) => [["ZRANK", draw.key("sorted"), draw.member()]]),
  sequence("ZREVRANK", 4, (draw) => [["ZREVRANK", draw.key("sorted"), draw.member()]]),
  command("ZRANGE", 10, (draw) => [draw.key("sorted"), ...rangeOptions(draw), ...withScores(draw)]),
  command("ZRANGESTORE", 4, (draw) => [draw.key("sorted"), draw.key("sorted"), ...rangeOptions(draw)]),
  command("ZREVRANGE", 4, (draw) => [draw.key("sorted"), rank(draw), rank(draw), ...withScores(draw)]),
  command("ZRANGEBYSCORE", 6, (draw) => [
    draw.key("sorted"),
    bound(draw),
    bound(draw),
    ...withScores(draw),
    ...limit(draw),
  ]),
  command("ZREVRANGEBYSCORE", 5, (draw) => [
    draw.key("sorted"),
    bound(draw),
    bound(draw),
    ...limit(draw),
    ...withScores(draw),
  ]),
  command("ZCOUNT", 5, (draw) => [draw.key("sorted"), bound(draw), bound(draw)]),
  command("ZREMRANGEBYRANK", 3, (draw) => [draw.key("sorted"), rank(draw), rank(draw)]),
  command("ZREMRANGEBYSCORE", 3, (draw) => [draw.key("sorted"), bound(draw), bound(draw)]),
  ...["ZRANGEBYLEX", "ZREVRANGEBYLEX", "ZLEXCOUNT", "ZREMRANGEBYLEX"].map((name) => sequence(name, 2, byName)),
  command("ZPOPMIN", 4, (draw) => [draw.key("sorted"), ...draw.maybe(0.5, () => [rank(draw)])]),
  command("ZPOPMAX", 4, (draw) => [draw.key("sorted"), ...draw.maybe(0.5, () => [rank(draw)])]),
  command("ZMPOP", 4, (draw) => {
    const keys = draw.keys("sorted", 3);
    return [
      counted(draw, keys),
      ...keys,
      draw.random.pick(["MIN", "MAX", "max", "x"]),
      ...draw.maybe(0.4, () => ["COUNT", rank(draw)]),
    ];
  }),
  ...["BZPOPMIN", "BZPOPMAX", "BZMPOP"].map((name) => sequence(name, 1.5, waiting)),
  algebra("ZUNION", false),
  algebra("ZINTER", false),
  algebra("ZDIFF", true),
  algebraStored("ZUNIONSTORE", false),
  algebraStored("ZINTERSTORE", false),
  algebraStored("ZDIFFSTORE", true),
  command("ZINTERCARD", 4, (draw) => {
    const keys = inputs(draw);
    return [counted(draw, keys), ...keys, ...draw.maybe(0.4, () => ["LIMIT", rank(draw)])];
  }),
  command("ZSCAN", 3, (draw) => [
    draw.key("sorted"),
    draw.random.pick(["0", "0", "abc", "-1", ""]),
    ...draw.maybe(0.8, () =>
      draw.random.pick([["COUNT", "0"], ["MATCH"], ["NOSUCH", "1"], ["match", "m*", "count", "5"]]),
    ),
  ]),
  sequence("ZRANDMEMBER", 5, (draw) => {
    const key = draw.key("sorted");
    const count = draw.maybe(0.7, () => [draw.pickCount()]);
    const scores = count.length > 0 ? withScores(draw) : [];
    return [
      ["ZRANGE", key, "0", "-1", ...scores],
      ["ZRANDMEMBER", key, ...count, ...scores],
    ];
  }),
  ...["SORT", "SORT_RO"].map((name) => sequence(name, 3, sort)),
  sequence("SORT", 1, (draw) => [
    ["DEL", "sort:zset"],
    ["ZADD", "sort:zset", "1", "a", "3", "c", "2", "b", "4", "d"],
    [
      "SORT",
      "sort:zset",
      "BY",
      "nosort",
      ...draw.maybe(0.5, () => ["DESC"]),
      ...draw.maybe(0.5, () => ["LIMIT", rank(draw), "2"]),
    ],
  ]),
  sequence("SORT", 0.5, (draw) => [
    draw.random.pick<Args>([
      ["SORT"],
      ["SORT", draw.key("list"), "LIMIT", "1"],
      ["SORT", draw.key("string")],
      ["SORT", draw.key("list"), "ALPHA", "NOSUCH"],
      ["SORT_RO", draw.key("list"), "STORE", "x"],
      ["SORT", draw.key("list"), "BY"],
    ]),
  ]),
  sequence("ZADD", 0.7, bulk),
];
