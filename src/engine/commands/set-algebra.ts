// Set algebra: what several sets have in common, have together, or the first has alone.
//
//   keys ──▶ sets, all of the right type ──▶ eachOf…(sets, visit) ──▶ a reply │ a new set, then renamed
//
// No result is collected on the heap: members go from the store to the reply, or to the new set, which
// is built under a name that no caller can have (0xC1 begins no value) and takes its key by a rename. So
// a result may be of any size, the old one stays until the new one is whole, and a key may be source
// and destination at once.

import { HiveError } from "../../base/errors.ts";
import type { Slice } from "../../store/collections.ts";
import { NO_DEADLINE } from "../../store/keyspace.ts";
import { KIND_RAW, KIND_VALUE, TYPE_SET } from "../../store/layout.ts";
import type { Store } from "../../store/store.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { countedKeysAt } from "../counted-keys.ts";
import { containerToRead } from "../fields.ts";
import { EVENT_GENERIC, EVENT_SET, happened } from "../happened.ts";
import type { Reply } from "../reply.ts";
import type { Row } from "../row.ts";
import { replyBytes, syntaxError } from "../values.ts";

/** Called with a member that belongs to the result. Returns true to go no further. */
type Visit = (member: Slice) => boolean | void;
/**
 * Calls back once for every member of the result of `sets`, where 0 is an empty set.
 * @param repeats The callback may be called with a member again.
 */
type Algebra = (store: Store, sets: readonly number[], visit: Visit, repeats: boolean) => void;

const NO_BYTES = Buffer.alloc(0);
const UNFINISHED = Buffer.from([0xc1]);
/** With more sets than this, looking a member up in each costs more than remembering members. */
const LOOKED_UP_MAX = 8;
/** Members remembered at most, about 60 bytes of heap each: with more of them they are looked up after all. */
const REMEMBERED_MAX = 1_048_576;
/** Bytes of the sets whose members are remembered: a member may be 1 MiB. */
const REMEMBERED_BYTES_MAX = 64 * 1024 * 1024;
/** Members of a set between two looks at whether the caller has enough. */
const PAGE = 64;

/** The sets that arguments `first` to `last` name; 0 for a key that does not exist. @throws {HiveError} WRONG_TYPE */
function setsOf(store: Store, args: Args, first: number, last: number): number[] {
  const sets: number[] = [];
  for (let i = first; i <= last; i++) sets.push(containerToRead(store, args, i, TYPE_SET));
  // Looking for a later key may have removed one that had run out, but never moved another.
  return sets;
}

/** The smallest set is walked, the others are asked from small to large. */
const intersect: Algebra = (store, sets, visit) => {
  if (sets.includes(0)) return;
  const sorted = sets.toSorted((one, other) => store.fields.count(one) - store.fields.count(other));
  const others = [...new Set(sorted.slice(1))].filter((set) => set !== sorted[0]);
  eachMember(store, sorted[0]!, (member) => {
    for (const set of others) if (!has(store, set, member)) return false;
    return visit(member);
  });
};

const unite: Algebra = (store, sets, visit, repeats) => {
  const distinct = [...new Set(sets)].filter((set) => set !== 0);
  const seen = !repeats && isWorthRemembering(store, distinct) ? new Set<string>() : undefined;
  distinct.forEach((set, index) => {
    eachMember(store, set, (member) => {
      if (seen) {
        const name = nameOf(member);
        if (seen.has(name)) return false;
        seen.add(name);
      } else if (!repeats) {
        for (let i = 0; i < index; i++) if (has(store, distinct[i]!, member)) return false;
      }
      return visit(member);
    });
  });
};

const subtract: Algebra = (store, sets, visit) => {
  const first = sets[0]!;
  const others = [...new Set(sets.slice(1))].filter((set) => set !== 0);
  if (first === 0 || others.includes(first)) return;
  if (isWorthRemembering(store, others)) {
    const excluded = new Set<string>();
    for (const set of others) eachMember(store, set, (member) => void excluded.add(nameOf(member)));
    return eachMember(store, first, (member) => (excluded.has(nameOf(member)) ? false : visit(member)));
  }
  eachMember(store, first, (member) => {
    for (const set of others) if (has(store, set, member)) return false;
    return visit(member);
  });
};

function isWorthRemembering(store: Store, sets: readonly number[]): boolean {
  if (sets.length <= LOOKED_UP_MAX) return false;
  let members = 0;
  let bytes = 0;
  for (const set of sets) {
    members += store.fields.count(set);
    bytes += bytesOf(store, set);
  }
  return members <= REMEMBERED_MAX && bytes <= REMEMBERED_BYTES_MAX;
}

function bytesOf({ memory: { containers, entries } }: Store, set: number): number {
  const root = entries.rootOf(set);
  return root === 0 ? entries.valueLength(set) : containers.bytesOf(root);
}

/** Calls back with each member of a set until the callback returns true. */
function eachMember(store: Store, set: number, visit: Visit): void {
  const slice: Slice = { bytes: NO_BYTES, start: 0, end: 0, kind: 0 };
  let cursor = 0;
  let done = false;
  do {
    cursor = store.fields.scan(set, cursor, PAGE, (handle) => {
      if (!done) done = visit(store.fields.name(set, handle, slice)) === true;
    });
  } while (cursor !== 0 && !done);
}

function has(store: Store, set: number, member: Slice): boolean {
  return store.fields.find(set, member.bytes, member.start, member.end - member.start, member.kind) !== 0;
}

/** A member as a key of a JavaScript Set: one character per byte, and whether it is typed. */
function nameOf(member: Slice): string {
  const text = member.bytes.latin1Slice(member.start, member.end);
  return member.kind === KIND_VALUE ? `v${text}` : `r${text}`;
}

function answering(algebra: Algebra): Row["run"] {
  return ({ store }: Context, args: Args, reply: Reply): void => {
    const sets = setsOf(store, args, 1, args.count - 1);
    reply.open("set");
    algebra(store, sets, ({ bytes, start, end, kind }) => replyBytes(reply, bytes, start, end, kind), false);
    reply.close();
  };
}

function storing(algebra: Algebra, event: string): Row["run"] {
  return ({ store }: Context, args: Args, reply: Reply): void => {
    const sets = setsOf(store, args, 2, args.count - 1);
    let result = 0;
    const add = ({ bytes, start, end, kind }: Slice): void => {
      if (result === 0) result = store.fields.create(TYPE_SET, UNFINISHED, 0, UNFINISHED.length, KIND_VALUE);
      result = store.fields.set(result, bytes, start, end - start, kind, NO_BYTES, 0, 0, KIND_RAW, NO_DEADLINE, false);
    };
    try {
      algebra(store, sets, add, true);
      if (result !== 0) result = store.keys.rename(result, args.buffer, args.start(1), args.length(1), args.kind(1));
    } catch (error) {
      if (result !== 0) store.keys.remove(result);
      throw error;
    }
    if (result !== 0) {
      happened(store, args, 1, EVENT_SET, event);
      return reply.integer(store.fields.count(result));
    }
    const old = store.keys.find(args.buffer, args.start(1), args.length(1), args.kind(1));
    if (old !== 0) {
      store.keys.remove(old);
      happened(store, args, 1, EVENT_GENERIC, "del");
    }
    reply.integer(0);
  };
}

function sintercard({ store }: Context, args: Args, reply: Reply): void {
  const keys = Number(args.tryInt64(1) ?? 0n);
  if (keys < 1) throw new HiveError("OUT_OF_RANGE", "numkeys should be greater than 0");
  if (keys > args.count - 2) {
    throw new HiveError("SYNTAX", "Number of keys can't be greater than number of args");
  }
  let limit = 0;
  for (let i = keys + 2; i < args.count; i += 2) {
    if (!args.is(i, "LIMIT") || i + 1 === args.count) throw syntaxError();
    limit = Number(args.tryInt64(i + 1) ?? -1n);
    if (limit < 0) throw new HiveError("OUT_OF_RANGE", "LIMIT can't be negative");
  }
  let count = 0;
  intersect(store, setsOf(store, args, 2, keys + 1), () => ++count === limit, false);
  reply.integer(count);
}

const READ = {
  family: "sets",
  arity: -2,
  flags: ["read"],
  permission: "read",
  keys: { first: 1, last: -1, step: 1 },
  syntax: "key [key ...]",
} as const;
const STORE = {
  family: "sets",
  arity: -3,
  flags: ["write", "grows"],
  permission: "write",
  keys: { first: 1, last: -1, step: 1, access: ["write", "read"] },
  syntax: "destination key [key ...]",
} as const;

export const SET_ALGEBRA_ROWS: readonly Row[] = [
  { ...READ, name: "SINTER", summary: "Returns the members that all sets have", run: answering(intersect) },
  { ...READ, name: "SUNION", summary: "Returns the members that any of the sets has", run: answering(unite) },
  { ...READ, name: "SDIFF", summary: "Returns the members that only the first set has", run: answering(subtract) },
  {
    ...STORE,
    name: "SINTERSTORE",
    summary: "Stores the members that all sets have",
    run: storing(intersect, "sinterstore"),
  },
  {
    ...STORE,
    name: "SUNIONSTORE",
    summary: "Stores the members that any of the sets has",
    run: storing(unite, "sunionstore"),
  },
  {
    ...STORE,
    name: "SDIFFSTORE",
    summary: "Stores the members that only the first set has",
    run: storing(subtract, "sdiffstore"),
  },
  {
    ...READ,
    name: "SINTERCARD",
    arity: -3,
    keys: { find: countedKeysAt(1) },
    summary: "Returns how many members all sets have",
    syntax: "numkeys key [key ...] [LIMIT limit]",
    run: sintercard,
  },
];
