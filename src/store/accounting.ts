// Totals: how many bytes the entries of the hive have, exactly, and whose they are.
//
// What is counted is an entry's own size (header, TTL, key, value, rounded up to 8), not the block it
// lies in: so the figure depends on the data alone. Memory taken from the system is counted in pages.

export class Totals {
  /** Bytes of all entries. */
  entryBytes = 0;
  /** By owner id (never 0): bytes of its entries. An owner without entries has no row. */
  readonly ownerBytes: Map<number, number> = new Map();

  add(owner: number, bytes: number): void {
    this.entryBytes += bytes;
    if (owner !== 0) this.#addOwner(owner, bytes);
  }

  /** Puts back what was counted before clear(). */
  set(entryBytes: number, ownerBytes: ReadonlyMap<number, number>): void {
    this.clear();
    this.entryBytes = entryBytes;
    for (const [owner, bytes] of ownerBytes) this.ownerBytes.set(owner, bytes);
  }

  clear(): void {
    this.entryBytes = 0;
    this.ownerBytes.clear();
  }

  #addOwner(owner: number, bytes: number): void {
    const total = (this.ownerBytes.get(owner) ?? 0) + bytes;
    if (total === 0) this.ownerBytes.delete(owner);
    else this.ownerBytes.set(owner, total);
  }
}
