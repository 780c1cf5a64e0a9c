// Owners: the numbers by which the store counts what devices have.
//
//   the key of a device's memory ──has──▶ owner number ──▶ totals.of(number): its bytes, exactly
//
// A number is a key's, so it is in snapshots and needs no table of its own. What is kept here is only for devices
// whose memory is empty while their sessions are not. Numbers come from the upper end of what an owner may be, which
// the store counts together too (Totals.groupBytes), and where tokens have none.

import { randomInt } from "node:crypto";
import { GROUP_OWNER_MIN } from "../store/accounting.ts";
import type { Store } from "../store/store.ts";
import type { DeviceName } from "./device-names.ts";

const OWNER_MAX = 2 ** 31 - 1;
/** Devices that are remembered before those without keys are looked for and forgotten. */
const KNOWN_MIN = 1024;

export class Owners {
  #byDevice = new Map<string, number>();
  #sweepAt = KNOWN_MIN;
  /** Totals.keyspace of what the numbers are of: there is another one when the hive is emptied or restored. */
  #keyspace = 0;
  /** Those of the keyspace before, which comes back where a restore fails. */
  #before = { keyspace: 0, byDevice: this.#byDevice };

  /** The number of a device; a new one where it has nothing yet. */
  of(store: Store, device: DeviceName): number {
    const known = this.known(store, device);
    if (known !== 0) return known;
    const { totals } = store.memory;
    let owner = randomInt(GROUP_OWNER_MIN, OWNER_MAX);
    while (totals.of(owner).keys > 0) owner = randomInt(GROUP_OWNER_MIN, OWNER_MAX);
    this.#remember(store, device.id, owner);
    return owner;
  }

  /** The same; 0 where the device has nothing. */
  known(store: Store, { id, key: name }: DeviceName): number {
    const { totals, entries } = store.memory;
    if (this.#keyspace !== totals.keyspace) this.#change(totals.keyspace);
    const remembered = this.#byDevice.get(id) ?? 0;
    const key = store.keys.find(name, 0, name.length, 0);
    const owner = key === 0 ? 0 : entries.ownerOf(key);
    if (owner === 0) return remembered;
    // Its sessions may outlive its memory.
    if (owner !== remembered) this.#remember(store, id, owner);
    return owner;
  }

  /** A device has this number: keys of it have come with a snapshot. */
  learn(store: Store, device: DeviceName, owner: number): void {
    if (this.known(store, device) === 0) this.#remember(store, device.id, owner);
  }

  #change(keyspace: number): void {
    const left = { keyspace: this.#keyspace, byDevice: this.#byDevice };
    this.#byDevice = this.#before.keyspace === keyspace ? this.#before.byDevice : new Map();
    this.#keyspace = keyspace;
    this.#before = left;
  }

  #remember(store: Store, id: string, owner: number): void {
    if (this.#byDevice.size >= this.#sweepAt) {
      const { totals } = store.memory;
      for (const [name, number] of this.#byDevice) if (totals.of(number).keys === 0) this.#byDevice.delete(name);
      this.#sweepAt = Math.max(KNOWN_MIN, this.#byDevice.size * 2);
    }
    this.#byDevice.set(id, owner);
  }
}
