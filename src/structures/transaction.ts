// One call of a structure's command, whole or not at all.
//
//   run(body) ──▶ changes are noted, the store's undo is armed at the first play that writes ──▶ commit │ rollback
//
// Calls that a command plays are part of it. One that fails is taken back alone where only instances changed;
// where it had changed the store, the whole call fails, even where its error was caught.

import { HiveError } from "../base/errors.ts";
import { EVENT_GENERIC } from "../store/key-events.ts";
import { TYPE_STRUCTURE } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import type { Instances, Live } from "./instances.ts";
import type { Journal } from "./journal.ts";

export type TransactionParts = {
  store: Store;
  journal: Journal;
  instances(): Instances;
  /** Bytes that a state may have. */
  bytesMaxOf(live: Live): number;
};

export class Transactions {
  readonly #parts: TransactionParts;
  #isOpen = false;
  #command = "";
  /** Each with its entry when it was first changed; 0 where that was gone. Good where nothing was played. */
  #touched: Live[] = [];
  #played = false;
  /** Whatever was opened: it stays until the call has ended. Most calls open one. */
  #openedFirst: Live | undefined = undefined;
  #openedMore: Live[] = [];
  #created: Live[] = [];
  #ownsUndo = false;
  #doom: HiveError | undefined = undefined;

  constructor(parts: TransactionParts) {
    this.#parts = parts;
  }

  /** Whether a synchronous call is under way. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @throws what `body` throws, when all is as it was; {HiveError} VALUE_TOO_BIG */
  run<Result>(command: string, body: () => Result): Result {
    if (this.#isOpen) return this.#runInside(body);
    this.#isOpen = true;
    this.#command = command;
    this.#parts.journal.active = true;
    try {
      const result = body();
      if (this.#doom !== undefined) throw this.#doom;
      for (const live of this.#touched) if (live.kept.undoes) this.#checkSize(live);
      this.#commit();
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    } finally {
      this.#isOpen = false;
      this.#parts.journal.active = false;
      this.#parts.journal.clear();
      if (this.#touched.length > 0) this.#touched = [];
      if (this.#created.length > 0) this.#created = [];
      this.#openedFirst = undefined;
      if (this.#openedMore.length > 0) this.#openedMore = [];
      this.#played = false;
      this.#ownsUndo = false;
      this.#doom = undefined;
    }
  }

  #runInside<Result>(body: () => Result): Result {
    const { journal, store } = this.#parts;
    const mark = journal.size;
    const noted = store.undo.size;
    const created = this.#created.length;
    try {
      return body();
    } catch (error) {
      if (store.undo.size !== noted || this.#created.length !== created) this.doom(error);
      else journal.rollback(mark);
      throw error;
    }
  }

  /** The whole call fails, whatever its code makes of the error. */
  doom(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#doom ??= error instanceof HiveError ? error : new HiveError("STRUCTURE_FAILED", message);
  }

  /** A call that is played may change the store. */
  arm(): void {
    const { store } = this.#parts;
    if (!this.#isOpen || store.undo.armed) return;
    // What is evicted is gone whatever comes of the call: not part of what is noted.
    store.eviction.makeRoom();
    store.undo.begin();
    this.#ownsUndo = true;
  }

  /** A call is played: entries may move. */
  playing(): void {
    this.#played = true;
  }

  opened(live: Live): void {
    if (!this.#isOpen || this.#openedFirst === live) return;
    if (this.#openedFirst === undefined) this.#openedFirst = live;
    else this.#openedMore.push(live);
  }

  /** Whether the call under way has opened the key of this entry. */
  hasOpened(ref: number): boolean {
    if (this.#openedFirst === undefined) return false;
    const version = this.#parts.store.memory.entries.versionOf(ref);
    return this.#openedFirst.version === version || this.#openedMore.some((live) => live.version === version);
  }

  created(live: Live): void {
    if (!this.#isOpen) return;
    this.#created.push(live);
  }

  /** The first change of an instance in this call; outside of one, any change. @throws {HiveError} CONFLICT */
  changing(live: Live): void {
    const instances = this.#parts.instances();
    let ref = instances.entryOf(live);
    if (!this.#isOpen) {
      if (ref === 0)
        throw new HiveError("CONFLICT", `the key ${live.name} was changed or deleted while a command waited`);
      this.#checkSize(live);
      this.#tell(ref);
      this.#stamp(live, ref);
      return;
    }
    // What cannot be undone is refused before.
    if (!live.kept.undoes) this.#checkSize(live);
    live.tracker.changed = true;
    this.#touched.push(live);
    if (ref !== 0) {
      ref = instances.settle(ref, true);
      this.#tell(ref);
    }
    // 0: deleted by this call, and what changes goes with it.
    live.touchedRef = ref;
  }

  #tell(ref: number): void {
    const { funnel } = this.#parts.store.memory;
    if (funnel.on) funnel.before("set", ref);
  }

  #stamp(live: Live, ref: number): void {
    const { entries, events } = this.#parts.store.memory;
    // No sequence guards the version of a key whose bytes stay what they are.
    entries.stamp(ref);
    this.#parts.instances().mark(live, ref);
    if ((events.classes & EVENT_GENERIC) !== 0) {
      events.tell(EVENT_GENERIC, this.#command.toLowerCase(), live.key, 0, live.key.length);
    }
  }

  #checkSize(live: Live): void {
    const max = this.#parts.bytesMaxOf(live);
    if (live.bytes + live.tracker.growth <= max) return;
    const bytes = this.#parts.instances().measure(live);
    if (bytes <= max) return;
    const advice = live.kept.inPieces ? "" : "; a class that gives *encode() in pieces may have more";
    throw new HiveError(
      "VALUE_TOO_BIG",
      `${live.kept.name} of ${bytes} bytes exceeds structureBytesMax (${max} bytes)${advice}`,
    );
  }

  #commit(): void {
    const { store } = this.#parts;
    const instances = this.#parts.instances();
    const moved = this.#played || this.#created.length > 0 || store.undo.armed;
    for (let i = 0; i < this.#touched.length; i++) {
      const live = this.#touched[i]!;
      live.tracker.changed = false;
      const ref = moved ? instances.entryOf(live) : live.touchedRef;
      if (ref !== 0) this.#stamp(live, ref);
    }
    if (this.#ownsUndo) store.undo.commit();
    // Somebody else may still take it back, and counts its bytes before.
    else if (store.undo.armed) instances.settleAll();
  }

  #rollback(): void {
    const { store, journal } = this.#parts;
    const instances = this.#parts.instances();
    journal.rollback();
    if (this.#ownsUndo && store.undo.armed) store.undo.rollback();
    for (const { key } of this.#created) {
      const ref = store.keys.find(key, 0, key.length);
      if (ref !== 0 && !store.undo.armed && store.memory.entries.type(ref) === TYPE_STRUCTURE) store.keys.remove(ref);
    }
    for (const live of this.#touched) {
      live.tracker.changed = false;
      const ref = store.keys.find(live.key, 0, live.key.length);
      if (ref !== 0 && store.memory.entries.type(ref) === TYPE_STRUCTURE) instances.mark(live, ref);
    }
  }
}
