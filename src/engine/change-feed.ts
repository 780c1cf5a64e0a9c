// ChangeFeed: what happened to keys, for each watcher from where it stopped.
//
//   change log ──end of the turn──▶ history ◀── cursor ── watcher ──credit of its stream──▶ [number, kind, key, …]
//
// A watcher has a place in the history and nothing else: it reads on when its stream takes more, so a slow one
// takes no memory. When the history has moved past its place it is told of the gap, and goes on behind it. Who
// comes back with the position that it had reads on from there: a position is the hive's run id and a number.
//
// Changes are noted from the first watcher on until feedKeepMs after the last one left ("watched"), or as long as
// the hive runs ("always"), or never. Watchers take turns in slices of about half a millisecond.

import { HiveError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { ChangeView, type Gap, HistoryCursor } from "../store/change-history.ts";
import { runId } from "../store/header.ts";
import type { Store } from "../store/store.ts";
import { tellChange, tellGap, tellPlace, type Watching, whatIsSeen } from "./change-view.ts";
import type { Reply } from "./reply.ts";

export type FeedKeep = "watched" | "always" | "never";

/** A stream to one watcher: an element goes now, or when the promise resolves that is returned then. */
export type FeedOutflow = { element(write: (reply: Reply) => void): Promise<void> | undefined };

export type WatchRequest = Watching & {
  /** A position, or FROM_NOW. */
  since: string;
  outflow: FeedOutflow;
  signal: AbortSignal;
};

type FeedParts = { store: Store; limits: Limits; keep: FeedKeep | undefined };

/** As `since`: what happens from now on. */
export const FROM_NOW = "$";
/** Units of a slice: a change that is looked at takes one, one that is sent takes eight. About half a millisecond. */
const SLICE_UNITS = 2048;
const SENT_UNITS = 8;
/** Units of one watcher in a row. */
const TURN_UNITS = 256;
/** A watcher that saw nothing in so many changes is told how far it has come, so that its position is no old one. */
const PLACE_EVERY = 1024;

const view = new ChangeView();

export class ChangeFeed {
  readonly #store: Store;
  readonly #limits: Limits;
  readonly #keep: FeedKeep;
  readonly #runId: string;
  readonly #watchers = new Set<Watcher>();
  /** Those that may have something to read, and whose stream takes it. */
  readonly #ready = new Set<Watcher>();
  #isScheduled = false;
  #isClosed = false;
  /** Since when nobody has watched. */
  #leftMs = 0;

  constructor({ store, limits, keep = "watched" }: FeedParts) {
    this.#store = store;
    this.#limits = limits;
    this.#keep = keep;
    this.#runId = runId(store.memory.segments.words[0]!);
    const { changes } = store.memory;
    changes.onChange = () => {
      for (const watcher of this.#watchers) if (!watcher.isBusy) this.#ready.add(watcher);
      this.#schedule();
    };
    const { feedChangesMax: changesMax, feedBytesMax: bytesMax, feedValueBytesMax: valueBytesMax } = limits;
    changes.configure({ changesMax, bytesMax, valueBytesMax });
    if (keep === "always") changes.start();
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Whether changes are noted, how many are kept, and their bytes. */
  get history(): { isOn: boolean; changes: number; bytes: number } {
    const { isOn, history } = this.#store.memory.changes;
    return { isOn, changes: history.changes, bytes: history.bytes };
  }

  /**
   * Watches until the signal ends, with whose reason it rejects. The first element is [run id, number]: it sees
   * what comes behind that number.
   * @throws {HiveError} UNSUPPORTED, OVERLOADED, INVALID_ARGUMENT: nothing was sent.
   */
  watch(request: WatchRequest): Promise<never> {
    const { feedWatchersMax, feedPatternsMax, patternBytesMax } = this.#limits;
    if (this.#keep === "never") {
      throw new HiveError("UNSUPPORTED", "this hive notes no changes: start it with feed.keep watched or always");
    }
    if (this.#watchers.size >= feedWatchersMax) {
      throw new HiveError("OVERLOADED", `feedWatchersMax (${feedWatchersMax}) watchers are there already`);
    }
    if (request.patterns.length > feedPatternsMax) {
      throw new HiveError("INVALID_ARGUMENT", `more than feedPatternsMax (${feedPatternsMax}) patterns`);
    }
    for (const { length } of request.patterns) {
      if (length <= patternBytesMax) continue;
      throw new HiveError(
        "INVALID_ARGUMENT",
        `a pattern of ${length} bytes exceeds patternBytesMax (${patternBytesMax})`,
      );
    }
    const { changes } = this.#store.memory;
    const wasOn = changes.isOn;
    if (wasOn) changes.settle();
    const watcher = this.#watcherOf(request);
    if (!wasOn) changes.start();
    this.#watchers.add(watcher);
    const { promise, reject } = Promise.withResolvers<never>();
    const end = (error: unknown): void => {
      if (!this.#watchers.delete(watcher)) return;
      this.#ready.delete(watcher);
      this.#leftMs = this.#store.nowMs;
      reject(error);
    };
    request.signal.addEventListener("abort", () => end(request.signal.reason), { once: true });
    watcher.onEnd = end;
    watcher.onFree = () => {
      if (!this.#watchers.has(watcher)) return;
      this.#ready.add(watcher);
      this.#schedule();
    };
    watcher.begin(this.#runId);
    if (!watcher.isBusy) watcher.onFree();
    return promise;
  }

  #watcherOf(request: WatchRequest): Watcher {
    const { history } = this.#store.memory.changes;
    const { since } = request;
    if (since === FROM_NOW) return new Watcher(request, history.last, undefined);
    const [, run, digits] = /^([0-9a-f]{32}):([0-9]{1,16})$/.exec(since) ?? [];
    const sequence = Number(digits);
    if (run === undefined || !Number.isSafeInteger(sequence)) {
      throw new HiveError("INVALID_ARGUMENT", `not a position of a change, nor ${FROM_NOW}: give what the feed gave`);
    }
    if (run !== this.#runId) return new Watcher(request, history.last, { why: "restarted", until: history.last });
    if (sequence > history.last) {
      throw new HiveError(
        "INVALID_ARGUMENT",
        `position ${sequence} is ahead of this hive, which is at ${history.last}`,
      );
    }
    return new Watcher(request, sequence, undefined);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#isClosed) this.#slice();
    });
  }

  #slice(): void {
    const { changes } = this.#store.memory;
    changes.settle();
    let units = SLICE_UNITS;
    for (const watcher of this.#ready) {
      if (units <= 0) return this.#schedule();
      this.#ready.delete(watcher);
      units -= watcher.readOn(changes.history, TURN_UNITS);
      // Behind the others: there is more for it.
      if (!watcher.isBusy && watcher.place < changes.history.last && this.#watchers.has(watcher)) {
        this.#ready.add(watcher);
      }
    }
  }

  /** Time passes: where nobody has watched for long, nothing is noted any more. */
  tick(nowMs: number): void {
    const { changes } = this.#store.memory;
    if (!changes.isOn || this.#keep !== "watched" || this.#watchers.size > 0) return;
    if (nowMs - this.#leftMs >= this.#limits.feedKeepMs) changes.stop();
  }

  /** The store closes: nothing of it is read any more. */
  close(): void {
    this.#isClosed = true;
  }
}

type Missing = Gap | { why: "restarted"; until: number; lost?: undefined };

class Watcher {
  /** Its stream takes nothing now. */
  isBusy = false;
  onFree: () => void = () => {};
  onEnd: (error: unknown) => void = () => {};
  readonly #request: WatchRequest;
  readonly #cursor: HistoryCursor;
  /** A gap that it comes with. */
  #gap: Missing | undefined;
  /** The number that it was told last. */
  #toldPlace: number;

  constructor(request: WatchRequest, sequence: number, gap: Missing | undefined) {
    this.#request = request;
    this.#cursor = new HistoryCursor(sequence);
    this.#gap = gap;
    this.#toldPlace = sequence;
  }

  /** The change that it has come to. A gap that it has not been told is one that it has not passed. */
  get place(): number {
    return this.#gap === undefined ? this.#cursor.sequence : -1;
  }

  begin(run: string): void {
    const { sequence } = this.#cursor;
    this.#send(sequence, (reply) => {
      reply.array(2);
      reply.text(run);
      reply.integer(sequence);
    });
  }

  /** Reads on while its stream takes it. Returns the units that this took, about `unitsMax` at the most. */
  readOn(history: Store["memory"]["changes"]["history"], unitsMax: number): number {
    const cursor = this.#cursor;
    let units = 0;
    while (units < unitsMax && !this.isBusy) {
      units++;
      const gap = this.#gap ?? history.gapBehind(cursor.sequence);
      if (gap !== undefined) {
        this.#gap = undefined;
        cursor.sequence = gap.until;
        cursor.block = undefined;
        this.#send(gap.until, (reply) => tellGap(reply, gap));
        units += SENT_UNITS;
        continue;
      }
      if (!history.read(cursor, view)) break;
      const seen = whatIsSeen(view, this.#request);
      if (seen !== undefined) this.#send(cursor.sequence, (reply) => tellChange(reply, view, seen));
      else if (cursor.sequence - this.#toldPlace < PLACE_EVERY) continue;
      else this.#send(cursor.sequence, (reply) => tellPlace(reply, cursor.sequence));
      units += SENT_UNITS;
    }
    return units;
  }

  #send(place: number, write: (reply: Reply) => void): void {
    this.#toldPlace = place;
    try {
      const later = this.#request.outflow.element(write);
      if (later === undefined) return;
      this.isBusy = true;
      later.then(
        () => {
          this.isBusy = false;
          this.onFree();
        },
        (error: unknown) => this.onEnd(error),
      );
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      this.onEnd(error);
    }
  }
}
