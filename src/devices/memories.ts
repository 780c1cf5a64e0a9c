// Memories: what devices and sessions hold: tables under reserved names, each within its caps.
//
//   DEVICE.PUT sensor-7 t 21.5 ──▶ Place { $device:sensor-7 } ──▶ owner number ──▶ field set ──▶ caps kept? else undone
//
// What counts for a device are the bytes that the store counts for its owner number: labels and values with the header
// of each, its own memory and that of its sessions. A put that may come near a cap runs under undo and is looked at
// afterwards, so it is exact whatever the value replaces; far from the caps nothing is noted. A memory that a token with
// quotas has made counts for that token too, whoever puts more into it, as all its keys do (engine/quota-guard.ts).

import { HiveError } from "../base/errors.ts";
import type { Args } from "../engine/args.ts";
import { type Context, GATE_LIMITED } from "../engine/context.ts";
import { findField, writeField } from "../engine/fields.ts";
import { EVENT_GENERIC, EVENT_TABLE } from "../engine/happened.ts";
import { wrongType } from "../engine/values.ts";
import { TYPE_TABLE } from "../store/layout.ts";
import type { OwnedBy } from "../store/placement.ts";
import type { Store } from "../store/store.ts";
import type { DeviceName } from "./device-names.ts";
import { ownField, setOwnField } from "./own-field.ts";
import { Owners } from "./owners.ts";

/** Upper bounds in bytes, 0 for none: of each device, its sessions included, and of all together. */
export type DeviceCaps = { deviceBytesMax?: number | undefined; devicesBytesMax?: number | undefined };

/** One memory: its key, and the device that it counts for. */
export type Place = { key: Buffer; device: DeviceName };

export type Usage = { bytes: number; bytesMax: number; allBytes: number; allBytesMax: number };

/** Labels of a device's memory and of all its sessions, and how many of these are open. */
export type Labels = { labels: number; sessions: number };

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
  create(context: Context, { key, device }: Place, by: OwnedBy = {}): number {
    const { store } = context;
    const owner = this.#owners.of(store, device);
    const ref = store.fields.create(TYPE_TABLE, key, 0, key.length, 0);
    return store.keys.setOwner(ref, owner, { payer: payerOf(context, device), ...by });
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

  /** Takes all labels out; what the memory knows of itself stays, and is made by who cleared it. Returns whether there were any. */
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
  learn(store: Store, device: DeviceName, owner: number): void {
    this.#owners.learn(store, device, owner);
  }

  /** What a device has, its sessions included, and may have; Infinity where that is not bounded. */
  usage(context: Context, device: DeviceName): Usage {
    const { totals } = context.store.memory;
    return {
      bytes: totals.of(this.#owners.known(context.store, device)).bytes,
      bytesMax: this.#bytesMax(context, device),
      allBytes: totals.groupBytes,
      allBytesMax: this.#devicesBytesMax,
    };
  }

  labels({ store }: Context, device: DeviceName): Labels {
    const { totals, entries } = store.memory;
    const owner = this.#owners.known(store, device);
    const { key } = device;
    const found = owner === 0 ? 0 : store.keys.find(key, 0, key.length, 0);
    const table = found !== 0 && entries.ownerOf(found) === owner && entries.type(found) === TYPE_TABLE ? found : 0;
    const sessions = totals.of(owner).keys - (table === 0 ? 0 : 1);
    // Each session has a field that is no label, and the memory may have one.
    const others = sessions + (table === 0 || ownField(store, table) === 0 ? 0 : 1);
    return { labels: (totals.groupFields.get(owner) ?? 0) - others, sessions };
  }

  /** How many labels a device may have, and how many sessions: its tokens say so. Infinity where that is not bounded. */
  labelsMax(context: Context, device: DeviceName): number {
    return quotaOf(context, device, "keys");
  }

  /**
   * Runs a change that may take about `bytes` more, and takes it back where a cap is exceeded by it.
   * @throws {HiveError} QUOTA, and whatever the change throws: nothing was changed.
   */
  grow(context: Context, place: Place, bytes: number, change: () => void): void {
    const { store } = context;
    const { undo, memory } = store;
    const { device } = place;
    let had = this.usage(context, device);
    const mayTake = bytes + GROWTH_BYTES;
    const countsLabels = this.labelsMax(context, device) < Number.POSITIVE_INFINITY;
    const isFar = had.bytes + mayTake <= had.bytesMax && had.allBytes + mayTake <= had.allBytesMax && !countsLabels;
    // What has run out is no reason to refuse anything.
    if (!isFar && !undo.armed && store.catchUp()) had = this.usage(context, device);
    const key = this.find(context, place);
    // A table that is there and has room takes steps of which the first alone can fail.
    if (isFar && key !== 0 && memory.pages.hasRoom(mayTake)) return change();
    const hadLabels = countsLabels ? this.labels(context, device) : undefined;
    const armed = !undo.armed;
    if (armed) undo.begin();
    try {
      change();
      if (!isFar) this.#checkBytes(context, device, had);
      if (hadLabels !== undefined) this.#checkLabels(context, device, hadLabels);
    } catch (error) {
      if (armed) undo.rollback();
      throw error;
    }
    if (armed) undo.commit();
  }

  #checkBytes(context: Context, device: DeviceName, had: Usage): void {
    const { bytes, bytesMax, allBytes, allBytesMax } = this.usage(context, device);
    if (bytes > bytesMax && bytes > had.bytes) {
      throw quota(`bytes: this would make ${bytes} of the ${bytesMax} that device ${device.id} may have`);
    }
    if (allBytes > allBytesMax && allBytes > had.allBytes) {
      throw quota(`bytes: this would make ${allBytes} of the ${allBytesMax} that all devices may have`);
    }
  }

  /** A session without labels is something too: there are as many at most. */
  #checkLabels(context: Context, device: DeviceName, had: Labels): void {
    const max = this.labelsMax(context, device);
    const has = this.labels(context, device);
    for (const what of ["labels", "sessions"] as const) {
      if (has[what] <= max || has[what] <= had[what]) continue;
      throw quota(`keys: this would make ${has[what]} of the ${max} ${what} that device ${device.id} may have`);
    }
  }

  /** The cap of a device, or the quota of its token where that is less. */
  #bytesMax(context: Context, device: DeviceName): number {
    return Math.min(this.#deviceBytesMax, quotaOf(context, device, "bytes"));
  }
}

/** The quota of a device: that of its own token, where this calls, else what its tokens may. Who is held to nothing is not held to that. */
function quotaOf({ token, gate, services }: Context, device: DeviceName, quota: "bytes" | "keys"): number {
  if (token === undefined || (gate & GATE_LIMITED) === 0) return Number.POSITIVE_INFINITY;
  if (token.info.device === device.id) return token.quotas[quota] ?? Number.POSITIVE_INFINITY;
  return services.quotas?.ofDevice(device.id, quota) ?? Number.POSITIVE_INFINITY;
}

/** The owner number of the token that a memory counts for beside its device: the one that makes it, where it has quotas. */
function payerOf({ token }: Context, device: DeviceName): number {
  return token?.ownsKeys === true && token.info.device !== device.id ? token.owner : 0;
}

function quota(message: string): HiveError {
  return new HiveError("QUOTA", message);
}

function tell(store: Store, { key }: Place, kind: number, event: string): void {
  store.memory.events.tell(kind, event, key, 0, key.length);
}
