// Keys, looked into: OBJECT and MEMORY.
//
// A hive has no encodings as Redis has them. OBJECT ENCODING says the word that Redis, with its default
// settings, would have for a value of this content and size; what the value once was is not remembered,
// so it never says raw of a short text that was appended to.

import { HiveError } from "../../base/errors.ts";
import type { Slice } from "../../store/collections.ts";
import { TYPE_LIST, TYPE_SET, TYPE_SORTED, TYPE_STRING, TYPE_TABLE } from "../../store/layout.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import type { Reply } from "../reply.ts";
import { type KeySpec, oneKey, type Row } from "../row.ts";
import { readInteger, syntaxError } from "../values.ts";

/** Redis's defaults: embstr-size, hash-, set- and zset-max-listpack-entries and -value, set-max-intset-entries. */
const EMBEDDED_BYTES_MAX = 44;
const LISTPACK_ENTRIES_MAX = 128;
const LISTPACK_BYTES_MAX = 64;
/** list-max-listpack-size -2. */
const LIST_LISTPACK_BYTES_MAX = 8192;
const INTSET_ENTRIES_MAX = 512;
const INTEGER_BYTES_MAX = 20;
/** What the index takes for a key: its slot, and its share of empty ones and of sequences. */
const SLOT_BYTES = 12;

const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

/** The entry of the key in argument 2; 0 when there is none, and nil is the answer. Is no access. */
function findOrNil({ store }: Context, args: Args, reply: Reply): number {
  const ref = store.keys.find(args.buffer, args.start(2), args.length(2), args.kind(2));
  if (ref === 0) reply.nil();
  return ref;
}

function encoding(context: Context, args: Args, reply: Reply): void {
  const ref = findOrNil(context, args, reply);
  if (ref === 0) return;
  const type = context.store.memory.entries.type(ref);
  if (type === TYPE_STRING) reply.text(stringEncoding(context.store, ref));
  else if (type === TYPE_TABLE) reply.text(tableEncoding(context.store, ref));
  else if (type === TYPE_SORTED) reply.text(sortedEncoding(context.store, ref));
  else if (type === TYPE_LIST) reply.text(listEncoding(context.store, ref));
  else reply.text(type === TYPE_SET ? setEncoding(context.store, ref) : "raw");
}

function stringEncoding({ memory: { entries } }: Store, ref: number): string {
  const start = entries.valueStart(ref);
  const length = entries.valueLength(ref);
  const isShort = length <= INTEGER_BYTES_MAX;
  const kind = entries.valueKind(ref);
  if (isShort && readInteger(entries.bytesOf(ref), start, start + length, kind) !== undefined) return "int";
  return length <= EMBEDDED_BYTES_MAX ? "embstr" : "raw";
}

function tableEncoding(store: Store, ref: number): string {
  if (store.fields.count(ref) > LISTPACK_ENTRIES_MAX || !isEachShort(store, ref)) return "hashtable";
  const root = store.memory.entries.rootOf(ref);
  return root !== 0 && store.memory.containers.ttls(root) > 0 ? "listpackex" : "listpack";
}

function setEncoding(store: Store, ref: number): string {
  const count = store.fields.count(ref);
  if (count <= INTSET_ENTRIES_MAX && isEachInteger(store, ref)) return "intset";
  return count <= LISTPACK_ENTRIES_MAX && isEachShort(store, ref) ? "listpack" : "hashtable";
}

function sortedEncoding({ sorted }: Store, ref: number): string {
  let isShort = sorted.count(ref) <= LISTPACK_ENTRIES_MAX;
  if (!isShort) return "skiplist";
  sorted.each(ref, (handle) => {
    sorted.name(ref, handle, slice);
    if (slice.end - slice.start > LISTPACK_BYTES_MAX) isShort = false;
  });
  return isShort ? "listpack" : "skiplist";
}

/** As since Redis 7.2: a listpack while it has no more than 8 KiB. */
function listEncoding(store: Store, ref: number): string {
  const { entries, containers } = store.memory;
  const root = entries.rootOf(ref);
  const bytes = root === 0 ? entries.valueLength(ref) : containers.bytesOf(root);
  return bytes <= LIST_LISTPACK_BYTES_MAX ? "listpack" : "quicklist";
}

function isEachShort({ fields }: Store, ref: number): boolean {
  let isShort = true;
  fields.each(ref, (handle) => {
    fields.name(ref, handle, slice);
    if (slice.end - slice.start > LISTPACK_BYTES_MAX) isShort = false;
    fields.value(ref, handle, slice);
    if (slice.end - slice.start > LISTPACK_BYTES_MAX) isShort = false;
  });
  return isShort;
}

function isEachInteger({ fields }: Store, ref: number): boolean {
  let isInteger = true;
  fields.each(ref, (handle) => {
    if (!isInteger) return;
    const { bytes, start, end, kind } = fields.name(ref, handle, slice);
    isInteger = end - start <= INTEGER_BYTES_MAX && readInteger(bytes, start, end, kind) !== undefined;
  });
  return isInteger;
}

const SWITCHING =
  "Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";

function idletime(context: Context, args: Args, reply: Reply): void {
  const { eviction } = context.store;
  const ref = findOrNil(context, args, reply);
  if (ref === 0) return;
  if (eviction.policy === "allkeys-lfu") {
    throw new HiveError("UNSUPPORTED", `An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`);
  }
  reply.integer(eviction.idleSeconds(ref));
}

function freq(context: Context, args: Args, reply: Reply): void {
  const { eviction } = context.store;
  const ref = findOrNil(context, args, reply);
  if (ref === 0) return;
  if (eviction.policy !== "allkeys-lfu") {
    throw new HiveError(
      "UNSUPPORTED",
      `An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`,
    );
  }
  reply.integer(eviction.frequencyOf(ref));
}

function refcount(context: Context, args: Args, reply: Reply): void {
  if (findOrNil(context, args, reply) !== 0) reply.integer(1);
}

function usage(context: Context, args: Args, reply: Reply): void {
  for (let i = 3; i < args.count; i++) {
    // Redis looks at that many fields; here all are counted anyway.
    if (!args.is(i, "SAMPLES") || i + 1 === args.count) throw syntaxError();
    if (args.integer(++i) < 0) throw syntaxError();
  }
  let ref = findOrNil(context, args, reply);
  if (ref === 0) return;
  ref = context.store.memory.settled(ref);
  const { parts } = context.store.keys;
  const own = parts.of(ref);
  let bytes = bytesOf(context.store, ref);
  for (const name of own.names) {
    const part = parts.find(own, name);
    if (part !== 0) bytes += bytesOf(context.store, part);
  }
  reply.integer(bytes);
}

function bytesOf({ memory: { entries, containers, pages } }: Store, ref: number): number {
  const root = entries.rootOf(ref);
  const inner = root === 0 ? 0 : containers.bytesOf(root) + containers.indexBytesOf(root);
  return pages.sizeOf(ref) + SLOT_BYTES + inner;
}

function stats({ store }: Context, _args: Args, reply: Reply): void {
  const { pages, totals } = store.memory;
  const figures: readonly [string, number][] = [
    ["total.allocated", store.usedBytes],
    ["keys.count", store.keys.count],
    ["keys.bytes-per-key", store.keys.count === 0 ? 0 : Math.round(pages.blockBytes / store.keys.count)],
    ["dataset.bytes", totals.entryBytes],
    ["blocks.bytes", pages.blockBytes],
    ["maxmemory", store.eviction.maxMemoryBytes],
  ];
  reply.map(figures.length);
  for (const [name, figure] of figures) {
    reply.text(name);
    reply.integer(figure);
  }
}

/** Above this share of pages that no block uses, memory is said to be fragmented. */
const FRAGMENTED_SHARE = 0.5;
const FRAGMENTED_BYTES_MIN = 16 * 1024 * 1024;
const FULL_SHARE = 0.9;

function doctor({ store }: Context, _args: Args, reply: Reply): void {
  const used = store.usedBytes;
  const { maxMemoryBytes } = store.eviction;
  const advice: string[] = [];
  if (maxMemoryBytes > 0 && used > maxMemoryBytes * FULL_SHARE) {
    advice.push(`Memory is nearly full: ${used} of ${maxMemoryBytes} bytes are in use.`);
  }
  if (used > FRAGMENTED_BYTES_MIN && store.memory.pages.blockBytes < used * FRAGMENTED_SHARE) {
    advice.push(`Less than half of the pages' bytes are used. The compactor gives them back; MEMORY PURGE starts it.`);
  }
  reply.verbatim("txt", advice.length === 0 ? "No memory issue was found." : advice.join("\n"));
}

function purge({ store }: Context, _args: Args, reply: Reply): void {
  store.compactor.want();
  reply.ok();
}

/** One line for each subcommand, as the HELP of Redis has them. */
function help(name: string, rows: readonly Row[]): Row {
  return {
    name: `${name} HELP`,
    family: "keys",
    arity: 2,
    flags: ["fast"],
    permission: "none",
    summary: `Lists the subcommands of ${name}`,
    syntax: "",
    run(_context, _args, reply) {
      reply.array(1 + 2 * rows.length);
      reply.status(`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
      for (const row of rows) {
        reply.status(`${row.name.split(" ")[1]} ${row.syntax}`.trimEnd());
        reply.status(`    ${row.summary}.`);
      }
    },
  };
}

type Words = { arity: number; keys?: KeySpec; scope?: "every"; summary: string; syntax: string; run: Row["run"] };

function readRow(name: string, words: Words): Row {
  return { name, family: "keys", flags: ["read"], permission: "read", ...words };
}

const OF_KEY = { arity: 3, keys: oneKey(2), syntax: "key" } as const;

const OBJECT_ROWS: readonly Row[] = [
  readRow("OBJECT ENCODING", { ...OF_KEY, summary: "Says how Redis would encode what a key holds", run: encoding }),
  readRow("OBJECT IDLETIME", {
    ...OF_KEY,
    summary: "Returns the seconds since the last access to a key",
    run: idletime,
  }),
  readRow("OBJECT FREQ", { ...OF_KEY, summary: "Returns how often a key is accessed, by an LFU policy", run: freq }),
  readRow("OBJECT REFCOUNT", { ...OF_KEY, summary: "Returns 1 for a key that is there", run: refcount }),
];

const MEMORY_ROWS: readonly Row[] = [
  readRow("MEMORY USAGE", {
    arity: -3,
    keys: oneKey(2),
    summary: "Returns the bytes that a key takes, with all that it holds",
    syntax: "key [SAMPLES count]",
    run: usage,
  }),
  readRow("MEMORY STATS", {
    arity: 2,
    scope: "every",
    summary: "Returns figures about memory",
    syntax: "",
    run: stats,
  }),
  readRow("MEMORY DOCTOR", {
    arity: 2,
    scope: "every",
    summary: "Says what is wrong with memory",
    syntax: "",
    run: doctor,
  }),
  {
    ...readRow("MEMORY PURGE", { arity: 2, summary: "Gives memory back that nothing uses", syntax: "", run: purge }),
    permission: "admin",
  },
];

function container(name: string, summary: string, rows: readonly Row[]): Row {
  return {
    name,
    family: "keys",
    arity: -2,
    flags: ["read"],
    permission: "read",
    scope: "own",
    summary,
    syntax: "subcommand",
    subcommands: [...rows, help(name, rows)],
    run() {
      throw new Error(`${name} is never called itself`);
    },
  };
}

export const KEY_DETAIL_ROWS: readonly Row[] = [
  container("OBJECT", "Looks into what a key holds", OBJECT_ROWS),
  container("MEMORY", "Looks into the memory of the hive", MEMORY_ROWS),
];
