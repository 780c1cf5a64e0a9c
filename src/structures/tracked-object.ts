// Plain objects in a structure's state: reading is a trap, writing notes what was there.

import { HiveError } from "../base/errors.ts";
import { type Bag, undoAdd, undoSet } from "./journal.ts";
import type { Tracking } from "./tracking.ts";

export function objectWrapper(tracker: Tracking, raw: object): object {
  return new Proxy(raw, new ObjectHandler(tracker));
}

/** Sets a property of a raw object or an element of a raw array. */
export function setProperty(tracker: Tracking, target: Bag, key: PropertyKey, value: unknown): boolean {
  if (key === "__proto__" || typeof key === "symbol") return false;
  const taken = tracker.take(value, target);
  tracker.growth += String(key).length * 3;
  if (Object.hasOwn(target, key)) tracker.note(undoSet, target, key, target[key]);
  else tracker.note(undoAdd, target, key, undefined);
  target[key] = taken;
  return true;
}

export class ObjectHandler implements ProxyHandler<object> {
  protected readonly tracker: Tracking;

  constructor(tracker: Tracking) {
    this.tracker = tracker;
  }

  get(target: object, key: PropertyKey): unknown {
    const value = (target as Bag)[key];
    return typeof value === "object" ? this.tracker.wrap(value, target) : value;
  }

  set(target: object, key: PropertyKey, value: unknown): boolean {
    return setProperty(this.tracker, target as Bag, key, value);
  }

  deleteProperty(target: object, key: PropertyKey): boolean {
    if (!Object.hasOwn(target, key)) return true;
    this.tracker.note(undoSet, target as Bag, key, (target as Bag)[key]);
    return delete (target as Bag)[key];
  }

  getOwnPropertyDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
    const descriptor = Object.getOwnPropertyDescriptor(target, key);
    if (descriptor?.configurable) descriptor.value = this.tracker.wrap(descriptor.value, target);
    return descriptor;
  }

  defineProperty(target: object, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    if (!("value" in descriptor)) throw new HiveError("BAD_VALUE", "the state of a structure has no accessors");
    return this.set(target, key, descriptor.value);
  }

  setPrototypeOf(): boolean {
    return false;
  }

  preventExtensions(): boolean {
    return false;
  }
}
