// test/differential/grammar/strings.ts
// Strings: whole values, parts of them, and numbers in them.

import type { Draw } from "../draw.ts";
import { command, type Rule, sequence } from "../rule.ts";

/** One expiry option of SET and GETEX with its argument, right or wrong. */
function expiryOption(draw: Draw): readonly string[] {
  switch (draw.random.below(4)) {
    case 0:
      return ["EX", draw.expireSeconds()];
    case 1:
      return ["PX", draw.expireMs()];
    case 2:
      return ["EXAT", draw.expireAtSeconds()];
    default:
      return ["PXAT", draw.expireAtMs()];
  }
}

/**
 * The same for SET, never with a time that is past. Redis stores such a key and counts it in DBSIZE
 * until it notices that it has run out; a rule of its own makes it notice.
 */
function expiryOptionOfSet(draw: Draw): readonly string[] {
  const [name = "", time = ""] = expiryOption(draw);
  const soonest = { EXAT: 3_000_000_000, PXAT: 3_000_000_000_000 }[name] ?? 0;
  return /^[1-9]\d*$/.test(time) && Number(time) < soonest ? [name, String(soonest)] : [name, time];
}

/** Options of SET: mostly a set that can hold together, at times any mixture in any order. */
function setOptions(draw: Draw): readonly string[] {
  const random = draw.random;
  if (random.chance(0.35)) return [];
  if (random.chance(0.7)) {
    return [
      ...draw.maybe(0.4, () => [random.pick(["NX", "XX"])]),
      ...draw.maybe(0.3, () => ["GET"]),
      ...draw.maybe(0.5, () => (random.chance(0.25) ? ["KEEPTTL"] : expiryOptionOfSet(draw))),
    ];
  }
  return draw
    .several(4, () => {
      if (random.chance(0.35)) return expiryOptionOfSet(draw);
      return [random.pick(["NX", "XX", "GET", "KEEPTTL", "nx", "Get", "EX", "PX", "PERSIST", "FOO", "", "100000000"])];
    })
    .flat();
}

function getexOptions(draw: Draw): readonly string[] {
  const random = draw.random;
  if (random.chance(0.3)) return [];
  if (random.chance(0.75)) return random.chance(0.25) ? ["PERSIST"] : expiryOption(draw);
  return draw
    .several(3, () => {
      if (random.chance(0.5)) return expiryOption(draw);
      return [random.pick(["PERSIST", "persist", "KEEPTTL", "NX", "EX", "FOO", ""])];
    })
    .flat();
}

function pairs(draw: Draw): string[] {
  return draw.several(4, () => [draw.key("string"), draw.value()]).flat();
}

export const stringRules: readonly Rule[] = [
  command("SET", 20, (draw) => [draw.key("string"), draw.value(), ...setOptions(draw)]),
  command("SET", 4, (draw) => [draw.key("number"), draw.integer()]),
  command("SET", 2, (draw) => [draw.key("number"), draw.float()]),
  sequence("SET", 1, (draw) => {
    const key = draw.key("string");
    const past = draw.random.pick([
      ["EXAT", "1"],
      ["EXAT", "1000000000"],
      ["PXAT", "1"],
      ["PXAT", "1000000000000"],
    ]);
    return [
      ["SET", key, draw.value(), ...past, ...draw.maybe(0.3, () => [draw.random.pick(["NX", "XX", "GET"])])],
      [draw.random.pick(["EXISTS", "GET", "TYPE", "TTL"]), key],
    ];
  }),
  command("GET", 14, (draw) => [draw.key("string")]),
  command("GET", 4, (draw) => [draw.key("number")]),
  command("GETSET", 4, (draw) => [draw.key("string"), draw.value()]),
  command("GETDEL", 3, (draw) => [draw.key("string")]),
  command("GETEX", 6, (draw) => [draw.key("string"), ...getexOptions(draw)]),
  command("MGET", 4, (draw) => draw.keys("string", 6)),
  command("MSET", 4, (draw) => [...pairs(draw), ...draw.maybe(0.05, () => [draw.key()])]),
  command("MSETNX", 3, (draw) => [...pairs(draw), ...draw.maybe(0.05, () => [draw.key()])]),
  command("MSETNX", 2, (draw) => [
    draw.key("missing"),
    draw.value(),
    ...draw.maybe(0.6, () => [draw.key("missing"), draw.value()]),
  ]),
  command("SETNX", 4, (draw) => [draw.key(draw.random.chance(0.4) ? "missing" : "string"), draw.value()]),
  command("SETEX", 4, (draw) => [draw.key("string"), draw.expireSeconds(), draw.value()]),
  command("PSETEX", 4, (draw) => [draw.key("string"), draw.expireMs(), draw.value()]),
  command("APPEND", 5, (draw) => [draw.key("string"), draw.value()]),
  command("STRLEN", 4, (draw) => [draw.key("string")]),
  command("GETRANGE", 6, (draw) => [draw.key("string"), draw.offset(), draw.offset()]),
  command("SUBSTR", 3, (draw) => [draw.key("string"), draw.offset(), draw.offset()]),
  command("SETRANGE", 6, (draw) => [draw.key("string"), draw.offset(), draw.value()]),
  command("SETRANGE", 1, (draw) => [draw.key("string"), draw.offset(), ""]),
  command("INCR", 6, (draw) => [draw.key("number")]),
  command("DECR", 5, (draw) => [draw.key("number")]),
  command("INCRBY", 7, (draw) => [draw.key("number"), draw.integer()]),
  command("DECRBY", 7, (draw) => [draw.key("number"), draw.integer()]),
  command("INCRBYFLOAT", 7, (draw) => [draw.key("number"), draw.float()]),
  sequence("INCRBY", 2, (draw) => {
    const key = draw.key("number");
    return [
      ["SET", key, draw.integer()],
      [draw.random.pick(["INCRBY", "DECRBY"]), key, draw.integer()],
      ["GET", key],
    ];
  }),
  sequence("INCRBYFLOAT", 2, (draw) => {
    const key = draw.key("number");
    return [
      ["SET", key, draw.float()],
      ["INCRBYFLOAT", key, draw.float()],
      ["GET", key],
    ];
  }),
];
