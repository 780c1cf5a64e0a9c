// BlockedCalls: calls that wait until a key is there, such as BLPOP's.
//
//   a row finds none of its keys ──▶ wait() ──▶ a place behind the others, for each key
//   a call makes a key that is waited for ──▶ its end ──▶ serve() ──▶ the first of its line, the next, … ──▶ promises
//   time is up, CLIENT UNBLOCK, nobody waits for the answer any more ──▶ out of every line
//
// The order is Redis's: keys in the order in which they were made, for each key its calls in the order in
// which they came, and what serving makes (BLMOVE) behind all that. A call is tried only with the key that
// was made, whatever others it names, and only where that holds the type it wants.
//
// Nothing is taken for a call that has no taker: it is tried only while it stands in line, and what ends it
// takes it out of line at once. The funnel is listened to while anybody waits, and only notes names.

import { HiveError } from "../base/errors.ts";
import type { Cancel, Timers } from "../base/timers.ts";
import type { ChangeKind, ChangeListener } from "../store/funnel.ts";
import { KEYSPACE_ROOT, TYPE_MASK } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import type { Args } from "./args.ts";
import { changedKey } from "./changed-key.ts";
import type { Reply } from "./reply.ts";

/** A call that is to wait. */
export type BlockedCall = {
  /** Of its connection. */
  readonly clientId: number;
  /** Ends when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly args: Args;
  readonly reply: Reply;
  /** The arguments that name the keys, in order. */
  readonly keys: readonly number[];
  /** What one of them has to hold: TYPE_LIST, TYPE_SORTED. */
  readonly type: number;
  /** 0: for ever. */
  readonly timeoutMs: number;
  /**
   * Tries the key of argument `index`, which is there and holds the type. Answers and returns true; or
   * changes nothing, answers nothing and returns false.
   * @throws {HiveError} that is the answer; nothing was changed.
   */
  serve(index: number): boolean;
  /** Answers that time is up. */
  expire(): void;
};

export type BlockedParts = {
  store: Store;
  timers: Timers;
  limits: { blockedCallsMax: number; blockedKeysMax: number };
  /** Runs `serve` under the policy of the call's command and client. Returns whether the call was answered. */
  attempt(call: BlockedCall, serve: () => boolean): boolean;
};

type Waiting = {
  readonly call: BlockedCall;
  /** By name, one character per byte: the argument. */
  readonly names: ReadonlyMap<string, number>;
  readonly untilMs: number;
  readonly settle: () => void;
  cancel: Cancel | undefined;
};

export class BlockedCalls implements ChangeListener {
  /** Whether a key that is waited for may be there: then serve() is to be called at the end of this call. */
  ready = false;
  readonly #parts: BlockedParts;
  readonly #lines = new Map<string, Set<Waiting>>();
  readonly #all = new Set<Waiting>();
  /** The key that is waited for and was made last: what it holds is seen at the next change. */
  #made: string | undefined = undefined;
  /** Those that hold what somebody may wait for, in the order in which they were made. */
  readonly #readyNames = new Set<string>();
  /** How many calls wait for each type. */
  readonly #byType = new Map<number, number>();
  #places = 0;
  #serving = false;

  constructor(parts: BlockedParts) {
    this.#parts = parts;
  }

  /** How many calls wait, and for how many keys. */
  get size(): number {
    return this.#all.size;
  }

  get keys(): number {
    return this.#lines.size;
  }

  /** Whether a call of this connection waits. */
  isWaiting(clientId: number): boolean {
    for (const { call } of this.#all) if (call.clientId === clientId) return true;
    return false;
  }

  /**
   * Lets a call wait; its arguments are kept. Resolves when it was answered, or nobody waits for that.
   * @throws {HiveError} OVERLOADED above blockedCallsMax or blockedKeysMax: it does not wait.
   */
  wait(call: BlockedCall): Promise<void> {
    const { blockedCallsMax, blockedKeysMax } = this.#parts.limits;
    if (this.#all.size >= blockedCallsMax) {
      throw new HiveError("OVERLOADED", `blockedCallsMax (${blockedCallsMax}) calls wait for keys already`);
    }
    const names = new Map<string, number>();
    for (const index of call.keys) {
      const name = call.args.latin1(index);
      if (!names.has(name)) names.set(name, index);
    }
    if (this.#places + names.size > blockedKeysMax) {
      throw new HiveError("OVERLOADED", `waiting calls would name more than blockedKeysMax (${blockedKeysMax}) keys`);
    }
    call.args.keep();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { timers, store } = this.#parts;
    const onAbort = (): void => this.#end(waiting);
    const waiting: Waiting = {
      call,
      names,
      untilMs: timers.monotonicMs() + call.timeoutMs,
      settle: () => {
        call.signal.removeEventListener("abort", onAbort);
        resolve();
      },
      cancel: undefined,
    };
    this.#all.add(waiting);
    this.#count(call.type, 1);
    this.#places += names.size;
    for (const name of names.keys()) {
      const line = this.#lines.get(name);
      if (line) line.add(waiting);
      else this.#lines.set(name, new Set([waiting]));
    }
    store.memory.funnel.listen(this);
    call.signal.addEventListener("abort", onAbort, { once: true });
    if (call.timeoutMs > 0) this.#wake(waiting);
    if (call.signal.aborted) this.#end(waiting);
    return promise;
  }

  #wake(waiting: Waiting): void {
    const { timers } = this.#parts;
    const leftMs = waiting.untilMs - timers.monotonicMs();
    // A timer takes less time than a call may wait, and may come a little early.
    if (leftMs > 0) waiting.cancel = timers.after(leftMs, () => this.#wake(waiting));
    else this.#end(waiting);
  }

  /** Ends the waiting calls of a connection: as if their time were up, or with an error. Returns whether there were any. */
  unblock(clientId: number, error: HiveError | undefined): boolean {
    let found = false;
    for (const waiting of this.#all) {
      if (waiting.call.clientId !== clientId) continue;
      found = true;
      this.#end(waiting, error);
    }
    return found;
  }

  /** It is answered without a key. */
  #end(waiting: Waiting, error?: HiveError): void {
    if (!this.#all.has(waiting)) return;
    if (error === undefined) waiting.call.expire();
    else waiting.call.reply.error(error.code, error.message);
    this.#leave(waiting);
  }

  /** It was answered. */
  #leave(waiting: Waiting): void {
    this.#all.delete(waiting);
    this.#count(waiting.call.type, -1);
    this.#places -= waiting.names.size;
    for (const name of waiting.names.keys()) {
      const line = this.#lines.get(name);
      line?.delete(waiting);
      if (line?.size === 0) this.#lines.delete(name);
    }
    waiting.cancel?.();
    if (this.#all.size === 0) {
      this.#parts.store.memory.funnel.leave(this);
      this.#made = undefined;
      this.#readyNames.clear();
      this.ready = false;
    }
    waiting.settle();
  }

  #count(type: number, change: 1 | -1): void {
    this.#byType.set(type, (this.#byType.get(type) ?? 0) + change);
  }

  change(kind: ChangeKind, key: number, _entry: number, bytes: Uint8Array, start: number, length: number): void {
    this.#resolve();
    if (kind !== "set") return;
    const { entries } = this.#parts.store.memory;
    const name = changedKey(entries, key, bytes, start, length);
    if (!this.#lines.has(name)) return;
    // As in Redis: what a STORE puts over a key makes nothing ready.
    if (this.#parts.store.keys.overwriting) return;
    this.#made = name;
    this.ready = true;
  }

  /**
   * A key that was made, and holds a type that somebody waits for, at whatever key, is ready from this moment on, as in
   * Redis: what it holds in the end decides who is served.
   */
  #resolve(): void {
    const name = this.#made;
    if (name === undefined) return;
    this.#made = undefined;
    if ((this.#byType.get(this.#typeOf(name)) ?? 0) > 0) this.#readyNames.add(name);
  }

  /** What a key holds; 0 where there is none. Changes nothing, as a listener may not: not even what has run out goes. */
  #typeOf(name: string): number {
    const { memory } = this.#parts.store;
    const bytes = Buffer.from(name, "latin1");
    const ref = memory.index.find(KEYSPACE_ROOT, memory.keys.hash(bytes, 0, bytes.length, 0), bytes.length, 0);
    return ref === 0 ? 0 : memory.entries.type(ref);
  }

  /** Serves who waits for the keys that were made since. Called between two calls, never within one. */
  serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    this.#resolve();
    try {
      // Names that come meanwhile stand behind, and are reached by this loop.
      for (const name of this.#readyNames) {
        this.#readyNames.delete(name);
        this.#serveLine(name);
        this.#resolve();
      }
    } finally {
      this.#serving = false;
      this.#made = undefined;
      this.ready = false;
    }
  }

  #serveLine(name: string): void {
    const { keys, memory } = this.#parts.store;
    const bytes = Buffer.from(name, "latin1");
    for (const waiting of this.#lines.get(name) ?? []) {
      const ref = keys.find(bytes, 0, bytes.length);
      if (ref === 0) return;
      const { call, names } = waiting;
      if ((memory.entries.head(ref) & TYPE_MASK) !== call.type) continue;
      if (this.#parts.attempt(call, () => call.serve(names.get(name)!))) this.#leave(waiting);
    }
  }
}
