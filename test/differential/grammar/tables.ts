// test/differential/grammar/tables.ts
// Tables: Redis's hashes. What 7.0 does not have (TTL of fields) is in field-ttl-cases.ts.

import type { Args, Draw } from "../draw.ts";
import { command, type Rule, sequence } from "../rule.ts";

function pairs(draw: Draw): string[] {
  return draw.several(5, () => [draw.field(), draw.value()]).flat();
}

/** A table long enough for Redis to change its encoding, or with a field too long for the small one. */
function bulk(draw: Draw): readonly Args[] {
  const key = draw.key("table");
  const count = draw.random.pick([100, 130, 520]);
  const start = draw.random.below(1000);
  return [
    [
      "HSET",
      key,
      ...Array.from({ length: count }, (_, index) => [`f${start + index}`, draw.value().slice(0, 70)]).flat(),
    ],
  ];
}

export const tableRules: readonly Rule[] = [
  command("HSET", 18, (draw) => [draw.key("table"), ...pairs(draw), ...draw.maybe(0.04, () => [draw.field()])]),
  command("HMSET", 5, (draw) => [draw.key("table"), ...pairs(draw), ...draw.maybe(0.04, () => [draw.field()])]),
  command("HSETNX", 5, (draw) => [draw.key("table"), draw.field(), draw.value()]),
  command("HGET", 10, (draw) => [draw.key("table"), draw.field()]),
  command("HMGET", 6, (draw) => [draw.key("table"), ...draw.several(6, () => draw.field())]),
  command("HGETALL", 5, (draw) => [draw.key("table")]),
  command("HDEL", 6, (draw) => [draw.key("table"), ...draw.several(6, () => draw.field())]),
  command("HEXISTS", 5, (draw) => [draw.key("table"), draw.field()]),
  command("HKEYS", 4, (draw) => [draw.key("table")]),
  command("HVALS", 4, (draw) => [draw.key("table")]),
  command("HLEN", 5, (draw) => [draw.key("table")]),
  command("HSTRLEN", 4, (draw) => [draw.key("table"), draw.field()]),
  command("HINCRBY", 8, (draw) => [draw.key("table"), draw.field(), draw.integer()]),
  command("HINCRBYFLOAT", 8, (draw) => [draw.key("table"), draw.field(), draw.float()]),
  sequence("HINCRBY", 3, (draw) => {
    const [key, field] = [draw.key("table"), draw.field()];
    return [
      ["HSET", key, field, draw.integer()],
      ["HINCRBY", key, field, draw.integer()],
      ["HGET", key, field],
    ];
  }),
  sequence("HINCRBYFLOAT", 3, (draw) => {
    const [key, field] = [draw.key("table"), draw.field()];
    return [
      ["HSET", key, field, draw.float()],
      ["HINCRBYFLOAT", key, field, draw.float()],
      ["HGET", key, field],
    ];
  }),
  command("HSCAN", 3, (draw) => [
    draw.key("table"),
    draw.random.pick(["0", "0", "abc", "-1", "", "18446744073709551616"]),
    ...draw.maybe(0.8, () =>
      draw.random.pick([
        ["COUNT", "0"],
        ["COUNT", "-1"],
        ["COUNT", "abc"],
        ["MATCH"],
        ["COUNT"],
        ["NOSUCH", "1"],
        ["TYPE", "hash"],
        ["match", "f*", "count", "5"],
      ]),
    ),
  ]),
  sequence("HRANDFIELD", 5, (draw) => {
    const key = draw.key("table");
    const count = draw.maybe(0.8, () => [draw.pickCount()]);
    const withValues = count.length > 0 ? draw.maybe(0.45, () => ["WITHVALUES"]) : [];
    return [
      ["HGETALL", key],
      ["HRANDFIELD", key, ...count, ...withValues],
    ];
  }),
  sequence("HRANDFIELD", 1, (draw) => [
    draw.random.pick([
      ["HRANDFIELD"],
      ["HRANDFIELD", draw.key("table"), "2", "NOSUCH"],
      ["HRANDFIELD", draw.key("table"), "2", "withvalues", "x"],
      ["HRANDFIELD", draw.key("table"), "WITHVALUES"],
      ["HRANDFIELD", draw.key("table"), "-9223372036854775807", "WITHVALUES"],
      ["HRANDFIELD", draw.key("table"), "4611686018427387904", "WITHVALUES"],
    ]),
  ]),
  sequence("HSET", 0.4, bulk),
];
