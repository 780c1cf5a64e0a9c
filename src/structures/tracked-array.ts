// Arrays in a structure's state. Methods that change run on the raw array and note their inverse.

import { type Bag, undoAll, undoLength, undoPop, undoShift, undoSplice, undoUnshift } from "./journal.ts";
import { rawOf } from "./storable.ts";
import { ObjectHandler, setProperty } from "./tracked-object.ts";
import type { Tracking } from "./tracking.ts";

type Method = (...args: never[]) => unknown;
type Maker = (tracker: Tracking, raw: unknown[], wrapper: () => object) => Method;

/** A method that changes elements all over the array: all of them are noted. */
function whole(name: "reverse" | "copyWithin" | "fill" | "sort"): Maker {
  return (tracker, raw, wrapper) =>
    (...args: unknown[]): unknown => {
      let given = args;
      if (name === "fill") given = [tracker.take(args[0]), ...args.slice(1)];
      if (name === "fill") tracker.growth += raw.length * 10;
      const compare = args[0];
      if (name === "sort" && typeof compare === "function") {
        given = [(one: unknown, other: unknown): unknown => compare(tracker.wrap(one), tracker.wrap(other))];
      }
      tracker.note(undoAll, raw, raw.slice(), undefined);
      (raw[name] as (...given: unknown[]) => unknown)(...given);
      return wrapper();
    };
}

/** A method that only compares: without a trap for each element. */
function comparing(name: "indexOf" | "lastIndexOf" | "includes"): Maker {
  return (_tracker, raw) =>
    (value: unknown, ...from: number[]): unknown =>
      (raw[name] as (...given: unknown[]) => unknown)(rawOf(value), ...from);
}

const MAKERS: Readonly<Record<string, Maker>> = {
  push:
    (tracker, raw) =>
    (...values: unknown[]): number => {
      const taken = values.map((value) => tracker.take(value));
      tracker.note(undoLength, raw, raw.length, undefined);
      for (const value of taken) raw.push(value);
      return raw.length;
    },
  pop: (tracker, raw) => (): unknown => {
    if (raw.length === 0) return undefined;
    tracker.note(undoPop, raw, raw[raw.length - 1], undefined);
    return tracker.wrap(raw.pop());
  },
  shift: (tracker, raw) => (): unknown => {
    if (raw.length === 0) return undefined;
    tracker.note(undoShift, raw, raw[0], undefined);
    return tracker.wrap(raw.shift());
  },
  unshift:
    (tracker, raw) =>
    (...values: unknown[]): number => {
      const taken = values.map((value) => tracker.take(value));
      tracker.note(undoUnshift, raw, taken.length, undefined);
      return raw.unshift(...taken);
    },
  splice:
    (tracker, raw) =>
    (...args: unknown[]): unknown[] => {
      if (args.length === 0) return [];
      const length = raw.length;
      const asked = Math.trunc(Number(args[0])) || 0;
      const start = asked < 0 ? Math.max(0, length + asked) : Math.min(asked, length);
      const wanted = args.length === 1 ? length - start : Math.trunc(Number(args[1])) || 0;
      const count = Math.max(0, Math.min(wanted, length - start));
      const taken = args.slice(2).map((value) => tracker.take(value));
      tracker.note(undoSplice, raw, [start, taken.length] as const, raw.slice(start, start + count));
      return raw.splice(start, count, ...taken).map((value) => tracker.wrap(value));
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
      raw.slice(from, to).map((value) => tracker.wrap(value)),
  at:
    (tracker, raw) =>
    (index: number): unknown =>
      tracker.wrap(raw.at(index)),
};

const NAMES: ReadonlySet<PropertyKey> = new Set(Object.keys(MAKERS));
const DIGIT_0 = 48;
const DIGIT_9 = 57;

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
    return typeof value === "object" ? this.tracker.wrap(value) : value;
  }

  override set(target: object, key: PropertyKey, value: unknown): boolean {
    const raw = target as unknown[];
    if (key === "length") {
      const length = Number(value);
      if (length < raw.length) this.tracker.note(undoSplice, raw, [length, 0] as const, raw.slice(length));
      else this.tracker.note(undoLength, raw, raw.length, undefined);
      raw.length = length;
      return true;
    }
    if (String(key) === String(raw.length)) {
      const taken = this.tracker.take(value);
      this.tracker.note(undoLength, raw, raw.length, undefined);
      raw.push(taken);
      return true;
    }
    const before = raw.length;
    if (typeof key === "string" && Number(key) > before) this.tracker.note(undoLength, raw, before, undefined);
    return setProperty(this.tracker, target as Bag, key, value);
  }

  #iterator(raw: unknown[]): () => Generator<unknown> {
    const { tracker } = this;
    return function* (): Generator<unknown> {
      for (let i = 0; i < raw.length; i++) yield tracker.wrap(raw[i]);
    };
  }
}

export function arrayWrapper(tracker: Tracking, raw: unknown[]): object {
  const handler = new ArrayHandler(tracker);
  handler.wrapper = new Proxy(raw, handler);
  return handler.wrapper;
}
