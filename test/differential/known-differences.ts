// test/differential/known-differences.ts
// Known differences: where a hive may answer otherwise than redis-server 7.0, and why.
//
//   two replies that differ ──▶ comparison (order, clocks, …) or `allows` of an entry ──▶ allowed, counted by id
//
// Nothing else may differ. Every entry stands under the same id in docs/redis-differences.md with its
// reason for users; a test compares the two lists both ways. Two copies of Redis need only those
// entries that a comparison refers to (comparisons.ts): none of the `allows` below.

import { commandName } from "./command-names.ts";
import type { Exchange } from "./comparisons.ts";

export type KnownDifference = {
  /** Stable; docs/redis-differences.md uses it too. */
  readonly id: string;
  readonly what: string;
  readonly reason: string;
  /** Whether it explains these two replies. Absent where a comparison refers to the entry, or the stream avoids it. */
  readonly allows?: (exchange: Exchange) => boolean;
};

const DATABASES = 16;

function isOtherDatabase(text: string | undefined): boolean {
  const number = Number(text);
  return /^\d+$/.test(text ?? "") && number > 0 && number < DATABASES;
}

/** Replies with the scores -0 as 0. */
function withoutMinusZero(reply: string): string {
  return reply.replaceAll(",-0\r\n", ",0\r\n").replaceAll("$2\r\n-0\r\n", "$1\r\n0\r\n");
}

/** Replies with the scores from 1e17 up to 2^63 that are integers with all their digits. */
function withPlainScores(reply: string): string {
  return reply.replace(/\$\d+\r\n(-?\d(?:\.\d+)?e\+1[78])\r\n/g, (whole, score: string) => {
    if (Math.abs(Number(score)) >= 2 ** 63) return whole;
    const digits = String(BigInt(Number(score)));
    return `$${digits.length}\r\n${digits}\r\n`;
  });
}

export const knownDifferences: readonly KnownDifference[] = [
  // What any two servers differ in.
  {
    id: "order-of-elements",
    what: "SMEMBERS, HGETALL, HKEYS, HVALS, SINTER, SUNION, SDIFF, KEYS and CONFIG GET list the same elements in another order",
    reason: "neither Redis nor a hive promises an order; it follows from how elements lie in memory",
  },
  {
    id: "cursors",
    what: "SCAN, HSCAN, SSCAN and ZSCAN have other cursors and pages; a full iteration returns the same elements",
    reason: "a cursor belongs to the server's own index",
  },
  {
    id: "random-picks",
    what: "SPOP, SRANDMEMBER, HRANDFIELD, ZRANDMEMBER and RANDOMKEY pick other elements, as many as Redis does",
    reason: "random",
  },
  {
    id: "clocks",
    what: "TTL, EXPIRETIME and TIME follow the server's own clock",
    reason: "two machines, two clocks",
  },
  {
    id: "expired-unnoticed",
    what: "DBSIZE may count a key that has run out for a moment longer or shorter than Redis does",
    reason: "both count it until it is noticed, by a command or in the background",
  },

  // Sorted sets.
  {
    id: "sort-after-overflow",
    what: "SORT of numbers works; Redis may refuse it after a command of anybody has met a float that overflows",
    reason: "Redis 7.0 looks at an errno that an earlier call has left behind; the stream clears it before each SORT",
  },
  {
    id: "minus-zero",
    what: "a stored score of -0 is 0; Redis keeps -0 in large sorted sets and in results, and makes it 0 in small ones",
    reason: "the two are equal, and what a score is does not depend on the size of the set",
    allows: ({ args, theirs, ours }) =>
      /^b?z/i.test(args[0] ?? "") && theirs !== ours && withoutMinusZero(theirs) === withoutMinusZero(ours),
  },
  {
    id: "large-scores-in-pages",
    what: "ZSCAN writes an integer score of 1e17 and above with all its digits where the set is small now; Redis where it never was large",
    reason: "what a score looks like does not depend on what else was in the set",
    allows: ({ args, theirs, ours }) =>
      /^zscan$/i.test(args[0] ?? "") &&
      theirs !== ours &&
      withPlainScores(withoutMinusZero(theirs)) === withPlainScores(withoutMinusZero(ours)),
  },

  // One database.
  {
    id: "one-database",
    what: "SELECT of another database than 0, and COPY with DB other than 0, are refused",
    reason: "a hive has one database; separate data by key names or by hives",
    allows: ({ args, theirs, ours }) => {
      const name = commandName(args);
      const database = name === "SELECT" ? args[1] : args[args.findIndex((arg) => arg.toUpperCase() === "DB") + 1];
      return (
        (name === "SELECT" || name === "COPY") &&
        isOtherDatabase(database) &&
        !theirs.startsWith("-") &&
        ours.startsWith("-ERR")
      );
    },
  },
  {
    id: "no-move-swapdb",
    what: "MOVE and SWAPDB are unknown commands",
    reason: "they work between databases, and a hive has one",
    allows: ({ args, ours }) =>
      ["MOVE", "SWAPDB"].includes(commandName(args)) && ours.startsWith("-ERR unknown command"),
  },

  // What a server says about itself.
  {
    id: "server-identity",
    what: "HELLO answers with memhive's own server name, version, id, mode, role and modules",
    reason: "it is another server",
  },
  {
    id: "command-details",
    what: "COMMAND, COMMAND COUNT, COMMAND LIST, COMMAND DOCS list other commands with other descriptions; COMMAND INFO agrees in name, arity and positions of keys",
    reason: "the tables of the two servers are not the same",
  },
  {
    id: "tokens-for-users",
    what: "tokens stand where Redis has users: AUTH takes one, ACL has WHOAMI and HELP alone, NOPERM says what is missing",
    reason: "a token is one thing to hand out, to limit and to revoke; the servers of the stream have none",
  },
  {
    id: "info-content",
    what: "INFO has other sections and fields, in Redis's form",
    reason: "it describes another server",
  },
  {
    id: "client-details",
    what: "CLIENT ID, CLIENT LIST and CLIENT INFO have other ids and fields",
    reason: "connections are the server's own",
  },
  { id: "slowlog-content", what: "SLOWLOG GET and SLOWLOG LEN show other entries", reason: "other commands are slow" },
  {
    id: "settings-without-effect",
    what: "CONFIG GET knows fewer names; names of Redis that mean nothing to a hive are accepted, remembered and without effect",
    reason: "clients and tools set them and expect OK",
  },
  {
    id: "eviction-policies",
    what: "maxmemory-policy takes noeviction, allkeys-lru, allkeys-lfu and volatile-ttl; others are refused",
    reason: "a hive has these four; another name would promise what does not happen",
    allows: ({ args, ours }) =>
      commandName(args) === "CONFIG SET" && /'maxmemory-policy'\) - argument\(s\) must be one of/.test(ours),
  },
  {
    id: "hello-all-or-nothing",
    what: "a HELLO that is refused has not set the connection's name",
    reason: "as since Redis 7.2: a command that fails changes nothing; the stream clears the name after HELLO",
  },
  {
    id: "replies-before-http",
    what: "what was asked before a line that begins with POST or Host: is answered before the connection closes",
    reason: "Redis closes at once and drops the replies that it has not yet sent; nothing is lost here",
    allows: ({ args, theirs }) =>
      args[0] === "(inline commands)" && theirs === "" && /(^|\n)(post|host:)/i.test(args[1] ?? ""),
  },
  {
    id: "help-texts",
    what: "the HELP subcommands have texts of their own",
    reason: "they are written from the rows of the command table; Redis's texts would describe Redis",
    allows: ({ args }) => (args[1] ?? "").toUpperCase() === "HELP",
  },

  // How values are kept.
  {
    id: "dump-format",
    what: "DUMP's payload has memhive's own format; RESTORE takes what a hive dumped and refuses what Redis dumped",
    reason: "Redis's format follows from its memory layout",
  },
  {
    id: "encoding-without-history",
    what: "OBJECT ENCODING answers in Redis's words from what a value is now, not from what it once was; a small set with words in it is a listpack, and so is a small list, as since Redis 7.2",
    reason: "a hive has no such encodings; the words are for clients that ask",
  },
  {
    id: "memory-usage",
    what: "MEMORY USAGE gives the bytes that the key takes in a hive",
    reason: "another memory layout",
  },
  {
    id: "reference-counts",
    what: "OBJECT REFCOUNT may be another number for small integers, OBJECT IDLETIME another time",
    reason: "Redis keeps one object for all keys with the same small integer; a hive shares no values between keys",
  },
  {
    id: "access-frequency",
    what: "OBJECT FREQ counts by memhive's own rule",
    reason: "an approximate counter, driven by chance in Redis too",
  },
  { id: "debug-object", what: "DEBUG OBJECT's line has other fields", reason: "it describes the memory layout" },
  {
    id: "size-limits",
    what: "keys, fields and members above 1 MiB - 1 and values above 64 MiB are refused",
    reason: "bigger ones would hold up everybody else while they are copied",
    allows: ({ args, ours }) =>
      args.some((arg) => arg.length >= 1_048_576) && /exceeds (keyBytesMax|valueBytesMax|frameBytesMax)/.test(ours),
  },
  {
    id: "frame-limits",
    what: "a bulk length above 128 MiB and a command of more than 1,048,576 arguments are protocol errors",
    reason: "a promise to send so much may not reserve memory; the texts of the errors are Redis's",
  },
  {
    id: "silent-connections",
    what: "a connection that has sent no whole first line after 60 seconds is closed",
    reason: "until then it has no protocol, so CLIENT LIST and CLIENT KILL do not reach it",
  },
  {
    id: "long-words-in-errors",
    what: "an error quotes at most 128 bytes of an option or a setting's name; CONFIG takes words of at most 4096 bytes",
    reason: "an error of many megabytes helps nobody",
  },
  {
    id: "replies-that-cannot-be-sent",
    what: "a reply above outputBytesMax is refused with OUTPUT_TOO_BIG, a negative count that must exceed it at once",
    reason: "Redis builds such a reply until the client is cut off or memory is gone",
    allows: ({ ours }) => /^-ERR reply (of \d+ elements )?exceeds outputBytesMax/.test(ours),
  },
  {
    id: "pattern-limit",
    what: "a pattern of KEYS and of MATCH has at most 1024 bytes",
    reason: "the time for one name grows with the length of the pattern times that of the name",
    allows: ({ ours }) => /^-ERR pattern of \d+ bytes exceeds patternBytesMax/.test(ours),
  },
  {
    id: "watched-bytes",
    what: "a connection watches at most 65,536 keys with names of 16 MiB together",
    reason: "what is watched waits in memory that eviction cannot give back",
    allows: ({ ours }) => /^-ERR more than watchedKeysMax/.test(ours),
  },
  {
    id: "doors-on-one-port",
    what: "a connection whose first line ends in HTTP/1.x, or whose first byte is 0x16, 0xC1 or 0xFF, is not taken for RESP",
    reason: "all protocols of a hive share one port",
  },
  {
    id: "nul-in-a-line",
    what: "an inline command or a length with a NUL byte in it is answered",
    reason: "Redis takes the byte for the end of what it received and waits for ever",
  },

  // What Redis got after 7.0.
  {
    id: "newer-commands",
    what: "HEXPIRE and its kin, HSCAN NOVALUES, CLIENT SETINFO and CLIENT NO-TOUCH exist, as in Redis 7.4",
    reason: "a hive has the semantics of Redis 7.4; redis-server 7.0 does not know them",
  },
];

const byId = new Map(knownDifferences.map((difference) => [difference.id, difference]));

/** The entry of that id. @throws {Error} There is none: a comparison refers to an entry that was removed. */
export function knownDifference(id: string): KnownDifference {
  const difference = byId.get(id);
  if (difference === undefined) throw new Error(`known-differences.ts has no entry ${id}`);
  return difference;
}

/** The id of the first entry that explains these two replies. */
export function explain(exchange: Exchange): string | undefined {
  return knownDifferences.find((difference) => difference.allows?.(exchange))?.id;
}
