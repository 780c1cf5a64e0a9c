// Tracker: the state of one instance as its methods see it: the same objects, wrapped, so that every change is noted.
//
//   this.items ──▶ accessor ──▶ wrap(raw array) ──▶ push(x) ──▶ take(x), note how to undo it, push to the raw array
//
// A wrapper is made once for each raw object. Mutating methods run on the raw object: a plain Proxy would
// turn shift() on 10,000 items into 20,000 traps.

import { HiveError } from "../base/errors.ts";
import { type Journal, undoSet } from "./journal.ts";
import { Place, placeOf, rawOf, setPlace, setWrapper, wrapperOf } from "./stamp.ts";
import { className, copyOf, isPlain, measure, measureAtom, type Owner, unkept } from "./storable.ts";
import { arrayWrapper } from "./tracked-array.ts";
import { TrackedDate, TrackedMap, TrackedSet, typedArrayWrapper } from "./tracked-collections.ts";
import { objectWrapper } from "./tracked-object.ts";
import type { Tracking } from "./tracking.ts";

const STATE: unique symbol = Symbol("state");
const TRACKER: unique symbol = Symbol("tracker");
const NUMBER_BYTES = 10;

type Tracked = { [STATE]: Record<string, unknown>; [TRACKER]: Tracker };

export class Tracker implements Tracking, Owner {
  readonly journal: Journal;
  /** Whether it was changed by the call under way. */
  changed = false;
  /** Bytes that were put in since the last encoding, at most. */
  growth = 0;
  /** By depth. */
  readonly #places: Place[] = [];
  readonly #begin: () => void;

  /** @param begin The first change of a call is about to happen. May throw: then it does not. */
  constructor(journal: Journal, begin: () => void) {
    this.journal = journal;
    this.#begin = begin;
  }

  /** What a method sees of a raw value that is in `parent`, or of a field. */
  wrap(raw: unknown, parent?: object): unknown {
    if (typeof raw !== "object" || raw === null) return raw;
    const known = wrapperOf(raw);
    if (known !== undefined) return known;
    const wrapper = this.#make(raw);
    if (wrapper === raw) return raw;
    if (placeOf(raw) === undefined) setPlace(raw, this.#placeAt(depthIn(parent)));
    setWrapper(raw, wrapper);
    return wrapper;
  }

  #make(raw: object): object {
    if (Array.isArray(raw)) return arrayWrapper(this, raw);
    if (raw instanceof Map) return new TrackedMap(this, raw);
    if (raw instanceof Set) return new TrackedSet(this, raw);
    if (raw instanceof Date) return new TrackedDate(this, raw);
    if (ArrayBuffer.isView(raw) && !(raw instanceof DataView)) return typedArrayWrapper(this, raw);
    return isPlain(raw) ? objectWrapper(this, raw) : raw;
  }

  /** A value that is put into `parent`, or is a field: without wrappers, checked and counted. @throws {HiveError} BAD_VALUE */
  take(value: unknown, parent?: object): unknown {
    if (typeof value === "number") {
      this.growth += NUMBER_BYTES;
      return value;
    }
    return this.#takeOther(value, parent);
  }

  #takeOther(value: unknown, parent: object | undefined): unknown {
    if (typeof value !== "object" || value === null) {
      this.growth += measureAtom(value);
      return value;
    }
    const depth = depthIn(parent);
    const raw = this.own(value, depth);
    this.growth += measure(raw, depth, this);
    return raw;
  }

  /**
   * What is kept for an object: the raw one. Of what is in the state of another key a copy: a change of one
   * would be a change of the other too, which nobody notes.
   *
   * @throws {HiveError} BAD_VALUE: it is frozen, so that it could be neither changed nor marked
   */
  own(value: object, depth: number): object {
    const raw = rawOf(value) as object;
    const known = placeOf(raw);
    if (known !== undefined) {
      if (known.depth === depth && known === this.#places[depth]) return raw;
      if (known !== this.#places[known.depth]) return this.own(copyOf(raw), depth);
    }
    if (!Object.isExtensible(raw)) throw unkept("a frozen object");
    setPlace(raw, this.#placeAt(depth));
    return raw;
  }

  #placeAt(depth: number): Place {
    let place = this.#places[depth];
    if (place === undefined) this.#places[depth] = place = new Place(depth);
    return place;
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

/** Of what is in `parent`; a field is not in anything. */
function depthIn(parent: object | undefined): number {
  return parent === undefined ? 0 : (placeOf(parent)?.depth ?? 0) + 1;
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

/**
 * The public fields of a new instance, as the state of `tracker`.
 *
 * @throws {HiveError} INVALID_ARGUMENT: one cannot be kept or undone
 */
export function fieldsOf(instance: object, tracker: Tracker): Record<string, unknown> {
  const state: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(instance)) {
    try {
      state[name] = tracker.take(value);
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      const what = `${isContainer(value) ? "holds" : "is"} ${error.detail["what"] ?? "what nests too deep"}`;
      const advice = "give it as plain data, or say static undo = false with encode() and decode()";
      const message = `${className(instance)}.${name} ${what}, which cannot be undone: ${advice}`;
      throw new HiveError("INVALID_ARGUMENT", message, { cause: error });
    }
  }
  // What it begins with is part of its first encoding.
  tracker.growth = 0;
  return state;
}

function isContainer(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || value instanceof Map || value instanceof Set || isPlain(value);
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
