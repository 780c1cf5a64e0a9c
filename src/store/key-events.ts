// Key events: what happened to keys, in the words of the commands that did it.
//
//   row ──▶ events.tell(EVENT_STRING, "set", key)  ──▶ nobody wants its class: one branch, else onEvent
//
// The funnel says what changes in the memory; this says what a command meant by it ("incrby", "rename_to"),
// after it was done, with Redis's names and classes. Keys that go by themselves are told from here: for
// that it listens to the funnel, while somebody wants those classes.
//
// What is told while undo is armed waits for the outcome: nobody hears of what was taken back.

import type { ChangeKind, ChangeListener, Funnel } from "./funnel.ts";
import { KIND_VALUE } from "./layout.ts";

// Classes, each a bit; beside it the letter that notify-keyspace-events has for it.
/** g: commands that work on a key whatever it holds. */
export const EVENT_GENERIC = 1;
/** $ */
export const EVENT_STRING = 2;
/** l */
export const EVENT_LIST = 4;
/** s */
export const EVENT_SET = 8;
/** h */
export const EVENT_TABLE = 16;
/** z */
export const EVENT_SORTED = 32;
/** x */
export const EVENT_EXPIRED = 64;
/** e */
export const EVENT_EVICTED = 128;
/** m: a read found no key. */
export const EVENT_MISS = 256;
/** n: a key is new. */
export const EVENT_NEW = 512;

/** Whose keys go, or come, without a row that says so. */
const FROM_FUNNEL: number = EVENT_EXPIRED | EVENT_EVICTED | EVENT_NEW;

/** `key` is a copy, the listener's to keep. */
export type OnKeyEvent = (kind: number, event: string, key: Buffer) => void;

type Told = { kind: number; event: string; key: Buffer };

/** Where a key's entry has its name. */
type Names = { bytesOf(ref: number): Buffer; keyStart(ref: number): number; keyLength(ref: number): number };

export class KeyEvents implements ChangeListener {
  /** The classes that somebody wants, as bits; 0 for none. */
  classes = 0;
  /** Keys come and go without being told: another content takes the place of all that is there. */
  quiet = false;
  onEvent: OnKeyEvent = () => {};
  readonly #funnel: Funnel;
  readonly #names: Names;
  /** What waits for the outcome of a call that may be taken back: of one call, so no more than its arguments make happen. */
  #held: Told[] | undefined = undefined;

  constructor(funnel: Funnel, names: Names) {
    this.#funnel = funnel;
    this.#names = names;
  }

  /** From now on events of these classes are told, and no others. */
  want(classes: number): void {
    this.classes = classes;
    if ((classes & FROM_FUNNEL) !== 0) this.#funnel.listen(this);
    else this.#funnel.leave(this);
  }

  /** Something happened to the key in `length` bytes from `start`. Its change is done. */
  tell(kind: number, event: string, key: Uint8Array, start: number, length: number): void {
    if ((this.classes & kind) === 0) return;
    const copy = Buffer.from(key.subarray(start, start + length));
    if (this.#held !== undefined) this.#held.push({ kind, event, key: copy });
    else this.onEvent(kind, event, copy);
  }

  /** A call begins that may be taken back. */
  hold(): void {
    this.#held = [];
  }

  /** It ended: what it told is passed on, or forgotten. */
  release(done: boolean): void {
    const held = this.#held;
    this.#held = undefined;
    if (done && held !== undefined) for (const { kind, event, key } of held) this.onEvent(kind, event, key);
  }

  // ChangeListener.

  change(
    why: ChangeKind,
    ref: number,
    _entry: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    nameKind: number,
  ): void {
    if (this.quiet) return;
    // A typed name is one that no caller can have: a key under construction.
    if (why === "set" && ref === 0 && nameKind !== KIND_VALUE) this.tell(EVENT_NEW, "new", bytes, start, length);
    else if (why === "expire") this.#tellOf(EVENT_EXPIRED, "expired", ref);
    else if (why === "evict") this.#tellOf(EVENT_EVICTED, "evicted", ref);
  }

  #tellOf(kind: number, event: string, ref: number): void {
    const names = this.#names;
    this.tell(kind, event, names.bytesOf(ref), names.keyStart(ref), names.keyLength(ref));
  }
}
