// What every command needs of a token, written by hand: one call of each row, with its keys marked.
//
//   "COPY R:a W:b"            reads the key a, writes the key b (RW: both)
//   "FLUSHALL", every: write  needs write on every key          own: read     keeps to what the token may read
//   "SAVE", grant: admin      needs that grant                   neither       everybody's
//
// It is not made from the rows: it is what they are held to. Calls that would stop the hive, hold it up or
// disconnect somebody are in forms that fail once they are allowed.

export type Need = {
  call: string;
  grant?: "admin" | "run" | "files";
  every?: "read" | "write";
  own?: "read";
  /** It ends or changes its connection where it runs, so it gets one of its own. */
  alone?: true;
};

function need(call: string, more: Omit<Need, "call"> = {}): [string, Need] {
  const words = call.split(" ");
  return [words.slice(0, CONTAINERS.has(words[0]!) && words.length > 1 ? 2 : 1).join(" "), { call, ...more }];
}

const CONTAINERS: ReadonlySet<string> = new Set(
  "ACL CLIENT COMMAND CONFIG LATENCY MEMORY OBJECT PUBSUB SLOWLOG SNAPSHOT".split(" "),
);

/** Rows that no call reaches: without a subcommand that is known, a call is refused before. */
export const UNREACHED: readonly string[] = [
  "ACL",
  "CLIENT",
  "CONFIG",
  "LATENCY",
  "MEMORY",
  "OBJECT",
  "PUBSUB",
  "SLOWLOG",
  "SNAPSHOT",
];

const ADMIN = { grant: "admin" } as const;

/** By the row's name. */
export const NEEDS: ReadonlyMap<string, Need> = new Map([
  // keys
  need("DEL W:a W:b"),
  need("UNLINK W:a W:b"),
  need("EXISTS R:a R:b"),
  need("TOUCH R:a R:b"),
  need("TYPE R:a"),
  need("RENAME RW:a W:b"),
  need("RENAMENX RW:a W:b"),
  need("EXPIRE W:a 100"),
  need("PEXPIRE W:a 100000"),
  need("EXPIREAT W:a 9999999999"),
  need("PEXPIREAT W:a 9999999999999"),
  need("TTL R:a"),
  need("PTTL R:a"),
  need("EXPIRETIME R:a"),
  need("PEXPIRETIME R:a"),
  need("PERSIST W:a"),
  need("KEYS *", { own: "read" }),
  need("SCAN 0 COUNT 1000", { own: "read" }),
  need("RANDOMKEY", { every: "read" }),
  need("DBSIZE", { every: "read" }),
  need("FLUSHALL", { every: "write" }),
  need("FLUSHDB", { every: "write" }),
  need("COPY R:a W:b REPLACE"),
  need("DUMP R:a"),
  need("RESTORE W:a 0 payload REPLACE"),
  need("OBJECT ENCODING R:a"),
  need("OBJECT IDLETIME R:a"),
  need("OBJECT FREQ R:a"),
  need("OBJECT REFCOUNT R:a"),
  need("OBJECT HELP"),
  need("MEMORY USAGE R:a SAMPLES 0"),
  need("MEMORY STATS", { every: "read" }),
  need("MEMORY DOCTOR", { every: "read" }),
  need("MEMORY PURGE", ADMIN),
  need("MEMORY HELP"),
  // strings
  need("GET R:a"),
  need("MGET R:a R:b"),
  need("STRLEN R:a"),
  need("GETDEL RW:a"),
  need("GETSET RW:a v"),
  need("SET W:a v"),
  need("SETNX W:a v"),
  need("SETEX W:a 100 v"),
  need("PSETEX W:a 100000 v"),
  need("GETEX RW:a EX 100"),
  need("MSET W:a 1 W:b 2"),
  need("MSETNX W:a 1 W:b 2"),
  need("CAS RW:a old new"),
  need("CAD RW:a old"),
  need("APPEND W:a v"),
  need("SETRANGE W:a 2 v"),
  need("GETRANGE R:a 0 -1"),
  need("SUBSTR R:a 0 -1"),
  need("INCR RW:a"),
  need("DECR RW:a"),
  need("INCRBY RW:a 2"),
  need("DECRBY RW:a 2"),
  need("INCRBYFLOAT RW:a 1.5"),
  // tables
  need("HSET W:t f v"),
  need("HMSET W:t f v"),
  need("HSETNX W:t f v"),
  need("HGET R:t f"),
  need("HMGET R:t f g"),
  need("HDEL W:t f"),
  need("HEXISTS R:t f"),
  need("HLEN R:t"),
  need("HSTRLEN R:t f"),
  need("HINCRBY RW:t n 1"),
  need("HINCRBYFLOAT RW:t n 1.5"),
  need("HGETALL R:t"),
  need("HKEYS R:t"),
  need("HVALS R:t"),
  need("HSCAN R:t 0"),
  need("HRANDFIELD R:t 2 WITHVALUES"),
  need("HEXPIRE W:t 100 FIELDS 1 f"),
  need("HPEXPIRE W:t 100000 FIELDS 1 f"),
  need("HEXPIREAT W:t 9999999999 FIELDS 1 f"),
  need("HPEXPIREAT W:t 9999999999999 FIELDS 1 f"),
  need("HTTL R:t FIELDS 1 f"),
  need("HPTTL R:t FIELDS 1 f"),
  need("HEXPIRETIME R:t FIELDS 1 f"),
  need("HPEXPIRETIME R:t FIELDS 1 f"),
  need("HPERSIST W:t FIELDS 1 f"),
  need("HSETEX W:t EX 100 FIELDS 1 f v"),
  need("HGETEX RW:t EX 100 FIELDS 1 f"),
  need("HGETDEL RW:t FIELDS 1 f"),
  need("HCAS RW:t f old new"),
  need("HCAD RW:t f old"),
  // sets
  need("SADD W:s m"),
  need("SREM W:s m"),
  need("SMOVE RW:s W:z m"),
  need("SISMEMBER R:s m"),
  need("SMISMEMBER R:s m n"),
  need("SCARD R:s"),
  need("SMEMBERS R:s"),
  need("SSCAN R:s 0"),
  need("SPOP RW:s"),
  need("SRANDMEMBER R:s"),
  need("SINTER R:s R:z"),
  need("SUNION R:s R:z"),
  need("SDIFF R:s R:z"),
  need("SINTERSTORE W:d R:s R:z"),
  need("SUNIONSTORE W:d R:s R:z"),
  need("SDIFFSTORE W:d R:s R:z"),
  need("SINTERCARD 2 R:s R:z LIMIT 1"),
  // transactions
  need("MULTI", { alone: true }),
  need("EXEC"),
  need("DISCARD"),
  need("WATCH R:a R:b", { alone: true }),
  need("UNWATCH"),
  // messages
  need("PUBLISH W:a m"),
  need("SPUBLISH W:a m"),
  need("SUBSCRIBE R:a R:b", { alone: true }),
  need("PSUBSCRIBE R:a R:b", { alone: true }),
  need("SSUBSCRIBE R:a R:b", { alone: true }),
  need("UNSUBSCRIBE a", { alone: true }),
  need("PUNSUBSCRIBE a", { alone: true }),
  need("SUNSUBSCRIBE a", { alone: true }),
  need("PUBSUB CHANNELS", { own: "read" }),
  need("PUBSUB NUMSUB R:a R:b"),
  need("PUBSUB NUMPAT"),
  need("PUBSUB SHARDCHANNELS", { own: "read" }),
  need("PUBSUB SHARDNUMSUB R:a R:b"),
  need("PUBSUB HELP"),
  // connection
  need("PING"),
  need("ECHO hello"),
  need("HELLO"),
  need("AUTH default wrong", { alone: true }),
  need("SELECT 0"),
  need("RESET", { alone: true }),
  need("QUIT", { alone: true }),
  need("CLIENT ID"),
  need("CLIENT GETNAME"),
  need("CLIENT SETNAME me"),
  need("CLIENT SETINFO LIB-NAME me"),
  need("CLIENT INFO"),
  need("CLIENT LIST", ADMIN),
  need("CLIENT KILL ID 999999999", ADMIN),
  need("CLIENT REPLY ON"),
  need("CLIENT PAUSE soon", ADMIN),
  need("CLIENT UNPAUSE", ADMIN),
  need("CLIENT NO-EVICT OFF", ADMIN),
  need("CLIENT NO-TOUCH OFF"),
  need("CLIENT HELP"),
  need("ACL WHOAMI"),
  need("ACL HELP"),
  // server
  need("COMMAND"),
  need("COMMAND COUNT"),
  need("COMMAND INFO get"),
  need("COMMAND DOCS get"),
  need("COMMAND LIST"),
  need("COMMAND GETKEYS GET a"),
  need("COMMAND HELP"),
  need("CONFIG GET maxmemory", ADMIN),
  need("CONFIG SET no-such-setting 1", ADMIN),
  need("CONFIG RESETSTAT", ADMIN),
  need("CONFIG REWRITE", ADMIN),
  need("CONFIG HELP"),
  need("INFO server", { own: "read" }),
  need("TIME"),
  need("SLOWLOG GET", ADMIN),
  need("SLOWLOG LEN", ADMIN),
  need("SLOWLOG RESET", ADMIN),
  need("SLOWLOG HELP"),
  need("LATENCY LATEST", ADMIN),
  need("LATENCY HISTORY event", ADMIN),
  need("LATENCY RESET", ADMIN),
  need("LATENCY HISTOGRAM", ADMIN),
  need("LATENCY HELP"),
  need("SAVE", ADMIN),
  need("BGSAVE", ADMIN),
  need("LASTSAVE", ADMIN),
  need("SNAPSHOT STORE", ADMIN),
  need("SNAPSHOT RESTORE none", ADMIN),
  need("SNAPSHOT REMOVE none", ADMIN),
  need("SNAPSHOT LIST", ADMIN),
  need("SNAPSHOT STATUS", ADMIN),
  need("SNAPSHOT HELP"),
  need("SHUTDOWN NEVER", ADMIN),
  need("DEBUG OBJECT R:a", ADMIN),
]);

/** Calls of rows whose need depends on their arguments, beside those above. */
export const OTHER_FORMS: readonly Need[] = [
  { call: "SET RW:a v GET" },
  { call: "SET RW:a v EX 100 get" },
  { call: "SET RW:a v NX GET" },
  { call: "GETEX RW:a" },
  { call: "SPOP RW:s 2" },
  { call: "COPY R:a W:b" },
  { call: "SINTERCARD 1 R:s" },
  { call: "SUNIONSTORE W:d R:s" },
  { call: "MGET R:a R:b R:t R:s" },
  { call: "DEBUG SET-ACTIVE-EXPIRE 1", grant: "admin" },
];

/** A word of a call: its text, and what is done with it where it is a key. */
export type Word = { text: string; reads: boolean; writes: boolean };

export function wordsOf({ call }: Need): Word[] {
  return call.split(" ").map((word) => {
    const [, access, name] = /^(R|W|RW):(.+)$/.exec(word) ?? [];
    return { text: name ?? word, reads: access?.includes("R") ?? false, writes: access?.includes("W") ?? false };
  });
}
