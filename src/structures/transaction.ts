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
import { failure } from "./failure.ts";
import type { Instances, Live } from "./instances.ts";
import type { Journal } from "./journal.ts";
import { Interrupted, type Writing } from "./pieces.ts";
import { noCall, type Placement } from "./structure.ts";

export type TransactionParts = {
  store: Store;
  journal: Journal;
  instances(): Instances;
  /** Bytes that a state may have. */
  bytesMaxOf(live: Live): number;
};

/** An instance that was made, and whether the store's undo knows that. */
type Created = { readonly live: Live; readonly isNoted: boolean };
/** An instance that was opened, and what its `this.hive` was before. */
type Opened = { readonly live: Live; readonly hive: Placement["hive"] };

export class Transactions {
  readonly #parts: TransactionParts;
  #isOpen = false;
  #command = "";
  /** Whether the command says that it changes nothing. */
  #reads = false;
  #waits = false;
  #interrupted: Interrupted | undefined = undefined;
  /** Each with its entry when it was first changed; 0 where that was gone. Good where nothing was played. */
  #touched: Live[] = [];
  #played = false;
  /** The first one apart: most calls open one. */
  #openedFirst: Live | undefined = undefined;
  #openedMore: Opened[] = [];
  #created: Created[] = [];
  /** Messages, which leave when it is known that the call stands. */
  #sends: (() => void)[] = [];
  #ownsUndo = false;
  #doom: HiveError | undefined = undefined;

  constructor(parts: TransactionParts) {
    this.#parts = parts;
  }

  /** Whether a synchronous call is under way. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * @param reads Whether nothing may be changed. @param waits Whether the call may run again, after a state that it changes was written.
   * @throws what `body` throws, when all is as it was; Interrupted; {HiveError} VALUE_TOO_BIG
   */
  run<Result>(command: string, body: () => Result, reads: boolean = false, waits: boolean = false): Result {
    if (this.#isOpen) return this.#runInside(body, reads);
    this.#isOpen = true;
    this.#command = command;
    this.#reads = reads;
    this.#waits = waits;
    this.#parts.journal.active = true;
    try {
      const result = body();
      if (this.#interrupted !== undefined) throw this.#interrupted;
      if (this.#doom !== undefined) throw this.#doom;
      for (const live of this.#touched) if (live.kept.undoes) this.#checkSize(live);
      this.#commit();
      return result;
    } catch (error) {
      this.#rollback();
      throw this.#interrupted ?? error;
    } finally {
      this.#end();
    }
  }

  #end(): void {
    this.#isOpen = false;
    this.#reads = false;
    this.#waits = false;
    this.#interrupted = undefined;
    this.#parts.journal.active = false;
    this.#parts.journal.clear();
    if (this.#openedMore.length > 0) this.#leave(0);
    const first = this.#openedFirst;
    if (first !== undefined) first.placement.hive = noCall;
    this.#openedFirst = undefined;
    if (this.#touched.length > 0) this.#touched = [];
    if (this.#created.length > 0) this.#created = [];
    this.#played = false;
    this.#ownsUndo = false;
    this.#doom = undefined;
    if (this.#sends.length > 0) this.#sends = [];
  }

  #runInside<Result>(body: () => Result, reads: boolean): Result {
    const { journal, store } = this.#parts;
    const mark = journal.size;
    const noted = store.undo.changes;
    const created = this.#created.length;
    const opened = this.#openedMore.length;
    const [readsOutside, waitsOutside] = [this.#reads, this.#waits];
    this.#reads = reads;
    this.#waits = false;
    try {
      return body();
    } catch (error) {
      if (store.undo.changes !== noted || this.#created.length !== created) this.doom(error);
      else this.#rollbackTo(mark);
      throw error;
    } finally {
      this.#reads = readsOutside;
      this.#waits = waitsOutside;
      this.#leave(opened);
    }
  }

  #rollbackTo(mark: number): void {
    try {
      this.#parts.journal.rollback(mark);
    } catch (error) {
      this.doom(error);
    }
  }

  /** What was opened since has the `this.hive` that it had. */
  #leave(mark: number): void {
    for (let i = this.#openedMore.length - 1; i >= mark; i--) {
      const { live, hive } = this.#openedMore.pop()!;
      live.placement.hive = hive;
    }
  }

  /** The whole call fails, whatever its code makes of the error. */
  doom(error: unknown): void {
    this.#doom ??= failure(this.#command, error);
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

  /** A message leaves with the end of the call. */
  send(message: () => void): void {
    this.#sends.push(message);
  }

  /**
   * The methods of an instance see this hive, as long as the call lasts that opens it. Behind an await, where no call is
   * under way, until the code that runs now is through: another's may be next.
   * @param ref Its entry.
   */
  opened(live: Live, hive: Placement["hive"], ref: number): void {
    const { placement } = live;
    // Nothing was played yet: no entry has moved when it is changed.
    if (!this.#played) live.touchedRef = ref;
    if (placement.hive === hive) return;
    const before = placement.hive;
    placement.hive = hive;
    if (this.#isOpen) {
      if (this.#openedFirst === undefined) this.#openedFirst = live;
      else this.#openedMore.push({ live, hive: before });
      return;
    }
    queueMicrotask(() => {
      if (placement.hive === hive) placement.hive = noCall;
    });
  }

  /** Whether the call under way has opened the key of this entry. */
  hasOpened(ref: number): boolean {
    if (this.#openedFirst === undefined) return false;
    const version = this.#parts.store.memory.entries.versionOf(ref);
    return this.#openedFirst.version === version || this.#openedMore.some(({ live }) => live.version === version);
  }

  created(live: Live): void {
    if (this.#isOpen) this.#created.push({ live, isNoted: this.#parts.store.undo.armed });
  }

  /** The first change of an instance in this call; outside of one, any change. @throws {HiveError} CONFLICT, UNSUPPORTED */
  changing(live: Live): void {
    const instances = this.#parts.instances();
    if (this.#reads) throw new HiveError("UNSUPPORTED", "a command that says that it reads may not change the state");
    if (live.writing !== undefined) this.#meetWriting(live, live.writing);
    if (!this.#isOpen) {
      const ref = instances.entryOf(live);
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
    const isKnown = !this.#played && !live.isForgotten && live.placement.hive !== noCall;
    let ref = isKnown ? live.touchedRef : instances.entryOf(live);
    if (ref !== 0) {
      ref = instances.settle(ref, true);
      this.#tell(ref);
    }
    // 0: deleted by this call, and what changes goes with it.
    live.touchedRef = ref;
  }

  #meetWriting(live: Live, writing: Writing): void {
    if (!this.#waits) return this.#parts.instances().giveUp(live);
    this.#interrupted ??= new Interrupted(writing);
    throw this.#interrupted;
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
    for (const send of this.#sends) send();
  }

  #rollback(): void {
    const { store, journal } = this.#parts;
    const instances = this.#parts.instances();
    try {
      journal.rollback();
    } finally {
      if (this.#ownsUndo && store.undo.armed) store.undo.rollback();
      for (const { live, isNoted } of this.#created) {
        const ref = isNoted ? 0 : store.keys.find(live.key, 0, live.key.length);
        if (ref !== 0 && !store.undo.armed && store.memory.entries.type(ref) === TYPE_STRUCTURE) store.keys.remove(ref);
      }
      for (const live of this.#touched) {
        live.tracker.changed = false;
        const ref = live.isForgotten ? 0 : store.keys.find(live.key, 0, live.key.length);
        if (ref !== 0 && store.memory.entries.type(ref) === TYPE_STRUCTURE) instances.mark(live, ref);
      }
    }
  }
}
