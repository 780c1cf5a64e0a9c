// Sort: the elements of a list, a set or a sorted set in order, as numbers or by their bytes.
//
//   elements ──▶ weights: themselves, or what BY finds ──▶ sorted ──▶ LIMIT ──▶ GET ──▶ a reply │ a new list
//
// `BY weight_*` and `GET object_*->name` put each element into a key's name. A token needs to read every key for
// them: which ones are read depends on what is stored. What is sorted lies on the heap meanwhile, so there is a
// limit on how much that may be.

import { HiveError } from "../../base/errors.ts";
import type { Slice } from "../../store/collections.ts";
import { KIND_RAW, KIND_VALUE, TYPE_LIST, TYPE_SET, TYPE_SORTED, TYPE_STRING, TYPE_TABLE } from "../../store/layout.ts";
import { compareBytes } from "../../store/sorted-way.ts";
import type { Store } from "../../store/store.ts";
import { valueToText } from "../../wire/value.ts";
import type { Args } from "../args.ts";
import type { Context } from "../context.ts";
import { EVENT_LIST, happened } from "../happened.ts";
import type { Reply } from "../reply.ts";
import { oneKey, type Row } from "../row.ts";
import { sortWeight } from "../scores.ts";
import { removeStored, UNFINISHED } from "../sorted-members.ts";
import { replyBytes, syntaxError, wrongType } from "../values.ts";

type Item = { bytes: Buffer; kind: number };
/** An element, what it is sorted by, and its weight as a number; `by` is undefined where BY finds nothing. */
type Weighed = { item: Item; by: Item | undefined; weight: number };
type Pattern = { before: Buffer; after: Buffer; field: Buffer | undefined; isElement: boolean; hasStar: boolean };

type Options = {
  by: Pattern | undefined;
  gets: Pattern[];
  isAlpha: boolean;
  isDescending: boolean;
  offset: number;
  limit: number;
  /** The argument with the destination; 0 for none. */
  destination: number;
};

const STAR = 42;
const slice: Slice = { bytes: Buffer.alloc(0), start: 0, end: 0, kind: 0 };

function parseOptions(args: Args, mayStore: boolean): Options {
  const options: Options = {
    by: undefined,
    gets: [],
    isAlpha: false,
    isDescending: false,
    offset: 0,
    limit: -1,
    destination: 0,
  };
  for (let i = 2; i < args.count; i++) {
    const left = args.count - i - 1;
    if (args.is(i, "ASC")) options.isDescending = false;
    else if (args.is(i, "DESC")) options.isDescending = true;
    else if (args.is(i, "ALPHA")) options.isAlpha = true;
    else if (left >= 2 && args.is(i, "LIMIT")) {
      options.offset = args.integer(i + 1);
      options.limit = args.integer(i + 2);
      i += 2;
    } else if (mayStore && left >= 1 && args.is(i, "STORE")) options.destination = ++i;
    else if (left >= 1 && args.is(i, "BY")) options.by = patternIn(args, ++i);
    else if (left >= 1 && args.is(i, "GET")) options.gets.push(patternIn(args, ++i));
    else throw syntaxError();
  }
  return options;
}

function patternIn(args: Args, index: number): Pattern {
  const text = args.copy(index);
  const star = text.indexOf(STAR);
  const arrow = star < 0 ? -1 : text.indexOf("->", star + 1);
  const hasField = arrow >= 0 && arrow + 2 < text.length;
  return {
    before: text.subarray(0, Math.max(0, star)),
    after: text.subarray(star + 1, hasField ? arrow : text.length),
    field: hasField ? text.subarray(arrow + 2) : undefined,
    isElement: text.length === 1 && text[0] === 35,
    hasStar: star >= 0,
  };
}

/** @throws {HiveError} NO_PERMISSION: keys that a pattern finds may be any. */
function checkPatterns({ token }: Context, { by, gets }: Options): void {
  const isReading = by?.hasStar === true || gets.some(({ hasStar }) => hasStar);
  if (isReading && token !== undefined && !token.grants.everywhere("read")) {
    throw new HiveError("NO_PERMISSION", "BY and GET of SORT need read on every key: the grant read:*");
  }
}

/** The elements of a key, in the order in which they stand. @throws {HiveError} OUT_OF_RANGE: more than one SORT takes. */
function elementsOf({ store, services }: Context, key: number, type: number): Item[] {
  const { sortElementsMax, sortBytesMax } = services.limits;
  const items: Item[] = [];
  let bytesLeft = sortBytesMax;
  const add = ({ bytes, start, end, kind }: Slice): true => {
    bytesLeft -= end - start;
    if (items.length >= sortElementsMax || bytesLeft < 0) {
      const limit = bytesLeft < 0 ? `sortBytesMax (${sortBytesMax})` : `sortElementsMax (${sortElementsMax})`;
      throw new HiveError("OUT_OF_RANGE", `what is to be sorted exceeds ${limit}`);
    }
    items.push({ bytes: Buffer.from(bytes.subarray(start, end)), kind });
    return true;
  };
  if (type === TYPE_LIST) store.lists.walk(key, 0, false, slice, add);
  else if (type === TYPE_SET) store.fields.each(key, (handle) => void add(store.fields.name(key, handle, slice)));
  else {
    store.sorted.range(key, 0, store.sorted.count(key), false, (handle) => {
      add(store.sorted.name(key, handle, slice));
    });
  }
  return items;
}

/** An item's text as RESP shows it. */
function textOf({ bytes, kind }: Item): Buffer {
  return kind === KIND_VALUE ? Buffer.from(valueToText(bytes, 0, bytes.length)) : bytes;
}

/** What a pattern finds for an element; undefined where there is no such key or field. */
function lookUp(store: Store, pattern: Pattern, item: Item): Item | undefined {
  if (pattern.isElement) return item;
  if (!pattern.hasStar) return undefined;
  const name = Buffer.concat([pattern.before, textOf(item), pattern.after]);
  const key = store.keys.read(name, 0, name.length, KIND_RAW);
  if (key === 0) return undefined;
  const { entries } = store.memory;
  const { field } = pattern;
  if (field === undefined) {
    if (entries.type(key) !== TYPE_STRING) return undefined;
    const start = entries.valueStart(key);
    const bytes = entries.bytesOf(key).subarray(start, start + entries.valueLength(key));
    return { bytes: Buffer.from(bytes), kind: entries.valueKind(key) };
  }
  if (entries.type(key) !== TYPE_TABLE) return undefined;
  const handle = store.fields.find(key, field, 0, field.length);
  if (handle === 0) return undefined;
  const { bytes, start, end, kind } = store.fields.value(key, handle, slice);
  return { bytes: Buffer.from(bytes.subarray(start, end)), kind };
}

function compareItems(one: Item, other: Item): number {
  const [a, b] = [textOf(one), textOf(other)];
  return compareBytes(a, 0, a.length, b, 0, b.length);
}

/** Sorts elements. @throws {HiveError} NOT_FLOAT: one of the weights is no number. */
function sorted(store: Store, items: readonly Item[], { by, isAlpha, isDescending }: Options): Item[] {
  const rows: Weighed[] = items.map((item) => {
    const found = by === undefined ? item : lookUp(store, by, item);
    if (isAlpha || found === undefined) return { item, by: found, weight: 0 };
    const weight = sortWeight(textOf(found).latin1Slice());
    if (weight === undefined) throw new HiveError("NOT_FLOAT", "One or more scores can't be converted into double");
    return { item, by: found, weight };
  });
  const order = (one: Weighed, other: Weighed): number => {
    if (!isAlpha) return one.weight === other.weight ? compareItems(one.item, other.item) : one.weight - other.weight;
    // What BY does not find comes first.
    if (one.by === undefined || other.by === undefined)
      return Number(one.by !== undefined) - Number(other.by !== undefined);
    return compareItems(one.by, other.by);
  };
  rows.sort(isDescending ? (one, other) => order(other, one) : order);
  return rows.map(({ item }) => item);
}

/** The elements that are answered, before GET. */
function select(context: Context, key: number, options: Options): Item[] {
  const { store } = context;
  const type = store.memory.entries.type(key);
  const { by, isDescending, offset, limit, destination } = options;
  let items = elementsOf(context, key, type);
  const staysAsIs = by !== undefined && !by.hasStar;
  // A set that is stored is sorted all the same, so that the result does not depend on where members lie.
  if (staysAsIs && type === TYPE_SET && destination !== 0) {
    items = sorted(store, items, { ...options, by: undefined, isAlpha: true });
  } else if (!staysAsIs) items = sorted(store, items, options);
  else if (type === TYPE_SORTED && isDescending) items.reverse();
  const start = Math.max(0, offset);
  return limit < 0 ? items.slice(start) : items.slice(start, start + limit);
}

function sorting(mayStore: boolean): Row["run"] {
  return (context: Context, args: Args, reply: Reply): void => {
    const { store } = context;
    const options = parseOptions(args, mayStore);
    checkPatterns(context, options);
    const { gets, destination } = options;
    const key = store.keys.read(args.buffer, args.start(1), args.length(1), args.kind(1));
    const type = key === 0 ? TYPE_LIST : store.memory.entries.type(key);
    if (type !== TYPE_LIST && type !== TYPE_SET && type !== TYPE_SORTED) throw wrongType();
    const items = key === 0 ? [] : select(context, key, options);
    const found = gets.length === 0 ? items : items.flatMap((item) => gets.map((get) => lookUp(store, get, item)));
    if (destination !== 0) return reply.integer(storeList(store, args, destination, found));
    reply.array(found.length);
    for (const item of found) {
      if (item === undefined) reply.nil();
      else replyBytes(reply, item.bytes, 0, item.bytes.length, item.kind);
    }
  };
}

/** Puts a list of what was found in the place of what argument `index` names. Returns how many elements it has. */
function storeList(store: Store, args: Args, index: number, found: readonly (Item | undefined)[]): number {
  const { keys, lists } = store;
  if (found.length === 0) {
    removeStored(store, args, index);
    return 0;
  }
  try {
    let key = lists.create(UNFINISHED, 0, UNFINISHED.length, KIND_VALUE);
    for (const item of found) {
      const bytes = item?.bytes ?? Buffer.alloc(0);
      key = lists.push(key, false, bytes, 0, bytes.length, item?.kind ?? KIND_RAW);
    }
    keys.rename(key, args.buffer, args.start(index), args.length(index), args.kind(index), true);
    happened(store, args, index, EVENT_LIST, "sortstore");
    return found.length;
  } catch (error) {
    const key = keys.find(UNFINISHED, 0, UNFINISHED.length, KIND_VALUE);
    if (key !== 0) keys.remove(key);
    throw error;
  }
}

/** The key and, where there is STORE, the destination of it that counts: the last. */
function keysOf(args: Args): number[] {
  let destination = 0;
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "LIMIT")) i += 2;
    else if (args.is(i, "BY") || args.is(i, "GET")) i++;
    else if (args.is(i, "STORE") && i + 1 < args.count) destination = ++i;
  }
  return destination === 0 ? [1] : [1, destination];
}

const OPTIONS = "[BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]";

export const SORT_ROWS: readonly Row[] = [
  {
    name: "SORT",
    family: "keys",
    arity: -2,
    flags: ["write", "grows"],
    permission: "write",
    keys: { find: keysOf, access: ["read", "write"] },
    summary: "Returns or stores the elements of a list, a set or a sorted set in order",
    syntax: `key ${OPTIONS} [STORE destination]`,
    run: sorting(true),
  },
  {
    name: "SORT_RO",
    family: "keys",
    arity: -2,
    flags: ["read"],
    permission: "read",
    keys: oneKey(),
    summary: "Returns the elements of a list, a set or a sorted set in order",
    syntax: `key ${OPTIONS}`,
    run: sorting(false),
  },
];
