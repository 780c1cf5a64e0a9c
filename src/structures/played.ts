// Played: what the hive's own commands give to a structure that plays them.
//
//   hive.play("INCR", key) ──▶ number        hive.play("HGETALL", key) ──▶ Map<string, Stored>
//
// Names that are not here, those of other structures among them, give unknown.

/** What was stored: text, bytes or a value. */
export type Stored = unknown;

type Numbers =
  | "APPEND"
  | "DBSIZE"
  | "DECR"
  | "DECRBY"
  | "DEL"
  | "EXISTS"
  | "EXPIRE"
  | "EXPIREAT"
  | "EXPIRETIME"
  | "HCAD"
  | "HCAS"
  | "HDEL"
  | "HEXISTS"
  | "HINCRBY"
  | "HLEN"
  | "HSET"
  | "HSETNX"
  | "HSTRLEN"
  | "INCR"
  | "INCRBY"
  | "LINSERT"
  | "LLEN"
  | "LPUSH"
  | "LPUSHX"
  | "LREM"
  | "PERSIST"
  | "PEXPIRE"
  | "PEXPIREAT"
  | "PTTL"
  | "PUBLISH"
  | "RENAMENX"
  | "RPUSH"
  | "RPUSHX"
  | "SADD"
  | "SCARD"
  | "SDIFFSTORE"
  | "SETNX"
  | "SETRANGE"
  | "SINTERSTORE"
  | "SISMEMBER"
  | "SMOVE"
  | "SREM"
  | "STRLEN"
  | "SUNIONSTORE"
  | "TOUCH"
  | "TTL"
  | "UNLINK"
  | "ZADD"
  | "ZCARD"
  | "ZCOUNT"
  | "ZREM"
  | "CAS"
  | "CAD"
  | "COPY";
type Values = "GET" | "GETDEL" | "GETEX" | "GETSET" | "HGET" | "LINDEX" | "LMOVE" | "RPOPLPUSH" | "RANDOMKEY";
type Lists = "HKEYS" | "HMGET" | "HVALS" | "KEYS" | "LRANGE" | "MGET" | "ZRANGE";
type Sets = "SDIFF" | "SINTER" | "SMEMBERS" | "SUNION";
type Words = "ECHO" | "HMSET" | "LSET" | "LTRIM" | "MSET" | "PING" | "RENAME" | "SETEX" | "TYPE";

export type Played<Name extends string> = Name extends Numbers
  ? number
  : Name extends Values
    ? Stored | undefined
    : Name extends Lists
      ? Stored[]
      : Name extends Sets
        ? Set<Stored>
        : Name extends Words
          ? string
          : Name extends "SET"
            ? Stored | undefined
            : Name extends "HGETALL"
              ? Map<string, Stored>
              : Name extends "ZSCORE" | "ZINCRBY"
                ? number | undefined
                : unknown;
