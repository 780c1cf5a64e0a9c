// test/differential/command-names.ts
// Command names: which commands the tester knows, by family, and under which name it counts one.
//
// `SET`, `set` and `sEt` are one name; a container and its subcommand are one name of two words.
// Everything else counts as (unknown).

import type { Args } from "./draw.ts";
import type { Family } from "./rule.ts";

/** Every command of redis-server 7.0 that the stream must reach, by family. */
// biome-ignore format: a table reads better aligned
export const commandNames: Readonly<Record<Family, readonly string[]>> = {
  keys: words(`DEL UNLINK EXISTS TYPE TOUCH EXPIRE PEXPIRE EXPIREAT PEXPIREAT EXPIRETIME PEXPIRETIME TTL PTTL PERSIST KEYS SCAN
    RANDOMKEY RENAME RENAMENX COPY DBSIZE FLUSHDB FLUSHALL OBJECT|ENCODING OBJECT|REFCOUNT OBJECT|IDLETIME OBJECT|FREQ
    MEMORY|USAGE DUMP RESTORE`),
  strings: words(`SET GET GETSET GETDEL GETEX MGET MSET MSETNX SETNX SETEX PSETEX APPEND STRLEN GETRANGE SUBSTR SETRANGE INCR INCRBY
    INCRBYFLOAT DECR DECRBY`),
  tables: words(`HSET HMSET HSETNX HGET HMGET HGETALL HDEL HEXISTS HKEYS HVALS HLEN HSTRLEN HINCRBY HINCRBYFLOAT HSCAN HRANDFIELD`),
  sets: words(`SADD SREM SMEMBERS SISMEMBER SMISMEMBER SCARD SPOP SRANDMEMBER SMOVE SINTER SINTERSTORE SINTERCARD SUNION
    SUNIONSTORE SDIFF SDIFFSTORE SSCAN`),
  sorted: words(`ZADD ZINCRBY ZREM ZSCORE ZMSCORE ZCARD ZRANK ZREVRANK ZRANGE ZRANGESTORE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE
    ZRANGEBYLEX ZREVRANGEBYLEX ZCOUNT ZLEXCOUNT ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREMRANGEBYLEX ZPOPMIN ZPOPMAX ZMPOP BZPOPMIN BZPOPMAX BZMPOP ZUNION
    ZINTER ZDIFF ZUNIONSTORE ZINTERSTORE ZDIFFSTORE ZINTERCARD ZSCAN ZRANDMEMBER SORT SORT_RO`),
  lists: words(`LPUSH RPUSH LPUSHX RPUSHX LPOP RPOP LLEN LINDEX LRANGE LSET LINSERT LTRIM LREM LPOS LMOVE RPOPLPUSH LMPOP
    BLPOP BRPOP BLMOVE BRPOPLPUSH BLMPOP`),
  transactions: words(`MULTI EXEC DISCARD WATCH UNWATCH`),
  server: words(`PING ECHO HELLO AUTH SELECT RESET QUIT CLIENT|ID CLIENT|GETNAME CLIENT|SETNAME CLIENT|LIST CLIENT|INFO CLIENT|KILL
    CLIENT|REPLY CLIENT|NO-EVICT CLIENT|PAUSE CLIENT|UNPAUSE COMMAND COMMAND|COUNT COMMAND|INFO COMMAND|DOCS COMMAND|LIST
    COMMAND|GETKEYS INFO TIME SLOWLOG|GET SLOWLOG|LEN SLOWLOG|RESET CONFIG|GET CONFIG|SET CONFIG|RESETSTAT LATENCY|RESET
    DEBUG|SLEEP DEBUG|OBJECT DEBUG|SET-ACTIVE-EXPIRE`),
};

/** Known, but never answered with success here: SHUTDOWN would end the run. */
const onlyRefused = words(`SHUTDOWN`);

/** Redis has them and a hive does not: see known-differences.ts. */
const absent = words(`MOVE SWAPDB`);

const containers = new Set(words("OBJECT MEMORY CLIENT COMMAND SLOWLOG CONFIG LATENCY DEBUG"));
const known = new Set([...Object.values(commandNames).flat(), ...onlyRefused, ...absent]);

/** The name under which a command is counted, compared and reported: `GET`, `CLIENT LIST`, `(unknown)`. */
export function commandName(args: Args): string {
  const name = (args[0] ?? "").toUpperCase();
  if (containers.has(name) && args.length > 1) {
    const full = `${name}|${(args[1] ?? "").toUpperCase()}`;
    return known.has(full) ? full.replace("|", " ") : `${name} (unknown)`;
  }
  return known.has(name) || containers.has(name) ? name : "(unknown)";
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
