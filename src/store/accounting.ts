// Totals: how many bytes the entries of the hive have, exactly, and whose they are.
//
// What is counted is an entry's own size (header, TTL, key, value, rounded up to 8), not the block it
// lies in: so the figure depends on the data alone. Memory taken from the system is counted in pages.

/** Owners from here on are counted together too: devices. */
export const GROUP_OWNER_MIN: number = 2 ** 30 + 2 ** 29;

/** What one owner has. */
export type OwnerTotals = { bytes: number; keys: number };

export type TotalsCopy = {
  readonly entryBytes: number;
  readonly ownerBytes: readonly (readonly [number, number])[];
  readonly ownerKeys: readonly (readonly [number, number])[];
  readonly sessionKeys: number;
};

export class Totals {
  /** Bytes of all entries. */
  entryBytes = 0;
  /** By owner id (never 0): bytes of its entries. An owner without entries has no row. */
  readonly ownerBytes: Map<number, number> = new Map();
  /** By owner id: how many keys are its. */
  readonly ownerKeys: Map<number, number> = new Map();
  /** Bytes of the owners from GROUP_OWNER_MIN on. */
  groupBytes = 0;
  /** Keys that came by a session of a device. */
  sessionKeys = 0;
  /** How often another keyspace took the place of the one that was there: its id may be one that there was before. */
  clears = 0;
  /** While a call is watched: what the owners whose figures it changes had before. */
  #before: Map<number, OwnerTotals> | undefined = undefined;

  add(owner: number, bytes: number): void {
    this.entryBytes += bytes;
    if (owner !== 0) this.#addOwner(owner, bytes);
  }

  /** A copy of all that is counted, for putBack(). */
  copy(): TotalsCopy {
    const { entryBytes, sessionKeys } = this;
    return { entryBytes, ownerBytes: [...this.ownerBytes], ownerKeys: [...this.ownerKeys], sessionKeys };
  }

  putBack(copy: TotalsCopy): void {
    this.clear();
    this.entryBytes = copy.entryBytes;
    this.sessionKeys = copy.sessionKeys;
    for (const [owner, bytes] of copy.ownerBytes) this.#addOwner(owner, bytes);
    for (const [owner, keys] of copy.ownerKeys) this.ownerKeys.set(owner, keys);
  }

  clear(): void {
    this.clears++;
    this.entryBytes = 0;
    this.groupBytes = 0;
    this.sessionKeys = 0;
    this.ownerBytes.clear();
    this.ownerKeys.clear();
  }

  /** Counts a key of an owner, never 0, in or out. */
  addKey(owner: number, change: 1 | -1): void {
    this.#note(owner);
    addTo(this.ownerKeys, owner, change);
  }

  of(owner: number): OwnerTotals {
    return { bytes: this.ownerBytes.get(owner) ?? 0, keys: this.ownerKeys.get(owner) ?? 0 };
  }

  /** From here on it is noted what owners had before their first change. */
  watch(): void {
    this.#before = new Map();
  }

  /** Ends watch(). Returns, by owner, what it had then. */
  unwatch(): ReadonlyMap<number, OwnerTotals> {
    const before = this.#before!;
    this.#before = undefined;
    return before;
  }

  #note(owner: number): void {
    if (this.#before !== undefined && !this.#before.has(owner)) this.#before.set(owner, this.of(owner));
  }

  #addOwner(owner: number, bytes: number): void {
    this.#note(owner);
    if (owner >= GROUP_OWNER_MIN) this.groupBytes += bytes;
    addTo(this.ownerBytes, owner, bytes);
  }
}

function addTo(totals: Map<number, number>, owner: number, change: number): void {
  const total = (totals.get(owner) ?? 0) + change;
  if (total === 0) totals.delete(owner);
  else totals.set(owner, total);
}
