// Totals: how many bytes the entries of the hive have, exactly, and whose they are.
//
//   key ──has──▶ owner, payer ──▶ account: the owner, or one number for both ──▶ bytes, keys and fields of each
//
// What is counted is an entry's own size (header, TTL, key, value, rounded up to 8), not the block it
// lies in: so the figure depends on the data alone. Memory taken from the system is counted in pages.
// A key counts for its owner, and for its payer where it has one: a device's, for the token that made it. What it
// holds counts as it does, by the account in its root: there is room for one number.

/** Owners from here on are counted together too, and the fields of their tables: devices. */
export const GROUP_OWNER_MIN: number = 2 ** 30 + 2 ** 29;

/** What one owner has. */
export type OwnerTotals = { bytes: number; keys: number };

/** What an account below 0 stands for. */
type Pair = { owner: number; payer: number; bytes: number };

export type TotalsCopy = {
  readonly entryBytes: number;
  readonly ownerBytes: readonly (readonly [number, number])[];
  readonly ownerKeys: readonly (readonly [number, number])[];
  readonly groupFields: readonly (readonly [number, number])[];
  readonly pairs: readonly (readonly [number, Pair])[];
  readonly sessionKeys: number;
  readonly keyspace: number;
};

/** Pairs that are kept before those without bytes are looked for and forgotten. */
const PAIRS_MIN = 1024;
/** Accounts of pairs end here, and begin again. */
const ACCOUNT_MIN: number = -(2 ** 31);

export class Totals {
  /** Bytes of all entries. */
  entryBytes = 0;
  /** By owner id (never 0): bytes of its entries. An owner without entries has no row. */
  readonly ownerBytes: Map<number, number> = new Map();
  /** By owner id: how many keys are its. */
  readonly ownerKeys: Map<number, number> = new Map();
  /** By owner id from GROUP_OWNER_MIN on: how many fields its tables have (what else has a container counts by its entries). */
  readonly groupFields: Map<number, number> = new Map();
  /** Bytes of the owners from GROUP_OWNER_MIN on. */
  groupBytes = 0;
  /** Keys that came by a session of a device. */
  sessionKeys = 0;
  /** How often another keyspace took the place of the one that was there: its id may be one that there was before. */
  clears = 0;
  /** Which keyspace is there: the value of `clears` when it came. */
  keyspace = 0;
  /** While a call is watched: what the owners whose figures it changes had before. */
  #before: Map<number, OwnerTotals> | undefined = undefined;
  #pairs = new Map<number, Pair>();
  /** Their accounts, by owner and payer. */
  #accounts = new Map<string, number>();
  #lastAccount = 0;
  #sweepAt = PAIRS_MIN;

  add(account: number, bytes: number): void {
    this.entryBytes += bytes;
    if (account !== 0) this.#addBytes(account, bytes);
  }

  /** The number by which the bytes of a key are counted, and of what it holds. Good while the key is there. */
  account(owner: number, payer: number): number {
    if (owner === 0 || payer === 0 || payer === owner) return owner;
    const known = this.#accounts.get(nameOf(owner, payer));
    if (known !== undefined) return known;
    this.#sweep();
    do this.#lastAccount = this.#lastAccount === ACCOUNT_MIN ? -1 : this.#lastAccount - 1;
    while (this.#pairs.has(this.#lastAccount));
    this.#keep(this.#lastAccount, { owner, payer, bytes: 0 });
    return this.#lastAccount;
  }

  /** A copy of all that is counted, for putBack(). */
  copy(): TotalsCopy {
    const { entryBytes, sessionKeys, keyspace } = this;
    const pairs = [...this.#pairs].map(([account, pair]) => [account, { ...pair }] as const);
    const [ownerBytes, ownerKeys, groupFields] = [[...this.ownerBytes], [...this.ownerKeys], [...this.groupFields]];
    return { entryBytes, ownerBytes, ownerKeys, groupFields, pairs, sessionKeys, keyspace };
  }

  putBack(copy: TotalsCopy): void {
    this.clear();
    this.keyspace = copy.keyspace;
    this.entryBytes = copy.entryBytes;
    this.sessionKeys = copy.sessionKeys;
    for (const [owner, bytes] of copy.ownerBytes) this.#addBytes(owner, bytes);
    for (const [owner, keys] of copy.ownerKeys) this.ownerKeys.set(owner, keys);
    for (const [owner, fields] of copy.groupFields) this.groupFields.set(owner, fields);
    for (const [account, pair] of copy.pairs) this.#keep(account, pair);
  }

  clear(): void {
    this.keyspace = ++this.clears;
    this.entryBytes = 0;
    this.groupBytes = 0;
    this.sessionKeys = 0;
    this.ownerBytes.clear();
    this.ownerKeys.clear();
    this.groupFields.clear();
    this.#pairs.clear();
    this.#accounts.clear();
    this.#sweepAt = PAIRS_MIN;
  }

  /** Counts a key of an account, never 0, in or out. */
  addKey(account: number, change: 1 | -1): void {
    if (account < 0) {
      const pair = this.#pairs.get(account);
      if (pair === undefined) return;
      this.addKey(pair.owner, change);
      this.addKey(pair.payer, change);
      return;
    }
    this.#note(account);
    addTo(this.ownerKeys, account, change);
  }

  /** Counts fields of an account, whose owner counts them from GROUP_OWNER_MIN on. */
  addFields(account: number, change: number): void {
    const owner = account < 0 ? (this.#pairs.get(account)?.owner ?? 0) : account;
    if (owner >= GROUP_OWNER_MIN) addTo(this.groupFields, owner, change);
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

  #addBytes(account: number, bytes: number): void {
    if (account < 0) {
      // A pair that was forgotten had nothing: undo gives what comes back another account.
      const pair = this.#pairs.get(account);
      if (pair === undefined) return;
      pair.bytes += bytes;
      this.#addBytes(pair.owner, bytes);
      this.#addBytes(pair.payer, bytes);
      return;
    }
    this.#note(account);
    if (account >= GROUP_OWNER_MIN) this.groupBytes += bytes;
    addTo(this.ownerBytes, account, bytes);
  }

  #keep(account: number, pair: Pair): void {
    this.#pairs.set(account, pair);
    this.#accounts.set(nameOf(pair.owner, pair.payer), account);
  }

  #sweep(): void {
    if (this.#pairs.size < this.#sweepAt) return;
    for (const [account, { owner, payer, bytes }] of this.#pairs) {
      if (bytes !== 0) continue;
      this.#pairs.delete(account);
      this.#accounts.delete(nameOf(owner, payer));
    }
    this.#sweepAt = Math.max(PAIRS_MIN, this.#pairs.size * 2);
  }
}

function nameOf(owner: number, payer: number): string {
  return `${owner}:${payer}`;
}

function addTo(totals: Map<number, number>, owner: number, change: number): void {
  const total = (totals.get(owner) ?? 0) + change;
  if (total === 0) totals.delete(owner);
  else totals.set(owner, total);
}
