// Arrays in a structure's state. Methods that change run on the raw array and note their inverse.

import { HiveError } from "../base/errors.ts";
import { type Bag, SPREAD_MAX, undoAll, undoLength, undoPop, undoSet, undoShift, undoSplice } from "./journal.ts";
import { rawOf } from "./stamp.ts";
import { ATOM_BYTES, measureAtom } from "./storable.ts";
import { ObjectHandler } from "./tracked-object.ts";
import type { Tracking } from "./tracking.ts";

type Method = (...args: never[]) => unknown;
type Maker = (tracker: Tracking, raw: unknown[], wrapper: () => object) => Method;

/** A method that changes elements all over the array: all of them are noted. */
function whole(name: "reverse" | "copyWithin" | "fill" | "sort"): Maker {
  return (tracker, raw, wrapper) =>
    (...args: unknown[]): unknown => {
      const given = name === "reverse" ? args : givenTo(name, { tracker, raw, args });
      tracker.note(undoAll, raw, raw.slice(), undefined);
      (raw[name] as (...given: unknown[]) => unknown)(...given);
      return wrapper();
    };
}

type Call = { tracker: Tracking; raw: unknown[]; args: unknown[] };

/** Arguments for the raw array, when what comes into it is counted. */
function givenTo(name: "copyWithin" | "fill" | "sort", { tracker, raw, args }: Call): unknown[] {
  if (name === "fill") {
    const [value, from, to] = args;
    const taken = tracker.take(value, raw);
    const places = (to === undefined ? raw.length : relative(to, raw.length)) - relative(from, raw.length);
    tracker.growth += Math.max(0, places) * bytesAgain(taken);
    return [taken, ...args.slice(1)];
  }
  if (name === "copyWithin") {
    const [, from, to] = args as [unknown, number, number];
    for (const value of raw.slice(from, to)) tracker.growth += bytesAgain(value);
    return args;
  }
  const compare = args[0];
  if (typeof compare !== "function") return args;
  return [(one: unknown, other: unknown): unknown => compare(tracker.wrap(one, raw), tracker.wrap(other, raw))];
}

/** What a value that is there already takes in one place more: an object is only referred to. */
function bytesAgain(value: unknown): number {
  return typeof value === "object" ? ATOM_BYTES : measureAtom(value);
}

/** An index that may count from the end. */
function relative(index: unknown, length: number): number {
  const asked = Math.trunc(Number(index)) || 0;
  return asked < 0 ? Math.max(0, length + asked) : Math.min(asked, length);
}

/** A method that only compares: without a trap for each element. */
function comparing(name: "indexOf" | "lastIndexOf" | "includes"): Maker {
  return (_tracker, raw) =>
    (value: unknown, ...from: number[]): unknown =>
      (raw[name] as (...given: unknown[]) => unknown)(rawOf(value), ...from);
}

const NONE: unknown[] = [];

function isHole(raw: readonly unknown[], index: number): boolean {
  return raw[index] === undefined && !Object.hasOwn(raw, index);
}

const MAKERS: Readonly<Record<string, Maker>> = {
  push:
    (tracker, raw) =>
    (...values: unknown[]): number => {
      // All before the first is in: one that is refused leaves no trace.
      for (let i = 0; i < values.length; i++) values[i] = tracker.take(values[i], raw);
      tracker.note(undoLength, raw, raw.length, undefined);
      for (let i = 0; i < values.length; i++) raw.push(values[i]);
      return raw.length;
    },
  pop: (tracker, raw) => (): unknown => {
    const last = raw.length - 1;
    if (last < 0) return undefined;
    if (isHole(raw, last)) tracker.note(undoLength, raw, last + 1, undefined);
    else tracker.note(undoPop, raw, raw[last], undefined);
    return tracker.wrap(raw.pop(), raw);
  },
  shift: (tracker, raw) => (): unknown => {
    if (raw.length === 0) return undefined;
    if (isHole(raw, 0)) tracker.note(undoSplice, raw, [0, raw.length - 1] as const, raw.slice(0, 1));
    else tracker.note(undoShift, raw, raw[0], undefined);
    return tracker.wrap(raw.shift(), raw);
  },
  unshift:
    (tracker, raw) =>
    (...values: unknown[]): number => {
      const taken = values.map((value) => tracker.take(value, raw));
      tracker.note(undoSplice, raw, [0, raw.length] as const, NONE);
      // The last first, each before those that are in.
      for (let end = taken.length; end > 0; end -= SPREAD_MAX) {
        raw.unshift(...taken.slice(Math.max(0, end - SPREAD_MAX), end));
      }
      return raw.length;
    },
  splice:
    (tracker, raw) =>
    (...args: unknown[]): unknown[] => {
      if (args.length === 0) return [];
      const { length } = raw;
      const start = relative(args[0], length);
      const wanted = args.length === 1 ? length - start : Math.trunc(Number(args[1])) || 0;
      const count = Math.max(0, Math.min(wanted, length - start));
      const taken = args.slice(2).map((value) => tracker.take(value, raw));
      tracker.note(undoSplice, raw, [start, length - count] as const, raw.slice(start, start + count));
      const removed = raw.splice(start, count, ...(taken.length > SPREAD_MAX ? NONE : taken));
      if (taken.length > SPREAD_MAX) {
        for (let i = 0; i < taken.length; i += SPREAD_MAX) {
          raw.splice(start + i, 0, ...taken.slice(i, i + SPREAD_MAX));
        }
      }
      return removed.map((value) => tracker.wrap(value, raw));
    },
  reverse: whole("reverse"),
  sort: whole("sort"),
  fill: whole("fill"),
  copyWithin: whole("copyWithin"),
  indexOf: comparing("indexOf"),
  lastIndexOf: comparing("lastIndexOf"),
  includes: comparing("includes"),
  slice:
    (tracker, raw) =>
    (from?: number, to?: number): unknown[] =>
      raw.slice(from, to).map((value) => tracker.wrap(value, raw)),
  at:
    (tracker, raw) =>
    (index: number): unknown =>
      tracker.wrap(raw.at(index), raw),
};

const NAMES: ReadonlySet<PropertyKey> = new Set(Object.keys(MAKERS));
const DIGIT_0 = 48;
const DIGIT_9 = 57;
/** Holes that an array may get at once: to find out by encoding that they are too many would hold up everybody. */
const HOLES_MAX = 1_000_000;
const INDEX_END = 2 ** 32 - 1;

/** The index that a key is, or -1. */
function indexOf(key: PropertyKey): number {
  if (typeof key !== "string") return -1;
  const unit = key.charCodeAt(0);
  if (!(unit >= DIGIT_0 && unit <= DIGIT_9)) return -1;
  const index = Number(key);
  return index < INDEX_END && String(index) === key && Number.isInteger(index) ? index : -1;
}

class ArrayHandler extends ObjectHandler {
  readonly #methods: Record<string, Method> = {};
  wrapper: object = [];

  override get(target: object, key: PropertyKey): unknown {
    if (typeof key === "string") {
      const unit = key.charCodeAt(0);
      if ((unit < DIGIT_0 || unit > DIGIT_9) && NAMES.has(key)) {
        const known = this.#methods[key];
        if (known !== undefined) return known;
        const method = MAKERS[key]!(this.tracker, target as unknown[], () => this.wrapper);
        this.#methods[key] = method;
        return method;
      }
    } else if (key === Symbol.iterator) return this.#iterator(target as unknown[]);
    const value = (target as Bag)[key];
    return typeof value === "object" ? this.tracker.wrap(value, target) : value;
  }

  override set(target: object, key: PropertyKey, value: unknown): boolean {
    const raw = target as unknown[];
    if (key === "length") return this.#setLength(raw, value);
    const { length } = raw;
    const index = indexOf(key);
    if (index < length)
      return index < 0 || isHole(raw, index) ? super.set(target, key, value) : this.#setElement(raw, index, value);
    if (index > length) this.#makeHoles(index - length);
    const taken = this.tracker.take(value, raw);
    this.tracker.note(undoLength, raw, length, undefined);
    raw[index] = taken;
    return true;
  }

  #setElement(raw: unknown[], index: number, value: unknown): boolean {
    const taken = this.tracker.take(value, raw);
    this.tracker.note(undoSet, raw as unknown as Bag, index, raw[index]);
    raw[index] = taken;
    return true;
  }

  #setLength(raw: unknown[], value: unknown): boolean {
    const length = Number(value);
    // What the raw array would refuse must not be noted.
    if (length >>> 0 !== length) throw new RangeError("Invalid array length");
    if (length < raw.length) this.tracker.note(undoSplice, raw, [length, length] as const, raw.slice(length));
    else {
      this.#makeHoles(length - raw.length);
      this.tracker.note(undoLength, raw, raw.length, undefined);
    }
    raw.length = length;
    return true;
  }

  /** Each is encoded. @throws {HiveError} VALUE_TOO_BIG */
  #makeHoles(count: number): void {
    if (count > HOLES_MAX) {
      throw new HiveError(
        "VALUE_TOO_BIG",
        `an array in a structure's state that grows by ${count} holes: ${HOLES_MAX} at most`,
      );
    }
    this.tracker.growth += count * ATOM_BYTES;
  }

  #iterator(raw: unknown[]): () => Generator<unknown> {
    const { tracker } = this;
    return function* (): Generator<unknown> {
      for (let i = 0; i < raw.length; i++) yield tracker.wrap(raw[i], raw);
    };
  }
}

export function arrayWrapper(tracker: Tracking, raw: unknown[]): object {
  const handler = new ArrayHandler(tracker);
  handler.wrapper = new Proxy(raw, handler);
  return handler.wrapper;
}
