// Commands that change nothing: sent again by themselves where a connection was lost before the answer.
// A test compares them with the command rows of the hive.

export const REPEATABLE: ReadonlySet<string> = new Set([
  ...[
    "OBJECT",
    "MEMORY",
    "TOUCH",
    "EXISTS",
    "TYPE",
    "EXPIRETIME",
    "PEXPIRETIME",
    "TTL",
    "PTTL",
    "KEYS",
    "SCAN",
    "RANDOMKEY",
    "DBSIZE",
    "DUMP",
  ],
  ...["GET", "MGET", "STRLEN", "GETRANGE", "SUBSTR"],
  ...["HGET", "HMGET", "HGETALL", "HEXISTS", "HKEYS", "HVALS", "HLEN", "HSTRLEN", "HSCAN", "HRANDFIELD"],
  ...["HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME"],
  ...[
    "SMEMBERS",
    "SISMEMBER",
    "SMISMEMBER",
    "SCARD",
    "SRANDMEMBER",
    "SINTER",
    "SINTERCARD",
    "SUNION",
    "SDIFF",
    "SSCAN",
  ],
  ...["LLEN", "LINDEX", "LRANGE", "LPOS"],
]);
