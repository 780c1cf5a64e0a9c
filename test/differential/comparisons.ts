// test/differential/comparisons.ts
// Comparisons: what counts as the same reply where equal bytes are too much to ask.
//
//   Exchange (command, reply of Redis, reply of the hive, what came before) ──▶ Comparison ──▶ same or not
//
// Order in a set, random picks, clocks and the server's own particulars differ between two copies of
// Redis as well. Each comparison names the entry of known-differences.ts that states the licence. It
// is asked only when the bytes differ and neither reply is an error: errors are always exact.

import type { Args } from "./draw.ts";
import { parseReply, type Reply } from "./frame.ts";

/** One command and what both servers replied, raw. */
export type Exchange = { readonly args: Args; readonly theirs: string; readonly ours: string };

/** An exchange with the two before it on the same connection, newest first. */
export type ExchangeInContext = Exchange & { readonly before: readonly Exchange[] };

export type Comparison = {
  /** The entry of known-differences.ts that allows what this comparison ignores. */
  readonly difference: string;
  readonly same: (exchange: ExchangeInContext) => boolean;
};

/** Two clocks, two processes, one batch in flight: replies about time may differ by this much. */
const TOLERANCE_MS = 5_000;

function compareTrees(
  difference: string,
  same: (theirs: Reply, ours: Reply, exchange: ExchangeInContext) => boolean,
): Comparison {
  return { difference, same: (exchange) => same(parseReply(exchange.theirs), parseReply(exchange.ours), exchange) };
}

/** Same type, and both null or neither. */
function sameKind(theirs: Reply, ours: Reply): boolean {
  if (theirs.type !== ours.type || (theirs.text === undefined) !== (ours.text === undefined)) return false;
  return (theirs.items === undefined) === (ours.items === undefined);
}

/** The same, and both empty texts or neither. */
function sameShape(theirs: Reply, ours: Reply): boolean {
  return sameKind(theirs, ours) && (theirs.text === "") === (ours.text === "");
}

function sameSorted(theirs: readonly string[], ours: readonly string[]): boolean {
  return theirs.length === ours.length && theirs.toSorted().join("") === ours.toSorted().join("");
}

const unordered = compareTrees("order-of-elements", (theirs, ours) => {
  return theirs.type === ours.type && sameSorted(rawItems(theirs), rawItems(ours));
});

const pairs = compareTrees(
  "order-of-elements",
  (theirs, ours) => theirs.type === ours.type && sameSorted(rawPairs(theirs), rawPairs(ours)),
);

function near(tolerance: number): Comparison {
  return compareTrees("clocks", (theirs, ours) => {
    if (theirs.type !== ":" || ours.type !== ":") return false;
    const [a, b] = [Number(theirs.text), Number(ours.text)];
    return a >= 0 && b >= 0 && Math.abs(a - b) <= tolerance;
  });
}

const time = compareTrees("clocks", (theirs, ours) => {
  const [a, b] = [theirs, ours].map((reply) => (reply.items ?? []).map((item) => Number(item.text)));
  if (a?.length !== 2 || b?.length !== 2 || theirs.type !== ours.type) return false;
  const micros = b[1] as number;
  return Math.abs((a[0] as number) - (b[0] as number)) <= TOLERANCE_MS / 1000 && micros >= 0 && micros < 1_000_000;
});

function shape(difference: string): Comparison {
  return compareTrees(difference, sameShape);
}

const sameType = compareTrees("info-content", (theirs, ours) => theirs.type === ours.type);

/** SCAN, HSCAN, SSCAN once: a cursor and some elements, which both servers choose freely. */
const page = compareTrees("cursors", (theirs, ours) => {
  return (
    ours.type === "*" &&
    ours.items?.length === 2 &&
    theirs.items?.length === 2 &&
    ours.items[0]?.type === "$" &&
    ours.items[1]?.type === "*"
  );
});

/** HELLO: the same names in the same order, the same protocol, the same kinds of values. */
const hello = compareTrees("server-identity", (theirs, ours) => {
  const [a, b] = [theirs.items ?? [], ours.items ?? []];
  if (theirs.type !== ours.type || a.length !== b.length) return false;
  return a.every((item, index) => {
    const other = b[index] as Reply;
    if (index % 2 === 0) return item.raw === other.raw;
    return a[index - 1]?.text === "proto" ? item.raw === other.raw : item.type === other.type;
  });
});

/** COMMAND INFO: name, arity and positions of keys as Redis has them; flags and the rest are the server's own. */
const commandInfo = compareTrees("command-details", (theirs, ours) => {
  const [a, b] = [theirs.items ?? [], ours.items ?? []];
  const facts = (reply: Reply | undefined): string =>
    reply?.items
      ?.filter((_, index) => [0, 1, 3, 4, 5].includes(index))
      .map((item) => item.raw)
      .join("") ?? "none";
  return (
    theirs.type === ours.type && a.length === b.length && a.every((item, index) => facts(item) === facts(b[index]))
  );
});

const encodingFamilies = [
  ["int", "embstr", "raw"],
  ["listpack", "hashtable"],
  ["intset", "listpack", "hashtable"],
  ["listpack", "skiplist"],
  ["quicklist", "listpack"],
];

/**
 * OBJECT ENCODING: Redis's words, but Redis remembers what a value once was (raw after APPEND, hashtable after
 * shrinking) and a hive looks at what it is. Right after DEL and one command that fills the key there is no past.
 */
const encoding = compareTrees("encoding-without-history", (theirs, ours, { before, args }) => {
  const [a, b] = [theirs.text ?? "", ours.text ?? ""];
  if (
    theirs.type !== "$" ||
    ours.type !== "$" ||
    !encodingFamilies.some((family) => family.includes(a) && family.includes(b))
  )
    return false;
  const isFresh =
    before[1]?.args[0]?.toUpperCase() === "DEL" && before[1].args[1] === args[2] && before[0]?.args[1] === args[2];
  const filled = before[0]?.args ?? [];
  if (!isFresh || new Set(filled).size < filled.length) return true;
  if (a === "quicklist") return true;
  return (filled[0] ?? "").toUpperCase() === "SADD" && a === "hashtable" && b === "listpack";
});

/** Random picks: as many as Redis gave, each from the reply to the command before, none twice where that is promised. */
const picks = compareTrees("random-picks", (theirs, ours, exchange) => {
  if (!sameKind(theirs, ours) || theirs.items?.length !== ours.items?.length) return false;
  const previous = exchange.before[0];
  const source = previous === undefined ? "" : (previous.args[0] ?? "").toUpperCase();
  const isRelated = previous !== undefined && previous.args[1] === (exchange.args[1] ?? "*");
  const pool =
    isRelated && ["SMEMBERS", "HGETALL", "KEYS", "ZRANGE"].includes(source) ? parseReply(previous.ours) : undefined;
  const withValues = exchange.args.length === 4;
  const picked = ours.items === undefined ? [ours.raw] : withValues ? rawPairs(ours) : rawItems(ours);
  if (!(exchange.args[2] ?? "").startsWith("-") && new Set(picked).size !== picked.length) return false;
  if (pool === undefined) return true;
  const all = new Set(
    source === "ZRANGE" && withValues
      ? rawPairs(pool)
      : source !== "HGETALL"
        ? rawItems(pool)
        : withValues
          ? rawPairs(pool)
          : rawItems(pool).filter((_, index) => index % 2 === 0),
  );
  return picked.every((raw) => all.has(raw));
});

/** SPOP: as many as Redis took, none twice; the same ones where the whole set goes. */
const popped: Comparison = {
  difference: "random-picks",
  same: (exchange) =>
    Number(exchange.args[2]) >= 100_000 ? unordered.same(exchange) : picks.same({ ...exchange, before: [] }),
};

const allSettings = shape("settings-without-effect");

/** By the name that commandName() gives; every other command is compared byte for byte. */
export const comparisons: ReadonlyMap<string, Comparison> = new Map([
  ...["SMEMBERS", "HKEYS", "HVALS", "SINTER", "SUNION", "SDIFF", "KEYS"].map((name) => [name, unordered] as const),
  ...["SCAN", "HSCAN", "SSCAN", "ZSCAN"].map((name) => [name, page] as const),
  ...["SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER", "RANDOMKEY"].map((name) => [name, picks] as const),
  ...["TTL", "EXPIRETIME"].map((name) => [name, near(TOLERANCE_MS / 1000)] as const),
  ...["PTTL", "PEXPIRETIME"].map((name) => [name, near(TOLERANCE_MS)] as const),
  ...["COMMAND COUNT", "COMMAND DOCS", "COMMAND LIST", "COMMAND"].map(
    (name) => [name, shape("command-details")] as const,
  ),
  ...["CLIENT ID", "CLIENT LIST", "CLIENT INFO"].map((name) => [name, shape("client-details")] as const),
  ...["SLOWLOG GET", "SLOWLOG LEN"].map((name) => [name, shape("slowlog-content")] as const),
  ["HGETALL", pairs],
  ["SPOP", popped],
  ["TIME", time],
  ["HELLO", hello],
  ["INFO", sameType],
  ["COMMAND INFO", commandInfo],
  [
    "CONFIG GET",
    {
      difference: "settings-without-effect",
      same: (exchange) => (exchange.args[2] === "*" ? allSettings : pairs).same(exchange),
    },
  ],
  ["OBJECT ENCODING", encoding],
  ["OBJECT REFCOUNT", shape("reference-counts")],
  ["OBJECT IDLETIME", shape("reference-counts")],
  ["OBJECT FREQ", shape("access-frequency")],
  ["MEMORY USAGE", shape("memory-usage")],
  ["DEBUG OBJECT", shape("debug-object")],
  ["DUMP", shape("dump-format")],
]);

function rawItems(reply: Reply): string[] {
  return (reply.items ?? []).map((item) => item.raw);
}

/** Pairs as one text each, from a map, a flat array or an array of arrays of two. */
function rawPairs(reply: Reply): string[] {
  const items = reply.items ?? [];
  if (items[0]?.items !== undefined) return items.map((item) => rawItems(item).join(""));
  return items.flatMap((item, index) => (index % 2 === 0 ? [item.raw + (items[index + 1]?.raw ?? "")] : []));
}
