// Command facts: what COMMAND tells of a command, in Redis's words, read from its row.
//
// Clients look at the first six elements (name, arity, flags, first key, last key, step) and choose by
// `readonly` and `movablekeys`; the rest is for tools.

import type { CommandEntry, Family, Flag, KeySpec, RowFacts } from "./catalogue.ts";
import type { Reply } from "./reply.ts";

const GROUPS: Readonly<Record<Family, string>> = {
  keys: "generic",
  strings: "string",
  tables: "hash",
  sets: "set",
  sorted: "sorted-set",
  lists: "list",
  transactions: "transactions",
  messages: "pubsub",
  devices: "devices",
  connection: "connection",
  structures: "generic",
  server: "server",
};

const CATEGORIES: Readonly<Record<Family, string>> = {
  keys: "keyspace",
  strings: "string",
  tables: "hash",
  sets: "set",
  sorted: "sortedset",
  lists: "list",
  transactions: "transaction",
  messages: "pubsub",
  devices: "devices",
  connection: "connection",
  structures: "scripting",
  server: "",
};

/** A row's flags in Redis's words and order. */
const FLAG_WORDS: readonly (readonly [Flag, string])[] = [
  ["write", "write"],
  ["read", "readonly"],
  ["grows", "denyoom"],
  ["admin", "admin"],
  ["fast", "fast"],
  ["beforeAuth", "no_auth"],
  ["noMulti", "no_multi"],
];

type Range = { first: number; last: number; step: number };
const NO_KEYS: Range = { first: 0, last: 0, step: 0 };

/** The group that `COMMAND DOCS` shows. */
export function groupOf(row: RowFacts): string {
  return GROUPS[row.family];
}

/** The keys that COMMAND tells of. Redis's commands for operators name none, even where they take one. */
export function shownKeys({ keys, permission }: RowFacts): KeySpec | undefined {
  return permission === "admin" ? undefined : keys;
}

export function flagsOf(row: RowFacts): string[] {
  const keys = shownKeys(row);
  const words = FLAG_WORDS.filter(([flag]) => row.flags.includes(flag)).map(([, word]) => word);
  if (keys === undefined) words.push("noscript", "loading", "stale");
  else if (row.flags.includes("mayWait")) words.push("noscript", "blocking");
  if (keys !== undefined && "find" in keys) words.push("movablekeys");
  return words;
}

/** Categories without their @. */
export function categoriesOf(row: RowFacts): string[] {
  const categories = row.flags.filter((flag) => flag === "read" || flag === "write").map((flag) => `${flag}`);
  if (CATEGORIES[row.family] !== "") categories.push(CATEGORIES[row.family]);
  if (row.flags.includes("admin")) categories.push("admin", "dangerous");
  categories.push(row.flags.includes("fast") ? "fast" : "slow");
  return categories;
}

function rangeOf(keys: KeySpec | undefined): Range {
  return keys === undefined || "find" in keys ? NO_KEYS : keys;
}

/** One element of COMMAND's answer. */
export function replyFacts(command: CommandEntry, reply: Reply): void {
  const { row } = command;
  const { first, last, step } = rangeOf(shownKeys(row));
  reply.array(10);
  reply.text(command.wireName);
  reply.integer(row.arity);
  replyWords(command.subcommands ? [] : flagsOf(row), "", reply);
  reply.integer(first);
  reply.integer(last);
  reply.integer(step);
  replyWords(categoriesOf(row), "@", reply);
  reply.set(0);
  replyKeySpecs(row, reply);
  const inner = [...(command.subcommands?.values() ?? [])];
  reply.array(inner.length);
  for (const subcommand of inner) replyFacts(subcommand, reply);
}

function replyWords(words: readonly string[], prefix: string, reply: Reply): void {
  reply.set(words.length);
  for (const word of words) reply.status(prefix + word);
}

/** Where the keys are, in the newer form: from index `first`, up to `lastkey` places behind it. */
function replyKeySpecs(row: RowFacts, reply: Reply): void {
  const keys = shownKeys(row);
  if (keys === undefined) return reply.set(0);
  const isWrite = row.flags.includes("write");
  reply.set(1);
  reply.map(3);
  reply.text("flags");
  replyWords(isWrite ? ["RW", "access", "update"] : ["RO", "access"], "", reply);
  if ("find" in keys) {
    replyKeySpec("begin_search", "unknown", {}, reply);
    return replyKeySpec("find_keys", "unknown", {}, reply);
  }
  replyKeySpec("begin_search", "index", { index: keys.first }, reply);
  const lastkey = keys.last < 0 ? keys.last : keys.last - keys.first;
  replyKeySpec("find_keys", "range", { lastkey, keystep: keys.step, limit: 0 }, reply);
}

function replyKeySpec(name: string, type: string, spec: Readonly<Record<string, number>>, reply: Reply): void {
  const parts = Object.entries(spec);
  reply.text(name);
  reply.map(2);
  reply.text("type");
  reply.text(type);
  reply.text("spec");
  reply.map(parts.length);
  for (const [part, value] of parts) {
    reply.text(part);
    reply.integer(value);
  }
}
