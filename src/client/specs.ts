// Specs: every call that the client's methods make, as a row: words, arguments, answer.
//
// Form letters: n a name · v a value · w a word or number of the protocol · s a stored item as it came
// (call.ts). A row with `repeats` changes nothing, so it may be sent again when a connection was lost.

import { HiveError } from "../base/errors.ts";
import {
  type As,
  ATOM_FAILED,
  ATOM_NIL,
  decodeFailure,
  decodeItem,
  decodeStored,
  ITEM_ATOM,
  type ItemReader,
  skipItem,
} from "../wire/items.ts";
import type { CallSpec, StoredItem } from "./call.ts";
import type { SnapshotListing, SnapshotReport, SnapshotStatus } from "./snapshot-facts.ts";

type Row<Result> = CallSpec<Result>;

export function read<Result>(words: string, form: string, decode: Row<Result>["decode"]): Row<Result> {
  return { words: words.split(" "), form, repeats: true, decode };
}

export function write<Result>(words: string, form: string, decode: Row<Result>["decode"]): Row<Result> {
  return { words: words.split(" "), form, repeats: false, decode };
}

// Answers.

/** Whatever it is. */
export function anything(items: ItemReader, as: As): unknown {
  return decodeItem(items, as);
}

function unexpected(expected: string, got: unknown): HiveError {
  return new HiveError("BAD_FRAME", `expected ${expected} as the answer, got ${typeof got}`);
}

export function integer(items: ItemReader): number {
  const value = decodeItem(items);
  if (typeof value !== "number") throw unexpected("an integer", value);
  return value;
}

/** A sum may be larger than a number holds exactly, and one of floats comes as its decimal text. */
function sum(items: ItemReader): number | bigint {
  const value = decodeItem(items);
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value === "string" && value !== "" && !Number.isNaN(Number(value))) return Number(value);
  throw unexpected("a number", value);
}

export function flag(items: ItemReader): boolean {
  return integer(items) !== 0;
}

export function text(items: ItemReader): string {
  const value = decodeItem(items);
  if (typeof value !== "string") throw unexpected("a text", value);
  return value;
}

/** OK, or nothing where a condition did not hold. */
function done(items: ItemReader): boolean {
  return decodeItem(items) !== undefined;
}

export function nothing(items: ItemReader): void {
  decodeItem(items, "bytes");
}

export function list(items: ItemReader, as: As): unknown[] {
  const value = decodeItem(items, as);
  if (!Array.isArray(value)) throw unexpected("an array", value);
  return value;
}

/** Milliseconds left: -2 no such thing, -1 no deadline. */
function left(milliseconds: number): number | undefined {
  return milliseconds === -2 ? undefined : milliseconds === -1 ? Number.POSITIVE_INFINITY : milliseconds;
}

/** The one answer of a command that takes a list of fields; undefined where there is no table. */
function first(items: ItemReader): number {
  const [value] = list(items, "values");
  return typeof value === "number" ? value : -2;
}

/** A value, and what of it is stored, for compare-and-set. */
export type Seen = { value: unknown; stored: StoredItem } | undefined;

function seen(items: ItemReader): Seen {
  items.next();
  const { kind, size, start, bytes, at } = items;
  if (kind === ITEM_ATOM && size === ATOM_NIL) return undefined;
  if (kind >= ITEM_ATOM) throw unexpected("a stored value", undefined);
  const stored = { kind, bytes: new Uint8Array(bytes.subarray(start, at)) };
  return { value: decodeStored(bytes, start, at, kind, "values"), stored };
}

/** One step of a scan. */
export type Page = { cursor: string; items: unknown[] };

function page(items: ItemReader, as: As): Page {
  items.next();
  const cursor = decodeItem(items);
  if (typeof cursor !== "string") throw unexpected("a cursor", cursor);
  return { cursor, items: list(items, as) };
}

/** Hash is Redis's word for a table. */
function typeName(items: ItemReader): string | undefined {
  const name = text(items);
  return name === "none" ? undefined : name === "hash" ? "table" : name;
}

// Keys.

export const GET: Row<unknown> = read("GET", "n", anything);
export const GET_SEEN: Row<Seen> = read("GET", "n", seen);
export const SET: Row<boolean> = write("SET", "nv(w)", done);
export const DEL: Row<boolean> = write("DEL", "(n)", flag);
export const EXISTS: Row<boolean> = read("EXISTS", "n", flag);
/** Notes an access: it changes nothing that can be read. */
export const TOUCH: Row<number> = read("TOUCH", "(n)", integer);
export const TYPE: Row<string | undefined> = read("TYPE", "n", typeName);
export const INCRBY: Row<number | bigint> = write("INCRBY", "nv", sum);
export const INCRBYFLOAT: Row<number | bigint> = write("INCRBYFLOAT", "nv", sum);
export const PEXPIRE: Row<boolean> = write("PEXPIRE", "nw", flag);
export const PTTL: Row<number | undefined> = read("PTTL", "n", (items) => left(integer(items)));
export const PERSIST: Row<boolean> = write("PERSIST", "n", flag);
export const RENAME: Row<void> = write("RENAME", "nn", nothing);
export const RENAMENX: Row<boolean> = write("RENAMENX", "nn", flag);
export const SCAN: Row<Page> = read("SCAN", "(w)", page);

// Tables.

export const HGET: Row<unknown> = read("HGET", "nn", anything);
export const HGET_SEEN: Row<Seen> = read("HGET", "nn", seen);
export const HSET: Row<void> = write("HSET", "n(nv)", nothing);
/** key, options …, FIELDS, count, field, value: written by hsetex(). */
export const HSETEX_TTL: Row<boolean> = write("HSETEX", "nwwww(nv)", flag);
export const HSETEX_ABSENT_TTL: Row<boolean> = write("HSETEX", "nwwwww(nv)", flag);
export const HSETNX: Row<boolean> = write("HSETNX", "nnv", flag);
export const HCAS: Row<boolean> = write("HCAS", "nnsv(w)", flag);
export const HCAD: Row<boolean> = write("HCAD", "nns", flag);
export const HDEL: Row<boolean> = write("HDEL", "n(n)", flag);
export const HEXISTS: Row<boolean> = read("HEXISTS", "nn", flag);
export const HLEN: Row<number> = read("HLEN", "n", integer);
export const HMGET: Row<unknown[]> = read("HMGET", "n(n)", list);
export const HINCRBY: Row<number | bigint> = write("HINCRBY", "nnv", sum);
export const HINCRBYFLOAT: Row<number | bigint> = write("HINCRBYFLOAT", "nnv", sum);
export const HPEXPIRE: Row<boolean> = write("HPEXPIRE", "nwwwn", (items) => first(items) > 0);
export const HPTTL: Row<number | undefined> = read("HPTTL", "nwwn", (items) => left(first(items)));
export const HPERSIST: Row<boolean> = write("HPERSIST", "nwwn", (items) => first(items) === 1);
export const HSCAN: Row<Page> = read("HSCAN", "n(w)", page);

// Sets.

export const SADD: Row<number> = write("SADD", "n(n)", integer);
export const SREM: Row<number> = write("SREM", "n(n)", integer);
export const SISMEMBER: Row<boolean> = read("SISMEMBER", "nn", flag);
export const SCARD: Row<number> = read("SCARD", "n", integer);
export const SSCAN: Row<Page> = read("SSCAN", "n(w)", page);

// Sorted sets.

function score(items: ItemReader): number | undefined {
  const value = decodeItem(items);
  return typeof value === "number" ? value : undefined;
}

/** [member, score], or [key, member, score]; undefined where there is none. */
function poppedScored(items: ItemReader, as: As): unknown {
  const value = decodeItem(items, as);
  return Array.isArray(value) && value.length > 0 ? value.slice(-2) : undefined;
}

function scores(items: ItemReader): (number | undefined)[] {
  return list(items, "values") as (number | undefined)[];
}

export const ZADD: Row<number> = write("ZADD", "n(wn)", integer);
/** key, a condition, and in ZADD_CH the word by which changes count too, score, member. */
export const ZADD_IF: Row<number> = write("ZADD", "nwwn", integer);
export const ZADD_CH: Row<number> = write("ZADD", "nwwwn", integer);
export const ZINCRBY: Row<number> = write("ZINCRBY", "nwn", (items) => score(items) ?? 0);
export const ZREM: Row<number> = write("ZREM", "n(n)", integer);
export const ZSCORE: Row<number | undefined> = read("ZSCORE", "nn", score);
export const ZMSCORE: Row<(number | undefined)[]> = read("ZMSCORE", "n(n)", scores);
export const ZCARD: Row<number> = read("ZCARD", "n", integer);
export const ZCOUNT: Row<number> = read("ZCOUNT", "nww", integer);
export const ZRANK: Row<number | undefined> = read("ZRANK", "nn", score);
export const ZREVRANK: Row<number | undefined> = read("ZREVRANK", "nn", score);
export const ZRANGE: Row<unknown[]> = read("ZRANGE", "nww(w)", list);
export const ZPOPMIN: Row<unknown> = write("ZPOPMIN", "n", poppedScored);
export const ZPOPMAX: Row<unknown> = write("ZPOPMAX", "n", poppedScored);
export const BZPOPMIN: Row<unknown> = write("BZPOPMIN", "nw", poppedScored);
export const BZPOPMAX: Row<unknown> = write("BZPOPMAX", "nw", poppedScored);
export const ZREMRANGEBYRANK: Row<number> = write("ZREMRANGEBYRANK", "nww", integer);
export const ZREMRANGEBYSCORE: Row<number> = write("ZREMRANGEBYSCORE", "nww", integer);
export const ZSCAN: Row<Page> = read("ZSCAN", "n(w)", page);

// Lists.

/** The element of [key, element]; undefined where time was up. */
function popped(items: ItemReader, as: As): unknown {
  const value = decodeItem(items, as);
  return Array.isArray(value) ? value[1] : undefined;
}

/** [element] of [key, element], which may be undefined itself; undefined where time was up. */
function poppedOne(items: ItemReader, as: As): [unknown] | undefined {
  const value = decodeItem(items, as);
  return Array.isArray(value) ? [value[1]] : undefined;
}

/** A length; undefined where what was looked for is not there. */
function length(items: ItemReader): number | undefined {
  const value = integer(items);
  return value > 0 ? value : undefined;
}

function index(items: ItemReader): number | undefined {
  const value = decodeItem(items);
  return typeof value === "number" ? value : undefined;
}

export const LPUSH: Row<number> = write("LPUSH", "n(v)", integer);
export const RPUSH: Row<number> = write("RPUSH", "n(v)", integer);
export const LPOP: Row<unknown> = write("LPOP", "n", anything);
export const RPOP: Row<unknown> = write("RPOP", "n", anything);
export const BLPOP: Row<unknown> = write("BLPOP", "nw", popped);
export const BLPOP_ONE: Row<[unknown] | undefined> = write("BLPOP", "nw", poppedOne);
export const BRPOP: Row<unknown> = write("BRPOP", "nw", popped);
export const LLEN: Row<number> = read("LLEN", "n", integer);
export const LINDEX: Row<unknown> = read("LINDEX", "nw", anything);
export const LRANGE: Row<unknown[]> = read("LRANGE", "nww", list);
export const LPOS: Row<number | undefined> = read("LPOS", "nv(w)", index);
export const LSET: Row<void> = write("LSET", "nwv", nothing);
export const LINSERT: Row<number | undefined> = write("LINSERT", "nwvv", length);
export const LREM: Row<number> = write("LREM", "nwv", integer);
export const LTRIM: Row<void> = write("LTRIM", "nww", nothing);
export const LMOVE: Row<unknown> = write("LMOVE", "nnww", anything);
export const BLMOVE: Row<unknown> = write("BLMOVE", "nnwww", anything);
// Messages.

export const PUBLISH: Row<number> = write("PUBLISH", "nv", integer);

// The hive.

export const PING: Row<string> = read("PING", "(v)", text);
export const INFO: Row<string> = read("INFO", "(w)", text);

/** A map with names in the hive's style: "created-ms" becomes createdMs. */
function facts(value: unknown): Record<string, unknown> {
  if (!(value instanceof Map)) throw unexpected("a map", value);
  const camel = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries([...value].map(([name, fact]) => [camel(String(name)), fact]));
}

function report(items: ItemReader): SnapshotReport {
  return facts(decodeItem(items)) as SnapshotReport;
}

function listings(items: ItemReader): SnapshotListing[] {
  return list(items, "values").map((value) => facts(value) as SnapshotListing);
}

export const SNAPSHOT_STORE: Row<SnapshotReport> = write("SNAPSHOT STORE", "(w)", report);
export const SNAPSHOT_RESTORE: Row<SnapshotReport> = write("SNAPSHOT RESTORE", "w", report);
export const SNAPSHOT_REMOVE: Row<void> = write("SNAPSHOT REMOVE", "w", nothing);
export const SNAPSHOT_LIST: Row<SnapshotListing[]> = read("SNAPSHOT LIST", "", listings);
export const SNAPSHOT_STATUS: Row<SnapshotStatus> = read(
  "SNAPSHOT STATUS",
  "",
  (items) => facts(decodeItem(items)) as SnapshotStatus,
);

/** Any command: its arguments are text, bytes, or values. */
export function anyCommand(name: string, repeats: boolean): Row<unknown> {
  return { words: name.split(" "), form: "(v)", repeats, decode: anything };
}

/** The answers of a transaction's calls, each as its own row reads it; what failed is a HiveError. */
export function answersOf(specs: readonly CallSpec<unknown>[]): Row<unknown[]> {
  const decode = (items: ItemReader): unknown[] => {
    items.next();
    return specs.map((spec) => {
      const { at } = items;
      if (items.bytes[at] === ((ITEM_ATOM << 5) | ATOM_FAILED)) {
        items.next();
        return decodeFailure(items);
      }
      try {
        return spec.decode(items, "values");
      } catch (error) {
        // The others have run, and can be read: one that cannot is no reason to hide that.
        if (!(error instanceof HiveError) || error.code === "BAD_FRAME") throw error;
        items.at = at;
        skipItem(items);
        return error;
      }
    });
  };
  return { words: ["MULTI"], form: "", repeats: false, decode };
}
