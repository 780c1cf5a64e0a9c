// Funnel: every change of the memory passes here before its first byte is written.
//
//   keyspace, collections ──▶ if (funnel.on) funnel.before(…) ──▶ listeners ──▶ then the change
//
// Undo of a failed command, WATCH, the snapshot and the change feed listen now; replication will.
// Without listeners the price is one branch. A listener may read the store but not change it, and
// may not throw.

export type ChangeKind =
  /** A key is created (key 0, its name in the bytes) or its value replaced. */
  | "set"
  /** A key goes: deleted, overwritten by a rename, expired, evicted. */
  | "delete"
  | "expire"
  | "evict"
  /** A key gets another name, which is in the bytes; "delete" of what had it, and "set" of that name, follow at once. */
  | "rename"
  /** A key gets, loses or changes its deadline or its owner, or becomes a secret. */
  | "ttl"
  /** A field or member is created (entry 0, its name in the bytes) or its value replaced. */
  | "field-set"
  | "field-delete"
  | "field-expire"
  | "field-ttl"
  /** The whole keyspace goes (key 0). */
  | "flush";

export interface ChangeListener {
  /**
   * @param key The key's entry; 0 when there is none yet.
   * @param entry The entry of the field or member in an unpacked container; 0 when there is none yet,
   *   and always 0 in a packed one, which lies in the key's entry as a whole.
   * @param bytes The name of what is created: the key's for "set", else the field's or member's, also where it is
   *   replaced or removed in a packed container; NO_NAME where there is none to tell.
   */
  change(
    kind: ChangeKind,
    key: number,
    entry: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    nameKind: number,
  ): void;
}

export const NO_NAME: Uint8Array = new Uint8Array(0);

export class Funnel {
  /** Whether anybody listens. */
  on = false;
  #listeners: readonly ChangeListener[] = [];

  listen(listener: ChangeListener): void {
    if (!this.#listeners.includes(listener)) this.#listeners = [...this.#listeners, listener];
    this.on = true;
  }

  leave(listener: ChangeListener): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
    this.on = this.#listeners.length > 0;
  }

  before(
    kind: ChangeKind,
    key: number,
    entry: number = 0,
    bytes: Uint8Array = NO_NAME,
    start: number = 0,
    length: number = 0,
    nameKind: number = 0,
  ): void {
    for (const listener of this.#listeners) listener.change(kind, key, entry, bytes, start, length, nameKind);
  }
}
