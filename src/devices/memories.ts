// Memories: what devices and sessions hold: tables under reserved names, each within its caps.
//
//   DEVICE.PUT sensor-7 t 21.5 ──▶ Place { $device:sensor-7 } ──▶ owner number ──▶ field set ──▶ caps kept? else undone
//
// What counts for a device are the bytes that the store counts for its owner number: labels and values with the header
// of each, its own memory and that of its sessions. A put that may come near a cap runs under undo and is looked at
// afterwards, so it is exact whatever the value replaces; far from the caps nothing is noted.

import { HiveError } from "../base/errors.ts";
import type { Args } from "../engine/args.ts";
import type { Context } from "../engine/context.ts";
import { findField, writeField } from "../engine/fields.ts";
import { EVENT_GENERIC, EVENT_TABLE } from "../engine/happened.ts";
import { wrongType } from "../engine/values.ts";
import { TYPE_TABLE } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { labelCount, ownField, setOwnField } from "./own-field.ts";
import { Owners } from "./owners.ts";

/** Upper bounds in bytes, 0 for none: of each device, its sessions included, and of all together. */
export type DeviceCaps = { deviceBytesMax?: number | undefined; devicesBytesMax?: number | undefined };

/** One memory: its key, and the device that it counts for. */
export type Place = { key: Buffer; device: string };

export type Usage = { bytes: number; bytesMax: number; allBytes: number; allBytesMax: number };

/** What a put may take beside its arguments: headers, and what a table takes that is packed no longer. */
const GROWTH_BYTES = 8192;
const NO_BYTES = Buffer.alloc(0);

export class Memories {
  readonly #owners = new Owners();
  readonly #deviceBytesMax: number;
  readonly #devicesBytesMax: number;

  constructor({ deviceBytesMax = 0, devicesBytesMax = 0 }: DeviceCaps = {}) {
    this.#deviceBytesMax = deviceBytesMax || Number.POSITIVE_INFINITY;
    this.#devicesBytesMax = devicesBytesMax || Number.POSITIVE_INFINITY;
  }

  /** The entry of a place's table; 0 where it holds nothing. @throws {HiveError} WRONG_TYPE: a restored key of another type */
  find({ store }: Context, { key }: Place): number {
    const ref = store.keys.find(key, 0, key.length, 0);
    if (ref !== 0 && store.memory.entries.type(ref) !== TYPE_TABLE) throw wrongType();
    return ref;
  }

  /** A new empty table, which counts for the device; add a field at once. Call it within grow(). */
  create({ store }: Context, place: Place, session = 0): number {
    const { key, device } = place;
    const owner = this.#owners.of(store, device);
    const ref = store.fields.create(TYPE_TABLE, key, 0, key.length, 0);
    return store.keys.setOwner(ref, owner, session);
  }

  /**
   * Sets the field that argument `label` names to the value behind it.
   * @param own What the memory knows of itself from then on, in the same step.
   * @throws {HiveError} QUOTA, KEY_TOO_BIG, VALUE_TOO_BIG, BAD_VALUE, OUT_OF_MEMORY: nothing was changed.
   */
  put(context: Context, args: Args, place: Place, label: number, deadlineMs: number, own?: Buffer): void {
    const { store } = context;
    const value = label + 1;
    const [start, length, kind] = [args.start(value), args.length(value), args.kind(value)];
    this.grow(context, place, args.length(label) + length + (own?.length ?? 0), () => {
      const key = this.find(context, place) || this.create(context, place);
      const written = writeField(store, key, args, label, args.buffer, start, length, kind, deadlineMs);
      if (own !== undefined) setOwnField(store, written, own);
    });
    tell(store, place, EVENT_TABLE, "hset");
  }

  /** Takes fields out, those of the arguments from `first` on. Returns how many were there. */
  delete(context: Context, args: Args, place: Place, first: number): number {
    const { store } = context;
    let key = this.find(context, place);
    let deleted = 0;
    for (let i = first; i < args.count && key !== 0; i++) {
      const field = findField(store, key, args, i);
      if (field === 0) continue;
      key = store.fields.delete(key, field);
      deleted++;
    }
    if (deleted > 0) tell(store, place, EVENT_TABLE, "hdel");
    if (deleted > 0 && key === 0) tell(store, place, EVENT_GENERIC, "del");
    return deleted;
  }

  /** Takes all out. Returns whether there was something. */
  remove(context: Context, place: Place): boolean {
    const { store } = context;
    const key = this.find(context, place);
    if (key === 0) return false;
    store.keys.remove(key);
    tell(store, place, EVENT_GENERIC, "del");
    return true;
  }

  /** Takes all labels out; what the memory knows of itself stays. Returns whether there were any. */
  clear(context: Context, place: Place): boolean {
    const { store } = context;
    const key = this.find(context, place);
    const own = key === 0 ? 0 : ownField(store, key);
    if (own === 0) return this.remove(context, place);
    if (store.fields.count(key) === 1) return false;
    const { bytes, start, end } = store.fields.value(key, own, { bytes: NO_BYTES, start: 0, end: 0, kind: 0 });
    const kept = Buffer.from(bytes.subarray(start, end));
    this.grow(context, place, kept.length, () => {
      store.keys.remove(key);
      setOwnField(store, this.create(context, place), kept);
    });
    tell(store, place, EVENT_GENERIC, "del");
    return true;
  }

  /** A device has keys with this number already: they came with a snapshot. */
  learn(store: Store, device: string, owner: number): void {
    this.#owners.learn(store, device, owner);
  }

  /** What a device has, its sessions included, and may have. */
  usage(context: Context, device: string): Usage {
    const { totals } = context.store.memory;
    const owner = this.#owners.known(context.store, device);
    return {
      bytes: owner === 0 ? 0 : totals.of(owner).bytes,
      bytesMax: this.#bytesMax(context, device),
      allBytes: totals.groupBytes,
      allBytesMax: this.#devicesBytesMax,
    };
  }

  /**
   * Runs a change that may take about `bytes` more, and takes it back where a cap is exceeded by it.
   * @throws {HiveError} QUOTA, and whatever the change throws: nothing was changed.
   */
  grow(context: Context, place: Place, bytes: number, change: () => void): void {
    const { store } = context;
    const { undo, memory } = store;
    const key = this.find(context, place);
    const before = this.usage(context, place.device);
    const mayTake = bytes + GROWTH_BYTES;
    const isFar =
      before.bytes + mayTake <= before.bytesMax &&
      before.allBytes + mayTake <= before.allBytesMax &&
      this.#labelsMax(context, place.device) === undefined &&
      !isHeldElsewhere(context, place.device);
    // A table that is there and has room takes steps of which the first alone can fail.
    if (isFar && key !== 0 && memory.pages.hasRoom(mayTake)) return change();
    const armed = !undo.armed;
    if (armed) undo.begin();
    try {
      change();
      if (!isFar) this.#check(context, place, before);
    } catch (error) {
      if (armed) undo.rollback();
      throw error;
    }
    if (armed) undo.commit();
  }

  #check(context: Context, place: Place, before: Usage): void {
    const key = this.find(context, place);
    const after = this.usage(context, place.device);
    const { device } = place;
    if (after.bytes > after.bytesMax && after.bytes > before.bytes) {
      throw quota(`bytes: this would make ${after.bytes} of the ${after.bytesMax} that device ${device} may have`);
    }
    if (after.allBytes > after.allBytesMax && after.allBytes > before.allBytes) {
      throw quota(`bytes: this would make ${after.allBytes} of the ${after.allBytesMax} that all devices may have`);
    }
    if (isHeldElsewhere(context, device) && after.bytes > before.bytes) {
      throw quota("bytes: the quota of this token is for keys of its own, and not for what devices have");
    }
    const labelsMax = this.#labelsMax(context, device);
    if (labelsMax === undefined) return;
    const labels = key === 0 ? 0 : labelCount(context.store, key);
    if (labels > labelsMax) {
      throw quota(
        `keys: this would make ${labels} of the ${labelsMax} labels that device ${device} may have in one place`,
      );
    }
    // Labels are not counted over all places of a device, so the places are: none of them is without end.
    const places = context.store.memory.totals.of(this.#owners.known(context.store, device)).keys;
    if (places > labelsMax + 1 && after.bytes > before.bytes) {
      throw quota(
        `keys: this would make ${places} of the ${labelsMax + 1} places (its memory and sessions) that device ${device} may have`,
      );
    }
  }

  /** The cap of a device, or the quota of its token where that is less. */
  #bytesMax({ token }: Context, device: string): number {
    const own = token?.info.device === device ? token.quotas.bytes : undefined;
    return Math.min(this.#deviceBytesMax, own ?? Number.POSITIVE_INFINITY);
  }

  #labelsMax({ token }: Context, device: string): number | undefined {
    return token?.info.device === device ? token.quotas.keys : undefined;
  }
}

/** Whether a token has a quota of bytes or keys that does not count what this device has. */
function isHeldElsewhere({ token }: Context, device: string): boolean {
  return token?.ownsKeys === true && token.info.device !== device;
}

function quota(message: string): HiveError {
  return new HiveError("QUOTA", message);
}

function tell(store: Store, { key }: Place, kind: number, event: string): void {
  store.memory.events.tell(kind, event, key, 0, key.length);
}
