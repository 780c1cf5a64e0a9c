// Maps, Sets, Dates and typed arrays in a structure's state.
//
// A Map or a Set is a subclass that is empty itself and hands everything on to the raw one: without traps.

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
  undoTime,
} from "./journal.ts";
import { rawOf } from "./storable.ts";
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
    return typeof value === "object" ? this.#tracker.wrap(value) : value;
  }

  override has(key: unknown): boolean {
    return this.#raw.has(rawOf(key));
  }

  override set(key: unknown, value: unknown): this {
    const raw = this.#raw;
    const name = rawOf(key);
    const taken = this.#tracker.take(value);
    const before = raw.get(name);
    if (before === undefined && !raw.has(name)) {
      const added = this.#tracker.take(key);
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
    for (const [key, value] of this.#raw) yield [this.#tracker.wrap(key), this.#tracker.wrap(value)];
    return undefined;
  }

  override *keys(): MapIterator<unknown> {
    for (const key of this.#raw.keys()) yield this.#tracker.wrap(key);
    return undefined;
  }

  override *values(): MapIterator<unknown> {
    for (const value of this.#raw.values()) yield this.#tracker.wrap(value);
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
    const taken = this.#tracker.take(value);
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
    for (const value of this.#raw) yield this.#tracker.wrap(value);
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

export function dateWrapper(tracker: Tracking, raw: Date): object {
  return new Proxy(raw, {
    get(target, key) {
      const value = (target as unknown as Bag)[key];
      if (typeof value !== "function") return value;
      if (typeof key === "symbol" || !key.startsWith("set")) return value.bind(target);
      return (...args: unknown[]): unknown => {
        tracker.note(undoTime, target, target.getTime(), undefined);
        return (value as AnyMethod).apply(target, args);
      };
    },
  });
}

const CHANGING: ReadonlySet<PropertyKey> = new Set(["set", "fill", "sort", "reverse", "copyWithin"]);
/** They would show the same bytes without a tracker. */
const SHARING: ReadonlySet<PropertyKey> = new Set(["buffer", "subarray"]);

export function typedArrayWrapper(tracker: Tracking, raw: ArrayBufferView): object {
  return new Proxy(raw as ArrayBufferView & { slice(): unknown; set(source: unknown): void }, {
    get(target, key) {
      if (SHARING.has(key)) {
        throw new HiveError(
          "UNSUPPORTED",
          `${String(key)} of a typed array in a structure's state: take slice() instead`,
        );
      }
      const value = (target as unknown as Bag)[key];
      if (typeof value !== "function") return value;
      if (!CHANGING.has(key)) return value.bind(target);
      return (...args: unknown[]): unknown => {
        tracker.note(undoBytes, target, target.slice(), undefined);
        (value as AnyMethod).apply(target, args.map(rawOf));
        return tracker.wrap(target);
      };
    },
    set(target, key, value) {
      tracker.note(undoSet, target as unknown as Bag, key, (target as unknown as Bag)[key]);
      (target as unknown as Bag)[key] = value;
      return true;
    },
  });
}
