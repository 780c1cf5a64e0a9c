// Maps, Sets, Dates and typed arrays in a structure's state.
//
// A Map or a Set is a subclass that is empty itself and hands everything on to the raw one: without traps. A Date is one
// that has the time of the raw one, since new Date(date) and structuredClone() look past all methods.

import { HiveError } from "../base/errors.ts";
import {
  type Bag,
  undoBytes,
  undoMapAdd,
  undoMapClear,
  undoMapSet,
  undoSet,
  undoSetAdd,
  undoSetClear,
  undoSetDelete,
} from "./journal.ts";
import { rawOf } from "./stamp.ts";
import type { Tracking } from "./tracking.ts";

export class TrackedMap extends Map<unknown, unknown> {
  readonly #tracker: Tracking;
  readonly #raw: Map<unknown, unknown>;

  constructor(tracker: Tracking, raw: Map<unknown, unknown>) {
    super();
    this.#tracker = tracker;
    this.#raw = raw;
  }

  override get size(): number {
    return this.#raw.size;
  }

  override get(key: unknown): unknown {
    const value = this.#raw.get(rawOf(key));
    return typeof value === "object" ? this.#tracker.wrap(value, this.#raw) : value;
  }

  override has(key: unknown): boolean {
    return this.#raw.has(rawOf(key));
  }

  override set(key: unknown, value: unknown): this {
    const raw = this.#raw;
    const name = rawOf(key);
    const taken = this.#tracker.take(value, raw);
    const before = raw.get(name);
    if (before === undefined && !raw.has(name)) {
      const added = this.#tracker.take(key, raw);
      this.#tracker.note(undoMapAdd, raw, added, undefined);
    } else this.#tracker.note(undoMapSet, raw, name, before);
    raw.set(name, taken);
    return this;
  }

  override delete(key: unknown): boolean {
    const raw = this.#raw;
    const name = rawOf(key);
    if (!raw.has(name)) return false;
    this.#tracker.note(undoMapSet, raw, name, raw.get(name));
    return raw.delete(name);
  }

  override clear(): void {
    if (this.#raw.size === 0) return;
    this.#tracker.note(undoMapClear, this.#raw, new Map(this.#raw), undefined);
    this.#raw.clear();
  }

  override forEach(visit: (value: unknown, key: unknown, map: Map<unknown, unknown>) => void, self?: unknown): void {
    for (const [key, value] of this) visit.call(self, value, key, this);
  }

  override *entries(): MapIterator<[unknown, unknown]> {
    for (const [key, value] of this.#raw)
      yield [this.#tracker.wrap(key, this.#raw), this.#tracker.wrap(value, this.#raw)];
    return undefined;
  }

  override *keys(): MapIterator<unknown> {
    for (const key of this.#raw.keys()) yield this.#tracker.wrap(key, this.#raw);
    return undefined;
  }

  override *values(): MapIterator<unknown> {
    for (const value of this.#raw.values()) yield this.#tracker.wrap(value, this.#raw);
    return undefined;
  }

  override [Symbol.iterator](): MapIterator<[unknown, unknown]> {
    return this.entries();
  }
}

export class TrackedSet extends Set<unknown> {
  readonly #tracker: Tracking;
  readonly #raw: Set<unknown>;

  constructor(tracker: Tracking, raw: Set<unknown>) {
    super();
    this.#tracker = tracker;
    this.#raw = raw;
  }

  override get size(): number {
    return this.#raw.size;
  }

  override has(value: unknown): boolean {
    return this.#raw.has(rawOf(value));
  }

  override add(value: unknown): this {
    const raw = this.#raw;
    if (raw.has(rawOf(value))) return this;
    const taken = this.#tracker.take(value, raw);
    this.#tracker.note(undoSetAdd, raw, taken, undefined);
    raw.add(taken);
    return this;
  }

  override delete(value: unknown): boolean {
    const raw = this.#raw;
    const name = rawOf(value);
    if (!raw.has(name)) return false;
    this.#tracker.note(undoSetDelete, raw, name, undefined);
    return raw.delete(name);
  }

  override clear(): void {
    if (this.#raw.size === 0) return;
    this.#tracker.note(undoSetClear, this.#raw, new Set(this.#raw), undefined);
    this.#raw.clear();
  }

  override forEach(visit: (value: unknown, key: unknown, set: Set<unknown>) => void, self?: unknown): void {
    for (const value of this) visit.call(self, value, value, this);
  }

  override *values(): SetIterator<unknown> {
    for (const value of this.#raw) yield this.#tracker.wrap(value, this.#raw);
    return undefined;
  }

  override keys(): SetIterator<unknown> {
    return this.values();
  }

  override *entries(): SetIterator<[unknown, unknown]> {
    for (const value of this.values()) yield [value, value];
    return undefined;
  }

  override [Symbol.iterator](): SetIterator<unknown> {
    return this.values();
  }
}

type AnyMethod = (...args: unknown[]) => unknown;

/** Methods of newer runtimes that look at the set itself, which is empty: they make another one, or compare. */
for (const name of [
  ...["union", "intersection", "difference", "symmetricDifference"],
  ...["isSubsetOf", "isSupersetOf", "isDisjointFrom"],
]) {
  const method = (Set.prototype as unknown as Bag)[name];
  if (typeof method !== "function") continue;
  const value = function (this: TrackedSet, other: unknown): unknown {
    return (method as AnyMethod).call(new Set(this), other);
  };
  Object.defineProperty(TrackedSet.prototype, name, { value, writable: true, configurable: true });
}

export class TrackedDate extends Date {
  readonly #tracker: Tracking;
  readonly #raw: Date;

  constructor(tracker: Tracking, raw: Date) {
    super(raw.getTime());
    this.#tracker = tracker;
    this.#raw = raw;
  }

  static {
    for (const name of Object.getOwnPropertyNames(Date.prototype)) {
      if (!name.startsWith("set")) continue;
      const method = (Date.prototype as unknown as Bag)[name] as AnyMethod;
      const value = function (this: TrackedDate, ...args: unknown[]): unknown {
        this.#tracker.note(TrackedDate.#undo, this, this.getTime(), undefined);
        const time = method.apply(this, args);
        this.#raw.setTime(this.getTime());
        return time;
      };
      Object.defineProperty(TrackedDate.prototype, name, { value, writable: true, configurable: true });
    }
  }

  static #undo(date: TrackedDate, time: number): void {
    Date.prototype.setTime.call(date, time);
    date.#raw.setTime(time);
  }
}

const CHANGING: ReadonlySet<PropertyKey> = new Set(["set", "fill", "sort", "reverse", "copyWithin"]);
/** They would show the same bytes without a tracker. */
const SHARING: ReadonlySet<PropertyKey> = new Set(["buffer", "subarray"]);

export function typedArrayWrapper(tracker: Tracking, raw: ArrayBufferView): object {
  const proxy: object = new Proxy(raw as ArrayBufferView & { slice(): unknown; set(source: unknown): void }, {
    get(target, key) {
      if (SHARING.has(key)) {
        throw new HiveError(
          "UNSUPPORTED",
          `${String(key)} of a typed array in a structure's state: take slice() instead`,
        );
      }
      const value = (target as unknown as Bag)[key];
      if (typeof value !== "function" || key === "constructor") return value;
      return (...args: unknown[]): unknown => {
        const given = args.map((arg) => (typeof arg === "function" ? visitor(arg as AnyMethod) : rawOf(arg)));
        if (!CHANGING.has(key)) return (value as AnyMethod).apply(target, given);
        tracker.note(undoBytes, target, target.slice(), undefined);
        (value as AnyMethod).apply(target, given);
        return key === "set" ? undefined : proxy;
      };
    },
    set(target, key, value) {
      // Elements alone; what is written beside them goes nowhere, and could not be taken back.
      if (typeof key === "symbol" || !isNumeric(key)) return false;
      if (!Object.hasOwn(target, key)) return true;
      tracker.note(undoSet, target as unknown as Bag, key, (target as unknown as Bag)[key]);
      (target as unknown as Bag)[key] = value;
      return true;
    },
    defineProperty: () => false,
  });
  /** Callbacks of forEach and its kin get the array too. */
  function visitor(visit: AnyMethod): AnyMethod {
    return function (this: unknown, ...args) {
      const last = args.length - 1;
      if (args[last] === raw) args[last] = proxy;
      return visit.apply(this, args);
    };
  }
  return proxy;
}

/** What a typed array takes as the number of an element, be there one or not. */
function isNumeric(key: string): boolean {
  return key === "-0" || String(Number(key)) === key;
}
