// SharedReads: what a client reads straight from the memory of a hive on its host, without asking it.
//
//   WELCOME says where ──▶ open() maps it ──▶ key(), field() ──▶ a value          else ASK: over the connection
//
// It ends with the connection and begins anew with the next one, so a hive that is gone is not read for longer
// than its connection takes to break, or its beat to be missed. Where a read fails for whatever reason the
// hive is asked, which then says so in its own words. How memory is mapped is handed in.

import { HiveError } from "../base/errors.ts";
import type { Cancel, Timers } from "../base/timers.ts";
import {
  ABSENT,
  BUSY,
  FOUND,
  LARGE,
  type MemoryReader,
  OTHER_TYPE,
  type Outcome,
  SHARED_VALUE_BYTES_MAX,
  SILENT,
} from "../store/shared-reader-outcomes.ts";
import type { Welcome } from "../wire/handshake.ts";
import type { Name } from "../wire/item-writer.ts";
import { type As, decodeStored } from "../wire/items.ts";
import { writeUtf8 } from "../wire/utf8.ts";
import { encodeScalar } from "../wire/value-encode.ts";
import type { Scalar } from "../wire/value-format.ts";
import { Scratch } from "../wire/value-scratch.ts";

/** Where a hive's memory lies, by what it said of itself. */
export type SharedPlace = { folder: string; layout: number; runId: string };

export type OpenShared = (place: SharedPlace) => Promise<MemoryReader>;

/** The hive has to be asked. */
export const ASK: unique symbol = Symbol("ask the hive");

/** How a client reads a hive that it shares its host with. */
export type SharedState = {
  /** Whether memory is read now. */
  readonly on: boolean;
  /** Where it is not: why. */
  readonly why: string | undefined;
  /** Reads answered from memory so far; of them those that met a writer and were made again; those that the hive was asked instead. */
  readonly reads: number;
  readonly retried: number;
  readonly asked: number;
};

export type SharedReadsParts = {
  /** Undefined where this platform cannot. */
  open: OpenShared | undefined;
  /** Whether the user wants it, and the hive that is dialed is on this host. */
  wanted: boolean;
  isLocal: boolean;
  timers: Timers;
  /** Tells the hive of keys that were read, for its eviction. */
  touch(names: Name[]): void;
};

/** Longest text that is written character by character. */
const LOOP_UNITS_MAX = 32;
/** Longer names are asked for: the hive says what is wrong with them. */
const NAME_BYTES_MAX = 64 * 1024;
const UPKEEP_MS = 500;
/** One read of so many is told to a hive that evicts by use, and so many keys at once. */
const SAMPLE = 16;
const SAMPLED_KEYS_MAX = 256;

export class SharedReads {
  readonly #parts: SharedReadsParts;
  readonly #encoded = new Scratch();
  readonly #sample = new Set<Name>();
  #sampleTurn = 0;
  #reader: MemoryReader | undefined = undefined;
  #why: string;
  /** Counts connections, so that what was begun for an old one is not taken for a new one. */
  #round = 0;
  #upkeep: Cancel | undefined = undefined;
  /** Of readers that are closed. */
  readonly #before = { reads: 0, retried: 0, asked: 0 };

  constructor(parts: SharedReadsParts) {
    this.#parts = parts;
    this.#why = parts.wanted ? "there is no connection yet" : "the option shared is false";
  }

  get state(): SharedState {
    const { reads = 0, retried = 0, asked = 0 } = this.#reader ?? {};
    const before = this.#before;
    return {
      on: this.#reader !== undefined,
      why: this.#reader === undefined ? this.#why : undefined,
      reads: before.reads + reads,
      retried: before.retried + retried,
      asked: before.asked + asked,
    };
  }

  get on(): boolean {
    return this.#reader !== undefined;
  }

  /** There is a new connection. Resolves when memory is mapped, or cannot be. */
  async connected({ shared, runId }: Welcome): Promise<void> {
    const { open, wanted, isLocal, timers } = this.#parts;
    const round = ++this.#round;
    if (!wanted) return;
    const why =
      open === undefined
        ? "a browser cannot map memory"
        : shared === undefined
          ? "the hive does not share its memory: memhive serve --shared"
          : !isLocal
            ? "the address is not one of this host"
            : "why" in shared
              ? shared.why
              : undefined;
    if (why !== undefined) return this.#drop(why);
    try {
      const reader = await open!({ ...(shared as { folder: string; layout: number }), runId });
      if (round !== this.#round) return reader.close();
      this.#reader = reader;
      this.#upkeep = timers.after(UPKEEP_MS, () => this.#keepUp());
    } catch (error) {
      // Whatever it is, the hive can be asked.
      if (round === this.#round) this.#drop(error instanceof Error ? error.message : String(error));
    }
  }

  /** The connection is gone. */
  disconnected(why: string): void {
    this.#round++;
    if (this.#parts.wanted) this.#drop(why);
  }

  #drop(why: string): void {
    this.#why = why;
    this.#upkeep?.();
    this.#sample.clear();
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    this.#before.reads += reader.reads;
    this.#before.retried += reader.retried;
    this.#before.asked += reader.asked;
    reader.close();
  }

  #keepUp(): void {
    this.#reader?.catchUp();
    if (this.#sample.size > 0) {
      this.#parts.touch([...this.#sample]);
      this.#sample.clear();
    }
    this.#upkeep = this.#parts.timers.after(UPKEEP_MS, () => this.#keepUp());
  }

  // Reads for calls that can also be made over the connection.

  /** The value of a key, undefined where there is none, or ASK. */
  key(key: Name, as: As): unknown {
    const outcome = this.#lookAtKey(key, true);
    return outcome === FOUND ? this.#decode(as) : outcome === ABSENT ? undefined : ASK;
  }

  /** Whether there is such a key, or ASK. */
  hasKey(key: Name): boolean | typeof ASK {
    const outcome = this.#lookAtKey(key, false);
    return outcome >= ABSENT ? outcome === FOUND : ASK;
  }

  /** The value of a field of a table, undefined where there is none, or ASK. */
  field(table: string, type: number, field: Name, as: As): unknown {
    const outcome = this.#lookAtField(table, type, field, true);
    return outcome === FOUND ? this.#decode(as) : outcome === ABSENT ? undefined : ASK;
  }

  /** Whether a table has a field, or a set a member, or ASK. */
  has(table: string, type: number, field: Name): boolean | typeof ASK {
    const outcome = this.#lookAtField(table, type, field, false);
    return outcome === FOUND ? true : outcome === ABSENT ? false : ASK;
  }

  // Reads that are made here or not at all.

  /** @throws {HiveError} NOT_SHARED, WRONG_TYPE, NOT_TEXT, BAD_VALUE */
  peek(key: Name, as: As): unknown {
    return this.#settled(this.#readKey(this.#mustWrite(key), key, true), as);
  }

  peekField(table: string, type: number, field: Name): unknown {
    return this.#settled(this.#readField(this.#mustWrite(field), table, type, true), "values");
  }

  peekHas(table: string, type: number, field: Name): boolean {
    const outcome = this.#readField(this.#mustWrite(field), table, type, false);
    if (outcome === FOUND) return true;
    if (outcome === ABSENT) return false;
    throw this.#refusal(outcome);
  }

  #settled(outcome: Outcome, as: As): unknown {
    if (outcome === FOUND) return this.#decodeOrThrow(as);
    if (outcome === ABSENT) return undefined;
    throw this.#refusal(outcome);
  }

  /** @throws {HiveError} NOT_SHARED, BAD_VALUE */
  #mustWrite(name: Name): MemoryReader {
    const reader = this.#reader;
    if (reader === undefined) {
      throw new HiveError("NOT_SHARED", `memory cannot be read here: ${this.#why}; get() asks the hive`);
    }
    if (this.#write(reader, name)) return reader;
    throw new HiveError("NOT_SHARED", `a name of more than ${NAME_BYTES_MAX} bytes: get() asks the hive`);
  }

  #refusal(outcome: Outcome): HiveError {
    if (outcome === OTHER_TYPE) {
      return new HiveError("WRONG_TYPE", "Operation against a key holding the wrong kind of value");
    }
    const why =
      outcome === LARGE
        ? `the value is larger than ${SHARED_VALUE_BYTES_MAX} bytes, or the table's name than ${NAME_BYTES_MAX}`
        : outcome === BUSY
          ? "a transaction is under way"
          : outcome === SILENT
            ? "the hive has been silent for a second"
            : "it is being written all the time";
    return new HiveError("NOT_SHARED", `not read from memory: ${why}; get() asks the hive`);
  }

  // Looking.

  #lookAtKey(key: Name, copies: boolean): Outcome {
    const reader = this.#reader;
    return reader !== undefined && this.#isWritten(reader, key) ? this.#readKey(reader, key, copies) : SILENT;
  }

  #readKey(reader: MemoryReader, key: Name, copies: boolean): Outcome {
    const outcome = reader.key(copies);
    if (outcome === FOUND && reader.sampled) this.#note(key);
    return outcome;
  }

  #lookAtField(table: string, type: number, field: Name, copies: boolean): Outcome {
    const reader = this.#reader;
    const isReadable = reader !== undefined && this.#isWritten(reader, field);
    return isReadable ? this.#readField(reader, table, type, copies) : SILENT;
  }

  #readField(reader: MemoryReader, table: string, type: number, copies: boolean): Outcome {
    // Each table that is read is remembered by its name.
    if (table.length > NAME_BYTES_MAX) return LARGE;
    const outcome = reader.field(table, type, copies);
    if (outcome === FOUND && reader.sampled) this.#note(table);
    return outcome;
  }

  #note(name: Name): void {
    if (++this.#sampleTurn % SAMPLE === 0 && this.#sample.size < SAMPLED_KEYS_MAX) this.#sample.add(name);
  }

  /** Hands a name to the reader. False where only the hive can say what is wrong with it. */
  #isWritten(reader: MemoryReader, name: Name): boolean {
    try {
      return this.#write(reader, name);
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      return false;
    }
  }

  /** @throws {HiveError} BAD_VALUE */
  #write(reader: MemoryReader, name: Name): boolean {
    const target = reader.name;
    if (typeof name === "string") {
      const units = name.length;
      if (units > NAME_BYTES_MAX) return false;
      const bytes = target.room(units * 3);
      let all = units <= LOOP_UNITS_MAX ? 0 : 0x80;
      if (all === 0) {
        for (let i = 0; i < units; i++) {
          const unit = name.charCodeAt(i);
          all |= unit;
          bytes[i] = unit;
        }
      }
      target.taken(all < 0x80 ? units : writeUtf8(bytes, name, 0), 0);
      return true;
    }
    if (name instanceof Uint8Array) {
      if (name.length > NAME_BYTES_MAX) return false;
      target.room(name.length).set(name);
      target.taken(name.length, 0);
      return true;
    }
    this.#encoded.reset();
    encodeScalar(name as Scalar, this.#encoded);
    const { bytes, end } = this.#encoded;
    target.room(end).set(bytes.subarray(0, end));
    target.taken(end, 1);
    return true;
  }

  /** What was found, or ASK where it cannot be read: the hive's answer says why. */
  #decode(as: As): unknown {
    try {
      return this.#decodeOrThrow(as);
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      return ASK;
    }
  }

  #decodeOrThrow(as: As): unknown {
    const { scratch, start, end, kind } = this.#reader!.found;
    return decodeStored(scratch, start, end, kind, as);
  }
}
