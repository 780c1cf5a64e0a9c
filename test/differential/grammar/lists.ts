// test/differential/grammar/lists.ts
// Lists: pushes, pops, indexes, and the pops that may wait.
//
// What waits stands right behind a push to the same key, or names keys that hold no lists, so that a pair
// is never held up for longer than the time that it gives: waiting itself is the matter of the scenarios of
// blocking.ts. A time that overflows is left out: 7.0 calls it negative, later versions out of range.

import type { Args, Draw } from "../draw.ts";
import { badNumbers, edgeIntegers } from "../pools.ts";
import { command, type Rule, sequence } from "../rule.ts";

const sides = ["LEFT", "RIGHT", "left", "right"];

/** Few of them, so that pivots and searches meet what is there. */
function element(draw: Draw): string {
  return draw.random.chance(0.7) ? draw.member() : draw.value();
}

function index(draw: Draw): string {
  const random = draw.random;
  if (random.chance(0.9)) return String(random.between(-12, 14));
  return random.pick(random.chance(0.6) ? edgeIntegers : badNumbers);
}

function count(draw: Draw): string {
  const random = draw.random;
  return random.chance(0.85) ? String(random.between(-3, 6)) : random.pick([...edgeIntegers, ...badNumbers]);
}

function side(draw: Draw): string {
  return draw.random.chance(0.95) ? draw.random.pick(sides) : draw.random.pick(["UP", "", "LEFTX"]);
}

function positionOptions(draw: Draw): readonly string[] {
  const random = draw.random;
  const value = (): string => (random.chance(0.8) ? String(random.between(-3, 5)) : random.pick(badNumbers));
  return [
    ...draw.maybe(0.4, () => ["RANK", value()]),
    ...draw.maybe(0.5, () => ["COUNT", value()]),
    ...draw.maybe(0.3, () => ["MAXLEN", value()]),
    ...draw.maybe(0.05, () => [random.pick(["RANK", "rank", "NOSUCH", "COUNT"])]),
  ];
}

function several(draw: Draw): readonly string[] {
  const random = draw.random;
  const keys = draw.keys("list", 3);
  const number = random.chance(0.88)
    ? String(keys.length)
    : random.pick(["0", "-1", "1", "abc", "9223372036854775807"]);
  return [
    number,
    ...keys,
    side(draw),
    ...draw.maybe(0.5, () => ["COUNT", random.chance(0.85) ? String(random.between(0, 6)) : random.pick(badNumbers)]),
    ...draw.maybe(0.05, () => [random.pick(["COUNT", "1"])]),
  ];
}

/** Elements in bulk: beyond what is packed, and of a size that makes chunks split. */
function bulk(draw: Draw): readonly Args[] {
  const random = draw.random;
  const key = draw.key("list");
  const size = random.pick([1, 4, 40, 300]);
  const many = random.pick([40, 300, 900]);
  const name = random.pick(["LPUSH", "RPUSH"]);
  return [
    [name, key, ...Array.from({ length: many }, (_, at) => (size === 1 ? String(at) : `${at}`.padEnd(size, "x")))],
    ["LLEN", key],
    ["LINDEX", key, String(random.between(-many, many))],
    [
      "LINSERT",
      key,
      random.pick(["BEFORE", "AFTER"]),
      size === 1 ? String(random.below(many)) : `${random.below(many)}`.padEnd(size, "x"),
      element(draw),
    ],
    ["LSET", key, String(random.between(-many, many)), "y".repeat(random.pick([0, 5, 700]))],
    ["LTRIM", key, String(random.between(-many, 40)), String(random.between(-40, many))],
    ["LRANGE", key, "0", "-1"],
  ];
}

/** A pop that would wait finds what was pushed just before, or something that is no list. */
function waiting(draw: Draw): readonly Args[] {
  const random = draw.random;
  const key = draw.key("list");
  const timeout = random.chance(0.9) ? "0.001" : random.pick(["-1", "abc", "nan", "-0.5", "", "0x"]);
  const push: Args = ["RPUSH", key, element(draw), element(draw)];
  const calls: readonly Args[] = [
    [random.pick(["BLPOP", "BRPOP"]), key, timeout],
    ["BLMPOP", timeout, "1", key, side(draw), ...draw.maybe(0.5, () => ["COUNT", String(random.between(1, 3))])],
    ["BLMOVE", key, draw.key("list"), side(draw), side(draw), timeout],
    ["BRPOPLPUSH", key, draw.key("list"), timeout],
  ];
  return [push, random.pick(calls)];
}

export const listRules: readonly Rule[] = [
  command("LPUSH", 10, (draw) => [draw.key("list"), ...draw.several(6, () => element(draw))]),
  command("RPUSH", 12, (draw) => [draw.key("list"), ...draw.several(6, () => element(draw))]),
  command("LPUSHX", 4, (draw) => [draw.key("list"), ...draw.several(3, () => element(draw))]),
  command("RPUSHX", 4, (draw) => [draw.key("list"), ...draw.several(3, () => element(draw))]),
  command("LPOP", 6, (draw) => [draw.key("list"), ...draw.maybe(0.4, () => [count(draw)])]),
  command("RPOP", 6, (draw) => [draw.key("list"), ...draw.maybe(0.4, () => [count(draw)])]),
  command("LLEN", 5, (draw) => [draw.key("list")]),
  command("LINDEX", 6, (draw) => [draw.key("list"), index(draw)]),
  command("LRANGE", 8, (draw) => [draw.key("list"), index(draw), index(draw)]),
  command("LSET", 6, (draw) => [draw.key("list"), index(draw), element(draw)]),
  command("LINSERT", 7, (draw) => [
    draw.key("list"),
    draw.random.chance(0.95) ? draw.random.pick(["BEFORE", "AFTER", "after"]) : "AT",
    element(draw),
    element(draw),
  ]),
  command("LTRIM", 3, (draw) => [draw.key("list"), index(draw), index(draw)]),
  command("LREM", 5, (draw) => [draw.key("list"), count(draw), element(draw)]),
  command("LPOS", 6, (draw) => [draw.key("list"), element(draw), ...positionOptions(draw)]),
  command("LMOVE", 6, (draw) => [draw.key("list"), draw.key("list"), side(draw), side(draw)]),
  command("RPOPLPUSH", 5, (draw) => [draw.key("list"), draw.key("list")]),
  command("LMPOP", 5, several),
  sequence("BLPOP", 4, waiting),
  sequence("BLPOP", 0.5, (draw) => [
    draw.random.pick([
      ["BLPOP"],
      ["BLPOP", draw.key("list")],
      ["BLMPOP", "0.001", "0", draw.key("list"), "LEFT"],
      ["BLMOVE", draw.key("list"), draw.key("list"), "LEFT", "0.001"],
      ["BRPOPLPUSH", draw.key("list"), draw.key("list")],
    ]),
  ]),
  sequence("RPUSH", 0.6, bulk),
];
