// Transactions: calls queued between MULTI and EXEC, and keys watched before.
//
//   WATCH ──▶ Watches listens to the funnel ──▶ a watched key changes ──▶ transaction.touched ──▶ EXEC answers nil
//
// A queued call is a copy of its arguments; policy was applied when it was queued.

import type { Limits } from "../base/limits.ts";
import type { ChangeKind, ChangeListener } from "../store/funnel.ts";
import { KEYSPACE_ROOT } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import type { Args } from "./args.ts";
import { changedKey } from "./changed-key.ts";

/** What a queued call takes beside its bytes: for each argument, and the objects that hold them. */
const ARGUMENT_BYTES = 9;
const QUEUED_BYTES = 600;
/** What a watched key takes beside its name: its places in two sets, and the strings. */
const WATCH_BYTES = 250;

export class Transaction {
  queue: Args[] = [];
  queuedBytes = 0;
  /** A queued call may need memory. */
  grows = false;
  /** A call could not be queued: EXEC is refused. */
  failed = false;
  /** A watched key changed. */
  touched = false;
  /** Watched keys, one character per byte. */
  readonly watched: Set<string> = new Set();
  /** Bytes of their names. */
  watchedBytes = 0;

  /**
   * Queues a copy of a call, unless what EXEC would do with it is clear already.
   * @param grows Whether it may need memory. @returns Why there is no room for it.
   */
  add(args: Args, grows: boolean, { transactionCallsMax, transactionBytesMax }: Limits): string | undefined {
    const bytes = this.queuedBytes + args.totalBytes() + args.count * ARGUMENT_BYTES + QUEUED_BYTES;
    if (this.queue.length >= transactionCallsMax || bytes > transactionBytesMax) {
      return `transaction exceeds transactionCallsMax (${transactionCallsMax}) or transactionBytesMax (${transactionBytesMax})`;
    }
    if (this.failed || this.touched) return undefined;
    this.queue.push(args.clone());
    this.queuedBytes = bytes;
    if (grows) this.grows = true;
    return undefined;
  }

  /** What the watched keys take on the heap, about. */
  get watchedHeapBytes(): number {
    return this.watchedBytes + this.watched.size * WATCH_BYTES;
  }

  /** Forgets the queue, not the watches. */
  clear(): void {
    this.dropQueue();
    this.failed = false;
  }

  /** Gives the queue's memory back: it will not run. */
  dropQueue(): void {
    this.queue = [];
    this.queuedBytes = 0;
    this.grows = false;
  }
}

export class Watches implements ChangeListener {
  readonly #store: Store;
  readonly #byKey = new Map<string, Set<Transaction>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** How many keys are watched. */
  get size(): number {
    return this.#byKey.size;
  }

  /** From now on a change of `key` (one character per byte) touches the transaction. */
  watch(transaction: Transaction, key: string): void {
    if (transaction.watched.has(key)) return;
    // What has run out already goes now: that is no change. Nor is it when a structure's bytes come after it.
    const ref = this.#find(key);
    if (ref !== 0) this.#store.memory.settled(ref);
    transaction.watched.add(key);
    transaction.watchedBytes += key.length;
    const watchers = this.#byKey.get(key);
    if (watchers) watchers.add(transaction);
    else this.#byKey.set(key, new Set([transaction]));
    this.#store.memory.funnel.listen(this);
  }

  /** Runs what will be taken back: its changes touch nobody who watches here. */
  deaf(run: () => void): void {
    const { funnel } = this.#store.memory;
    funnel.leave(this);
    try {
      run();
    } finally {
      if (this.#byKey.size > 0) funnel.listen(this);
    }
  }

  /** Notices watched keys that have run out and are not yet removed: that is a change. */
  expire(transaction: Transaction): void {
    for (const key of transaction.watched) this.#find(key);
  }

  /** Forgets what a transaction watches, and what it saw. */
  unwatch(transaction: Transaction): void {
    transaction.touched = false;
    if (transaction.watched.size === 0) return;
    for (const key of transaction.watched) {
      const watchers = this.#byKey.get(key);
      watchers?.delete(transaction);
      if (watchers?.size === 0) this.#byKey.delete(key);
    }
    transaction.watched.clear();
    transaction.watchedBytes = 0;
    if (this.#byKey.size === 0) this.#store.memory.funnel.leave(this);
  }

  change(kind: ChangeKind, key: number, _entry: number, bytes: Uint8Array, start: number, length: number): void {
    if (kind === "flush") return this.#touchExisting();
    this.#touch(changedKey(this.#store.memory.entries, key, bytes, start, length));
  }

  #touch(key: string): void {
    const watchers = this.#byKey.get(key);
    if (watchers) for (const transaction of watchers) transaction.touched = true;
  }

  /** The keyspace is emptied: that changes the watched keys that are there. */
  #touchExisting(): void {
    for (const [key, watchers] of this.#byKey) {
      const { index, keys } = this.#store.memory;
      const name = Buffer.from(key, "latin1");
      // Not find(): a listener changes nothing, not even what has run out.
      if (index.find(KEYSPACE_ROOT, keys.hash(name, 0, name.length, 0), name.length, 0) === 0) continue;
      for (const transaction of watchers) transaction.touched = true;
    }
  }

  #find(key: string): number {
    const name = Buffer.from(key, "latin1");
    return this.#store.keys.find(name, 0, name.length);
  }
}
