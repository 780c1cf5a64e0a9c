// test/differential/newer-cases.ts
// Newer cases: what else a hive has of Redis 7.2 and 7.4 that redis-server 7.0 lacks.
//
// Taken from the public documentation of Redis: redis.io/commands/client-setinfo, client-no-touch,
// hscan, object-encoding.

import { array, bulk, type DocumentedCase, error, integer, nothing, ok } from "./documented-case.ts";

export const newerCases: readonly DocumentedCase[] = [
  {
    name: "CLIENT SETINFO takes the name and the version of the client's library",
    steps: [
      { send: "CLIENT SETINFO LIB-NAME some-client", expect: ok },
      { send: "client setinfo lib-ver 1.2.3", expect: ok },
      { send: "CLIENT SETINFO NOSUCH x", expect: error("ERR Unrecognized option 'NOSUCH'") },
      { send: "CLIENT SETINFO LIB-NAME", expect: error("ERR wrong number of arguments for 'client|setinfo' command") },
    ],
  },
  {
    name: "CLIENT NO-TOUCH is switched on and off",
    steps: [
      { send: "CLIENT NO-TOUCH ON", expect: ok },
      { send: "CLIENT NO-TOUCH off", expect: ok },
      { send: "CLIENT NO-TOUCH maybe", expect: error("ERR syntax error") },
    ],
  },
  {
    name: "HSCAN NOVALUES lists fields only",
    steps: [
      { send: "HSET t a 1", expect: integer(1) },
      { send: "HSCAN t 0 NOVALUES", expect: array(bulk("0"), array(bulk("a"))) },
      { send: "HSCAN t 0 MATCH a COUNT 5 NOVALUES", expect: array(bulk("0"), array(bulk("a"))) },
      { send: "HSCAN t 0", expect: array(bulk("0"), array(bulk("a"), bulk("1"))) },
      { send: "HSCAN missing 0 NOVALUES", expect: array(bulk("0"), array()) },
      { send: "SADD s a", expect: integer(1) },
      { send: "SSCAN s 0 NOVALUES", expect: error("ERR NOVALUES option can only be used in HSCAN") },
    ],
  },
  {
    name: "OBJECT ENCODING calls a small set of words a listpack, one of integers an intset",
    steps: [
      { send: "SADD s a b", expect: integer(2) },
      { send: "OBJECT ENCODING s", expect: bulk("listpack") },
      { send: "SADD n 1 2", expect: integer(2) },
      { send: "OBJECT ENCODING n", expect: bulk("intset") },
      { send: "OBJECT ENCODING missing", expect: nothing },
    ],
  },
];
