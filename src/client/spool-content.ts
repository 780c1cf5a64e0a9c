// SpoolContent: the readings of a spool, where each is in its life, and how many came to which end.
//
//   put ──▶ waiting ──sent──▶ doubtful ──answer──▶ kept ──in a snapshot──▶ gone
//              └ dropped, for its age or for want of room          └ the hive came back with less: doubtful again
//
// The three are in the order of their numbers, and behind one another. Only what waits is dropped: what was sent and has
// no answer may be in the hive, and is counted when it is known.

import { HiveError } from "../base/errors.ts";
import type { OpenedSpool, SpoolMarks } from "./spool-keeper.ts";
import type { SpoolSettings } from "./spool-options.ts";
import { bytesOf, type Reading, Readings } from "./spool-readings.ts";

export class SpoolContent {
  readonly marks: SpoolMarks;
  /** All readings up to this number are on the disk, where there is one: only these are sent. */
  writtenTo: number;
  #kept: Readings;
  /** Of each that is kept: the version of the hive's memory that has it. */
  #versions: number[];
  #doubtful: Readings;
  #waiting: Readings;
  readonly #settings: SpoolSettings;

  constructor(settings: SpoolSettings, { marks, readings }: OpenedSpool) {
    this.#settings = settings;
    this.marks = marks;
    this.writtenTo = marks.last;
    const wanted = readings.filter(({ sequence }) => sequence >= marks.from);
    this.#kept = new Readings(wanted.filter(({ sequence }) => sequence <= marks.ackTo));
    // Of another process's hive, until an answer tells of this one.
    this.#versions = Array.from(this.#kept, () => Number.POSITIVE_INFINITY);
    this.#doubtful = new Readings(wanted.filter(({ sequence }) => sequence > marks.ackTo && sequence <= marks.doubtTo));
    this.#waiting = new Readings(
      wanted.filter(({ sequence }) => sequence > marks.doubtTo && sequence >= marks.waitFrom),
    );
  }

  /** Readings that are not acknowledged. */
  get waiting(): { readings: number; bytes: number; first: Reading | undefined } {
    return {
      readings: this.#doubtful.length + this.#waiting.length,
      bytes: this.#doubtful.bytes + this.#waiting.bytes,
      first: this.#doubtful.first ?? this.#waiting.first,
    };
  }

  /** Readings that are acknowledged, and kept all the same. */
  get kept(): Readings {
    return this.#kept;
  }

  get bytes(): number {
    return this.#kept.bytes + this.#doubtful.bytes + this.#waiting.bytes;
  }

  // The way in.

  /** Gives a reading its number. There is room for it. */
  add(reading: Reading): void {
    reading.sequence = ++this.marks.last;
    this.#waiting.push(reading);
  }

  /** Takes one back that could not be written. */
  takeBack(sequence: number): void {
    // Where it was dropped meanwhile, it never was anything that could be.
    if (!this.#waiting.remove(sequence)) this.marks.dropped--;
  }

  /** Makes room for so many bytes, in the way that the settings say. @throws {HiveError} OVERLOADED */
  makeRoom(bytes: number): void {
    const { bytesMax, full } = this.#settings;
    if (bytes > bytesMax) throw overloaded(`a reading of ${bytes} bytes exceeds spool.bytesMax (${bytesMax})`);
    if (this.bytes + bytes <= bytesMax) return;
    const what = `the spool has ${this.bytes} of the ${bytesMax} bytes of spool.bytesMax`;
    if (full === "refuse") throw overloaded(`${what}: wait until some of it was sent`);
    while (this.bytes + bytes > bytesMax && this.#kept.length > 0) {
      this.#release();
      this.marks.letGo++;
    }
    while (this.bytes + bytes > bytesMax && this.#waiting.length > 0) this.#drop();
    this.changed();
    if (this.bytes + bytes > bytesMax) throw overloaded(`${what}, and all of it is on its way`);
  }

  /** Drops what is too old, or has run out. Returns whether there was some. */
  dropOld(nowMs: number): boolean {
    const before = this.marks.dropped;
    for (;;) {
      const first = this.#waiting.first;
      if (first === undefined) break;
      const hasRunOut = first.ttlMs > 0 && first.atMs + first.ttlMs <= nowMs;
      if (!hasRunOut && nowMs - first.atMs <= this.#settings.ageMsMax) break;
      this.#drop();
    }
    if (this.marks.dropped === before) return false;
    this.changed();
    return true;
  }

  #drop(): void {
    this.#waiting.shift();
    this.marks.dropped++;
  }

  // The way out.

  /** What is to be sent next, readings of one device: of what is in doubt, else of what waits, which is in doubt from then on. */
  take(readingsMax: number, bytesMax: number): Reading[] {
    const batch: Reading[] = [];
    let bytes = 0;
    const takes = (next: Reading | undefined): next is Reading => {
      if (next === undefined || next.sequence > this.writtenTo || batch.length >= readingsMax) return false;
      if (batch.length > 0 && next.device !== batch[0]!.device) return false;
      bytes += bytesOf(next);
      return batch.length === 0 || bytes <= bytesMax;
    };
    if (this.#doubtful.length > 0) {
      for (let next = this.#doubtful.at(0); takes(next); next = this.#doubtful.at(batch.length)) batch.push(next);
      return batch;
    }
    for (let next = this.#waiting.first; takes(next); next = this.#waiting.first) {
      batch.push(this.#waiting.shift());
      this.#doubtful.push(next);
    }
    return batch;
  }

  /** The hive has the readings of a device up to this number, in its memory as it is in this version. */
  acknowledge(device: string, last: number, version: number): void {
    for (let first = this.#doubtful.first; first?.device === device && first.sequence <= last; ) {
      this.#doubtful.shift();
      this.marks.acknowledged++;
      if (this.#settings.keepUntil === "stored") {
        this.#kept.push(first);
        this.#versions.push(version);
      }
      first = this.#doubtful.first;
    }
  }

  /** The hive will not have this one, which is the first that is in doubt. Returns whether it is. */
  refuse(sequence: number): boolean {
    if (this.#doubtful.first?.sequence !== sequence) return false;
    this.#doubtful.shift();
    this.marks.refused++;
    return true;
  }

  /**
   * The hive has another memory, which may have less than the one before: what is kept for that goes again.
   * @param last What it has of this device, in this version.
   */
  beginAgain(device: string, last: number, version: number): void {
    this.marks.acknowledged -= this.#kept.length;
    this.#doubtful = new Readings([...this.#kept, ...this.#doubtful]);
    this.#kept = new Readings();
    this.#versions = [];
    this.acknowledge(device, last, version);
    // Of one device there is no doubt any more: the rest is not there, and waits as it did before.
    for (const reading of this.#doubtful) if (reading.device !== device) return;
    this.#waiting = new Readings([...this.#doubtful, ...this.#waiting]);
    this.#doubtful = new Readings();
  }

  /** A snapshot holds all up to this version. */
  stored(version: number): void {
    while (this.#kept.length > 0 && this.#versions[0]! <= version) this.#release();
  }

  #release(): void {
    this.#kept.shift();
    this.#versions.shift();
  }

  /** Brings the marks up to date. */
  changed(): SpoolMarks {
    const { marks } = this;
    const first = this.#kept.first ?? this.#doubtful.first ?? this.#waiting.first;
    marks.from = first?.sequence ?? marks.last + 1;
    // After beginAgain() fewer are than before.
    marks.ackTo = this.#kept.last?.sequence ?? marks.from - 1;
    marks.doubtTo = (this.#doubtful.last ?? this.#kept.last)?.sequence ?? marks.from - 1;
    marks.waitFrom = this.#waiting.first?.sequence ?? marks.last + 1;
    return marks;
  }
}

function overloaded(message: string): HiveError {
  return new HiveError("OVERLOADED", message, { sent: false });
}
