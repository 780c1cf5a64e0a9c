// SharedReader: reads a hive's memory from another process, as layout.ts (Shared readers) says that one may.
//
//   name ──▶ hash ──▶ root, sequence ──▶ bucket, sequence ──▶ slot ──▶ entry ──▶ copy ──▶ all sequences once more
//
// It never writes there, and believes nothing: each place is checked before it is read, each walk is bounded,
// and what was copied counts only when no sequence moved meanwhile. An attempt that met a writer is repeated
// a few times, with short pauses; then, and while the hive is busy or silent, whoever asks has to ask the hive itself.
//
// Measured hot path: tables are remembered by name, with where their key was found and by which sequences
// that still holds, so that a field costs one search and not two.

import {
  FLAG_ROOT,
  HEADER_BEAT_HIGH,
  HEADER_BEAT_LOW,
  HEADER_BUSY,
  HEADER_KEY0,
  HEADER_KEY1,
  HEADER_SAMPLED,
  KEYSPACE_ROOT,
  TYPE_MASK,
  TYPE_STRING,
} from "./layout.ts";
import { settle } from "./sequence.ts";
import {
  ABSENT,
  BUSY,
  FOUND,
  type MemoryReader,
  OTHER_TYPE,
  type Outcome,
  SILENT,
  TORN,
} from "./shared-reader-outcomes.ts";
import { EntrySearch, Guards, Name } from "./shared-reader-search.ts";
import { ReaderSegments, type SegmentSource } from "./shared-reader-segments.ts";

/** Attempts in a row: longer than any write of usual size takes. */
const SPINS = 32;
/** Then the writer may have lost its processor in the middle of a write: it gets a moment, a few times. */
const PAUSES_MAX = 4;
const PAUSE_MS = 0.05;
const ATTEMPTS_MAX: number = SPINS * (PAUSES_MAX + 1);
/** A hive that has not beaten for so long is gone, or does not get to answer anybody. */
const SILENCE_MS_MAX = 1000;
const TWO32 = 4294967296;
/** Tables that are remembered, about 5 KiB each. */
const TABLES_MAX = 1024;

/** Where the key of a table or set was found; good while nothing of `guards` moved and no segment changed. */
type Table = {
  readonly name: Name;
  readonly guards: Guards;
  changes: number;
  /** What key() said, and of what was found the type, the deadline, and the root: 0 when it is packed. */
  outcome: Outcome;
  type: number;
  deadlineMs: number;
  root: number;
  /** A packed one's entry. */
  entry: number;
};

export class SharedReader implements MemoryReader {
  /** Reads that were answered, of them those that took more than one attempt, and those that the hive has to answer. */
  reads = 0;
  retried = 0;
  asked = 0;
  /** For the caller to fill in before key() and field(). */
  readonly name: Name;
  /** What was found last: its kind, and where its bytes lie in its scratch. Good until the next read. */
  readonly found: Pick<EntrySearch, "kind" | "scratch" | "start" | "end">;
  readonly #search: EntrySearch;
  readonly #segments: ReaderSegments;
  readonly #header: Int32Array;
  readonly #nowMs: () => number;
  readonly #tables = new Map<string, Table>();
  readonly #guards = new Guards();

  /** @throws {Error} There is no first segment. Whether it is this hive's is the caller's to look at. */
  constructor(source: SegmentSource, nowMs: () => number) {
    this.#segments = new ReaderSegments(source);
    this.#header = this.#segments.header;
    this.#nowMs = nowMs;
    this.name = this.#newName();
    this.#search = new EntrySearch(this.#segments);
    this.found = this.#search;
  }

  get header(): Int32Array {
    return this.#header;
  }

  /** Whether the hive wants to know a sample of what is read. */
  get sampled(): boolean {
    return this.#header[HEADER_SAMPLED] !== 0;
  }

  /** Gives up segments that the hive has closed: called now and then, so that memory which nobody reads goes back. */
  catchUp(): void {
    this.#segments.catchUp();
  }

  /** Gives all memory back. Nothing may be read afterwards. */
  close(): void {
    this.#tables.clear();
    this.#segments.close();
  }

  /** The string with the name in `name`. @param copies False: only whether there is such a key, of whatever type. */
  key(copies: boolean): Outcome {
    if (!this.#isAlive()) return this.#ask(SILENT);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (attempt > 0 && attempt % SPINS === 0) pause();
      const outcome = this.#tryKey(copies);
      if (outcome !== TORN) return outcome < 0 ? this.#ask(outcome) : this.#answered(outcome, attempt);
    }
    return this.#ask(TORN);
  }

  /**
   * The field or member with the name in `name` of the table or set `table`.
   * @param type TYPE_TABLE or TYPE_SET. @param copies False: only whether there is one.
   */
  field(table: string, type: number, copies: boolean): Outcome {
    if (!this.#isAlive()) return this.#ask(SILENT);
    const known = this.#tables.get(table) ?? this.#remember(table);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (attempt > 0 && attempt % SPINS === 0) pause();
      const outcome = this.#tryField(known, type, copies);
      if (outcome !== TORN) return outcome < 0 ? this.#ask(outcome) : this.#answered(outcome, attempt);
    }
    return this.#ask(TORN);
  }

  #answered(outcome: Outcome, attempt: number): Outcome {
    this.reads++;
    if (attempt > 0) this.retried++;
    return outcome;
  }

  #ask(why: Outcome): Outcome {
    this.asked++;
    return why;
  }

  #newName(): Name {
    return new Name(this.#header[HEADER_KEY0]!, this.#header[HEADER_KEY1]!);
  }

  #remember(table: string): Table {
    if (this.#tables.size >= TABLES_MAX) this.#tables.clear();
    const name = this.#newName();
    name.taken(name.room(table.length * 3).utf8Write(table, 0), 0);
    const guards = new Guards();
    const known: Table = { name, guards, changes: -1, outcome: TORN, type: 0, deadlineMs: 0, root: 0, entry: 0 };
    this.#tables.set(table, known);
    return known;
  }

  /** Milliseconds of the read under way. */
  #readMs = 0;

  #isAlive(): boolean {
    const nowMs = this.#nowMs();
    this.#readMs = nowMs;
    const beatMs = this.#header[HEADER_BEAT_HIGH]! * TWO32 + (this.#header[HEADER_BEAT_LOW]! >>> 0);
    return Math.abs(nowMs - beatMs) <= SILENCE_MS_MAX;
  }

  #tryKey(copies: boolean): Outcome {
    if (Atomics.load(this.#header, HEADER_BUSY) !== 0) return BUSY;
    if (!this.#segments.catchUp()) return TORN;
    const guards = this.#guards;
    guards.count = 0;
    let outcome = this.#search.find(KEYSPACE_ROOT, this.name, guards);
    if (outcome === FOUND) {
      const deadlineMs = this.#search.deadline();
      if (deadlineMs <= this.#readMs) outcome = ABSENT;
      else if (copies)
        outcome = (this.#search.entryHead & TYPE_MASK) === TYPE_STRING ? this.#search.copyValue() : OTHER_TYPE;
    }
    return this.#stands(guards) ? outcome : TORN;
  }

  #tryField(table: Table, type: number, copies: boolean): Outcome {
    if (Atomics.load(this.#header, HEADER_BUSY) !== 0) return BUSY;
    if (!this.#segments.catchUp()) return TORN;
    if (!this.#locate(table)) return TORN;
    if (table.outcome === ABSENT || table.deadlineMs <= this.#readMs) return ABSENT;
    if (table.type !== type) return OTHER_TYPE;
    const guards = this.#guards;
    guards.count = 0;
    let outcome: Outcome;
    if (table.root === 0) {
      outcome = this.#search.findRecord(table.entry, this.name, copies);
    } else {
      outcome = this.#search.find(table.root, this.name, guards);
      if (outcome === FOUND) {
        if (this.#search.deadline() <= this.#readMs) outcome = ABSENT;
        else if (copies) outcome = this.#search.copyValue();
      }
    }
    return this.#stands(guards) && table.guards.stand() ? outcome : TORN;
  }

  /** Finds the key of a table, unless what is known of it still holds. False when a writer got in the way. */
  #locate(table: Table): boolean {
    const { guards, name } = table;
    const { changes } = this.#segments;
    if (table.changes === changes && guards.stand()) return true;
    table.changes = -1;
    guards.count = 0;
    table.outcome = this.#search.find(KEYSPACE_ROOT, name, guards);
    if (table.outcome === FOUND) {
      const head = this.#search.entryHead;
      table.type = head & TYPE_MASK;
      table.deadlineMs = this.#search.deadline();
      table.entry = this.#search.entryRef;
      table.root = (head & FLAG_ROOT) === 0 ? 0 : this.#search.rootOfEntry();
    }
    if (table.outcome < 0 || !this.#stands(guards)) return false;
    table.changes = changes;
    return true;
  }

  /** Whether what was read since the attempt began was there at one moment. */
  #stands(guards: Guards): boolean {
    settle();
    return (
      guards.stand() &&
      Atomics.load(this.#header, HEADER_BUSY) === 0 &&
      this.#segments.changes === this.#segments.changesNow
    );
  }
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** Gives the processor away for a moment. */
function pause(): void {
  Atomics.wait(never, 0, 0, PAUSE_MS);
}
