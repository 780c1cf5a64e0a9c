// Tracker: the state of one instance as its methods see it: the same objects, wrapped, so that every change is noted.
//
//   this.items ──▶ accessor ──▶ wrap(raw array) ──▶ push(x) ──▶ take(x), note how to undo it, push to the raw array
//
// A wrapper is made once for each raw object. Mutating methods run on the raw object: a plain Proxy would
// turn shift() on 10,000 items into 20,000 traps.

import { HiveError } from "../base/errors.ts";
import { type Journal, undoSet } from "./journal.ts";
import { className, isPlain, measure, rawOf, setRaw } from "./storable.ts";
import { arrayWrapper } from "./tracked-array.ts";
import { dateWrapper, TrackedMap, TrackedSet, typedArrayWrapper } from "./tracked-collections.ts";
import { objectWrapper } from "./tracked-object.ts";

const STATE: unique symbol = Symbol("state");
const TRACKER: unique symbol = Symbol("tracker");
const NUMBER_BYTES = 10;

type Tracked = { [STATE]: Record<string, unknown>; [TRACKER]: Tracker };

export class Tracker {
  readonly journal: Journal;
  /** Whether it was changed by the call under way. */
  changed = false;
  /** Bytes that were put in since the last encoding, at most. */
  growth = 0;
  readonly #wrappers = new WeakMap<object, object>();
  readonly #begin: () => void;

  /** @param begin The first change of a call is about to happen. May throw: then it does not. */
  constructor(journal: Journal, begin: () => void) {
    this.journal = journal;
    this.#begin = begin;
  }

  /** What a method sees of a raw value. */
  wrap(raw: unknown): unknown {
    if (typeof raw !== "object" || raw === null) return raw;
    const known = this.#wrappers.get(raw);
    if (known !== undefined) return known;
    const wrapper = this.#make(raw);
    if (wrapper === raw) return raw;
    this.#wrappers.set(raw, wrapper);
    setRaw(wrapper, raw);
    return wrapper;
  }

  #make(raw: object): object {
    if (Array.isArray(raw)) return arrayWrapper(this, raw);
    if (raw instanceof Map) return new TrackedMap(this, raw);
    if (raw instanceof Set) return new TrackedSet(this, raw);
    if (raw instanceof Date) return dateWrapper(this, raw);
    if (ArrayBuffer.isView(raw) && !(raw instanceof DataView)) return typedArrayWrapper(this, raw);
    return isPlain(raw) ? objectWrapper(this, raw) : raw;
  }

  /** A value that is put into the state: without wrappers, checked and counted. @throws {HiveError} BAD_VALUE */
  take(value: unknown): unknown {
    if (typeof value === "number") {
      this.growth += NUMBER_BYTES;
      return value;
    }
    const raw = rawOf(value);
    this.growth += measure(raw);
    return raw;
  }

  /** Before a change that is taken back by somebody else. @throws {HiveError} the key is gone */
  touch(): void {
    if (!this.changed) this.#begin();
  }

  /** Before a change: how to take it back. @throws {HiveError} the key is gone */
  note<Target, First, Second>(
    step: (target: Target, first: First, second: Second) => void,
    target: Target,
    first: First,
    second: Second,
  ): void {
    if (!this.changed) this.#begin();
    this.journal.note(step, target, first, second);
  }
}

const descriptors = new WeakMap<object, Map<string, PropertyDescriptor>>();

/** Accessors are shared by all instances of a class, so that these keep one shape. */
function accessorOf(cls: object, name: string): PropertyDescriptor {
  let known = descriptors.get(cls);
  if (known === undefined) descriptors.set(cls, (known = new Map()));
  let descriptor = known.get(name);
  if (descriptor !== undefined) return descriptor;
  descriptor = {
    enumerable: true,
    configurable: false,
    get(this: Tracked): unknown {
      const value = this[STATE][name];
      return typeof value === "object" ? this[TRACKER].wrap(value) : value;
    },
    set(this: Tracked, value: unknown): void {
      const tracker = this[TRACKER];
      const state = this[STATE];
      const taken = tracker.take(value);
      tracker.note(undoSet, state, name, state[name]);
      state[name] = taken;
    },
  };
  known.set(name, descriptor);
  return descriptor;
}

/** The public fields of a new instance. @throws {HiveError} INVALID_ARGUMENT: one cannot be kept or undone. */
export function fieldsOf(instance: object): Record<string, unknown> {
  const state: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(instance)) {
    const isFree = typeof value !== "object" || value === null || isKnown(value);
    if (typeof value === "function" || typeof value === "symbol" || !isFree) {
      const what = typeof value === "object" ? `an instance of ${className(value as object)}` : `a ${typeof value}`;
      const advice = "give it as plain data, or say static undo = false with encode() and decode()";
      throw new HiveError(
        "INVALID_ARGUMENT",
        `${className(instance)}.${name} is ${what}, which cannot be undone: ${advice}`,
      );
    }
    state[name] = value;
  }
  return state;
}

function isKnown(value: object): boolean {
  return (
    Array.isArray(value) ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Date ||
    ArrayBuffer.isView(value) ||
    value instanceof RegExp ||
    isPlain(value)
  );
}

/**
 * An instance whose methods see `state` through its tracker. Fields that the class does not have cannot be added.
 *
 * It is an object of its own, whose prototype has the accessors: fields of `made` that became accessors would make
 * that one slow (600 ns for `this.count += 1`, where this takes 50). Where methods use #private fields of
 * the instance, which only `made` has, it is `made` all the same.
 */
export function track(made: object, state: Record<string, unknown>, tracker: Tracker): object {
  const cls = made.constructor;
  const isPrivate = usesPrivate(cls);
  const instance = isPrivate ? made : Object.create(viewOf(cls, Object.keys(state)));
  Object.defineProperty(instance, STATE, { value: state });
  Object.defineProperty(instance, TRACKER, { value: tracker });
  if (isPrivate) for (const name of Object.keys(state)) Object.defineProperty(instance, name, accessorOf(cls, name));
  return Object.preventExtensions(instance);
}

const views = new WeakMap<object, object>();

function viewOf(cls: { prototype: unknown }, names: readonly string[]): object {
  const known = views.get(cls);
  if (known !== undefined && names.every((name) => Object.hasOwn(known, name))) return known;
  const view: object = Object.create(cls.prototype as object);
  for (const name of names) Object.defineProperty(view, name, accessorOf(cls, name));
  views.set(cls, view);
  return view;
}

const privates = new WeakMap<object, boolean>();

/** Whether the source of a class, or of one that it extends, names a #private field of an instance. */
function usesPrivate(cls: object): boolean {
  let known = privates.get(cls);
  if (known !== undefined) return known;
  known = false;
  for (let at: unknown = cls; typeof at === "function" && at !== Function.prototype; at = Object.getPrototypeOf(at)) {
    if (/#[A-Za-z_$]/.test(Function.prototype.toString.call(at))) known = true;
  }
  privates.set(cls, known);
  return known;
}
