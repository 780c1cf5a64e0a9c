// Instances: the live objects beside the keys that hold them.
//
//   key ──▶ entry ──▶ is the instance by this name in step with the entry's version? ──▶ it, else decode
//   changed ──▶ the entry is stamped at once ──▶ its bytes follow when somebody wants them, or after a second
//
// A key that goes, or gets other bytes, leaves its instance behind: nothing tells of that, the versions
// differ, and sweep() forgets it.

import { HiveError } from "../base/errors.ts";
import { type Log, SILENT_LOG } from "../base/log.ts";
import { KIND_VALUE, TYPE_STRUCTURE } from "../store/layout.ts";
import type { LiveValues } from "../store/live-values.ts";
import type { Store } from "../store/store.ts";
import { Scratch } from "../wire/value.ts";
import { failure, guarded } from "./failure.ts";
import type { Journal } from "./journal.ts";
import { type Kept, type KeptClass, readHead } from "./kept-class.ts";
import { Writing } from "./pieces.ts";
import { noCall, type Placement, setPlacement } from "./structure.ts";

const UNENCODED = "cannot be encoded, so its key keeps older bytes";
/** How far the bytes of a key may lag behind what it holds. */
const LAG_MS = 1_000;
/** Between two looks for instances whose keys are gone, and how many are looked at in a step. */
const SWEEP_MS = 5_000;
const SWEEP_STEP = 64;

export type Live = Kept & {
  readonly kept: KeptClass;
  /** The key, as bytes and one character per byte. */
  readonly key: Buffer;
  readonly name: string;
  /** Of the entry when they were last in step. */
  version: number;
  /** Bytes of its last encoding. */
  bytes: number;
  dirtySinceMs: number;
  /** Its entry when the call under way changed it first. */
  touchedRef: number;
  /** Another one is its key's, or will be: what it does counts no more. */
  isForgotten: boolean;
  /** Its state is being written in pieces: it may not change now. */
  writing: Writing | undefined;
  /** What its methods know of where they are. */
  readonly placement: Placement;
  readonly partsMax: number;
};

export type InstanceParts = {
  store: Store;
  journal: Journal;
  log: Log | undefined;
  /** Lists and sorted sets that a structure may have. */
  partsMax: number;
  /** For operators: what was not stored. */
  onNotice(message: string): void;
  /** The class of this name. @throws {HiveError} none is registered */
  classNamed(name: string): KeptClass;
  /** The first change of an instance in the call under way. May throw: then it does not happen. */
  onChange(live: Live): void;
  /** Whether the call under way uses the instance of this entry. */
  isInUse(ref: number): boolean;
};

export class Instances implements LiveValues {
  readonly #parts: InstanceParts;
  readonly #byKey = new Map<string, Live>();
  /** The same by entry, to find one without its name: no two entries ever have the same version. */
  readonly #byRef = new Map<number, Live>();
  /** Those that are ahead of their bytes, the longest first. */
  readonly #dirty = new Set<Live>();
  readonly #scratch = new Scratch();
  #sweep: Iterator<Live> | undefined = undefined;
  #sweptAtMs = 0;

  constructor(parts: InstanceParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get dirty(): number {
    return this.#dirty.size;
  }

  /** The entry of a live instance's key; 0 where the key is gone, holds something else now, or has another instance. */
  entryOf(live: Live): number {
    if (live.isForgotten) return 0;
    const { keys, memory } = this.#parts.store;
    const ref = keys.find(live.key, 0, live.key.length);
    return ref !== 0 && memory.entries.versionOf(ref) === live.version ? ref : 0;
  }

  /** What the key of entry `ref` holds. @throws {HiveError} WRONG_TYPE, BAD_PAYLOAD, UNSUPPORTED: no such class */
  at(ref: number): Live {
    const { entries } = this.#parts.store.memory;
    const last = this.#byRef.get(ref);
    if (last !== undefined && last.version === entries.versionOf(ref)) return last;
    if (entries.type(ref) !== TYPE_STRUCTURE) {
      throw new HiveError("WRONG_TYPE", "Operation against a key holding the wrong kind of value");
    }
    const start = entries.keyStart(ref);
    const bytes = entries.bytesOf(ref);
    const name = bytes.latin1Slice(start, start + entries.keyLength(ref));
    const known = this.#byKey.get(name);
    const isGood = known !== undefined && known.version === entries.versionOf(ref);
    const live = isGood ? known : this.#load(ref, name);
    if (this.#byRef.size > 2 * this.#byKey.size + SWEEP_STEP) this.#byRef.clear();
    this.#byRef.set(ref, live);
    return live;
  }

  #load(ref: number, name: string): Live {
    const { entries } = this.#parts.store.memory;
    const start = entries.valueStart(ref);
    const length = entries.valueLength(ref);
    const head = readHead(entries.bytesOf(ref), start, start + length);
    const kept = this.#parts.classNamed(head.name);
    // Its constructor, decode() and migrate() are code of the structure.
    const live = guarded(`${head.name} cannot be read`, () => {
      const made = this.#make(kept, name, entries.versionOf(ref));
      kept.fill(made, head);
      return made;
    });
    live.bytes = length;
    this.#forget(this.#byKey.get(name));
    this.#byKey.set(name, live);
    return live;
  }

  #make(kept: KeptClass, name: string, version: number): Live {
    const key = Buffer.from(name, "latin1");
    const { partsMax } = this.#parts;
    const placement: Placement = { key: key.utf8Slice(), owner: () => live, hive: noCall };
    const live: Live = {
      ...kept.make(this.#parts.journal, () => this.#parts.onChange(live)),
      kept,
      key,
      name,
      version,
      bytes: 0,
      dirtySinceMs: -1,
      touchedRef: 0,
      isForgotten: false,
      writing: undefined,
      placement,
      partsMax,
    };
    setPlacement(live.instance, placement);
    return live;
  }

  /** A new instance under a key that is not there. @throws {HiveError} KEY_TOO_BIG, OUT_OF_MEMORY */
  create(kept: KeptClass, key: Buffer): Live {
    const { keys, memory } = this.#parts.store;
    this.#scratch.reset();
    const live = guarded(kept.name, () => {
      const made = this.#make(kept, key.latin1Slice(), 0);
      kept.encode(made, this.#scratch);
      return made;
    });
    const empty = Buffer.from(this.#scratch.copy());
    const ref = keys.create(TYPE_STRUCTURE, key, 0, key.length, 0, empty);
    // Its kind is that of a value; a few bytes that fit always.
    live.version = memory.entries.versionOf(
      keys.write(ref, 0, empty, 0, empty.length, empty.length, KIND_VALUE, false),
    );
    live.bytes = empty.length;
    this.#forget(this.#byKey.get(live.name));
    this.#byKey.set(live.name, live);
    return live;
  }

  /** It is ahead of its bytes from now on, and in step with the entry's version. */
  mark(live: Live, ref: number): void {
    const { store } = this.#parts;
    live.version = store.memory.entries.versionOf(ref);
    if (live.dirtySinceMs >= 0) return;
    live.dirtySinceMs = store.nowMs;
    this.#dirty.add(live);
  }

  /** Bytes of what it is now. @throws {HiveError} BAD_VALUE, and what its encode() throws */
  measure(live: Live): number {
    this.#scratch.reset();
    guarded(live.kept.name, () => live.kept.encode(live, this.#scratch));
    live.bytes = this.#scratch.end;
    live.tracker.growth = 0;
    return live.bytes;
  }

  // LiveValues.

  settle(ref: number, onlyToUndo: boolean = false): number {
    const { store } = this.#parts;
    const { entries } = store.memory;
    if (this.#dirty.size === 0 || (onlyToUndo && !store.undo.armed)) return ref;
    const start = entries.keyStart(ref);
    const live = this.#byKey.get(entries.bytesOf(ref).latin1Slice(start, start + entries.keyLength(ref)));
    if (live === undefined || live.dirtySinceMs < 0 || live.version !== entries.versionOf(ref)) return ref;
    return this.#write(live, ref);
  }

  /** The same as settle(), also for what the call under way has changed. */
  settleChanged(ref: number): void {
    const live = this.at(ref);
    if (live.tracker.changed || live.dirtySinceMs >= 0) this.#write(live, ref);
  }

  /** Writes what the instance of entry `ref` is now, whether it is known to be ahead of its bytes or not. */
  write(ref: number): number {
    return this.#write(this.at(ref), ref);
  }

  #write(live: Live, ref: number): number {
    this.giveUp(live);
    return this.#store(live, ref, () => this.measure(live));
  }

  /** @param encode Leaves the bytes in the scratch. */
  #store(live: Live, ref: number, encode: () => void): number {
    const { store, log } = this.#parts;
    const { entries, pages } = store.memory;
    const { overdraft } = pages;
    // The change was accepted before: a limit that is reached meanwhile must not keep it from its key.
    pages.overdraft = Math.max(overdraft, pages.inUse);
    try {
      encode();
      const { bytes, end } = this.#scratch;
      const next = store.keys.write(ref, 0, bytes, 0, end, end, KIND_VALUE, false);
      live.version = entries.versionOf(next);
      this.#clean(live);
      return next;
    } catch (error) {
      const { message } = failure(live.kept.name, error);
      (log ?? SILENT_LOG).warn({ structure: live.kept.name, key: live.placement.key, why: message }, UNENCODED);
      this.#parts.onNotice(`${live.kept.name} under ${live.placement.key}: ${UNENCODED}: ${message}`);
      this.#clean(live);
      // The next call that changes it is told, and undone.
      live.tracker.growth = Number.POSITIVE_INFINITY;
      return ref;
    } finally {
      pages.overdraft = overdraft;
    }
  }

  /** Its state is about to change, or is wanted at once: what was written of it is of no use. */
  giveUp(live: Live): void {
    live.writing?.end();
    live.writing = undefined;
  }

  /** Writes pieces of an instance until the slice is over. */
  #writePieces(live: Live, isOver: () => boolean): void {
    const ref = this.entryOf(live);
    if (ref === 0) return this.#forget(live);
    const { kept } = live;
    let state: unknown[] | undefined;
    try {
      live.writing ??= new Writing(live.instance.encode!() as Iterable<unknown>);
      do state = live.writing.step();
      while (state === undefined && !isOver());
    } catch (error) {
      this.giveUp(live);
      this.#store(live, ref, () => {
        throw failure(kept.name, error);
      });
      return;
    }
    if (state === undefined) return;
    this.#store(live, ref, () => {
      this.#scratch.reset();
      kept.encodeState(state, live.parts, this.#scratch);
      live.bytes = this.#scratch.end;
      live.tracker.growth = 0;
    });
    this.giveUp(live);
  }

  #clean(live: Live): void {
    live.dirtySinceMs = -1;
    this.#dirty.delete(live);
  }

  #forget(live: Live | undefined): void {
    if (live === undefined) return;
    this.#clean(live);
    this.giveUp(live);
    live.isForgotten = true;
    if (this.#byKey.get(live.name) === live) this.#byKey.delete(live.name);
  }

  isInUse(ref: number): boolean {
    return this.#parts.isInUse(ref);
  }

  settleAll(): void {
    for (const live of [...this.#dirty]) this.#settleLive(live);
  }

  #settleLive(live: Live): void {
    const ref = this.entryOf(live);
    if (ref === 0) this.#forget(live);
    else this.settle(ref);
  }

  restamped(ref: number, before: number): void {
    const { entries } = this.#parts.store.memory;
    const start = entries.keyStart(ref);
    const live = this.#byKey.get(entries.bytesOf(ref).latin1Slice(start, start + entries.keyLength(ref)));
    if (live !== undefined && live.version === before) live.version = entries.versionOf(ref);
  }

  forgetAll(): void {
    this.settleAll();
    for (const live of this.#byKey.values()) live.isForgotten = true;
    this.#dirty.clear();
    this.#byKey.clear();
    this.#byRef.clear();
    this.#sweep = undefined;
  }

  // A worker of the hive's maintenance.

  get hasWork(): boolean {
    const { nowMs } = this.#parts.store;
    for (const { dirtySinceMs } of this.#dirty) return dirtySinceMs + LAG_MS <= nowMs;
    return this.#byKey.size > 0 && this.#sweptAtMs + SWEEP_MS <= nowMs;
  }

  /** Encodes one instance that has lagged long enough, or pieces of it, or looks at some for keys that are gone. */
  work(isOver: () => boolean = () => true): boolean {
    const { nowMs } = this.#parts.store;
    for (const live of this.#dirty) {
      if (live.dirtySinceMs + LAG_MS > nowMs) break;
      if (live.kept.inPieces) this.#writePieces(live, isOver);
      else this.#settleLive(live);
      return this.hasWork;
    }
    if (this.#sweptAtMs + SWEEP_MS > nowMs) return false;
    this.#sweep ??= this.#byKey.values();
    for (let i = 0; i < SWEEP_STEP; i++) {
      const { value, done } = this.#sweep.next();
      if (done === true) {
        this.#sweep = undefined;
        this.#byRef.clear();
        this.#sweptAtMs = nowMs;
        return false;
      }
      if (!value.tracker.changed && this.entryOf(value) === 0) this.#forget(value);
    }
    return true;
  }
}
