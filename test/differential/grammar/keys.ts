// test/differential/grammar/keys.ts
// Keys: what works on a key whatever it holds, and the database as a whole.
//
// SCAN and RESTORE need replies of their own server to go on: see scenarios/.

import type { Draw } from "../draw.ts";
import { command, type Rule, sequence } from "../rule.ts";

const conditions = ["NX", "XX", "GT", "LT"];

/** None, one, or several of NX XX GT LT, in conflict or not, or an unknown word. */
function expireOptions(draw: Draw): readonly string[] {
  const random = draw.random;
  if (random.chance(0.45)) return [];
  if (random.chance(0.75)) return [random.pick(conditions)];
  if (random.chance(0.8)) return [random.pick(conditions), random.pick(conditions)];
  return [random.pick(["nx", "AB", "", "NX\x00", "EX", "xx "])];
}

/** Two keys that mostly hold the same type, so that renaming and copying do not mix up all of them. */
function twoKeys(draw: Draw): readonly string[] {
  const kind = draw.random.pick(["string", "number", "table", "set", "any"] as const);
  return [draw.key(kind), draw.key(kind)];
}

function objectRules(): Rule[] {
  return [
    command("OBJECT ENCODING", 3, (draw) => [draw.key()]),
    command("OBJECT REFCOUNT", 1, (draw) => [draw.key()]),
    command("OBJECT IDLETIME", 1, (draw) => [draw.key()]),
    command("OBJECT FREQ", 1, (draw) => [draw.key()]),
    command("OBJECT", 1, (draw) => [
      ...draw.maybe(0.5, () => [draw.random.pick(["NOSUCH", "", "encoding\r\n", "FREQUENCY"]), draw.key()]),
    ]),
    sequence("OBJECT FREQ", 1, (draw) => {
      const key = draw.key();
      return [
        ["CONFIG", "SET", "maxmemory-policy", "allkeys-lfu"],
        ["OBJECT", "FREQ", key],
        ["OBJECT", "IDLETIME", key],
        ["CONFIG", "SET", "maxmemory-policy", "noeviction"],
      ];
    }),
    sequence("OBJECT ENCODING", 3, (draw) => {
      const random = draw.random;
      const key = draw.key();
      const bulk = random.pick([3, 127, 129, 511, 513]);
      const numbers = Array.from({ length: bulk }, (_, index) => String(index));
      const fill = random.pick([
        ["SET", key, draw.value()],
        ["HSET", key, ...draw.several(4, () => [draw.field(), draw.value()]).flat()],
        ["SADD", key, ...draw.several(6, () => draw.member())],
        ["HSET", key, ...numbers.flatMap((text) => [text, text])],
        ["SADD", key, ...numbers],
      ]);
      return [["DEL", key], fill, ["OBJECT", "ENCODING", key]];
    }),
  ];
}

function databaseRules(): Rule[] {
  return [
    command("KEYS", 2, (draw) => [draw.pattern()]),
    command("DBSIZE", 4, () => []),
    command("FLUSHDB", 0.1, (draw) => draw.maybe(0.6, () => [draw.random.pick(["SYNC", "ASYNC", "async", "NOW", ""])])),
    command("FLUSHALL", 0.06, (draw) =>
      draw.maybe(0.6, () => [draw.random.pick(["SYNC", "ASYNC", "sync", "NOW", ""])]),
    ),
    sequence("RANDOMKEY", 2, () => [["KEYS", "*"], ["RANDOMKEY"]]),
    sequence("RANDOMKEY", 0.3, (draw) => [["RANDOMKEY", draw.key()]]),
    command("SCAN", 2, (draw) => [
      draw.random.pick(["0", "0", "abc", "-1", "", "18446744073709551616", " 0", "1.5"]),
      ...draw.maybe(0.8, () =>
        draw.random.pick([
          ["COUNT", "0"],
          ["COUNT", "-1"],
          ["COUNT", "abc"],
          ["COUNT", "9223372036854775808"],
          ["MATCH"],
          ["COUNT"],
          ["TYPE"],
          ["TYPE", "nosuch"],
          ["NOSUCH", "1"],
          ["MATCH", "*", "COUNT"],
          ["COUNT", "10", "COUNT", "0"],
          ["match", "k*", "count", "5", "type", "hash"],
        ]),
      ),
    ]),
  ];
}

export const keyRules: readonly Rule[] = [
  command("DEL", 6, (draw) => draw.keys("any", 3)),
  command("UNLINK", 3, (draw) => draw.keys("any", 3)),
  command("EXISTS", 4, (draw) => draw.keys("any", 5)),
  command("TYPE", 4, (draw) => [draw.key()]),
  command("TOUCH", 2, (draw) => draw.keys("any", 4)),
  command("EXPIRE", 6, (draw) => [draw.key(), draw.expireSeconds(), ...expireOptions(draw)]),
  command("PEXPIRE", 5, (draw) => [draw.key(), draw.expireMs(), ...expireOptions(draw)]),
  command("EXPIREAT", 6, (draw) => [draw.key(), draw.expireAtSeconds(), ...expireOptions(draw)]),
  command("PEXPIREAT", 5, (draw) => [draw.key(), draw.expireAtMs(), ...expireOptions(draw)]),
  command("EXPIRETIME", 3, (draw) => [draw.key()]),
  command("PEXPIRETIME", 3, (draw) => [draw.key()]),
  command("TTL", 5, (draw) => [draw.key()]),
  command("PTTL", 5, (draw) => [draw.key()]),
  command("PERSIST", 4, (draw) => [draw.key()]),
  command("RENAME", 5, twoKeys),
  command("RENAMENX", 4, twoKeys),
  command("COPY", 6, (draw) => [
    ...twoKeys(draw),
    ...draw.maybe(0.4, () => ["REPLACE"]),
    ...draw.maybe(0.2, () => ["DB", draw.random.pick(["0", "0", "0", "16", "-1", "abc", "99999999999", "1.0"])]),
    ...draw.maybe(0.1, () => [draw.random.pick(["replace", "DB", "NX", "REPLACE"])]),
  ]),
  command("DUMP", 2, (draw) => [draw.key()]),
  command("RESTORE", 1, (draw) => [
    draw.key(),
    draw.random.pick(["0", "-1", "abc", "", "9223372036854775808"]),
    draw.random.pick(["", "x", "\x00\x04abcd\x0a\x00\x01\x02\x03\x04\x05\x06\x07\x08", "\x01".repeat(40)]),
    ...draw.maybe(0.5, () =>
      draw.random.pick([
        ["REPLACE"],
        ["ABSTTL"],
        ["IDLETIME", "-1"],
        ["IDLETIME", "x"],
        ["FREQ", "256"],
        ["FREQ", "-1"],
        ["FREQ", "x"],
        ["NOSUCH"],
        ["IDLETIME"],
        ["FREQ"],
        ["IDLETIME", "1", "FREQ", "1"],
      ]),
    ),
  ]),
  command("MEMORY USAGE", 2, (draw) => [
    draw.key(),
    ...draw.maybe(0.4, () => [
      "SAMPLES",
      draw.random.pick(["0", "5", "-1", "abc", "9223372036854775807", "9223372036854775808"]),
    ]),
    ...draw.maybe(0.05, () => ["SAMPLES"]),
  ]),
  command("MEMORY", 0.5, (draw) => draw.maybe(0.6, () => [draw.random.pick(["NOSUCH", "", "USAGE"])])),
  ...objectRules(),
  ...databaseRules(),
];
