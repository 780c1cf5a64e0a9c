// test/differential/field-ttl-cases.ts
// Field TTL cases: the nine commands of Redis 7.4 that give fields of a table an expiry.
//
// Taken from the public documentation of Redis 7.4 (redis.io/commands/hexpire and the pages beside
// it): a reply is an array with one code a field.
//
//   HEXPIRE …   -2 no such field   0 condition not met   1 set   2 deleted, the time is past
//   HTTL …      -2 no such field  -1 no expiry           n the time
//   HPERSIST    -2 no such field  -1 no expiry           1 removed
//
// A key that does not exist is a table without fields. An expiry beyond 2^46 ms is refused.

import { array, bulk, type DocumentedCase, error, integer, integers, nothing, ok, status } from "./documented-case.ts";

const wrongType = error("WRONGTYPE Operation against a key holding the wrong kind of value");
const noFields = error("ERR Mandatory argument FIELDS is missing or not at the right position");
const noMatch = error("ERR The `numfields` parameter must match the number of arguments");
const setCount = error("ERR Parameter `numFields` should be greater than 0");
const askCount = error("ERR Number of fields must be a positive integer");
const notInteger = error("ERR value is not an integer or out of range");
const negative = error("ERR invalid expire time, must be >= 0");

const setters = ["HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT"];
const getters = ["HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST"];

/** A time for each setter that lies far ahead, and a later one. */
const times: Readonly<Record<string, readonly [soon: string, late: string]>> = {
  HEXPIRE: ["10000", "20000"],
  HPEXPIRE: ["10000000", "20000000"],
  HEXPIREAT: ["4000000000", "4000000001"],
  HPEXPIREAT: ["4000000000000", "4000000000001"],
};

const limitMs = 2 ** 46;

function invalid(name: string): string {
  return error(`ERR invalid expire time in '${name.toLowerCase()}' command`);
}

function arity(name: string): string {
  return error(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
}

/** The cases that hold for every command that sets an expiry. */
function setterCases(name: string): DocumentedCase[] {
  const [soon, late] = times[name] ?? ["", ""];
  const fill = { send: "HSET t a 1 b 2 c 3", expect: integer(3) };
  return [
    {
      name: `${name} sets the expiry of fields that exist, one code a field`,
      steps: [
        fill,
        { send: `${name} t ${soon} FIELDS 1 a`, expect: integers(1) },
        { send: `${name} t ${soon} FIELDS 3 a missing b`, expect: integers(1, -2, 1) },
        { send: `${name.toLowerCase()} t ${soon} fields 1 c`, expect: integers(1) },
        { send: `${name} missing ${soon} FIELDS 2 a b`, expect: integers(-2, -2) },
        { send: "EXISTS missing", expect: integer(0) },
        { send: "HMGET t a b c", expect: array(bulk("1"), bulk("2"), bulk("3")) },
        { send: "HLEN t", expect: integer(3) },
        { send: "TTL t", expect: integer(-1) },
      ],
    },
    {
      name: `${name} NX sets only where there is none`,
      steps: [
        fill,
        { send: `${name} t ${soon} NX FIELDS 1 a`, expect: integers(1) },
        { send: `${name} t ${late} NX FIELDS 3 a b missing`, expect: integers(0, 1, -2) },
        { send: `${name} t ${late} nx FIELDS 1 b`, expect: integers(0) },
      ],
    },
    {
      name: `${name} XX sets only where there is one`,
      steps: [
        fill,
        { send: `${name} t ${soon} XX FIELDS 1 a`, expect: integers(0) },
        { send: `${name} t ${soon} FIELDS 1 a`, expect: integers(1) },
        { send: `${name} t ${late} XX FIELDS 3 a b missing`, expect: integers(1, 0, -2) },
        { send: "HTTL t FIELDS 1 b", expect: integers(-1) },
      ],
    },
    {
      name: `${name} GT sets only a later time, and none is the latest`,
      steps: [
        fill,
        { send: `${name} t ${soon} FIELDS 1 a`, expect: integers(1) },
        { send: `${name} t ${late} GT FIELDS 3 a b missing`, expect: integers(1, 0, -2) },
        { send: `${name} t ${soon} GT FIELDS 1 a`, expect: integers(0) },
        { send: "HTTL t FIELDS 1 b", expect: integers(-1) },
      ],
    },
    {
      name: `${name} LT sets only an earlier time, and any is earlier than none`,
      steps: [
        fill,
        { send: `${name} t ${late} LT FIELDS 2 a missing`, expect: integers(1, -2) },
        { send: `${name} t ${soon} LT FIELDS 2 a b`, expect: integers(1, 1) },
        { send: `${name} t ${late} LT FIELDS 1 a`, expect: integers(0) },
      ],
    },
    {
      name: `${name} refuses what is not as its syntax says`,
      steps: [
        fill,
        { send: "SET text x", expect: ok },
        { send: name, expect: arity(name) },
        { send: `${name} t ${soon} FIELDS 1`, expect: arity(name) },
        { send: `${name} t ${soon} FIELDS 0 a`, expect: setCount },
        { send: `${name} t ${soon} FIELDS -1 a`, expect: setCount },
        { send: `${name} t ${soon} FIELDS x a`, expect: setCount },
        { send: `${name} t ${soon} FIELDS 2 a`, expect: noMatch },
        { send: `${name} t ${soon} FIELDS 1 a b`, expect: noMatch },
        { send: `${name} t ${soon} NX FIELDS 3 a b`, expect: noMatch },
        { send: `${name} t ${soon} FIELD 1 a`, expect: noFields },
        { send: `${name} t ${soon} 1 a b`, expect: noFields },
        { send: `${name} t ${soon} NX XX FIELDS 1 a`, expect: noFields },
        { send: `${name} t ${soon} AB FIELDS 1 a`, expect: noFields },
        { send: `${name} t x FIELDS 1 a`, expect: notInteger },
        { send: `${name} t 1.5 FIELDS 1 a`, expect: notInteger },
        { send: `${name} t 9223372036854775808 FIELDS 1 a`, expect: notInteger },
        { send: `${name} t -1 FIELDS 1 a`, expect: negative },
        { send: `${name} t -9223372036854775808 FIELDS 1 a`, expect: negative },
        { send: `${name} t 9223372036854775807 FIELDS 1 a`, expect: invalid(name) },
        { send: `${name} text ${soon} FIELDS 1 a`, expect: wrongType },
        { send: "HTTL t FIELDS 3 a b c", expect: integers(-1, -1, -1) },
      ],
    },
    {
      name: `${name} with a time that is past deletes the field`,
      steps: [
        fill,
        { send: `${name} t 0 FIELDS 2 a missing`, expect: integers(2, -2) },
        { send: "HEXISTS t a", expect: integer(0) },
        { send: "HLEN t", expect: integer(2) },
        { send: `${name} t ${soon} FIELDS 1 b`, expect: integers(1) },
        { send: `${name} t 0 NX FIELDS 2 b c`, expect: integers(0, 2) },
        { send: `${name} t 0 GT FIELDS 1 b`, expect: integers(0) },
        { send: `${name} t 0 XX FIELDS 1 b`, expect: integers(2) },
        { send: "EXISTS t", expect: integer(0) },
        { send: "TYPE t", expect: status("none") },
      ],
    },
  ];
}

/** The cases that hold for every command that reads or removes an expiry. */
function getterCases(name: string): DocumentedCase[] {
  return [
    {
      name: `${name} tells fields without expiry from those that do not exist`,
      steps: [
        { send: "HSET t a 1 b 2", expect: integer(2) },
        { send: `${name} t FIELDS 3 a missing b`, expect: integers(-1, -2, -1) },
        { send: `${name} missing FIELDS 2 a b`, expect: integers(-2, -2) },
        { send: `${name.toLowerCase()} t fields 1 a`, expect: integers(-1) },
        { send: `${name} t FIELDS 2 a a`, expect: integers(-1, -1) },
      ],
    },
    {
      name: `${name} refuses what is not as its syntax says`,
      steps: [
        { send: "HSET t a 1", expect: integer(1) },
        { send: "SET text x", expect: ok },
        { send: name, expect: arity(name) },
        { send: `${name} t FIELDS 1`, expect: arity(name) },
        { send: `${name} t FIELDS 0 a`, expect: askCount },
        { send: `${name} t FIELDS -1 a`, expect: askCount },
        { send: `${name} t FIELDS x a`, expect: askCount },
        { send: `${name} t FIELDS 2 a`, expect: noMatch },
        { send: `${name} t FIELDS 1 a b`, expect: noMatch },
        { send: `${name} t FIELD 1 a`, expect: noFields },
        { send: `${name} t 1 a b`, expect: noFields },
        { send: `${name} text FIELDS 1 a`, expect: wrongType },
      ],
    },
  ];
}

/** Where one family of commands meets another. */
const meetings: readonly DocumentedCase[] = [
  {
    name: "the four readers give one expiry in seconds and milliseconds, left and absolute",
    steps: [
      { send: "HSET t a 1 b 2", expect: integer(2) },
      { send: "HEXPIREAT t 4000000000 FIELDS 1 a", expect: integers(1) },
      { send: "HEXPIRETIME t FIELDS 2 a b", expect: integers(4_000_000_000, -1) },
      { send: "HPEXPIRETIME t FIELDS 2 a b", expect: integers(4_000_000_000_000, -1) },
      { send: "HPEXPIREAT t 4000000000001 FIELDS 1 a", expect: integers(1) },
      { send: "HPEXPIRETIME t FIELDS 1 a", expect: integers(4_000_000_000_001) },
      { send: "HEXPIRE t 10000 FIELDS 2 a b", expect: integers(1, 1) },
      { send: "HTTL t FIELDS 2 a b", near: [10_000, 10_000], tolerance: 5 },
      { send: "HPTTL t FIELDS 2 a b", near: [9_999_000, 9_999_000], tolerance: 5_000 },
      { send: "HPEXPIRE t 20000000 FIELDS 1 b", expect: integers(1) },
      { send: "HTTL t FIELDS 2 a b", near: [10_000, 20_000], tolerance: 5 },
    ],
  },
  {
    name: "an expiry may lie just below 2^46 ms, not above",
    steps: [
      { send: "HSET t a 1", expect: integer(1) },
      { send: `HPEXPIREAT t ${limitMs - 1000} FIELDS 1 a`, expect: integers(1) },
      { send: "HPEXPIRETIME t FIELDS 1 a", expect: integers(limitMs - 1000) },
      { send: `HPEXPIREAT t ${limitMs + 100} FIELDS 1 a`, expect: invalid("HPEXPIREAT") },
      { send: `HPEXPIRE t ${limitMs} FIELDS 1 a`, expect: invalid("HPEXPIRE") },
      { send: `HEXPIREAT t ${Math.ceil(limitMs / 1000) + 1} FIELDS 1 a`, expect: invalid("HEXPIREAT") },
      { send: `HEXPIRE t ${Math.ceil(limitMs / 1000) + 1} FIELDS 1 a`, expect: invalid("HEXPIRE") },
      { send: "HPEXPIRETIME t FIELDS 1 a", expect: integers(limitMs - 1000) },
    ],
  },
  {
    name: "HPERSIST removes an expiry, and the field stays",
    steps: [
      { send: "HSET t a 1 b 2", expect: integer(2) },
      { send: "HEXPIRE t 10000 FIELDS 1 a", expect: integers(1) },
      { send: "HPERSIST t FIELDS 3 a b missing", expect: integers(1, -1, -2) },
      { send: "HPERSIST t FIELDS 1 a", expect: integers(-1) },
      { send: "HTTL t FIELDS 1 a", expect: integers(-1) },
      { send: "HGET t a", expect: bulk("1") },
    ],
  },
  ...["HSET t a 2", "HMSET t a 2"].map((send) => ({
    name: `${send.split(" ")[0]} writes the field anew and takes its expiry away, that of no other`,
    steps: [
      { send: "HSET t a 1 b 1", expect: integer(2) },
      { send: "HEXPIREAT t 4000000000 FIELDS 2 a b", expect: integers(1, 1) },
      { send, expect: send.startsWith("HM") ? ok : integer(0) },
      { send: "HEXPIRETIME t FIELDS 2 a b", expect: integers(-1, 4_000_000_000) },
    ],
  })),
  {
    name: "what changes a value in place leaves its expiry",
    steps: [
      { send: "HSET t a 1 b 1", expect: integer(2) },
      { send: "HEXPIREAT t 4000000000 FIELDS 2 a b", expect: integers(1, 1) },
      { send: "HINCRBY t a 5", expect: integer(6) },
      { send: "HINCRBYFLOAT t b 0.5", expect: bulk("1.5") },
      { send: "HSETNX t a 9", expect: integer(0) },
      { send: "HEXPIRETIME t FIELDS 2 a b", expect: integers(4_000_000_000, 4_000_000_000) },
    ],
  },
  {
    name: "a field that is deleted and written again has no expiry",
    steps: [
      { send: "HSET t a 1 b 1", expect: integer(2) },
      { send: "HEXPIREAT t 4000000000 FIELDS 1 a", expect: integers(1) },
      { send: "HDEL t a", expect: integer(1) },
      { send: "HTTL t FIELDS 1 a", expect: integers(-2) },
      { send: "HSETNX t a 2", expect: integer(1) },
      { send: "HTTL t FIELDS 1 a", expect: integers(-1) },
    ],
  },
  {
    name: "COPY and RENAME take the expiries of fields along",
    steps: [
      { send: "HSET t a 1 b 2", expect: integer(2) },
      { send: "HEXPIREAT t 4000000000 FIELDS 1 a", expect: integers(1) },
      { send: "COPY t copy", expect: integer(1) },
      { send: "HEXPIRETIME copy FIELDS 2 a b", expect: integers(4_000_000_000, -1) },
      { send: "HPERSIST copy FIELDS 1 a", expect: integers(1) },
      { send: "HEXPIRETIME t FIELDS 1 a", expect: integers(4_000_000_000) },
      { send: "RENAME t other", expect: ok },
      { send: "HEXPIRETIME other FIELDS 2 a b", expect: integers(4_000_000_000, -1) },
      { send: "HTTL t FIELDS 1 a", expect: integers(-2) },
    ],
  },
  {
    name: "the expiry of the key and those of its fields are apart",
    steps: [
      { send: "HSET t a 1 b 2", expect: integer(2) },
      { send: "EXPIREAT t 5000000000", expect: integer(1) },
      { send: "HEXPIREAT t 4000000000 FIELDS 1 a", expect: integers(1) },
      { send: "EXPIRETIME t", expect: integer(5_000_000_000) },
      { send: "PERSIST t", expect: integer(1) },
      { send: "HEXPIRETIME t FIELDS 2 a b", expect: integers(4_000_000_000, -1) },
    ],
  },
  {
    name: "a key that is deleted or overwritten forgets the expiries of its fields",
    steps: [
      { send: "HSET t a 1", expect: integer(1) },
      { send: "HEXPIREAT t 4000000000 FIELDS 1 a", expect: integers(1) },
      { send: "DEL t", expect: integer(1) },
      { send: "HSET t a 1", expect: integer(1) },
      { send: "HTTL t FIELDS 1 a", expect: integers(-1) },
      { send: "HEXPIREAT t 4000000000 FIELDS 1 a", expect: integers(1) },
      { send: "SET t x", expect: ok },
      { send: "HTTL t FIELDS 1 a", expect: wrongType },
    ],
  },
  {
    name: "MULTI queues them, EXEC runs them, and a watched key notices",
    steps: [
      { send: "HSET t a 1", expect: integer(1) },
      { send: "MULTI", expect: ok },
      { send: "HEXPIREAT t 4000000000 FIELDS 1 a", expect: status("QUEUED") },
      { send: "HEXPIRETIME t FIELDS 1 a", expect: status("QUEUED") },
      { send: "EXEC", expect: array(integers(1), integers(4_000_000_000)) },
      { send: "WATCH t", expect: ok },
      { send: "HPERSIST t FIELDS 1 a", expect: integers(1) },
      { send: "MULTI", expect: ok },
      { send: "PING", expect: status("QUEUED") },
      { send: "EXEC", expect: "*-1\r\n" },
    ],
  },
];

/** What has run out is gone for every command. */
const afterwards: readonly DocumentedCase[] = [
  {
    name: "a field that has run out is gone for every command, and the others stay",
    steps: [
      { send: "HSET t a 1 b 2", expect: integer(2) },
      { send: "HPEXPIRE t 20 FIELDS 1 a", expect: integers(1) },
      { passMs: 40 },
      { send: "HGET t a", expect: nothing },
      { send: "HEXISTS t a", expect: integer(0) },
      { send: "HSTRLEN t a", expect: integer(0) },
      { send: "HMGET t a b", expect: array(nothing, bulk("2")) },
      { send: "HGETALL t", expect: array(bulk("b"), bulk("2")) },
      { send: "HKEYS t", expect: array(bulk("b")) },
      { send: "HVALS t", expect: array(bulk("2")) },
      { send: "HSCAN t 0", expect: array(bulk("0"), array(bulk("b"), bulk("2"))) },
      { send: "HRANDFIELD t 5", expect: array(bulk("b")) },
      { send: "HLEN t", expect: integer(1) },
      { send: "HTTL t FIELDS 2 a b", expect: integers(-2, -1) },
      { send: "HPERSIST t FIELDS 1 a", expect: integers(-2) },
      { send: "HEXPIRE t 10000 FIELDS 1 a", expect: integers(-2) },
      { send: "HDEL t a", expect: integer(0) },
    ],
  },
  {
    name: "the key goes with its last field",
    steps: [
      { send: "HSET t a 1 b 2", expect: integer(2) },
      { send: "HPEXPIRE t 20 FIELDS 2 a b", expect: integers(1, 1) },
      { passMs: 40 },
      { send: "HGETALL t", expect: array() },
      { send: "HGET t a", expect: nothing },
      { send: "HGET t b", expect: nothing },
      { send: "EXISTS t", expect: integer(0) },
      { send: "TYPE t", expect: status("none") },
      { send: "HSET t a 3", expect: integer(1) },
      { send: "HTTL t FIELDS 1 a", expect: integers(-1) },
    ],
  },
  {
    name: "a field that has run out counts from nothing again, without expiry",
    steps: [
      { send: "HSET t a 10 b 10 c 10 d 1", expect: integer(4) },
      { send: "HPEXPIRE t 20 FIELDS 3 a b c", expect: integers(1, 1, 1) },
      { passMs: 40 },
      { send: "HINCRBY t a 1", expect: integer(1) },
      { send: "HINCRBYFLOAT t b 1.5", expect: bulk("1.5") },
      { send: "HSETNX t c new", expect: integer(1) },
      { send: "HTTL t FIELDS 3 a b c", expect: integers(-1, -1, -1) },
    ],
  },
  {
    name: "an expiry that was taken away in time does nothing",
    steps: [
      { send: "HSET t a 1 b 2 c 3", expect: integer(3) },
      { send: "MULTI", expect: ok },
      { send: "HPEXPIRE t 30 FIELDS 3 a b c", expect: status("QUEUED") },
      { send: "HPERSIST t FIELDS 1 a", expect: status("QUEUED") },
      { send: "HSET t b 4", expect: status("QUEUED") },
      { send: "HPEXPIRE t 10000000 FIELDS 1 c", expect: status("QUEUED") },
      { send: "EXEC", expect: array(integers(1, 1, 1), integers(1), integer(0), integers(1)) },
      { passMs: 60 },
      { send: "HMGET t a b c", expect: array(bulk("1"), bulk("4"), bulk("3")) },
    ],
  },
];

export const fieldTtlCases: readonly DocumentedCase[] = [
  ...setters.flatMap(setterCases),
  ...getters.flatMap(getterCases),
  ...meetings,
  ...afterwards,
];
